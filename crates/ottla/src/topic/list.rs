//! `ottla topic list`

use std::io::{self, Write};

use clap::Args;
use client::TopicsWanted;
use serde::Serialize;

use crate::context::Common;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Report};
use crate::table::{Align, Table};

#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only topics whose whole name matches this regular expression
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,

    /// Also Kafka's own topics, such as __consumer_offsets
    #[arg(short, long)]
    internal: bool,
}

#[derive(Serialize)]
struct Topics {
    topics: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    partitions: usize,
    replication_factor: usize,
    internal: bool,
}

pub fn run(args: &ListArgs, common: &Common) -> Outcome {
    let pattern = args.pattern.as_deref().map(whole_name).transpose()?;
    let mut client = common.connect()?;
    let cluster = client.refresh(TopicsWanted::All)?;
    let wanted = cluster.topics.values().filter(|topic| {
        let is_named = pattern.as_ref().is_none_or(|pattern| pattern.is_match(&topic.name));
        is_named && (args.internal || !topic.is_internal)
    });
    let topics = wanted.map(|topic| Listed {
        name: topic.name.clone(),
        partitions: topic.partitions.len(),
        replication_factor: topic.partitions.values().next().map_or(0, |p| p.replicas.len()),
        internal: topic.is_internal,
    });
    output::print(common.output, &Topics { topics: topics.collect() })
}

/// A regular expression that must match the whole of a name.
fn whole_name(pattern: &str) -> Result<regex_lite::Regex, Failure> {
    regex_lite::Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|error| Failure::usage(format!("read the pattern {pattern}"), error.to_string()))
}

impl Report for Topics {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            ("TOPIC", Align::Left),
            ("PARTITIONS", Align::Right),
            ("REPLICAS", Align::Right),
        ]);
        for topic in &self.topics {
            let (partitions, replicas) = (topic.partitions, topic.replication_factor);
            table.row(vec![topic.name.clone(), partitions.to_string(), replicas.to_string()]);
        }
        table.write(out)
    }
}
