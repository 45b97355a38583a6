//! `ottla records delete`

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::{Args, Subcommand};
use client::{OffsetAt, Place};
use serde::Serialize;

use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// Delete the oldest records: shows what would happen, --execute does it
    Delete(DeleteArgs),
}

#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// The topic
    #[arg(value_name = "TOPIC")]
    topic: String,

    /// Delete records below this offset; `end` means all
    #[arg(long, value_name = "OFFSET", value_parser = parse_before)]
    before: i64,

    /// Only this partition; may be repeated
    #[arg(short, long, value_name = "N")]
    partition: Vec<i32>,

    /// Do it, instead of showing what would happen
    #[arg(long)]
    execute: bool,
}

/// -1 is Kafka's "all there is".
fn parse_before(text: &str) -> Result<i64, String> {
    match text {
        "end" => Ok(-1),
        _ => match text.parse::<i64>() {
            Ok(offset) if offset >= 0 => Ok(offset),
            _ => Err("use an offset or `end`".to_owned()),
        },
    }
}

#[derive(Serialize)]
struct Deleted {
    executed: bool,
    partitions: Vec<DeletedPartition>,
}

#[derive(Serialize)]
struct DeletedPartition {
    topic: String,
    partition: i32,
    start_before: i64,
    start_after: i64,
    records: i64,
}

pub fn run(command: RecordsCommand, common: &Common) -> Outcome {
    let RecordsCommand::Delete(args) = command;
    let mut client = common.connect()?;
    let cluster = client.refresh_existing(std::slice::from_ref(&args.topic))?;
    let all: Vec<i32> = cluster.topic(&args.topic)?.partitions.keys().copied().collect();
    let chosen = if args.partition.is_empty() { all } else { args.partition.clone() };
    let places: Vec<Place> = chosen.into_iter().map(|p| (args.topic.clone(), p)).collect();
    let mut ask = |at: OffsetAt| -> Result<BTreeMap<Place, i64>, Failure> {
        let wanted = places.iter().map(|place| (place.clone(), at)).collect();
        let found = client.list_offsets(&wanted)?;
        Ok(found.into_iter().map(|(place, found)| (place, found.offset)).collect())
    };
    let (starts, ends) = (ask(OffsetAt::Earliest)?, ask(OffsetAt::Latest)?);
    let mut after: BTreeMap<Place, i64> = places
        .iter()
        .map(|place| {
            let before = if args.before < 0 { ends[place] } else { args.before };
            (place.clone(), before.clamp(starts[place], ends[place]))
        })
        .collect();
    if args.execute {
        for (place, result) in client.delete_records(&after)? {
            let start = result.map_err(|error| partial(Failure::from(error), &place))?;
            after.insert(place, start);
        }
    }
    let partitions = after.into_iter().map(|(place, start_after)| {
        let start_before = starts[&place];
        let records = start_after - start_before;
        let (topic, partition) = place;
        DeletedPartition { topic, partition, start_before, start_after, records }
    });
    let partitions = partitions.collect();
    output::print(common.output, &Deleted { executed: args.execute, partitions })
}

/// Other partitions may have been cut already.
fn partial(mut failure: Failure, place: &Place) -> Failure {
    failure.exit = Exit::Partial;
    failure.what = format!("delete records of {}-{}", place.0, place.1);
    failure
}

impl Report for Deleted {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            ("TOPIC", Align::Left),
            ("PARTITION", Align::Right),
            ("FROM", Align::Right),
            ("BELOW", Align::Right),
            ("OFFSETS", Align::Right),
        ]);
        for p in &self.partitions {
            table.row(vec![
                p.topic.clone(),
                p.partition.to_string(),
                p.start_before.to_string(),
                p.start_after.to_string(),
                p.records.to_string(),
            ]);
        }
        table.write(out)?;
        match self.executed {
            true => writeln!(out, "deleted"),
            false => writeln!(out, "nothing was deleted; add --execute to do it"),
        }
    }
}
