//! `ottla offsets`

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use client::{Client, FoundOffset, OffsetAt, Place};
use serde::Serialize;

use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::moment::{format_moment, now_ms, parse_moment};
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Args, Debug)]
pub struct OffsetsArgs {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,

    /// Also the first offset at or after this time (2026-01-31T12:00:00Z, -15m)
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    at: Option<i64>,
}

fn parse_time(text: &str) -> Result<i64, String> {
    parse_moment(text.trim_start_matches('@'), now_ms())
}

#[derive(Serialize)]
struct Offsets {
    partitions: Vec<PartitionOffsets>,
    #[serde(skip)]
    at: Option<i64>,
}

#[derive(Serialize)]
struct PartitionOffsets {
    topic: String,
    partition: i32,
    start: i64,
    end: i64,
    records: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
}

pub fn run(args: &OffsetsArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let cluster = client.refresh_existing(&args.topics)?;
    let places: Vec<Place> = cluster
        .topics
        .values()
        .flat_map(|topic| topic.partitions.keys().map(|p| (topic.name.clone(), *p)))
        .collect();
    let starts = find(&mut client, &places, OffsetAt::Earliest)?;
    let ends = find(&mut client, &places, OffsetAt::Latest)?;
    let times = match args.at {
        Some(ms) => find(&mut client, &places, OffsetAt::Time(ms))?,
        None => BTreeMap::new(),
    };
    let partitions = places.into_iter().map(|place| {
        let (start, end) = (starts[&place].offset, ends[&place].offset);
        let at = times.get(&place).map(|found| if found.offset < 0 { end } else { found.offset });
        let (topic, partition) = place;
        PartitionOffsets { topic, partition, start, end, records: end - start, at }
    });
    output::print(common.output, &Offsets { partitions: partitions.collect(), at: args.at })
}

fn find(
    client: &mut Client,
    places: &[Place],
    at: OffsetAt,
) -> Result<BTreeMap<Place, FoundOffset>, Failure> {
    let wanted = places.iter().map(|place| (place.clone(), at)).collect();
    Ok(client.list_offsets(&wanted)?)
}

impl Report for Offsets {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            ("TOPIC", Align::Left),
            ("PARTITION", Align::Right),
            ("START", Align::Right),
            ("END", Align::Right),
            ("AT TIME", Align::Right),
        ]);
        for p in &self.partitions {
            table.row(vec![
                p.topic.clone(),
                p.partition.to_string(),
                p.start.to_string(),
                p.end.to_string(),
                p.at.map_or("-".to_owned(), |at| at.to_string()),
            ]);
        }
        if let Some(at) = self.at {
            writeln!(out, "at {}", format_moment(at))?;
        }
        table.write(out)
    }
}
