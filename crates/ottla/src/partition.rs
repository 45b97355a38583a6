//! `ottla partition`: where replicas are and who leads.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use client::TopicsWanted;
use serde::Serialize;

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
    /// Put the replicas of a partition on other brokers
    Move(MoveArgs),
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

#[derive(Args, Debug)]
pub struct MoveArgs {
    /// TOPIC-PARTITION, for example orders-3
    #[arg(value_name = "PARTITION")]
    partition: String,

    /// The brokers that are to hold it, the preferred leader first
    #[arg(
        long,
        value_name = "BROKER,…",
        value_delimiter = ',',
        required_unless_present = "cancel"
    )]
    to: Vec<i32>,

    /// Take a move back that is under way
    #[arg(long, conflicts_with = "to")]
    cancel: bool,
}

#[derive(Serialize)]
struct Partitions {
    partitions: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    topic: String,
    partition: i32,
    /// -1 while there is none.
    leader: i32,
    replicas: Vec<i32>,
    isr: Vec<i32>,
}

#[derive(Serialize)]
struct Changed {
    partition: String,
}

pub fn run(command: PartitionCommand, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    match command {
        PartitionCommand::List(args) => {
            let cluster = client.refresh(TopicsWanted::All)?;
            let all = cluster.topics.values().flat_map(|topic| {
                topic.partitions.values().map(|partition| Listed {
                    topic: topic.name.clone(),
                    partition: partition.index,
                    leader: partition.leader,
                    replicas: partition.replicas.clone(),
                    isr: partition.isr.clone(),
                })
            });
            let is_shown = |p: &Listed| !args.unhealthy || p.is_unhealthy();
            let partitions = all.filter(is_shown).collect();
            output::print(common.output, &Partitions { partitions })
        }
        PartitionCommand::Elect(args) => {
            let (topic, index) = named(&args.partition)?;
            client.elect_leader(topic, index, args.unclean)?;
            done(common, &args.partition, "has another leader")
        }
        PartitionCommand::Move(args) => {
            let (topic, index) = named(&args.partition)?;
            let replicas = (!args.cancel).then(|| args.to.clone());
            client.move_partition(topic, index, replicas)?;
            let what = if args.cancel { "stays where it was" } else { "is on its way" };
            done(common, &args.partition, what)
        }
    }
}

fn done(common: &Common, partition: &str, what: &str) -> Outcome {
    let facts = Changed { partition: partition.to_owned() };
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
}

impl Report for Partitions {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            ("PARTITION", Align::Left),
            ("LEADER", Align::Right),
            ("REPLICAS", Align::Left),
            ("IN SYNC", Align::Left),
        ]);
        let ids = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
        for partition in &self.partitions {
            table.row(vec![
                format!("{}-{}", partition.topic, partition.partition),
                if partition.leader < 0 { "-".to_owned() } else { partition.leader.to_string() },
                ids(&partition.replicas),
                ids(&partition.isr),
            ]);
        }
        table.write(out)
    }
}
