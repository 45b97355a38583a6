use std::time::Duration;

use metadata::BrokerEpoch;
use protocol::messages::broker_heartbeat_request::BrokerHeartbeatRequest;
use types::{BrokerId, ErrorCode};

use crate::harness::{Cluster, LOOK};

const HEARTBEAT: Duration = Duration::from_millis(200);

/// Time passes; brokers beat in turn over every interval, as they started at different times.
fn live(cluster: &mut Cluster, brokers: i32, passes: Duration) -> Vec<i32> {
    let mut fenced = Vec::new();
    let looks_per_beat = (HEARTBEAT.as_millis() / LOOK.as_millis()) as i32;
    for look in 0..(passes.as_millis() / LOOK.as_millis()) as i32 {
        cluster.now = cluster.now.plus(LOOK);
        for id in (0..brokers).filter(|id| id % looks_per_beat == look % looks_per_beat) {
            cluster.beat(id);
        }
        fenced.extend(cluster.fence_stale());
    }
    fenced
}

#[test]
fn a_new_controller_fences_nobody_who_beats_within_a_session() {
    let mut cluster = Cluster::with_brokers(50);
    assert_eq!(live(&mut cluster, 50, Duration::from_secs(5)), []);
    // Nobody led for a minute.
    cluster.now = cluster.now.plus(Duration::from_secs(60));
    cluster.fail_over();
    assert_eq!(cluster.fence_stale(), []);
    assert_eq!(live(&mut cluster, 50, Duration::from_secs(5)), []);
    assert_eq!(cluster.image().cluster.unfenced_brokers().count(), 50);
}

#[test]
fn a_new_controller_fences_who_died_with_the_one_before_after_one_session() {
    let mut cluster = Cluster::with_brokers(5);
    live(&mut cluster, 5, Duration::from_secs(1));
    cluster.fail_over();
    assert_eq!(live(&mut cluster, 4, Duration::from_millis(1_100)), []);
    assert_eq!(live(&mut cluster, 4, Duration::from_millis(300)), [4]);
}

#[test]
fn the_broker_of_the_controller_before_is_fenced_only_after_the_lease_it_may_have_given_itself() {
    // A majority heard it 400 ms ago and it gave its broker 800 ms; this node did long before.
    let mut cluster = Cluster::with_brokers(5);
    let before = |cluster: &mut Cluster, silent_ms, missed_ms| {
        live(cluster, 5, Duration::from_secs(1));
        cluster.fail_over();
        let [silent, missed] = [silent_ms, missed_ms].map(Duration::from_millis);
        cluster.controller.handle_deposed_leader(BrokerId(4), silent, missed);
    };
    before(&mut cluster, 3_000, 400);
    assert_eq!(live(&mut cluster, 4, Duration::from_millis(300)), []);
    assert_eq!(live(&mut cluster, 4, Duration::from_millis(200)), [4]);
    // It named its heir, and may have been heard just then.
    let mut cluster = Cluster::with_brokers(5);
    before(&mut cluster, 3_000, 0);
    assert_eq!(live(&mut cluster, 4, Duration::from_millis(700)), []);
    assert_eq!(live(&mut cluster, 4, Duration::from_millis(200)), [4]);
    // Both heard it last at the same time.
    let mut cluster = Cluster::with_brokers(5);
    before(&mut cluster, 700, 400);
    assert_eq!(live(&mut cluster, 4, Duration::from_millis(400)), []);
    assert_eq!(live(&mut cluster, 4, Duration::from_millis(200)), [4]);
}

#[test]
fn a_handler_that_stalls_for_ten_seconds_fences_nobody_who_beat_meanwhile() {
    let mut cluster = Cluster::with_brokers(20);
    // Heartbeats waited in a queue until they were too old to be answered. They are heard first.
    cluster.now = cluster.now.plus(Duration::from_secs(10));
    for id in 0..20 {
        let late = BrokerHeartbeatRequest {
            broker_id: id,
            broker_epoch: cluster.epoch(id).0,
            ..BrokerHeartbeatRequest::default()
        };
        let now = cluster.now;
        cluster.controller.handle_broker_heartbeat(&late, now);
    }
    assert_eq!(cluster.fence_stale(), []);
    // Even a look before they are heard blames nobody: the controller did not listen.
    cluster.now = cluster.now.plus(Duration::from_secs(10));
    assert_eq!(cluster.fence_stale(), []);
}

