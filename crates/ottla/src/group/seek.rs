//! `ottla group seek`

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use client::{Client, Committed, Committer, OffsetAt, Place, TopicsWanted};
use serde::Serialize;
use types::ErrorCode;

use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::moment::{now_ms, parse_moment};
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Args, Debug)]
pub struct SeekArgs {
    /// Name of the group; it must have no members
    #[arg(value_name = "GROUP")]
    group: String,

    /// Where to: start, end, an offset, +N or -N from where it is, or @TIME
    #[arg(long, value_name = "PLACE", value_parser = parse_to, allow_hyphen_values = true)]
    to: To,

    /// TOPIC or TOPIC:0,2; may be repeated [default: all that the group has committed for]
    #[arg(short, long, value_name = "TOPIC[:PARTITIONS]")]
    topic: Vec<String>,

    /// Do it, instead of showing what would happen
    #[arg(long)]
    execute: bool,
}

/// Where a group is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    At(OffsetAt),
    Offset(i64),
    Shift(i64),
}

fn parse_to(text: &str) -> Result<To, String> {
    match text {
        "start" | "beginning" | "earliest" => return Ok(To::At(OffsetAt::Earliest)),
        "end" | "latest" => return Ok(To::At(OffsetAt::Latest)),
        _ => {}
    }
    if let Some(time) = text.strip_prefix('@') {
        return Ok(To::At(OffsetAt::Time(parse_moment(time, now_ms())?)));
    }
    let number = text.parse::<i64>().map_err(|_| "use start, end, OFFSET, +N, -N or @TIME")?;
    let is_shift = text.starts_with(['+', '-']);
    Ok(if is_shift { To::Shift(number) } else { To::Offset(number) })
}

#[derive(Serialize)]
struct Sought {
    group: String,
    executed: bool,
    partitions: Vec<SoughtPartition>,
    #[serde(skip)]
    again: String,
}

#[derive(Serialize)]
struct SoughtPartition {
    topic: String,
    partition: i32,
    from: Option<i64>,
    to: i64,
}

pub fn run(args: &SeekArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    refuse_members(&mut client, &args.group)?;
    let committed = client.committed(&args.group, None)?;
    let places = places(&mut client, &args.topic, &committed, &args.group)?;
    let targets = targets(&mut client, args.to, &places, &committed)?;
    if args.execute {
        let offsets = targets.iter().map(|(place, offset)| {
            (
                place.clone(),
                Committed { offset: *offset, leader_epoch: -1, metadata: String::new() },
            )
        });
        client.commit(&args.group, &Committer::outside(), &offsets.collect())?;
    }
    let partitions = targets.into_iter().map(|(place, to)| SoughtPartition {
        from: committed.get(&place).map(|committed| committed.offset),
        topic: place.0,
        partition: place.1,
        to,
    });
    let report = Sought {
        group: args.group.clone(),
        executed: args.execute,
        partitions: partitions.collect(),
        again: again(),
    };
    output::print(common.output, &report)
}

/// The command as it was typed, for the hint.
fn again() -> String {
    std::env::args().skip(1).collect::<Vec<_>>().join(" ")
}

