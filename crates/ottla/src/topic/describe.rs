//! `ottla topic describe`

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use client::admin::compaction::Compaction;
use client::admin::configs::{Resource, ResourceKind};
use client::{Client, FoundOffset, OffsetAt, Place, Topic};
use config::Source;
use serde::Serialize;

use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Args, Debug)]
pub struct DescribeArgs {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    names: Vec<String>,
}

#[derive(Serialize)]
struct Described {
    topics: Vec<DescribedTopic>,
}

#[derive(Serialize)]
struct DescribedTopic {
    name: String,
    id: String,
    internal: bool,
    /// What differs from Kafka's defaults.
    configs: BTreeMap<String, String>,
    partitions: Vec<DescribedPartition>,
}

#[derive(Serialize)]
struct DescribedPartition {
    partition: i32,
    /// -1 while there is none.
    leader: i32,
    leader_epoch: i32,
    replicas: Vec<i32>,
    isr: Vec<i32>,
    log_start: Option<i64>,
    log_end: Option<i64>,
    /// Missing if the leader is no Ottla.
    #[serde(skip_serializing_if = "Option::is_none")]
    compaction: Option<DescribedCompaction>,
}

/// What becomes of old records.
#[derive(Serialize)]
struct DescribedCompaction {
    /// One word: `not-compacted`, `compacting`, `due`, or why not.
    state: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dirty_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    producer_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
}

/// The state of a topic that is not meant to be compacted: of no interest to a reader.
const NOT_COMPACTED: &str = "not-compacted";

pub fn run(args: &DescribeArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let cluster = client.refresh_existing(&args.names)?;
    let topics: Vec<Topic> =
        args.names.iter().filter_map(|name| cluster.topics.get(name).cloned()).collect();
    let begins = offsets(&mut client, &topics, OffsetAt::Earliest)?;
    let ends = offsets(&mut client, &topics, OffsetAt::Latest)?;
    let compaction = client.describe_compaction(&led(&topics))?;
    let mut described = Vec::with_capacity(topics.len());
    for topic in &topics {
        described.push(DescribedTopic {
            name: topic.name.clone(),
            id: topic.id.to_string(),
            internal: topic.is_internal,
            configs: own_configs(&mut client, &topic.name)?,
            partitions: partitions(topic, &begins, &ends, &compaction),
        });
    }
    output::print(common.output, &Described { topics: described })
}

/// The partitions that have a leader.
fn led(topics: &[Topic]) -> Vec<Place> {
    let led = topics.iter().flat_map(|topic| {
        let led = topic.partitions.values().filter(|partition| partition.leader >= 0);
        led.map(|partition| (topic.name.clone(), partition.index))
    });
    led.collect()
}

/// Offsets of the partitions that have a leader; the others must not stop us from showing that.
fn offsets(
    client: &mut Client,
    topics: &[Topic],
    at: OffsetAt,
) -> Result<BTreeMap<Place, FoundOffset>, Failure> {
    let asked = led(topics).into_iter().map(|place| (place, at)).collect();
    let found = client.list_offsets_each(&asked)?;
    Ok(found.into_iter().filter_map(|(place, found)| Some((place, found.ok()?))).collect())
}

fn own_configs(client: &mut Client, topic: &str) -> Result<BTreeMap<String, String>, Failure> {
    let resource = Resource::new(ResourceKind::Topic, topic);
    let described = client.describe_configs(&resource, None)?;
    let own = described.into_iter().filter(|entry| entry.source == Source::Topic.wire_code());
    Ok(own.map(|entry| (entry.name, entry.value.unwrap_or_default())).collect())
}

fn partitions(
    topic: &Topic,
    begins: &BTreeMap<Place, FoundOffset>,
    ends: &BTreeMap<Place, FoundOffset>,
    compaction: &BTreeMap<Place, Compaction>,
) -> Vec<DescribedPartition> {
    let described = topic.partitions.values().map(|partition| {
        let place = (topic.name.clone(), partition.index);
        DescribedPartition {
            partition: partition.index,
            leader: partition.leader,
            leader_epoch: partition.leader_epoch,
            replicas: partition.replicas.clone(),
            isr: partition.isr.clone(),
            log_start: begins.get(&place).map(|found| found.offset),
            log_end: ends.get(&place).map(|found| found.offset),
            compaction: compaction.get(&place).map(|told| DescribedCompaction {
                state: told.state.clone(),
                reason: told.reason.clone(),
                dirty_ratio: told.dirty_ratio,
                producer_id: told.producer_id,
                offset: told.offset,
            }),
        }
    });
    described.collect()
}

impl Report for Described {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        for (index, topic) in self.topics.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}  (id {})", topic.name, topic.id)?;
            for (name, value) in &topic.configs {
                writeln!(out, "  {name} = {value}")?;
            }
            partition_table(topic).write(out)?;
            write_compaction(topic, out)?;
        }
        Ok(())
    }
}

/// Why partitions of a compacted topic are not being compacted, those of one reason together.
fn write_compaction(topic: &DescribedTopic, out: &mut dyn Write) -> io::Result<()> {
    let mut by_reason: BTreeMap<(&str, &str), Vec<i32>> = BTreeMap::new();
    for partition in &topic.partitions {
        let told = partition.compaction.as_ref().filter(|told| told.state != NOT_COMPACTED);
        if let Some(told) = told {
            let reason = (told.state.as_str(), told.reason.as_str());
            by_reason.entry(reason).or_default().push(partition.partition);
        }
    }
    for ((state, reason), partitions) in by_reason {
        let (noun, verb) = match partitions[..] {
            [_] => ("partition", "is"),
            _ => ("partitions", "are"),
        };
        let partitions = list(&partitions);
        match state {
            "compacting" | "due" => writeln!(out, "  {noun} {partitions} {verb} {reason}")?,
            _ => writeln!(out, "  {noun} {partitions} {verb} not being compacted: {reason}")?,
        }
    }
    Ok(())
}

fn partition_table(topic: &DescribedTopic) -> Table {
    let mut table = Table::new(&[
        ("PARTITION", Align::Right),
        ("LEADER", Align::Right),
        ("REPLICAS", Align::Left),
        ("IN SYNC", Align::Left),
        ("FROM", Align::Right),
        ("TO", Align::Right),
    ]);
    let offset = |offset: Option<i64>| offset.map_or("-".to_owned(), |offset| offset.to_string());
    for partition in &topic.partitions {
        table.row(vec![
            partition.partition.to_string(),
            if partition.leader < 0 { "none".to_owned() } else { partition.leader.to_string() },
            list(&partition.replicas),
            list(&partition.isr),
            offset(partition.log_start),
            offset(partition.log_end),
        ]);
    }
    table
}

fn list(brokers: &[i32]) -> String {
    brokers.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}
