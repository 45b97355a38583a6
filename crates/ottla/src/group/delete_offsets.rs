//! `ottla group delete-offsets`

use clap::Args;
use client::Place;
use serde::Serialize;

use super::seek::parse_topic;
use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Done};

#[derive(Args, Debug)]
pub struct DeleteOffsetsArgs {
    /// Name of the group
    #[arg(value_name = "GROUP")]
    group: String,

    /// TOPIC or TOPIC:0,2; may be repeated
    #[arg(short, long, required = true, value_name = "TOPIC[:PARTITIONS]")]
    topic: Vec<String>,
}

#[derive(Serialize)]
struct Deleted {
    group: String,
    partitions: Vec<String>,
}

pub fn run(args: &DeleteOffsetsArgs, common: &Common) -> Outcome {
    let mut client = common.connect()?;
    let committed = client.committed(&args.group, None)?;
    let mut places: Vec<Place> = Vec::new();
    for text in &args.topic {
        let (topic, partitions) = parse_topic(text)?;
        match partitions {
            Some(partitions) => places.extend(partitions.into_iter().map(|p| (topic.clone(), p))),
            None => places.extend(committed.keys().filter(|(name, _)| *name == topic).cloned()),
        }
    }
    let what = format!("delete offsets of group {}", args.group);
    if places.is_empty() {
        let why = "it has committed nothing for these topics";
        return Err(Failure::new(Exit::NotFound, "NO_OFFSETS", what, why));
    }
    let results = client.delete_committed(&args.group, &places)?;
    let refused: Vec<String> = results
        .iter()
        .filter(|(_, code)| !code.is_none())
        .map(|((topic, partition), code)| format!("{topic}-{partition}: {code}"))
        .collect();
    if !refused.is_empty() {
        let exit = if refused.len() < results.len() { Exit::Partial } else { Exit::Failed };
        return Err(Failure::new(exit, "REFUSED", what, refused.join(", ")));
    }
    let partitions: Vec<String> =
        places.iter().map(|(topic, partition)| format!("{topic}-{partition}")).collect();
    let sentence = format!("group {} forgot {}", args.group, partitions.join(", "));
    output::print(
        common.output,
        &Done { facts: Deleted { group: args.group.clone(), partitions }, sentence },
    )
}
