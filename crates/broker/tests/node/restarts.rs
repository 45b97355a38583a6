//! What a broker knows after it was killed or shut down: everything it has acknowledged.

use std::path::Path;

use env::{Disk, Env};
use env_sim::Crash;
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::{DescribeConfigsRequest, MetadataRequest};
use types::ErrorCode;

use crate::harness::Broker;
use crate::shorthand::{EARLIEST, LATEST, error, fetch, values};

const TOPIC: i8 = 2;

fn leader_epoch(broker: &Broker) -> i32 {
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    broker.call(13, &all).topics[0].partitions[0].leader_epoch
}

#[test]
fn every_acknowledged_record_is_there_after_a_kill() {
    let mut broker = Broker::start();
    broker.create_topic("t", 3, &[("segment.bytes", "1048576")]);
    let mut expected = vec![Vec::new(); 3];
    for round in 0..5 {
        for (partition, kept) in expected.iter_mut().enumerate() {
            let value = format!("{round}-{partition}");
            let offset = broker.append("t", partition as i32, &[&value, "and more"]);
            assert_eq!(offset, round * 2);
            kept.extend([value, "and more".to_owned()]);
        }
        broker.kill_and_restart();
    }
    for (partition, kept) in expected.iter().enumerate() {
        assert_eq!(&broker.read_all("t", partition as i32), kept);
        assert_eq!(broker.list_offset("t", partition as i32, LATEST).offset, 10);
    }
}

#[test]
fn every_record_is_there_after_a_shutdown_and_the_leader_is_the_same_one() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.append("t", 0, &["a"]);
    let before = leader_epoch(&broker);
    for _ in 0..3 {
        broker.restart();
    }
    assert_eq!(leader_epoch(&broker), before, "a clean restart elects nobody");
    assert_eq!(broker.read_all("t", 0), ["a"]);
    assert_eq!(broker.append("t", 0, &["b"]), 1);
}

#[test]
fn topics_their_ids_and_their_configuration_survive() {
    let mut broker = Broker::start();
    let id = broker.create_topic("t", 2, &[("retention.ms", "12345"), ("segment.ms", "99999")]);
    broker.create_topic("gone", 1, &[]);
    broker.delete_topic("gone");
    for round in 0..2 {
        if round == 0 {
            broker.kill_and_restart()
        } else {
            broker.restart()
        }
        assert_eq!(broker.topics(), ["t"]);
        let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
        let topic = broker.call(13, &all).topics.remove(0);
        assert_eq!((topic.topic_id, topic.partitions.len()), (id, 2));
        let resource = DescribeConfigsResource {
            resource_type: TOPIC,
            resource_name: "t".into(),
            configuration_keys: Some(vec!["retention.ms".into(), "segment.ms".into()]),
        };
        let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
        let configs = broker.call(4, &request).results.remove(0).configs;
        let mut found: Vec<_> = configs.iter().map(|c| c.value.as_deref().unwrap_or("")).collect();
        found.sort_unstable();
        assert_eq!(found, ["12345", "99999"]);
    }
}

#[test]
fn a_fetch_goes_on_across_a_restart_where_it_was() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.append("t", 0, &["a", "b"]);
    broker.kill_and_restart();
    broker.append("t", 0, &["c"]);
    let answer = broker.fetch(&fetch("t", 0, 2));
    assert_eq!(values(&answer), ["c"]);
    assert_eq!((answer.high_watermark, answer.log_start_offset), (3, 0));
}

#[test]
fn many_segments_are_read_as_one_log_after_each_kind_of_stop() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[("segment.bytes", "1048576")]);
    let big = "x".repeat(400_000);
    let mut count = 0;
    for round in 0..3 {
        for _ in 0..4 {
            assert_eq!(broker.append("t", 0, &[&big]), count);
            count += 1;
        }
        if round % 2 == 0 { broker.kill_and_restart() } else { broker.restart() }
    }
    for offset in 0..count {
        let answer = broker.fetch(&fetch("t", 0, offset));
        assert_eq!(values(&answer).first().map(String::len), Some(big.len()), "offset {offset}");
    }
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 0);
}

#[test]
fn requests_are_refused_and_not_lost_while_the_broker_shuts_down() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    broker.append("t", 0, &["a"]);
    broker.shut_down();
    let request = crate::shorthand::produce("t", 0, -1, crate::shorthand::batch(&["late"]));
    let answer = broker.produce(&request);
    assert_eq!(error(answer.error_code), ErrorCode::NotLeaderOrFollower);
    let mut waiting = fetch("t", 0, 1);
    waiting.max_wait_ms = 500;
    assert_eq!(error(broker.fetch(&waiting).error_code), ErrorCode::NotLeaderOrFollower);
}

#[test]
fn a_power_cut_leaves_the_topics_and_logs_without_holes() {
    for seed in 0..8 {
        let mut broker = Broker::on(env_sim::SimEnv::new(seed), &[]);
        broker.create_topic("t", 1, &[]);
        let sent: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        for value in &sent {
            broker.append("t", 0, &[value]);
        }
        broker.crash_and_restart(Crash::PowerLoss);
        assert_eq!(broker.topics(), ["t"], "the metadata log is synced before it is answered");
        let kept = broker.read_all("t", 0);
        assert_eq!(kept[..], sent[..kept.len()], "seed {seed}");
        assert_eq!(broker.append("t", 0, &["next"]), kept.len() as i64);
    }
}

#[test]
fn a_partition_that_was_being_made_when_the_process_died_is_made_again_and_nothing_is_left_of_it() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let disk = broker.env.disk().clone();
    let made = Path::new("/data/t-0/partition.metadata");
    disk.rename(made, Path::new("/data/t-0/partition.metadata.tmp")).expect("it is there");
    broker.kill_and_restart();
    assert_eq!(broker.append("t", 0, &["a"]), 0);
    let stray = |name: &str| name.ends_with("-stray");
    let entries = disk.read_dir(Path::new("/data")).expect("the log directory");
    assert!(entries.iter().all(|entry| !stray(&entry.name)), "{entries:?}");
}
