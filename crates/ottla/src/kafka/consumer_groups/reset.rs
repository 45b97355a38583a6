//! `kafka-consumer-groups --reset-offsets`

use std::collections::BTreeMap;
use std::io::Write;

use client::{Client, ClientError, Committed, Committer, OffsetAt, Place, TopicsWanted};
use types::ErrorCode;

use super::super::{ScriptError, ScriptResult};
use super::describe::reset_table;
use super::{GroupError, GroupResult, Parsed, groups, scope};
use crate::duration::parse_iso_duration;
use crate::failure::file_failure;
use crate::moment::{now_ms, parse_date_time};

const SCENARIOS: &[&str] = &[
    "from-file",
    "to-datetime",
    "by-duration",
    "to-latest",
    "to-current",
    "to-earliest",
    "to-offset",
    "shift-by",
];

const NO_ACTION: &str = "WARN: No action will be performed as the --execute option is missing. In \
                         version 5.0, this command will require either --dry-run or --execute to \
                         be specified. You should add the --dry-run option explicitly if you are \
                         scripting this command and want to keep the current default behavior \
                         without prompting.";

pub fn check(parsed: &Parsed) -> ScriptResult {
    parsed.refuse_together("dry-run", &["execute"])?;
    if !parsed.has("dry-run") && !parsed.has("execute") {
        eprintln!("{NO_ACTION}");
    }
    let chosen: Vec<&&str> = SCENARIOS.iter().filter(|name| parsed.has(name)).collect();
    match chosen.as_slice() {
        [] => {
            let all: Vec<String> = SCENARIOS.iter().map(|name| format!("[{name}]")).collect();
            return Err(parsed.usage(format!(
                "Option '[reset-offsets]' requires one of the following scenarios: [{}]",
                all.join(", ")
            )));
        }
        [_] => {}
        [first, others @ ..] => {
            parsed.refuse_together(first, &others.iter().map(|name| **name).collect::<Vec<_>>())?
        }
    }
    if !parsed.has("topic") && !parsed.has("all-topics") && !parsed.has("from-file") {
        return Err(ScriptError::Stderr(
            "One of the reset scopes should be defined: --all-topics, --topic.".to_owned(),
        ));
    }
    Ok(())
}

pub fn run(parsed: &Parsed, client: &mut Client, out: &mut dyn Write) -> GroupResult {
    let names = groups(parsed, client)?;
    let mut rows: Vec<(String, Place, i64)> = Vec::new();
    for group in &names {
        if let Some(state) = active_state(client, group)? {
            writeln!(
                out,
                "\nError: Assignments can only be reset if the group '{group}' is inactive, but \
                 the current state is {state}."
            )?;
            continue;
        }
        let plan = plan(parsed, client, group, out)?;
        if parsed.has("execute") {
            let offsets = plan.iter().map(|(place, offset)| {
                let committed =
                    Committed { offset: *offset, leader_epoch: -1, ..Default::default() };
                (place.clone(), committed)
            });
            client.commit(group, &Committer::outside(), &offsets.collect())?;
        }
        rows.extend(plan.into_iter().map(|(place, offset)| (group.clone(), place, offset)));
    }
    if parsed.has("export") {
        return Ok(export(&rows, names.len() > 1, out)?);
    }
    Ok(reset_table(&rows, out)?)
}

