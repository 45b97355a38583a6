//! `ottla topic alter`

use clap::Args;
use client::admin::configs::{Change, ChangeOp, Resource, ResourceKind};
use serde::Serialize;

use super::create::key_value;
use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Done};

#[derive(Args, Debug)]
pub struct AlterArgs {
    /// Name of the topic
    #[arg(value_name = "TOPIC")]
    name: String,

    /// Grow to this many partitions; keys will go to other partitions than before
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,

    /// Set a topic property; may be repeated
    #[arg(short, long = "config", value_name = "KEY=VALUE", value_parser = key_value)]
    configs: Vec<(String, String)>,

    /// Return a topic property to its default; may be repeated
    #[arg(long, value_name = "KEY")]
    delete_config: Vec<String>,
}

#[derive(Serialize)]
struct Altered {
    topic: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitions: Option<i32>,
    set: Vec<String>,
    deleted: Vec<String>,
}

pub fn run(args: &AlterArgs, common: &Common) -> Outcome {
    let set = args
        .configs
        .iter()
        .map(|(name, value)| Change { name: name.clone(), op: ChangeOp::Set(value.clone()) });
    let deleted =
        args.delete_config.iter().map(|name| Change { name: name.clone(), op: ChangeOp::Delete });
    let changes: Vec<Change> = set.chain(deleted).collect();
    if changes.is_empty() && args.partitions.is_none() {
        return Err(Failure::usage(
            format!("alter topic {}", args.name),
            "nothing is to be changed",
        )
        .todo("add --partitions N, --config KEY=VALUE or --delete-config KEY"));
    }
    let mut client = common.connect()?;
    if !changes.is_empty() {
        let resource = Resource::new(ResourceKind::Topic, &args.name);
        client.alter_configs(&resource, &changes, false)?;
    }
    if let Some(count) = args.partitions {
        client.create_partitions(&args.name, count, None)?;
    }
    let facts = Altered {
        topic: args.name.clone(),
        partitions: args.partitions,
        set: args.configs.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        deleted: args.delete_config.clone(),
    };
    let sentence = format!("altered topic {}", args.name);
    output::print(common.output, &Done { facts, sentence })
}
