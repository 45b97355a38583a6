//! Where the replicas of a broker go when it is emptied: a function of what the cluster says.

use std::collections::BTreeMap;

use client::admin::reassignments::Reassignment;
use client::{Cluster, Partition, Place};

/// A broker that replicas can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub id: i32,
    pub rack: Option<String>,
}

/// One partition that leaves a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub place: Place,
    pub before: Vec<i32>,
    pub after: Vec<i32>,
}

/// Why a partition cannot leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// Every broker in service has a replica of it: there would be one replica less.
    NoRoom { place: Place, replicas: usize, brokers: usize },
    /// Its records are on this broker alone, and the broker is out of service.
    OnlyHere { place: Place },
}

/// All that leaves a broker, and all that cannot.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub moves: Vec<Move>,
    pub stuck: Vec<Stuck>,
}

/// Moves under way.
pub type Going = BTreeMap<Place, Reassignment>;

/// Gives each replica of `broker` to another, one on a rack that the partition is not on if there
/// is one, and of these to the one that holds least. What leaves already is left alone.
pub fn off(
    cluster: &Cluster,
    going: &Going,
    broker: i32,
    is_in_service: bool,
    others: &[Candidate],
) -> Plan {
    let mut held: BTreeMap<i32, usize> = others.iter().map(|other| (other.id, 0)).collect();
    for replica in partitions(cluster, going).flat_map(|(.., target)| target) {
        if let Some(count) = held.get_mut(&replica) {
            *count += 1;
        }
    }
    let mut plan = Plan::default();
    for (place, partition, target) in partitions(cluster, going) {
        if !partition.replicas.contains(&broker) {
            continue;
        }
        if !is_in_service && partition.leader < 0 {
            plan.stuck.push(Stuck::OnlyHere { place });
            continue;
        }
        if !target.contains(&broker) {
            continue;
        }
        let Some(successor) = successor(&target, broker, cluster, others, &held) else {
            let (replicas, brokers) = (target.len(), others.len());
            plan.stuck.push(Stuck::NoRoom { place, replicas, brokers });
            continue;
        };
        *held.entry(successor).or_default() += 1;
        let swap = |id: &i32| if *id == broker { successor } else { *id };
        let after = target.iter().map(swap).collect();
        plan.moves.push(Move { place, before: target, after });
    }
    plan
}

/// Puts `broker` last among the replicas that it shares with others, so that another is preferred.
pub fn leaders_off(cluster: &Cluster, going: &Going, broker: i32) -> Vec<Move> {
    let led = partitions(cluster, going).filter(|(_, partition, target)| {
        let is_first = target.first() == Some(&broker);
        let leads_on = partition.leader == broker && target.contains(&broker);
        let others = partition.isr.iter().any(|id| *id != broker);
        (is_first || leads_on) && others
    });
    let moved = led.map(|(place, partition, before)| {
        let others = before.iter().copied().filter(|id| *id != broker);
        // Who is in sync can lead at once.
        let (mut after, behind): (Vec<i32>, Vec<i32>) =
            others.partition(|id| partition.isr.contains(id));
        after.extend(behind);
        after.push(broker);
        Move { place, before, after }
    });
    moved.collect()
}

/// All partitions, with the brokers that they are on when the moves under way are done.
fn partitions<'a>(
    cluster: &'a Cluster,
    going: &'a Going,
) -> impl Iterator<Item = (Place, &'a Partition, Vec<i32>)> {
    let all = cluster.topics.values().flat_map(|topic| {
        topic
            .partitions
            .values()
            .map(|partition| ((topic.name.clone(), partition.index), partition))
    });
    all.map(|(place, partition)| {
        let removing = going.get(&place).map_or(&[][..], |going| &going.removing);
        let stays = partition.replicas.iter().filter(|id| !removing.contains(id));
        let target = stays.copied().collect();
        (place, partition, target)
    })
}

fn successor(
    replicas: &[i32],
    leaving: i32,
    cluster: &Cluster,
    others: &[Candidate],
    held: &BTreeMap<i32, usize>,
) -> Option<i32> {
    let rack_of = |id: i32| {
        let candidate = others.iter().find(|other| other.id == id);
        let known = || cluster.brokers.get(&id).and_then(|broker| broker.rack.as_deref());
        candidate.and_then(|other| other.rack.as_deref()).or_else(known)
    };
    let stays = replicas.iter().filter(|id| **id != leaving);
    let racks: Vec<&str> = stays.filter_map(|id| rack_of(*id)).collect();
    let free = others.iter().filter(|other| !replicas.contains(&other.id));
    let best = free.min_by_key(|other| {
        let shares_rack = other.rack.as_deref().is_some_and(|rack| racks.contains(&rack));
        (shares_rack, held.get(&other.id).copied().unwrap_or(0), other.id)
    });
    best.map(|other| other.id)
}

#[cfg(test)]
mod tests {
    use client::Topic;
    use types::{ErrorCode, Uuid};

    use super::*;

