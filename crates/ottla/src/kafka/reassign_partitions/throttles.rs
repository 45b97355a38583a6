//! What moves may use: limits of brokers, and the replicas of topics that they hold for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use client::admin::configs::{Change, ChangeOp, Resource, ResourceKind};
use client::admin::reassignments::Reassignment;
use client::{Client, ClientError, Place};

use super::assignment::Assignment;
use super::{ReassignError, commas, plural};

const LEADER_RATE: &str = "leader.replication.throttled.rate";
const FOLLOWER_RATE: &str = "follower.replication.throttled.rate";
const DIRS_RATE: &str = "replica.alter.log.dirs.io.max.bytes.per.second";
const LEADER_REPLICAS: &str = "leader.replication.throttled.replicas";
const FOLLOWER_REPLICAS: &str = "follower.replication.throttled.replicas";

/// Who sends a partition and who gets it.
#[doc(alias = "PartitionMove")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Move {
    sources: BTreeSet<i32>,
    destinations: BTreeSet<i32>,
}

/// All moves: those under way and those that begin.
#[doc(alias = "calculateProposedMoveMap")]
pub fn moves(
    under_way: &BTreeMap<Place, Reassignment>,
    proposed: &Assignment,
    current: &Assignment,
) -> BTreeMap<Place, Move> {
    let set = |brokers: &[i32]| brokers.iter().copied().collect::<BTreeSet<i32>>();
    let mut moves: BTreeMap<Place, Move> = BTreeMap::new();
    for (place, reassignment) in under_way {
        let destinations = set(&reassignment.adding);
        let sources = &set(&reassignment.replicas) - &destinations;
        moves.insert(place.clone(), Move { sources, destinations });
    }
    for (place, replicas) in proposed {
        let known = moves.get(place).map(|known| known.sources.clone());
        let now = || current.get(place).map(|replicas| set(replicas));
        let sources = known.or_else(now).unwrap_or_default();
        let destinations = &set(replicas) - &sources;
        moves.insert(place.clone(), Move { sources, destinations });
    }
    moves
}

/// Limits the moves between brokers.
pub fn limit_moves(
    client: &mut Client,
    moves: &BTreeMap<Place, Move>,
    bytes_per_second: i64,
) -> Result<(), ReassignError> {
    let mut topics: BTreeMap<&str, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    let mut brokers = BTreeSet::new();
    for ((topic, partition), moved) in moves {
        let (leaders, followers) = topics.entry(topic).or_default();
        leaders.extend(moved.sources.iter().map(|broker| format!("{partition}:{broker}")));
        followers.extend(moved.destinations.iter().map(|broker| format!("{partition}:{broker}")));
        brokers.extend(moved.sources.iter().chain(&moved.destinations).copied());
    }
    for (topic, (leaders, followers)) in topics {
        let changes =
            [set(LEADER_REPLICAS, commas(leaders)), set(FOLLOWER_REPLICAS, commas(followers))];
        client.alter_configs(&Resource::new(ResourceKind::Topic, topic), &changes, false)?;
    }
    let rate = bytes_per_second.to_string();
    for broker in brokers {
        let changes = [set(LEADER_RATE, rate.clone()), set(FOLLOWER_RATE, rate.clone())];
        client.alter_configs(&broker_resource(broker), &changes, false)?;
    }
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
        let changes = [set(DIRS_RATE, bytes_per_second.to_string())];
        client.alter_configs(&broker_resource(*broker), &changes, false)?;
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
        let changes = [delete(LEADER_RATE), delete(FOLLOWER_RATE), delete(DIRS_RATE)];
        alter_absent_too(client, broker, &changes)?;
    }
    let (s, all) = (plural(topics.len()), commas(&topics));
    writeln!(out, "Clearing topic-level throttles on topic{s} {all}")?;
    for topic in topics {
        let changes = [delete(LEADER_REPLICAS), delete(FOLLOWER_REPLICAS)];
        client.alter_configs(&Resource::new(ResourceKind::Topic, topic), &changes, false)?;
    }
    Ok(())
}

/// The controller keeps what holds for a broker; one that is gone cannot be asked itself.
fn alter_absent_too(
    client: &mut Client,
    broker: i32,
    changes: &[Change],
) -> Result<(), ClientError> {
    match client.cluster().brokers.contains_key(&broker) {
        true => client.alter_configs(&broker_resource(broker), changes, false),
        false => client.alter_configs_by_any(&broker_resource(broker), changes),
    }
}

fn broker_resource(broker: i32) -> Resource {
    Resource::new(ResourceKind::Broker, &broker.to_string())
}

fn set(name: &str, value: String) -> Change {
    Change { name: name.to_owned(), op: ChangeOp::Set(value) }
}

fn delete(name: &str) -> Change {
    Change { name: name.to_owned(), op: ChangeOp::Delete }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_goes_from_those_who_have_it_to_those_who_do_not() {
        let (a, b) = (("t".to_owned(), 0), ("t".to_owned(), 1));
        let proposed = Assignment::from([(a.clone(), vec![2, 3])]);
        let current = Assignment::from([(a.clone(), vec![1, 2])]);
        let going = Reassignment { replicas: vec![4, 5], adding: vec![5], removing: vec![4] };
        let moves = moves(&BTreeMap::from([(b.clone(), going)]), &proposed, &current);
        let set = |brokers: &[i32]| brokers.iter().copied().collect::<BTreeSet<i32>>();
        let expected = |sources: &[i32], destinations: &[i32]| Move {
            sources: set(sources),
            destinations: set(destinations),
        };
        assert_eq!(moves[&a], expected(&[1, 2], &[3]));
        assert_eq!(moves[&b], expected(&[4], &[5]));
    }
}
