//! `ottla config`: what topics, brokers and groups are set to.

mod change;
mod get;

use clap::{Subcommand, ValueEnum};
use client::admin::configs::{Resource, ResourceKind};

use crate::config_file::{CheckArgs, ExplainArgs};
use crate::context::Common;
use crate::failure::{Failure, Outcome};

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show properties, with where each value comes from
    Get(get::GetArgs),
    /// Set properties
    Set(change::SetArgs),
    /// Return properties to their defaults
    Delete(change::DeleteArgs),
    /// Check a server.properties file without starting anything
    Check(CheckArgs),
    /// Say what a property means
    Explain(ExplainArgs),
}

/// What has a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Topic,
    /// A broker by its number, or `default` for all
    Broker,
    Group,
}

impl Kind {
    /// The thing of this kind that `name` names.
    pub fn resource(self, name: &str) -> Resource {
        match self {
            Kind::Topic => Resource::new(ResourceKind::Topic, name),
            Kind::Group => Resource::new(ResourceKind::Group, name),
            Kind::Broker if name == "default" => Resource::new(ResourceKind::Broker, ""),
            Kind::Broker => Resource::new(ResourceKind::Broker, name),
        }
    }
}

pub fn run(command: ConfigCommand, common: &Common) -> Outcome {
    match command {
        ConfigCommand::Get(args) => get::run(&args, common),
        ConfigCommand::Set(args) => change::set(&args, common),
        ConfigCommand::Delete(args) => change::delete(&args, common),
        ConfigCommand::Check(_) | ConfigCommand::Explain(_) => {
            Err(Failure::usage("ask the cluster", "this command needs none"))
        }
    }
}
