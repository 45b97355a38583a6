//! The metadata log goes once two snapshots have what it says, and whatever happens on the way is
//! no loss.

use std::path::Path;

use broker::OpenError;
use env::{Disk, Env};
use env_sim::{Crash, SimEnv};
use protocol::messages::MetadataRequest;
use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use types::ErrorCode;

use crate::harness::Broker;
use crate::shorthand::error;

const LOG: &str = "/data/__cluster_metadata-0";

const USUAL: [&str; 6] = [
    "listeners=PLAINTEXT://here:9092,CONTROLLER://here:9093",
    "controller.listener.names=CONTROLLER",
    "controller.quorum.voters=1@here:9093",
    "metadata.log.max.record.bytes.between.snapshots=1000",
    "metadata.log.segment.ms=1",
    "file.delete.delay.ms=0",
];
const SMALL: &str = "metadata.max.retention.bytes=4000";

fn with(more: &[&str]) -> Broker {
    Broker::with(&[&USUAL[..], more].concat())
}

fn names(broker: &Broker, suffix: &str) -> Vec<String> {
    let entries = broker.env.disk().read_dir(Path::new(LOG)).expect("the directory of the log");
    let names = entries.into_iter().map(|entry| entry.name);
    names.filter(|name| name.ends_with(suffix) && name.starts_with('0')).collect()
}

/// Where the first segment begins.
fn base(broker: &Broker) -> i64 {
    names(broker, ".log").first().and_then(|name| name[..20].parse().ok()).expect("a segment")
}

fn create(broker: &Broker, numbers: std::ops::Range<usize>) {
    for number in numbers {
        broker.create_topic(&format!("topic-{number}"), 1, &[]);
        broker.env.background().run_due();
        broker.pass_ms(5);
    }
}

