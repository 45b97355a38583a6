//! `ottla cluster status`: a verdict first, then the brokers.

use std::io::{self, Write};

use clap::Subcommand;
use client::{Cluster, TopicsWanted};
use serde::Serialize;

use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Say in one line how the cluster is, then list its brokers; exits with 3 if it is not healthy
    Status,
    /// Show who votes on the metadata, and how far each voter is
    Quorum,
}

#[derive(Serialize)]
struct Status {
    healthy: bool,
    verdict: String,
    cluster_id: Option<String>,
    controller: i32,
    topics: usize,
    partitions: usize,
    offline_partitions: Vec<String>,
    under_replicated_partitions: Vec<String>,
    brokers: Vec<BrokerLine>,
}

#[derive(Serialize)]
struct BrokerLine {
    id: i32,
    address: String,
    rack: Option<String>,
    leads: usize,
    holds: usize,
    /// Nothing if the broker does not say.
    bytes: Option<i64>,
}

pub fn run(command: ClusterCommand, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    if matches!(command, ClusterCommand::Quorum) {
        let quorum = client.quorum()?;
        let voters = quorum.voters.iter().map(|v| Voter { id: v.id, log_end: v.log_end });
        let shown = QuorumShown {
            leader: quorum.leader,
            epoch: quorum.epoch,
            high_watermark: quorum.high_watermark,
            voters: voters.collect(),
        };
        return output::print(common.output, &shown);
    }
    let cluster = client.refresh(TopicsWanted::All)?.clone();
    let mut brokers = Vec::new();
    for broker in cluster.brokers.values() {
        let partitions = || cluster.topics.values().flat_map(|topic| topic.partitions.values());
        let bytes = client.log_dirs(broker.id).ok();
        brokers.push(BrokerLine {
            id: broker.id,
            address: broker.address(),
            rack: broker.rack.clone(),
            leads: partitions().filter(|p| p.leader == broker.id).count(),
            holds: partitions().filter(|p| p.replicas.contains(&broker.id)).count(),
            bytes: bytes.map(|dirs| dirs.iter().map(|dir| dir.bytes).sum()),
        });
    }
    // Metadata names any broker: what is asked of it is passed on.
    let controller = client.quorum().map_or(cluster.controller_id, |quorum| quorum.leader);
    let status = judge(&cluster, controller, brokers);
    output::print(common.output, &status)?;
    match status.healthy {
        true => Ok(()),
        false => {
            Err(Failure::new(Exit::Unhealthy, "UNHEALTHY", "check the cluster", status.verdict)
                .todo("ottla partition list --unhealthy shows them"))
        }
    }
}

#[derive(Serialize)]
struct QuorumShown {
    /// -1 while there is none.
    leader: i32,
    epoch: i32,
    high_watermark: i64,
    voters: Vec<Voter>,
}

#[derive(Serialize)]
struct Voter {
    id: i32,
    /// -1 if the leader has not heard of it.
    log_end: i64,
}

impl Report for QuorumShown {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let (leader, epoch, committed) = (self.leader, self.epoch, self.high_watermark);
        writeln!(out, "node {leader} leads in epoch {epoch}; committed up to {committed}")?;
        let mut table = Table::new(&[("VOTER", Align::Right), ("LOG END", Align::Right)]);
        for voter in &self.voters {
            let end = if voter.log_end < 0 { "-".to_owned() } else { voter.log_end.to_string() };
            table.row(vec![voter.id.to_string(), end]);
        }
        table.write(out)
    }
}

fn judge(cluster: &Cluster, controller: i32, brokers: Vec<BrokerLine>) -> Status {
    let places = |is_bad: fn(&client::Partition) -> bool| -> Vec<String> {
        let topics = cluster.topics.values();
        let bad = topics.flat_map(|topic| {
            let bad = topic.partitions.values().filter(move |partition| is_bad(partition));
            bad.map(|partition| format!("{}-{}", topic.name, partition.index))
        });
        bad.collect()
    };
    let offline = places(|partition| partition.leader < 0);
    let lagging = places(|p| p.leader >= 0 && p.isr.len() < p.replicas.len());
    let partitions = cluster.topics.values().map(|topic| topic.partitions.len()).sum();
    let healthy = offline.is_empty() && lagging.is_empty();
    let verdict = match (offline.len(), lagging.len()) {
        (0, 0) => "healthy".to_owned(),
        (0, lagging) => format!("{lagging} of {partitions} partitions lack replicas in sync"),
        (offline, _) => format!("{offline} of {partitions} partitions have no leader"),
    };
    Status {
        healthy,
        verdict,
        cluster_id: cluster.cluster_id.clone(),
        controller,
        topics: cluster.topics.len(),
        partitions,
        offline_partitions: offline,
        under_replicated_partitions: lagging,
        brokers,
    }
}

impl Report for Status {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let word = if self.healthy { "HEALTHY" } else { "DEGRADED" };
        let (brokers, topics, partitions) = (self.brokers.len(), self.topics, self.partitions);
        writeln!(
            out,
            "{word}  {brokers} broker{}, {topics} topic{}, {partitions} partition{}{}",
            plural(brokers),
            plural(topics),
            plural(partitions),
            if self.healthy { String::new() } else { format!(": {}", self.verdict) },
        )?;
        if let Some(id) = &self.cluster_id {
            writeln!(out, "cluster {id}, controller {}", self.controller)?;
        }
        let mut table = Table::new(&[
            ("BROKER", Align::Right),
            ("ADDRESS", Align::Left),
            ("RACK", Align::Left),
            ("LEADS", Align::Right),
            ("HOLDS", Align::Right),
            ("BYTES", Align::Right),
        ]);
        for broker in &self.brokers {
            table.row(vec![
                broker.id.to_string(),
                broker.address.clone(),
                broker.rack.clone().unwrap_or_else(|| "-".to_owned()),
                broker.leads.to_string(),
                broker.holds.to_string(),
                broker.bytes.map_or("-".to_owned(), |bytes| bytes.to_string()),
            ]);
        }
        table.write(out)
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
