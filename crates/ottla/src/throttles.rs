//! What moves of replicas may use: limits of brokers, and the replicas that they hold for.
//! Source: Kafka `ReassignPartitionsCommand`, `--throttle` and `--verify`.

use std::collections::{BTreeMap, BTreeSet};

use client::admin::configs::{Change, ChangeOp, Resource, ResourceKind};
use client::admin::reassignments::Reassignment;
use client::{Client, ClientError, Place};
use types::ErrorCode;

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
    proposed: &BTreeMap<Place, Vec<i32>>,
    current: &BTreeMap<Place, Vec<i32>>,
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

/// Limits the moves between brokers, also those under way.
pub fn limit_moves(
    client: &mut Client,
    moves: &BTreeMap<Place, Move>,
    bytes_per_second: i64,
) -> Result<(), ClientError> {
    let mut topics: BTreeMap<&str, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    let mut brokers = BTreeSet::new();
    for ((topic, partition), moved) in moves {
        let (leaders, followers) = topics.entry(topic).or_default();
        leaders.extend(moved.sources.iter().map(|broker| format!("{partition}:{broker}")));
        followers.extend(moved.destinations.iter().map(|broker| format!("{partition}:{broker}")));
        brokers.extend(moved.sources.iter().chain(&moved.destinations).copied());
    }
    for (topic, (leaders, followers)) in topics {
        let list = |items: BTreeSet<String>| items.into_iter().collect::<Vec<_>>().join(",");
        let changes =
            [set(LEADER_REPLICAS, list(leaders)), set(FOLLOWER_REPLICAS, list(followers))];
        client.alter_configs(&topic_resource(topic), &changes, false)?;
    }
    let rate = bytes_per_second.to_string();
    let changes = [set(LEADER_RATE, rate.clone()), set(FOLLOWER_RATE, rate)];
    brokers.into_iter().try_for_each(|broker| alter_absent_too(client, broker, &changes))
}

/// Limits the moves between log directories of a broker.
pub fn limit_dirs(
    client: &mut Client,
    broker: i32,
    bytes_per_second: i64,
) -> Result<(), ClientError> {
    let changes = [set(DIRS_RATE, bytes_per_second.to_string())];
    client.alter_configs(&broker_resource(broker), &changes, false)
}

/// Removes all limits of a broker.
pub fn clear_broker(client: &mut Client, broker: i32) -> Result<(), ClientError> {
    alter_absent_too(client, broker, &[LEADER_RATE, FOLLOWER_RATE, DIRS_RATE].map(delete))
}

/// No replica of the topic is limited any more.
pub fn clear_topic(client: &mut Client, topic: &str) -> Result<(), ClientError> {
    let changes = [LEADER_REPLICAS, FOLLOWER_REPLICAS].map(delete);
    client.alter_configs(&topic_resource(topic), &changes, false)
}

/// Whether replicas of a topic are named that limits hold for.
pub fn are_set(client: &mut Client, topic: &str) -> Result<bool, ClientError> {
    let names = [LEADER_REPLICAS, FOLLOWER_REPLICAS].map(str::to_owned);
    let described = client.describe_configs(&topic_resource(topic), Some(&names))?;
    Ok(described.iter().any(|property| property.value.as_ref().is_some_and(|v| !v.is_empty())))
}

/// The controller keeps what holds for a broker; one that is gone cannot be asked itself.
fn alter_absent_too(
    client: &mut Client,
    broker: i32,
    changes: &[Change],
) -> Result<(), ClientError> {
    let resource = broker_resource(broker);
    let is_known = client.cluster().brokers.contains_key(&broker);
    match is_known.then(|| client.alter_configs(&resource, changes, false)) {
        Some(Err(error)) if !error.is_broker(ErrorCode::BrokerNotAvailable) => Err(error),
        Some(Ok(())) => Ok(()),
        Some(Err(_)) | None => client.alter_configs_by_any(&resource, changes),
    }
}

fn broker_resource(broker: i32) -> Resource {
    Resource::new(ResourceKind::Broker, &broker.to_string())
}

fn topic_resource(topic: &str) -> Resource {
    Resource::new(ResourceKind::Topic, topic)
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
        let proposed = BTreeMap::from([(a.clone(), vec![2, 3])]);
        let current = BTreeMap::from([(a.clone(), vec![1, 2])]);
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