/// What creating a topic is answered, of a broker whose disk may die meanwhile.
fn try_create(broker: &Broker, number: usize) -> ErrorCode {
    let topic = CreatableTopic {
        name: format!("topic-{number}").into(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let mut client = broker.client();
    client.send(7, &request);
    let answer = client.try_answer::<CreateTopicsRequest>();
    answer.map_or(ErrorCode::KafkaStorageError, |mut answer| {
        error(answer.topics.remove(0).error_code)
    })
}

fn topics(broker: &Broker) -> usize {
    broker.call(13, &MetadataRequest { topics: None, ..Default::default() }).topics.len()
}

#[test]
fn a_log_that_is_longer_than_its_bound_is_trimmed_to_the_newest_snapshot_but_one() {
    let mut broker = with(&[SMALL]);
    create(&broker, 0..80);
    let kept = names(&broker, ".checkpoint");
    assert_eq!(kept.len(), 2, "{kept:?}");
    let (first, older) = (base(&broker), kept[0][..20].parse::<i64>().expect("its end"));
    assert!(0 < first && first <= older, "{first} and {kept:?}");
    for crash in [Crash::Kill, Crash::PowerLoss] {
        broker.crash_and_restart(crash);
        assert_eq!(topics(&broker), 80);
    }
    broker.restart();
    create(&broker, 80..81);
    assert_eq!(topics(&broker), 81);
}

#[test]
fn a_log_of_which_the_bounds_are_off_is_kept_whole() {
    let off = ["metadata.max.retention.bytes=-1", "metadata.max.retention.ms=-1"];
    let broker = with(&off);
    create(&broker, 0..40);
    assert_eq!(base(&broker), 0);
}

#[test]
fn records_go_once_they_are_old_and_two_snapshots_have_them() {
    let broker = with(&["metadata.max.retention.ms=60000"]);
    create(&broker, 0..40);
    assert_eq!(base(&broker), 0);
    broker.pass_ms(70_000);
    create(&broker, 40..60);
    assert!(base(&broker) > 0);
    assert_eq!(topics(&broker), 60);
}

#[test]
fn a_trimmed_node_starts_from_its_older_snapshot_and_refuses_to_start_without_any() {
    let mut broker = with(&[SMALL]);
    create(&broker, 0..80);
    let kept = names(&broker, ".checkpoint");
    let rot = |broker: &Broker, name: &str| {
        broker.env.disk().rot(&Path::new(LOG).join(name), 100, 0xff);
    };
    rot(&broker, &kept[1]);
    broker.crash_and_restart(Crash::PowerLoss);
    assert_eq!(topics(&broker), 80);
    broker.env.background().forget();
    names(&broker, ".checkpoint").iter().filter(|name| **name != kept[1]).for_each(|name| {
        rot(&broker, name);
    });
    let refused = broker.kill_and_try().expect_err("nobody knows what came before");
    assert!(matches!(refused, OpenError::Metadata(_)), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("no whole snapshot") && text.contains("METADATA_UNREADABLE"), "{text}");
    assert_eq!(text.split(" · ").count(), 4, "{text}");
}

#[test]
fn a_damaged_snapshot_stops_trimming_until_two_whole_ones_are_there() {
    let mut broker = with(&[SMALL]);
    create(&broker, 0..80);
    let (first, newest) = (base(&broker), names(&broker, ".checkpoint").remove(1));
    broker.reconfigure("metadata.log.max.record.bytes.between.snapshots=30000");
    broker.env.disk().rot(&Path::new(LOG).join(&newest), 100, 0xff);
    broker.crash_and_restart(Crash::PowerLoss);
    let mut next = 80;
    while names(&broker, ".checkpoint").len() == 2 && next < 1000 {
        create(&broker, next..next + 1);
        next += 1;
    }
    let kept = names(&broker, ".checkpoint");
    assert_eq!(kept.len(), 3, "the older one stays, for the damaged one: {kept:?}");
    assert_eq!(base(&broker), first);
    broker.crash_and_restart(Crash::PowerLoss);
    while names(&broker, ".checkpoint").len() == 3 && next < 1000 {
        create(&broker, next..next + 1);
        next += 1;
    }
    create(&broker, next..next + 1);
    assert_eq!(names(&broker, ".checkpoint").len(), 2);
    assert!(base(&broker) > first);
    assert_eq!(topics(&broker), next + 1);
}

#[test]
fn whoever_asks_for_what_is_gone_is_sent_to_a_snapshot() {
    let broker = with(&[SMALL]);
    create(&broker, 0..80);
    let kept = names(&broker, ".checkpoint");
    let ends: Vec<i64> = kept.iter().map(|name| name[..20].parse().expect("an end")).collect();
    for below in [0, 1, ends[0] - 1] {
        assert_eq!(broker.fetch_metadata(below, -1).snapshot_id.end_offset, ends[1]);
        let older = broker.fetch_metadata(below, 0);
        assert_eq!(older.snapshot_id.end_offset, ends[0], "the newest was of no use");
    }
    let there = broker.fetch_metadata(ends[0], -1);
    assert_eq!((there.error_code, there.snapshot_id.end_offset), (ErrorCode::None.code(), -1));
    assert_eq!(there.log_start_offset, ends[0]);
    assert!(there.records.is_some_and(|records| !records.is_empty()));
}

/// The power goes after every so many changes to the disk, while snapshots are written, old ones
/// removed and the log is trimmed.
#[test]
fn a_trimmed_log_opens_whole_wherever_the_power_goes() {
    let mut trimmed = 0;
    for seed in 0..120 {
        let mut broker = Broker::on(SimEnv::new(seed), &[&USUAL[..], &[SMALL]].concat());
        create(&broker, 0..22);
        let first = base(&broker);
        broker.env.disk().die_after(1 + seed * 2);
        let mut created = 22;
        while !broker.env.disk().is_dead() && created < 60 {
            let code = try_create(&broker, created);
            if code != ErrorCode::None || broker.env.disk().is_dead() {
                break;
            }
            created += 1;
            broker.env.background().run_due();
            broker.pass_ms(5);
        }
        broker.crash_and_restart(Crash::PowerLoss);
        let found = topics(&broker);
        assert!(created <= found && found <= created + 1, "{seed}: {created} and {found}");
        trimmed += usize::from(base(&broker) > first);
        create(&broker, 100..102);
        broker.crash_and_restart(Crash::PowerLoss);
        assert_eq!(topics(&broker), found + 2, "{seed}");
    }
    assert!(trimmed > 20, "{trimmed} were trimmed before the power went");
}
