//! `ottla topic create`

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use client::admin::topics::NewTopic;
use config::parse_override;
use serde::Serialize;
use types::ErrorCode;

use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Report};

#[derive(Args, Debug)]
pub struct CreateArgs {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    names: Vec<String>,

    /// How many partitions [default: the broker's num.partitions]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,

    /// How many replicas [default: the broker's default.replication.factor]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,

    /// A topic property, for example retention.ms=60000; may be repeated
    #[arg(short, long = "config", value_name = "KEY=VALUE", value_parser = key_value)]
    configs: Vec<(String, String)>,

    /// Succeed if a topic exists already
    #[arg(long)]
    if_not_exists: bool,

    /// Only ask the broker whether it would
    #[arg(long)]
    dry_run: bool,
}

/// For flags of the form key=value.
pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    parse_override(text).map_err(|error| error.to_string())
}

#[derive(Serialize)]
struct Created {
    created: Vec<CreatedTopic>,
    #[serde(skip)]
    is_dry_run: bool,
    #[serde(skip)]
    is_quiet: bool,
}

#[derive(Serialize)]
struct CreatedTopic {
    name: String,
    id: String,
    partitions: i32,
    replication_factor: i16,
    existed: bool,
}

pub fn run(args: &CreateArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let mut created = Vec::new();
    for name in &args.names {
        let new = NewTopic {
            name: name.clone(),
            partitions: args.partitions,
            replication_factor: args.replication_factor,
            assignment: Vec::new(),
            configs: args.configs.iter().cloned().collect::<BTreeMap<_, _>>(),
        };
        match client.create_topic(&new, args.dry_run) {
            Ok(topic) => created.push(CreatedTopic {
                name: topic.name,
                id: topic.id.to_string(),
                partitions: topic.partitions,
                replication_factor: topic.replication_factor,
                existed: false,
            }),
            Err(error) if args.if_not_exists && error.is_broker(ErrorCode::TopicAlreadyExists) => {
                created.push(CreatedTopic {
                    name: name.clone(),
                    id: String::new(),
                    partitions: -1,
                    replication_factor: -1,
                    existed: true,
                });
            }
            Err(error) => return Err(hint(Failure::from(error), name)),
        }
    }
    let report = Created { created, is_dry_run: args.dry_run, is_quiet: common.quiet };
    output::print(common.output, &report)
}

fn hint(failure: Failure, name: &str) -> Failure {
    match failure.code.as_str() {
        "TOPIC_ALREADY_EXISTS" => failure.todo(format!("ottla topic describe {name}")),
        _ => failure,
    }
}

impl Report for Created {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        for topic in &self.created {
            let CreatedTopic { name, partitions, replication_factor, .. } = topic;
            if topic.existed {
                writeln!(out, "topic {name} exists already")?;
                continue;
            }
            let verb = if self.is_dry_run { "would create" } else { "created" };
            let of = match partitions {
                -1 => String::new(),
                1 => format!(": 1 partition, {}", replicas(*replication_factor)),
                n => format!(": {n} partitions, {} each", replicas(*replication_factor)),
            };
            writeln!(out, "{verb} topic {name}{of}")?;
            if !self.is_dry_run && !self.is_quiet && output::is_terminal() {
                writeln!(out, "  try: echo hello | ottla produce {name}")?;
            }
        }
        Ok(())
    }
}

fn replicas(count: i16) -> String {
    if count == 1 { "1 replica".to_owned() } else { format!("{count} replicas") }
}
