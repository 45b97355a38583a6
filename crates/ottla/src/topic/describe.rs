//! `ottla topic describe`

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
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
}

pub fn run(args: &DescribeArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let cluster = client.refresh_existing(&args.names)?;
    let topics: Vec<Topic> =
        args.names.iter().filter_map(|name| cluster.topics.get(name).cloned()).collect();
    let begins = offsets(&mut client, &topics, OffsetAt::Earliest)?;
    let ends = offsets(&mut client, &topics, OffsetAt::Latest)?;
    let mut described = Vec::with_capacity(topics.len());
    for topic in &topics {
        described.push(DescribedTopic {
            name: topic.name.clone(),
            id: topic.id.to_string(),
            internal: topic.is_internal,
            configs: own_configs(&mut client, &topic.name)?,
            partitions: partitions(topic, &begins, &ends),
        });
    }
    output::print(common.output, &Described { topics: described })
}

/// Offsets of the partitions that have a leader; the others must not stop us from showing that.
fn offsets(
    client: &mut Client,
    topics: &[Topic],
    at: OffsetAt,
) -> Result<BTreeMap<Place, FoundOffset>, Failure> {
    let led = topics.iter().flat_map(|topic| {
        let led = topic.partitions.values().filter(|partition| partition.leader >= 0);
        led.map(|partition| ((topic.name.clone(), partition.index), at))
    });
    let found = client.list_offsets_each(&led.collect())?;
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
        }
        Ok(())
    }
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
