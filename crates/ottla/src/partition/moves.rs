//! `ottla partition move`: replicas go to other brokers, as fast as they may.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use clap::Args;
use client::{Client, Place, TopicsWanted};
use serde::Serialize;

use super::{ids, named};
use crate::context::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{self, Done};
use crate::throttles;

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
        required_unless_present_any = ["cancel", "verify"]
    )]
    to: Vec<i32>,

    /// The most that moves may use at each broker, also those under way; the same move again with
    /// another number changes it. It holds until --verify or --cancel removes it
    #[arg(
        long,
        value_name = "BYTES_PER_SECOND",
        value_parser = clap::value_parser!(i64).range(1..),
        conflicts_with = "ending"
    )]
    throttle: Option<i64>,

    /// Say whether the replicas are where they go; if nothing moves any more, remove the throttle.
    /// With --to fails if they are elsewhere
    #[arg(long, group = "ending")]
    verify: bool,

    /// Take a move back that is under way; if nothing moves any more, remove the throttle
    #[arg(long, conflicts_with = "to", group = "ending")]
    cancel: bool,

    /// Leave the throttle alone
    #[arg(long, requires = "ending")]
    preserve_throttles: bool,
}

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Moved {
    partition: String,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttle_bytes_per_second: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttle_removed: Option<bool>,
}

#[derive(Serialize)]
struct Verified {
    partition: String,
    /// `in_progress` or `done`.
    state: &'static str,
    replicas: Vec<i32>,
    throttle_removed: bool,
}

pub fn run(args: &MoveArgs, common: &Common, client: &mut Client) -> Outcome {
    let (topic, index) = named(&args.partition)?;
    let place = (topic.to_owned(), index);
    match (args.verify, args.cancel) {
        (true, _) => verify(args, common, client, &place),
        (false, true) => cancel(args, common, client, &place),
        (false, false) => begin(args, common, client, &place),
    }
}

fn begin(args: &MoveArgs, common: &Common, client: &mut Client, place: &Place) -> Outcome {
    // A move that is to be slow is not fast at first.
    if let Some(bytes_per_second) = args.throttle {
        limit(args, client, place, bytes_per_second)?;
    }
    if let Err(error) = client.move_partition(&place.0, place.1, Some(args.to.clone())) {
        let mut failure = Failure::from(error);
        if args.throttle.is_some() && unlimit(client, &place.0).is_err() {
            failure.todo = Some(format!("{} --verify removes the throttle", this(args)));
        }
        return Err(failure);
    }
    let going = client.reassignments(Some(std::slice::from_ref(place)))?;
    let what = match (going.is_empty(), args.throttle) {
        (true, None) => "is there".to_owned(),
        (true, Some(_)) => format!("is there; {} --verify removes the throttle", this(args)),
        (false, None) => "is on its way; ottla partition list shows when it is there".to_owned(),
        (false, Some(rate)) => format!(
            "is on its way at {rate} B/s; {} --verify says when it is there and removes the \
             throttle",
            this(args)
        ),
    };
    let facts = Moved {
        partition: args.partition.clone(),
        changed: true,
        throttle_bytes_per_second: args.throttle,
        throttle_removed: None,
    };
    told(common, &args.partition, facts, &what)
}

fn limit(
    args: &MoveArgs,
    client: &mut Client,
    place: &Place,
    bytes_per_second: i64,
) -> Result<(), Failure> {
    // What will be refused leaves no throttle behind.
    let members: BTreeSet<i32> = client.members()?.iter().map(|member| member.id).collect();
    if let Some(broker) = args.to.iter().find(|id| !members.contains(id)) {
        let what = format!("move {} to broker {broker}", args.partition);
        return Err(Failure::new(Exit::NotFound, "BROKER_NOT_FOUND", what, "there is none")
            .todo("ottla broker list shows all brokers"));
    }
    let current = BTreeMap::from([(place.clone(), replicas(client, place)?)]);
    let proposed = BTreeMap::from([(place.clone(), args.to.clone())]);
    let under_way = client.reassignments(None)?;
    let moves = throttles::moves(&under_way, &proposed, &current);
    Ok(throttles::limit_moves(client, &moves, bytes_per_second)?)
}

fn cancel(args: &MoveArgs, common: &Common, client: &mut Client, place: &Place) -> Outcome {
    client.move_partition(&place.0, place.1, None)?;
    let is_removed = !args.preserve_throttles && unlimit(client, &place.0)?;
    let facts = Moved {
        partition: args.partition.clone(),
        changed: true,
        throttle_bytes_per_second: None,
        throttle_removed: Some(is_removed),
    };
    told(common, &args.partition, facts, &format!("stays where it was{}", removed(is_removed)))
}

fn verify(args: &MoveArgs, common: &Common, client: &mut Client, place: &Place) -> Outcome {
    let going = client.reassignments(Some(std::slice::from_ref(place)))?;
    let mut replicas = replicas(client, place)?;
    if going.is_empty() && !args.to.is_empty() && args.to != replicas {
        // The broker that was asked may not have heard of the end of the move.
        thread::sleep(LOOK_AGAIN_AFTER);
        replicas = self::replicas(client, place)?;
    }
    let throttle_removed =
        going.is_empty() && !args.preserve_throttles && unlimit(client, &place.0)?;
    if going.is_empty() && !args.to.is_empty() && args.to != replicas {
        let why = format!(
            "nothing moves it, and it is on {} rather than on {}{}",
            ids(&replicas),
            ids(&args.to),
            removed(throttle_removed)
        );
        let what = format!("verify that {} has moved", args.partition);
        return Err(Failure::new(Exit::Failed, "NOT_MOVED", what, why).todo(format!(
            "{} --to {} begins the move",
            this(args),
            ids(&args.to)
        )));
    }
    let (state, what) = match going.is_empty() {
        true => ("done", format!("is on {}{}", ids(&replicas), removed(throttle_removed))),
        false => ("in_progress", "is on its way".to_owned()),
    };
    let partition = args.partition.clone();
    told(common, &args.partition, Verified { partition, state, replicas, throttle_removed }, &what)
}

/// Removes the limits that [`throttles::limit_moves`] has set, unless something still moves.
/// Nothing says any more which brokers a move that is done went out from: all lose theirs.
fn unlimit(client: &mut Client, topic: &str) -> Result<bool, Failure> {
    if !client.reassignments(None)?.is_empty() || !throttles::are_set(client, topic)? {
        return Ok(false);
    }
    for member in client.members()? {
        throttles::clear_broker(client, member.id)?;
    }
    // Last, as it is by these that the next one sees that there is something to remove.
    throttles::clear_topic(client, topic)?;
    Ok(true)
}

fn replicas(client: &mut Client, place: &Place) -> Result<Vec<i32>, Failure> {
    let cluster = client.refresh(TopicsWanted::Named(vec![place.0.clone()]))?;
    Ok(cluster.partition(&place.0, place.1)?.replicas.clone())
}

fn this(args: &MoveArgs) -> String {
    format!("ottla partition move {}", args.partition)
}

fn removed(is_removed: bool) -> &'static str {
    if is_removed { "; the throttle is removed" } else { "" }
}

fn told(common: &Common, partition: &str, facts: impl Serialize, what: &str) -> Outcome {
    output::print(common.output, &Done { facts, sentence: format!("{partition} {what}") })
}