/// The state of a group that has members; a group that does not exist yet may be positioned.
fn active_state(client: &mut Client, group: &str) -> Result<Option<String>, ClientError> {
    match client.describe_group(group) {
        Ok(described) if described.members.is_empty() => Ok(None),
        Ok(described) => Ok(Some(described.state)),
        Err(error) if error.is_broker(ErrorCode::GroupIdNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn export(
    rows: &[(String, Place, i64)],
    has_groups: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for (group, (topic, partition), offset) in rows {
        let group = if has_groups { format!("{group},") } else { String::new() };
        writeln!(out, "{group}{topic},{partition},{offset}")?;
    }
    writeln!(out)
}

fn plan(
    parsed: &Parsed,
    client: &mut Client,
    group: &str,
    out: &mut dyn Write,
) -> Result<BTreeMap<Place, i64>, GroupError> {
    if let Some(path) = parsed.value("from-file") {
        let wished = read_file(path, group)?;
        let places: Vec<Place> = wished.keys().cloned().collect();
        refresh(client, &places)?;
        return Ok(within(client, wished)?);
    }
    let committed = client.committed(group, None)?;
    let places: Vec<Place> = match parsed.has("all-topics") {
        true => committed.keys().cloned().collect(),
        false => scope::places(parsed, client)?,
    };
    refresh(client, &places)?;
    if parsed.has("to-earliest") {
        return Ok(at(client, &places, OffsetAt::Earliest)?);
    }
    if parsed.has("to-latest") {
        return Ok(at(client, &places, OffsetAt::Latest)?);
    }
    if let Some(time) = time(parsed)? {
        return at_time(client, &places, time, out);
    }
    let ends = at(client, &places, OffsetAt::Latest)?;
    let current = |place: &Place| committed.get(place).map(|committed| committed.offset);
    if parsed.has("to-current") {
        let now = |place: &Place| (place.clone(), current(place).unwrap_or(ends[place]));
        return Ok(places.iter().map(now).collect());
    }
    let offset: Option<i64> = parsed.number("to-offset")?;
    let shift: i64 = parsed.number("shift-by")?.unwrap_or_default();
    let mut wished = BTreeMap::new();
    for place in &places {
        let wish = match (offset, current(place)) {
            (Some(offset), _) => offset,
            (None, Some(now)) => now.saturating_add(shift),
            (None, None) => {
                let why = format!(
                    "Cannot shift offset for partition {}-{} since there is no current committed \
                     offset",
                    place.0, place.1
                );
                return Err(ScriptError::Stderr(why).into());
            }
        };
        wished.insert(place.clone(), wish);
    }
    Ok(within(client, wished)?)
}

fn refresh(client: &mut Client, places: &[Place]) -> Result<(), ClientError> {
    let mut topics: Vec<String> = places.iter().map(|(topic, _)| topic.clone()).collect();
    topics.dedup();
    client.refresh(TopicsWanted::Named(topics)).map(|_| ())
}

fn at(
    client: &mut Client,
    places: &[Place],
    at: OffsetAt,
) -> Result<BTreeMap<Place, i64>, ClientError> {
    let wanted = places.iter().map(|place| (place.clone(), at)).collect();
    let found = client.list_offsets(&wanted)?;
    Ok(found.into_iter().map(|(place, found)| (place, found.offset)).collect())
}

fn time(parsed: &Parsed) -> Result<Option<i64>, GroupError> {
    if let Some(text) = parsed.value("to-datetime") {
        let time = parse_date_time(text).ok_or_else(|| {
            ScriptError::Stderr(format!("Error: {text} is not like YYYY-MM-DDTHH:mm:SS.sss"))
        })?;
        return Ok(Some(time));
    }
    if let Some(text) = parsed.value("by-duration") {
        let ago = parse_iso_duration(text)
            .ok_or_else(|| ScriptError::Stderr(format!("Error: {text} is not like PnDTnHnMnS")))?;
        return Ok(Some(now_ms() - i64::try_from(ago.as_millis()).unwrap_or(i64::MAX)));
    }
    Ok(None)
}

fn at_time(
    client: &mut Client,
    places: &[Place],
    time: i64,
    out: &mut dyn Write,
) -> Result<BTreeMap<Place, i64>, GroupError> {
    let mut found = at(client, places, OffsetAt::Time(time))?;
    let ends = at(client, places, OffsetAt::Latest)?;
    for (place, offset) in &mut found {
        if *offset < 0 {
            let (topic, partition) = place;
            writeln!(
                out,
                "\nWarn: Partition {partition} from topic {topic} is empty. Falling back to \
                 latest known offset."
            )?;
            *offset = ends[place];
        }
    }
    Ok(found)
}

/// Offsets moved into what each partition has.
fn within(
    client: &mut Client,
    wished: BTreeMap<Place, i64>,
) -> Result<BTreeMap<Place, i64>, ClientError> {
    let places: Vec<Place> = wished.keys().cloned().collect();
    let starts = at(client, &places, OffsetAt::Earliest)?;
    let ends = at(client, &places, OffsetAt::Latest)?;
    let kept = wished.into_iter().map(|(place, wish)| {
        let (start, end) = (starts[&place], ends[&place]);
        if wish > end {
            eprintln!(
                "New offset ({wish}) is higher than latest offset for topic partition \
                       {}-{}. Value will be set to {end}",
                place.0, place.1
            );
        } else if wish < start {
            eprintln!(
                "New offset ({wish}) is lower than earliest offset for topic partition \
                       {}-{}. Value will be set to {start}",
                place.0, place.1
            );
        }
        (place, wish.clamp(start, end.max(start)))
    });
    Ok(kept.collect())
}

/// CSV: `topic,partition,offset`, with the group in front where there are several.
fn read_file(path: &str, group: &str) -> Result<BTreeMap<Place, i64>, ScriptError> {
    let text = std::fs::read_to_string(path).map_err(|error| file_failure("read", path, &error))?;
    let mut wished = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = || {
            let number = number + 1;
            ScriptError::Stderr(format!("{path}: line {number} is not topic,partition,offset"))
        };
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let (topic, partition, offset) = match cells.as_slice() {
            [topic, partition, offset] => (topic, partition, offset),
            [named, topic, partition, offset] if *named == group => (topic, partition, offset),
            [_, _, _, _] => continue,
            _ => return Err(wrong()),
        };
        let partition: i32 = partition.parse().map_err(|_| wrong())?;
        let offset: i64 = offset.parse().map_err(|_| wrong())?;
        wished.insert(((*topic).to_owned(), partition), offset);
    }
    Ok(wished)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_exported_with_groups_only_if_there_are_several() {
        let rows = [("g".to_owned(), ("t".to_owned(), 0), 1)];
        let text = |has_groups| {
            let mut out = Vec::new();
            export(&rows, has_groups, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(false), "t,0,1\n\n");
        assert_eq!(text(true), "g,t,0,1\n\n");
    }

    #[test]
    fn an_exported_plan_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan.csv");
        std::fs::write(&path, "t,0,1\ng,t,1,2\nother,t,2,3\n\n").unwrap();
        let read = read_file(path.to_str().unwrap(), "g").ok().unwrap();
        assert_eq!(read, BTreeMap::from([(("t".into(), 0), 1), (("t".into(), 1), 2)]));
        std::fs::write(&path, "t,x,1\n").unwrap();
        assert!(read_file(path.to_str().unwrap(), "g").is_err());
    }

    #[test]
    fn the_plan_is_printed_in_kafkas_columns() {
        let mut out = Vec::new();
        reset_table(&[("grp1".to_owned(), ("auto1".to_owned(), 0), 0)], &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\nGROUP           TOPIC           PARTITION  NEW-OFFSET\n\
             grp1            auto1           0          0\n"
        );
    }
}