    /// One topic `t` whose partitions have these replicas, all in sync, the first in the lead.
    fn cluster(replicas: &[&[i32]]) -> Cluster {
        let partition = |(index, replicas): (i32, &&[i32])| Partition {
            index,
            leader: replicas[0],
            leader_epoch: 0,
            replicas: replicas.to_vec(),
            isr: replicas.to_vec(),
            error: ErrorCode::None,
        };
        let partitions = (0..).zip(replicas).map(partition).map(|p| (p.index, p)).collect();
        let topic = Topic {
            name: "t".to_owned(),
            id: Uuid::default(),
            is_internal: false,
            error: ErrorCode::None,
            partitions,
        };
        Cluster { topics: BTreeMap::from([("t".to_owned(), topic)]), ..Cluster::default() }
    }

    fn plain(ids: &[i32]) -> Vec<Candidate> {
        ids.iter().map(|id| Candidate { id: *id, rack: None }).collect()
    }

    fn after(moves: &[Move]) -> Vec<Vec<i32>> {
        moves.iter().map(|moved| moved.after.clone()).collect()
    }

    #[test]
    fn replicas_go_to_those_who_hold_least_and_the_order_stays() {
        let cluster = cluster(&[&[1, 2], &[2, 1], &[1, 3], &[3, 4]]);
        let plan = off(&cluster, &Going::new(), 1, true, &plain(&[2, 3, 4]));
        assert_eq!(after(&plan.moves), [[4, 2], [2, 3], [2, 3]]);
        assert_eq!(plan.stuck, []);
    }

    #[test]
    fn a_rack_that_the_partition_is_not_on_comes_first() {
        let cluster = cluster(&[&[1, 2], &[4, 3]]);
        let rack = |id: i32, rack: &str| Candidate { id, rack: Some(rack.to_owned()) };
        let others = [rack(2, "a"), rack(3, "a"), rack(4, "b")];
        let plan = off(&cluster, &Going::new(), 1, true, &others);
        assert_eq!(after(&plan.moves), [[4, 2]]);
    }

    #[test]
    fn a_partition_on_every_broker_has_nowhere_to_go() {
        let plan = off(&cluster(&[&[1, 2, 3]]), &Going::new(), 1, true, &plain(&[2, 3]));
        assert_eq!(plan.moves, []);
        let place = ("t".to_owned(), 0);
        assert_eq!(plan.stuck, [Stuck::NoRoom { place, replicas: 3, brokers: 2 }]);
    }

    #[test]
    fn the_only_replica_of_a_dead_broker_cannot_be_copied() {
        let mut cluster = cluster(&[&[1]]);
        let topic = cluster.topics.get_mut("t").unwrap();
        topic.partitions.get_mut(&0).unwrap().leader = -1;
        let plan = off(&cluster, &Going::new(), 1, false, &plain(&[2, 3]));
        assert_eq!(plan.stuck, [Stuck::OnlyHere { place: ("t".to_owned(), 0) }]);
    }

    #[test]
    fn leadership_goes_to_a_replica_in_sync_and_a_lone_replica_keeps_it() {
        let mut cluster = cluster(&[&[1, 2, 3], &[1], &[2, 1]]);
        let topic = cluster.topics.get_mut("t").unwrap();
        topic.partitions.get_mut(&0).unwrap().isr = vec![1, 3];
        let moves = leaders_off(&cluster, &Going::new(), 1);
        assert_eq!(after(&moves), [[3, 2, 1]]);
    }

    /// Partition 0 of `t` is on its way from broker 1 to broker 4.
    fn on_its_way() -> (Cluster, Going) {
        let mut cluster = cluster(&[&[4, 2, 1], &[1, 2]]);
        let moving = cluster.topics.get_mut("t").unwrap().partitions.get_mut(&0).unwrap();
        (moving.leader, moving.isr) = (1, vec![1, 2]);
        let (adding, removing) = (vec![4], vec![1]);
        let moving = Reassignment { replicas: moving.replicas.clone(), adding, removing };
        (cluster, BTreeMap::from([(("t".to_owned(), 0), moving)]))
    }

    #[test]
    fn what_leaves_already_is_not_moved_again_and_counts_where_it_goes() {
        let (cluster, going) = on_its_way();
        let plan = off(&cluster, &going, 1, true, &plain(&[4]));
        assert_eq!(after(&plan.moves), [[4, 2]]);
        assert_eq!(plan.moves[0].place.1, 1);
        assert_eq!(plan.stuck, []);
        let spread = off(&cluster, &going, 1, true, &plain(&[3, 4]));
        assert_eq!(after(&spread.moves), [[3, 2]]);
        assert_eq!(after(&leaders_off(&cluster, &going, 1)), [[2, 1]]);
    }

    #[test]
    fn a_replica_that_comes_to_the_broker_is_sent_elsewhere() {
        let (cluster, going) = on_its_way();
        let plan = off(&cluster, &going, 4, true, &plain(&[1, 2, 3]));
        assert_eq!(plan.moves.len(), 1);
        assert_eq!((&plan.moves[0].before, &plan.moves[0].after), (&vec![4, 2], &vec![3, 2]));
    }
}
