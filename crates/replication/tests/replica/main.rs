//! One replica, told what happens, step by step.

mod follower;
mod leader;
mod roles;

use std::time::Duration;

use replication::{
    Durability, FollowerFetch, GateRules, LeaderRules, LogEnds, PartitionLeader, PartitionState,
};
use types::{BrokerEpoch, BrokerId, LeaderEpoch, MonoTime, Offset, PartitionEpoch};

const ME: BrokerId = BrokerId(1);
const LAG_MAX: Duration = Duration::from_secs(30);

fn seconds(n: u64) -> MonoTime {
    MonoTime(n * 1_000_000_000)
}

fn rules(min_insync_replicas: usize) -> LeaderRules {
    let gate = GateRules { durability: Durability::Fsync, flush_messages: i64::MAX };
    LeaderRules { gate, min_insync_replicas, lag_time_max: LAG_MAX }
}

/// Replicas 1, 2 and 3 in reign 5.
fn state(leader: i32, partition_epoch: i32, isr: &[i32]) -> PartitionState {
    PartitionState {
        leader: Some(BrokerId(leader)).filter(|leader| leader.0 >= 0),
        leader_epoch: LeaderEpoch(5),
        partition_epoch: PartitionEpoch(partition_epoch),
        replicas: vec![BrokerId(1), BrokerId(2), BrokerId(3)],
        isr: isr.iter().map(|id| BrokerId(*id)).collect(),
        recovering: false,
    }
}

/// A log whose last record is of epoch 4.
fn log(durable: i64, log_end: i64) -> LogEnds {
    LogEnds {
        log_start: Offset(0),
        log_end: Offset(log_end),
        durable: Offset(durable),
        last_epoch: LeaderEpoch(4),
    }
}

/// Leads since second 0 over a log of 10 records, of which 8 are known to be committed.
fn leader(isr: &[i32], min_insync_replicas: usize) -> PartitionLeader {
    let (state, rules) = (state(1, 20, isr), rules(min_insync_replicas));
    PartitionLeader::elected(ME, &state, log(10, 10), Offset(8), rules, seconds(0))
}

/// The life of every broker is 100 and its id.
fn life(broker: i32) -> BrokerEpoch {
    BrokerEpoch(100 + i64::from(broker))
}

fn all_live(broker: BrokerId) -> Option<BrokerEpoch> {
    Some(life(broker.0))
}

fn fetch(leader: &mut PartitionLeader, replica: i32, offset: i64, now: MonoTime) -> bool {
    let fetch = FollowerFetch {
        replica: BrokerId(replica),
        broker_epoch: life(replica),
        offset: Offset(offset),
        log_start: Offset(0),
    };
    leader.handle_fetch(&fetch, now)
}

fn append_durably(leader: &mut PartitionLeader, log_end: i64) {
    leader.handle_append(Offset(log_end));
    leader.handle_durable(Offset(log_end));
}
