//! `ottla broker`: who is in the cluster, and how one leaves.

mod drain;
mod plan;
mod undo;

use std::io::{self, Write};

use clap::{Args, Subcommand};
use client::{Client, TopicsWanted};
use serde::Serialize;

use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Done, Report};
use crate::table::{Align, Table};
use crate::topic::confirm;

#[derive(Debug, Subcommand)]
pub enum BrokerCommand {
    /// List brokers, with those that are out of service
    List,
    /// Move all replicas and leaderships to other brokers, and say when the broker can be stopped
    Drain(drain::DrainArgs),
    /// Make the cluster forget a broker that will not come back; move its replicas first
    Decommission(DecommissionArgs),
}

#[derive(Args, Debug)]
pub struct DecommissionArgs {
    /// The broker's node.id
    id: i32,

    /// Forget it although it is in service, or partitions have replicas on it
    #[arg(long)]
    force: bool,

    /// Do not ask, even on a terminal
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Brokers {
    brokers: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    id: i32,
    address: String,
    rack: Option<String>,
    fenced: bool,
}

#[derive(Serialize)]
struct Forgotten {
    forgotten: i32,
}

pub fn run(command: BrokerCommand, common: &Common) -> Outcome {
    match command {
        BrokerCommand::Drain(args) => drain::run(&args, common),
        BrokerCommand::List => {
            let mut client = common.connect()?;
            let listed = client.members()?.into_iter().map(|member| Listed {
                id: member.id,
                address: member.address,
                rack: member.rack,
                fenced: member.is_fenced,
            });
            output::print(common.output, &Brokers { brokers: listed.collect() })
        }
        BrokerCommand::Decommission(DecommissionArgs { id, force, yes }) => {
            let mut client = common.connect()?;
            if !force {
                check_can_be_forgotten(&mut client, id)?;
            }
            confirm(&format!("forget broker {id}?"), yes)?;
            client.unregister_broker(id)?;
            let sentence = format!("broker {id} is forgotten");
            output::print(common.output, &Done { facts: Forgotten { forgotten: id }, sentence })
        }
    }
}

/// A broker in service would come back; replicas on one that is forgotten never do.
fn check_can_be_forgotten(client: &mut Client, id: i32) -> Outcome {
    let what = format!("forget broker {id}");
    let is_in_service = client.members()?.iter().any(|m| m.id == id && !m.is_fenced);
    let cluster = client.refresh(TopicsWanted::All)?;
    let partitions = cluster.topics.values().flat_map(|topic| topic.partitions.values());
    let held = partitions.filter(|partition| partition.replicas.contains(&id)).count();
    let refused = |code: &str, why: String| Failure::new(Exit::Failed, code, &what, why);
    if held > 0 {
        let why =
            format!("{held} partition{} still on it", if held == 1 { " is" } else { "s are" });
        return Err(refused("BROKER_NOT_EMPTY", why)
            .todo(format!("ottla broker drain {id} gives its replicas to other brokers")));
    }
    if is_in_service {
        let why = "it is in service".to_owned();
        return Err(refused("BROKER_IN_SERVICE", why)
            .todo(format!("stop it first; ottla broker drain {id} says when that is safe")));
    }
    Ok(())
}

impl Report for Brokers {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            ("BROKER", Align::Right),
            ("ADDRESS", Align::Left),
            ("RACK", Align::Left),
            ("STATE", Align::Left),
        ]);
        for broker in &self.brokers {
            table.row(vec![
                broker.id.to_string(),
                broker.address.clone(),
                broker.rack.clone().unwrap_or_else(|| "-".to_owned()),
                if broker.fenced { "out of service" } else { "in service" }.to_owned(),
            ]);
        }
        table.write(out)
    }
}
