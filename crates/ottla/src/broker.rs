//! `ottla broker`: who is in the cluster.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::context::Common;
use crate::failure::Outcome;
use crate::output::{self, Done, Report};
use crate::table::{Align, Table};
use crate::topic::confirm;

#[derive(Debug, Subcommand)]
pub enum BrokerCommand {
    /// List brokers, with those that are out of service
    List,
    /// Make the cluster forget a broker that will not come back; move its replicas first
    Decommission(DecommissionArgs),
}

#[derive(Args, Debug)]
pub struct DecommissionArgs {
    /// The broker's node.id
    id: i32,

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
    let mut client = common.connect()?;
    match command {
        BrokerCommand::List => {
            let listed = client.members()?.into_iter().map(|member| Listed {
                id: member.id,
                address: member.address,
                rack: member.rack,
                fenced: member.is_fenced,
            });
            output::print(common.output, &Brokers { brokers: listed.collect() })
        }
        BrokerCommand::Decommission(DecommissionArgs { id, yes }) => {
            confirm(&format!("forget broker {id}?"), yes)?;
            client.unregister_broker(id)?;
            let sentence = format!("broker {id} is forgotten");
            output::print(common.output, &Done { facts: Forgotten { forgotten: id }, sentence })
        }
    }
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
