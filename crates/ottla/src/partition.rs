//! `ottla partition`: where replicas are and who leads.

mod moves;

use std::io::{self, Write};

use clap::{Args, Subcommand};
use client::{Client, TopicsWanted};
use serde::Serialize;
use types::ErrorCode;

use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Done, Report};
use crate::table::{Align, Table};

#[derive(Debug, Subcommand)]
pub enum PartitionCommand {
    /// List partitions with their leaders and replicas
    List(ListArgs),
    /// Make the preferred replica of a partition its leader again
    Elect(ElectArgs),
    /// Put the replicas of a partition on other brokers, and say when they are there
    Move(moves::MoveArgs),
}

#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only those without a leader, or with replicas that are not in sync
    #[arg(long)]
    unhealthy: bool,
}

#[derive(Args, Debug)]
pub struct ElectArgs {
    /// TOPIC-PARTITION, for example orders-3
    #[arg(value_name = "PARTITION")]
    partition: String,

    /// Any replica that lives, although it may lack acknowledged records
    #[arg(long)]
    unclean: bool,
}

#[derive(Serialize)]
struct Partitions {
    partitions: Vec<Listed>,
    /// How many there are, shown or not.
    #[serde(skip)]
    total: usize,
}

#[derive(Serialize)]
struct Listed {
    topic: String,
    partition: i32,
    /// -1 while there is none.
    leader: i32,
    replicas: Vec<i32>,
    isr: Vec<i32>,
    /// Replicas that are on their way here.
    adding: Vec<i32>,
    /// Replicas that leave when those are in sync.
    removing: Vec<i32>,
}

#[derive(Serialize)]
struct Changed {
    partition: String,
    changed: bool,
}

pub fn run(command: PartitionCommand, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    match command {
        PartitionCommand::List(args) => output::print(common.output, &list(&mut client, &args)?),
        PartitionCommand::Elect(args) => {
            let (topic, index) = named(&args.partition)?;
            match client.elect_leader(topic, index, args.unclean) {
                Ok(()) => done(common, &args.partition, true, "has another leader"),
                Err(error) if error.is_broker(ErrorCode::ElectionNotNeeded) => {
                    let what =
                        if args.unclean { "has a leader" } else { "has the preferred leader" };
                    done(common, &args.partition, false, what)
                }
                Err(error) => Err(error.into()),
            }
        }
        PartitionCommand::Move(args) => moves::run(&args, common, &mut client),
    }
}

fn list(client: &mut Client, args: &ListArgs) -> Result<Partitions, Failure> {
    // Without a controller nobody knows; what else is known is shown all the same.
    let going = client.reassignments(None).unwrap_or_default();
    let cluster = client.refresh(TopicsWanted::All)?;
    let all = cluster.topics.values().flat_map(|topic| {
        topic.partitions.values().map(|partition| {
            let going = going.get(&(topic.name.clone(), partition.index));
            Listed {
                topic: topic.name.clone(),
                partition: partition.index,
                leader: partition.leader,
                replicas: partition.replicas.clone(),
                isr: partition.isr.clone(),
                adding: going.map_or_else(Vec::new, |going| going.adding.clone()),
                removing: going.map_or_else(Vec::new, |going| going.removing.clone()),
            }
        })
    });
    let mut partitions: Vec<Listed> = all.collect();
    let total = partitions.len();
    partitions.retain(|partition| !args.unhealthy || partition.is_unhealthy());
    Ok(Partitions { partitions, total })
}

fn done(common: &Common, partition: &str, changed: bool, what: &str) -> Outcome {
    let facts = Changed { partition: partition.to_owned(), changed };
    output::print(common.output, &Done { facts, sentence: format!("{partition} {what}") })
}

fn named(text: &str) -> Result<(&str, i32), Failure> {
    let parsed =
        text.rsplit_once('-').and_then(|(topic, index)| Some((topic, index.parse().ok()?)));
    parsed.filter(|(topic, index)| !topic.is_empty() && *index >= 0).ok_or_else(|| {
        Failure::usage(format!("read {text}"), "a partition is named TOPIC-NUMBER")
            .todo("ottla partition list shows all names")
    })
}

impl Listed {
    fn is_unhealthy(&self) -> bool {
        self.leader < 0 || self.isr.len() < self.replicas.len()
    }

    /// What a person should know; nothing if all is well.
    fn remark(&self) -> String {
        let mut remarks = Vec::new();
        if self.leader < 0 {
            // Only who was in sync has all that was acknowledged.
            remarks.push(format!("no leader: needs {}", ids(&self.isr)));
        } else {
            let is_behind = |id: &&i32| !self.isr.contains(id) && !self.adding.contains(id);
            let behind: Vec<i32> = self.replicas.iter().filter(is_behind).copied().collect();
            if !behind.is_empty() {
                remarks.push(format!("not in sync: {}", ids(&behind)));
            }
        }
        match (self.adding.is_empty(), self.removing.is_empty()) {
            (true, true) => {}
            (false, true) => remarks.push(format!("moving: {} more", ids(&self.adding))),
            (true, false) => remarks.push(format!("moving: {} leaves", ids(&self.removing))),
            (false, false) => {
                let (to, from) = (ids(&self.adding), ids(&self.removing));
                remarks.push(format!("moving: {to} for {from}"));
            }
        }
        remarks.join("; ")
    }
}

impl Report for Partitions {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.partitions.is_empty() {
            return match self.total {
                0 => writeln!(out, "there are no partitions"),
                1 => writeln!(out, "the one partition is healthy"),
                total => writeln!(out, "all {total} partitions are healthy"),
            };
        }
        let mut table = Table::new(&[
            ("PARTITION", Align::Left),
            ("LEADER", Align::Right),
            ("REPLICAS", Align::Left),
            ("IN SYNC", Align::Left),
            ("REMARK", Align::Left),
        ]);
        for partition in &self.partitions {
            table.row(vec![
                format!("{}-{}", partition.topic, partition.partition),
                if partition.leader < 0 { "-".to_owned() } else { partition.leader.to_string() },
                ids(&partition.replicas),
                ids(&partition.isr),
                partition.remark(),
            ]);
        }
        table.write(out)
    }
}

fn ids(ids: &[i32]) -> String {
    ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_says_what_is_wrong_and_what_is_moving() {
        let well = Listed {
            topic: "t".to_owned(),
            partition: 0,
            leader: 1,
            replicas: vec![1, 2],
            isr: vec![1, 2],
            adding: Vec::new(),
            removing: Vec::new(),
        };
        assert_eq!(well.remark(), "");
        let behind = Listed { isr: vec![1], ..well };
        assert_eq!(behind.remark(), "not in sync: 2");
        let headless = Listed { leader: -1, ..behind };
        assert_eq!(headless.remark(), "no leader: needs 1");
        let moving = Listed {
            leader: 1,
            replicas: vec![3, 2, 1],
            isr: vec![1, 2],
            adding: vec![3],
            removing: vec![1],
            ..headless
        };
        assert_eq!(moving.remark(), "moving: 3 for 1");
    }
}
