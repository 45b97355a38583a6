//! The limits of moves, and what is told of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use client::{Client, Place};

use super::{ReassignError, commas, plural};
use crate::throttles::{self, Move};

/// Limits the moves between brokers.
pub fn limit_moves(
    client: &mut Client,
    moves: &BTreeMap<Place, Move>,
    bytes_per_second: i64,
) -> Result<(), ReassignError> {
    throttles::limit_moves(client, moves, bytes_per_second)?;
    let mut out = io::stdout().lock();
    writeln!(out, "The inter-broker throttle limit was set to {bytes_per_second} B/s")?;
    Ok(())
}

/// Limits the moves between log directories of these brokers.
pub fn limit_dirs(
    client: &mut Client,
    brokers: &BTreeSet<i32>,
    bytes_per_second: i64,
) -> Result<(), ReassignError> {
    for broker in brokers {
        throttles::limit_dirs(client, *broker, bytes_per_second)?;
    }
    let mut out = io::stdout().lock();
    writeln!(out, "The replica-alter-dir throttle limit was set to {bytes_per_second} B/s")?;
    Ok(())
}

/// Removes all limits: nothing says any more which brokers a move that is done went out from.
pub fn clear(client: &mut Client, partitions: &[(Place, Vec<i32>)]) -> Result<(), ReassignError> {
    let mut brokers: BTreeSet<i32> = client.cluster().brokers.keys().copied().collect();
    brokers.extend(partitions.iter().flat_map(|(_, replicas)| replicas));
    let topics: BTreeSet<&str> = partitions.iter().map(|((topic, _), _)| topic.as_str()).collect();
    let mut out = io::stdout().lock();
    let (s, all) = (plural(brokers.len()), commas(&brokers));
    writeln!(out, "Clearing broker-level throttles on broker{s} {all}")?;
    for broker in brokers {
        throttles::clear_broker(client, broker)?;
    }
    let (s, all) = (plural(topics.len()), commas(&topics));
    writeln!(out, "Clearing topic-level throttles on topic{s} {all}")?;
    for topic in topics {
        throttles::clear_topic(client, topic)?;
    }
    Ok(())
}