/// Members would commit over it at once, and the broker refuses anyway.
fn refuse_members(client: &mut Client, group: &str) -> Outcome {
    match client.describe_group(group) {
        Ok(described) if described.members.is_empty() => Ok(()),
        Ok(described) => {
            let clients: Vec<&str> =
                described.members.iter().map(|member| member.client_id.as_str()).collect();
            let why = format!("it has members: {}", clients.join(", "));
            Err(Failure::new(Exit::Failed, "NON_EMPTY_GROUP", format!("seek group {group}"), why)
                .todo("stop them first"))
        }
        // A group may be positioned before its first member comes.
        Err(error) if error.is_broker(ErrorCode::GroupIdNotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn places(
    client: &mut Client,
    topics: &[String],
    committed: &BTreeMap<Place, Committed>,
    group: &str,
) -> Result<Vec<Place>, Failure> {
    let mut wanted = Vec::new();
    for text in topics {
        wanted.push(parse_topic(text)?);
    }
    if wanted.is_empty() {
        if committed.is_empty() {
            let why = "it has committed nothing, so that its topics are not known";
            return Err(
                Failure::usage(format!("seek group {group}"), why).todo("add --topic TOPIC")
            );
        }
        let names = committed.keys().map(|(topic, _)| topic.clone());
        client.refresh(TopicsWanted::Named(names.collect()))?;
        return Ok(committed.keys().cloned().collect());
    }
    let names: Vec<String> = wanted.iter().map(|(topic, _)| topic.clone()).collect();
    let cluster = client.refresh_existing(&names)?;
    let mut places = Vec::new();
    for (topic, partitions) in wanted {
        let all = cluster.topic(&topic)?.partitions.keys().copied().collect();
        for partition in partitions.unwrap_or(all) {
            cluster.partition(&topic, partition)?;
            places.push((topic.clone(), partition));
        }
    }
    Ok(places)
}

/// `orders` or `orders:0,2`.
pub(crate) fn parse_topic(text: &str) -> Result<(String, Option<Vec<i32>>), Failure> {
    let Some((topic, partitions)) = text.split_once(':') else {
        return Ok((text.to_owned(), None));
    };
    let partitions = partitions.split(',').map(str::parse).collect::<Result<Vec<i32>, _>>();
    match partitions {
        Ok(partitions) => Ok((topic.to_owned(), Some(partitions))),
        Err(_) => Err(Failure::usage(format!("read {text}"), "it is not TOPIC or TOPIC:0,2")),
    }
}

/// The offset of each place, never outside of what the partition has.
fn targets(
    client: &mut Client,
    to: To,
    places: &[Place],
    committed: &BTreeMap<Place, Committed>,
) -> Result<BTreeMap<Place, i64>, Failure> {
    let mut all = |at: OffsetAt| -> Result<BTreeMap<Place, i64>, Failure> {
        let wanted = places.iter().map(|place| (place.clone(), at)).collect();
        let found = client.list_offsets(&wanted)?;
        Ok(found.into_iter().map(|(place, found)| (place, found.offset)).collect())
    };
    let starts = all(OffsetAt::Earliest)?;
    let ends = all(OffsetAt::Latest)?;
    let wished = match to {
        To::At(at) => all(at)?,
        To::Offset(offset) => places.iter().map(|place| (place.clone(), offset)).collect(),
        To::Shift(by) => {
            let current = |place: &Place| committed.get(place).map_or(ends[place], |c| c.offset);
            places.iter().map(|place| (place.clone(), current(place) + by)).collect()
        }
    };
    let kept = wished.into_iter().map(|(place, offset)| {
        let (start, end) = (starts[&place], ends[&place]);
        // No record is as new as that: the end.
        let offset = if offset < 0 && matches!(to, To::At(_)) { end } else { offset };
        (place, offset.clamp(start, end))
    });
    Ok(kept.collect())
}

impl Report for Sought {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            ("TOPIC", Align::Left),
            ("PARTITION", Align::Right),
            ("FROM", Align::Right),
            ("TO", Align::Right),
            ("CHANGE", Align::Right),
        ]);
        for p in &self.partitions {
            table.row(vec![
                p.topic.clone(),
                p.partition.to_string(),
                p.from.map_or("-".to_owned(), |from| from.to_string()),
                p.to.to_string(),
                p.from.map_or("-".to_owned(), |from| format!("{:+}", p.to - from)),
            ]);
        }
        table.write(out)?;
        match self.executed {
            true => writeln!(out, "group {} was moved", self.group),
            false => writeln!(out, "nothing was changed; try: ottla {} --execute", self.again),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_people_write_them() {
        assert_eq!(parse_to("start"), Ok(To::At(OffsetAt::Earliest)));
        assert_eq!(parse_to("7"), Ok(To::Offset(7)));
        assert_eq!(parse_to("+7"), Ok(To::Shift(7)));
        assert_eq!(parse_to("-7"), Ok(To::Shift(-7)));
        assert_eq!(parse_to("@5000"), Ok(To::At(OffsetAt::Time(5000))));
        assert!(parse_to("there").is_err());
    }

    #[test]
    fn topics_may_name_partitions() {
        assert_eq!(parse_topic("t").unwrap(), ("t".to_owned(), None));
        assert_eq!(parse_topic("t:0,2").unwrap(), ("t".to_owned(), Some(vec![0, 2])));
        assert!(parse_topic("t:x").is_err());
    }
}
