//! `ottla group describe`

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use clap::Args;
use client::admin::groups::DescribedGroup;
use client::{Client, ClientError, Committed, OffsetAt, Place, TopicsWanted};
use serde::Serialize;

use crate::context::Common;
use crate::failure::Outcome;
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Args, Debug)]
pub struct DescribeArgs {
    /// Name of the group
    #[arg(value_name = "GROUP")]
    group: String,
}

/// A partition that a group reads or has read, and how far it is behind.
#[derive(Clone, Debug, Serialize)]
pub struct Lag {
    pub topic: String,
    pub partition: i32,
    /// Nothing if the group has never committed here.
    pub committed: Option<i64>,
    #[serde(skip)]
    pub leader_epoch: Option<i32>,
    /// Nothing if the topic is gone.
    pub log_end: Option<i64>,
    pub lag: Option<i64>,
    pub member: Option<String>,
    pub client_id: Option<String>,
    pub host: Option<String>,
}

#[derive(Serialize)]
struct Described {
    group: String,
    state: String,
    #[serde(rename = "type")]
    kind: &'static str,
    assignor: String,
    coordinator: i32,
    members: Vec<Member>,
    lag: i64,
    partitions: Vec<Lag>,
}

#[derive(Serialize)]
struct Member {
    member: String,
    instance: Option<String>,
    client_id: String,
    host: String,
    partitions: usize,
}

pub fn run(args: &DescribeArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let group = client.describe_group(&args.group)?;
    let committed = client.committed(&args.group, None)?;
    let partitions = lags(&mut client, &group, &committed)?;
    let members = group.members.iter().map(|member| Member {
        member: member.id.clone(),
        instance: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        host: member.host.clone(),
        partitions: member.assignment.len(),
    });
    let report = Described {
        members: members.collect(),
        kind: if group.is_consumer_protocol { "consumer" } else { "classic" },
        group: group.id,
        state: group.state,
        assignor: group.assignor,
        coordinator: group.coordinator,
        lag: partitions.iter().filter_map(|partition| partition.lag).sum(),
        partitions,
    };
    output::print(common.output, &report)
}

/// Every partition that the group's members have or that it has committed for, in order.
pub fn lags(
    client: &mut Client,
    group: &DescribedGroup,
    committed: &BTreeMap<Place, Committed>,
) -> Result<Vec<Lag>, ClientError> {
    let mut owners = BTreeMap::new();
    for member in &group.members {
        for place in &member.assignment {
            owners.insert(place.clone(), member);
        }
    }
    let places: BTreeSet<Place> = owners.keys().chain(committed.keys()).cloned().collect();
    let ends = log_ends(client, &places)?;
    let lags = places.into_iter().map(|place| {
        let owner = owners.get(&place);
        let committed = committed.get(&place);
        let log_end = ends.get(&place).copied();
        let offset = committed.map(|committed| committed.offset);
        Lag {
            committed: offset,
            leader_epoch: committed.map(|c| c.leader_epoch).filter(|epoch| *epoch >= 0),
            log_end,
            lag: offset.zip(log_end).map(|(offset, end)| (end - offset).max(0)),
            member: owner.map(|member| member.id.clone()),
            client_id: owner.map(|member| member.client_id.clone()),
            host: owner.map(|member| member.host.clone()),
            topic: place.0,
            partition: place.1,
        }
    });
    Ok(lags.collect())
}

/// The ends of those partitions that exist.
fn log_ends(
    client: &mut Client,
    places: &BTreeSet<Place>,
) -> Result<BTreeMap<Place, i64>, ClientError> {
    let topics: BTreeSet<String> = places.iter().map(|(topic, _)| topic.clone()).collect();
    client.refresh(TopicsWanted::Named(topics.into_iter().collect()))?;
    let cluster = client.cluster();
    let led = places.iter().filter(|(topic, partition)| {
        cluster.partition(topic, *partition).is_ok_and(|partition| partition.leader >= 0)
    });
    let wanted = led.map(|place| (place.clone(), OffsetAt::Latest)).collect();
    let found = client.list_offsets_each(&wanted)?;
    Ok(found.into_iter().filter_map(|(place, found)| Some((place, found.ok()?.offset))).collect())
}

impl Report for Described {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Described { group, state, kind, members, lag, .. } = self;
        let members = match members.len() {
            0 => "no members".to_owned(),
            1 => "1 member".to_owned(),
            n => format!("{n} members"),
        };
        writeln!(out, "{group}  {state}, {kind}, {members}, {lag} records behind")?;
        let mut table = Table::new(&[
            ("TOPIC", Align::Left),
            ("PARTITION", Align::Right),
            ("COMMITTED", Align::Right),
            ("END", Align::Right),
            ("LAG", Align::Right),
            ("CLIENT", Align::Left),
            ("HOST", Align::Left),
        ]);
        let number = |n: Option<i64>| n.map_or("-".to_owned(), |n| n.to_string());
        for partition in &self.partitions {
            table.row(vec![
                partition.topic.clone(),
                partition.partition.to_string(),
                number(partition.committed),
                number(partition.log_end),
                number(partition.lag),
                partition.client_id.clone().unwrap_or_else(|| "-".to_owned()),
                partition.host.clone().unwrap_or_else(|| "-".to_owned()),
            ]);
        }
        if self.partitions.is_empty() {
            return writeln!(out, "It has committed nothing.");
        }
        table.write(out)
    }
}