#[test]
fn a_silent_broker_is_fenced_between_one_session_and_one_look_more() {
    let mut cluster = Cluster::with_brokers(3);
    live(&mut cluster, 3, Duration::from_secs(2));
    let last_word = cluster.now;
    cluster.beat(2);
    let mut fenced = Vec::new();
    while fenced.is_empty() {
        cluster.now = cluster.now.plus(LOOK);
        cluster.beat(0);
        cluster.beat(1);
        fenced = cluster.fence_stale();
    }
    assert_eq!(fenced, [2]);
    let silent = cluster.now.since(last_word);
    assert!((1_200..=1_300).contains(&silent.as_millis()), "{silent:?}");
}

#[test]
fn the_controller_looks_when_a_session_ends_and_not_only_every_now_and_then() {
    let mut cluster = Cluster::with_brokers(3);
    let began = cluster.now;
    cluster.beat(2);
    let mut fenced = Vec::new();
    while fenced.is_empty() {
        // The others beat at odd times, and each time the controller looks.
        let next = cluster.controller.poll_stale_deadline().expect("it leads");
        cluster.now = next.min(cluster.now.plus(Duration::from_millis(7)));
        cluster.beat(0);
        cluster.beat(1);
        if cluster.now == next {
            fenced = cluster.fence_stale();
        }
    }
    assert_eq!(fenced, [2]);
    assert_eq!(cluster.now.since(began), Duration::from_millis(1_200));
}

#[test]
fn who_has_lost_its_connection_is_fenced_within_a_third_of_a_second_unless_it_speaks() {
    let mut cluster = Cluster::with_brokers(3);
    let now = cluster.now;
    for id in [1, 2] {
        let epoch = cluster.epoch(id);
        cluster.controller.handle_broker_connection_lost(BrokerId(id), epoch, now);
    }
    assert_eq!(live(&mut cluster, 2, Duration::from_millis(200)), []);
    assert_eq!(live(&mut cluster, 2, Duration::from_millis(100)), [2]);
    assert_eq!(live(&mut cluster, 2, Duration::from_secs(2)), []);
}

#[test]
fn heartbeats_of_a_life_before_are_no_sign_of_life() {
    let mut cluster = Cluster::with_brokers(2);
    let before = cluster.epoch(1);
    let now = cluster.now;
    cluster.controller.handle_broker_gone(BrokerId(1), before);
    cluster.register(1, 2, None).expect("the first life is gone");
    cluster.beat(1);
    let stale = BrokerHeartbeatRequest {
        broker_id: 1,
        broker_epoch: before.0,
        ..BrokerHeartbeatRequest::default()
    };
    for _ in 0..20 {
        cluster.now = cluster.now.plus(LOOK);
        let now = cluster.now;
        cluster.controller.handle_broker_heartbeat(&stale, now);
        let reply = cluster.controller.broker_heartbeat(&stale);
        assert_eq!(reply.reply.error_code, ErrorCode::StaleBrokerEpoch.code());
        cluster.beat(0);
        if !cluster.fence_stale().is_empty() {
            break;
        }
    }
    assert_eq!(cluster.now.since(now), Duration::from_millis(1_200));
}

#[test]
fn a_broker_epoch_is_never_used_twice() {
    let mut cluster = Cluster::new();
    let mut last = BrokerEpoch::NONE;
    for life in 0..20 {
        for id in 0..3 {
            let before = cluster.epoch(id);
            cluster.controller.handle_broker_gone(BrokerId(id), before);
            let epoch = cluster.register(id, life, None).expect("the life before is gone");
            assert!(epoch > last, "{epoch} after {last}");
            last = epoch;
        }
        cluster.fail_over();
    }
}

#[test]
fn who_was_fenced_comes_back_into_service_only_once_its_metadata_says_so() {
    for fails_over in [false, true] {
        let mut cluster = Cluster::with_brokers(2);
        let mut beat = BrokerHeartbeatRequest {
            broker_id: 1,
            broker_epoch: cluster.epoch(1).0,
            current_metadata_offset: cluster.image().provenance.last_offset.0,
            ..BrokerHeartbeatRequest::default()
        };
        cluster.fence(1);
        if fails_over {
            cluster.fail_over();
        }
        let fenced_at = cluster.image().provenance.last_offset.0;
        let stale = cluster.commit(cluster.controller.broker_heartbeat(&beat));
        assert!(stale.is_fenced && stale.is_caught_up, "fails over: {fails_over}");
        beat.current_metadata_offset = fenced_at;
        let told = cluster.commit(cluster.controller.broker_heartbeat(&beat));
        assert!(!told.is_fenced, "fails over: {fails_over}");
    }
}
