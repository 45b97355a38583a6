//! Topics are compacted beside everything else, by cleaners that one bad partition does not stop.

use env::{Disk, Env};
use protocol::ApiKey;
use protocol::messages::describe_compaction_request::TopicRequest;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use protocol::messages::{
    ApiVersionsRequest, DescribeCompactionRequest, IncrementalAlterConfigsRequest,
    OffsetCommitRequest, OffsetFetchRequest,
};
use records::BatchBuilder;
use types::ErrorCode;

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, EARLIEST, LATEST, error, produce, record};

/// `log.cleaner.backoff.ms`, and a little.
const CLEANER_MS: u64 = 15_000 + 1_000;
/// `log.retention.check.interval.ms`, and a little.
const RETENTION_MS: u64 = 300_000 + 1_000;
/// How long a partition that could not be cleaned is left alone, and a little.
const QUARANTINE_MS: u64 = 15 * 60 * 1000 + CLEANER_MS;

const COMPACT: (&str, &str) = ("cleanup.policy", "compact");
const SMALL: (&str, &str) = ("segment.bytes", "1048576");

impl Broker {
    fn put(&self, topic: &str, partition: i32, key: &str, value: &str) -> i64 {
        let mut builder = BatchBuilder::new();
        builder.push(record(Some(key), value));
        let batch = builder.build().bytes().clone();
        let answer = self.produce(&produce(topic, partition, ACKS_ALL, batch));
        assert_eq!(error(answer.error_code), ErrorCode::None, "{:?}", answer.error_message);
        answer.base_offset
    }

    /// So many large values of each of two keys: two or three fill a segment.
    fn put_rounds(&self, topic: &str, partition: i32, rounds: usize) {
        for round in 0..rounds {
            for key in ["a", "b"] {
                let value = format!("{key}{round} {}", "x".repeat(400_000));
                self.put(topic, partition, key, &value);
            }
        }
    }

    /// The first word of each value.
    fn first_words(&self, topic: &str, partition: i32) -> Vec<String> {
        let values = self.read_all(topic, partition);
        values.iter().map(|v| v.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    fn set_broker_config(&self, name: &str, value: &str) {
        const BROKERS: i8 = 4;
        self.set_config(BROKERS, "", name, value);
    }

    fn set_topic_config(&self, topic: &str, name: &str, value: &str) {
        const TOPIC: i8 = 2;
        self.set_config(TOPIC, topic, name, value);
    }

    fn set_config(&self, resource_type: i8, resource: &str, name: &str, value: &str) {
        let (name, value) = (name.into(), Some(value.into()));
        let resource = AlterConfigsResource {
            resource_type,
            resource_name: resource.into(),
            configs: vec![AlterableConfig { name, config_operation: 0, value }],
        };
        let request =
            IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
        let answer = self.call(1, &request).responses.remove(0);
        assert_eq!(error(answer.error_code), ErrorCode::None, "{:?}", answer.error_message);
    }

    /// The sum of what is counted under a name that ends so.
    fn metric(&self, name_end: &str) -> f64 {
        let text = self.metrics();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let named = lines.filter(|line| {
            line.split(['{', ' ']).next().is_some_and(|name| name.ends_with(name_end))
        });
        named.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    fn files(&self, partition: &str, end: &str) -> usize {
        let dir = format!("/data/{partition}");
        let entries = self.env.disk().read_dir(dir.as_ref()).unwrap();
        entries.iter().filter(|entry| entry.name.ends_with(end)).count()
    }
}

#[test]
fn a_compacted_topic_keeps_the_last_value_of_each_key_across_restarts() {
    let mut broker = Broker::start();
    broker.create_topic("t", 1, &[COMPACT, SMALL]);
    broker.put_rounds("t", 0, 8);
    let before = broker.size_bytes("t");
    broker.pass_ms(CLEANER_MS);
    assert!(broker.size_bytes("t") < before / 3, "{} of {before}", broker.size_bytes("t"));
    let words = broker.first_words("t", 0);
    assert!(words.ends_with(&["a7".into(), "b7".into()]), "{words:?}");
    assert_eq!(broker.list_offset("t", 0, EARLIEST).offset, 0);
    assert_eq!(broker.list_offset("t", 0, LATEST).offset, 16);
    broker.kill_and_restart();
    assert_eq!(broker.first_words("t", 0), words);
    broker.put_rounds("t", 0, 4);
    broker.restart();
    broker.pass_ms(CLEANER_MS);
    assert!(broker.size_bytes("t") < before / 3);
    assert!(broker.first_words("t", 0).ends_with(&["a3".into(), "b3".into()]));
    assert_eq!(broker.metric("ottla_cleanings_total"), 1.0);
}

#[test]
fn a_partition_that_cannot_be_compacted_is_left_alone_and_the_others_go_on() {
    let broker = Broker::start();
    broker.create_topic("t", 2, &[COMPACT, SMALL]);
    for partition in 0..2 {
        broker.put_rounds("t", partition, 6);
    }
    let disk = broker.env.disk();
    let damaged = "/data/t-0/00000000000000000000.log".as_ref();
    disk.rot(damaged, 5_000, 1);
    let before = broker.size_bytes("t");
    broker.pass_ms(CLEANER_MS);
    let after = broker.size_bytes("t");
    assert!(after < before * 3 / 4, "the sound one was compacted: {after} of {before}");
    assert!(broker.metric("uncleanable_partitions_count") == 1.0);
    assert_eq!(broker.files("t-0", ".cleaned"), 0);
    // It is served as before, and takes what comes.
    assert_eq!(broker.put("t", 0, "c", "1"), 12);
    // Once the damage is mended it is found to be well.
    disk.rot(damaged, 5_000, 1);
    broker.pass_ms(QUARANTINE_MS);
    assert!(broker.size_bytes("t") < after * 2 / 3, "{} of {after}", broker.size_bytes("t"));
    broker.pass_ms(CLEANER_MS);
    assert!(broker.metric("uncleanable_partitions_count") == 0.0);
}

#[test]
fn a_cleaner_that_is_switched_off_or_has_no_threads_does_nothing() {
    let broker = Broker::with(&["log.cleaner.enable=false"]);
    broker.create_topic("t", 1, &[COMPACT, SMALL]);
    broker.put_rounds("t", 0, 6);
    let before = broker.size_bytes("t");
    broker.pass_ms(10 * CLEANER_MS);
    assert_eq!(broker.size_bytes("t"), before);

    let broker = Broker::with(&["log.cleaner.threads=0"]);
    broker.create_topic("t", 1, &[COMPACT, SMALL]);
    broker.put_rounds("t", 0, 6);
    broker.pass_ms(10 * CLEANER_MS);
    assert_eq!(broker.size_bytes("t"), before);
    broker.set_broker_config("log.cleaner.threads", "2");
    broker.pass_ms(CLEANER_MS);
    assert!(broker.size_bytes("t") < before, "threads may change at run time");
}

#[test]
fn a_rate_is_kept_by_waiting_and_not_by_holding_up_anybody() {
    let broker = Broker::with(&["log.cleaner.io.max.bytes.per.second=100000"]);
    broker.create_topic("t", 1, &[COMPACT, SMALL]);
    broker.put_rounds("t", 0, 6);
    let before = broker.size_bytes("t");
    broker.pass_ms(CLEANER_MS + 20_000);
    assert_eq!(broker.size_bytes("t"), before, "nearly 10 MB are read and written: 90 s or so");
    assert_eq!(broker.put("t", 0, "c", "1"), 12);
    // What is left can be done at once.
    broker.set_broker_config("log.cleaner.io.max.bytes.per.second", "1e12");
    broker.pass_ms(CLEANER_MS);
    assert!(broker.size_bytes("t") < before);
}

#[test]
fn retention_takes_from_a_topic_that_compacts_and_deletes_and_not_from_one_that_compacts() {
    let broker = Broker::start();
    let retention = ("retention.ms", "60000");
    let both = [("cleanup.policy", "compact,delete"), SMALL, retention];
    broker.create_topic("both", 1, &both);
    broker.create_topic("compacted", 1, &[COMPACT, SMALL, retention]);
    for topic in ["both", "compacted"] {
        broker.put_rounds(topic, 0, 5);
    }
    broker.pass_ms(CLEANER_MS);
    for topic in ["both", "compacted"] {
        assert!(broker.first_words(topic, 0).ends_with(&["a4".into(), "b4".into()]), "{topic}");
        assert_eq!(broker.list_offset(topic, 0, EARLIEST).offset, 0);
    }
    broker.pass_ms(RETENTION_MS);
    assert_eq!(broker.list_offset("both", 0, EARLIEST).offset, 10, "older than its retention");
    assert_eq!(broker.list_offset("compacted", 0, EARLIEST).offset, 0);
    assert!(broker.first_words("compacted", 0).ends_with(&["a4".into(), "b4".into()]));
}

#[test]
fn the_active_segment_of_an_idle_topic_is_closed_in_time_for_max_compaction_lag() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[COMPACT, ("max.compaction.lag.ms", "600000")]);
    for value in 0..50 {
        broker.put("t", 0, "a", &format!("{value}"));
    }
    broker.pass_ms(500_000);
    assert_eq!(broker.read_all("t", 0).len(), 50);
    broker.pass_ms(200_000);
    assert_eq!(broker.read_all("t", 0), ["49"]);
}

#[test]
fn topic_settings_change_what_is_compacted_at_run_time() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[SMALL]);
    broker.put_rounds("t", 0, 6);
    let before = broker.size_bytes("t");
    broker.pass_ms(CLEANER_MS);
    assert_eq!(broker.size_bytes("t"), before);
    broker.set_topic_config("t", "min.compaction.lag.ms", "3600000");
    broker.set_topic_config("t", "cleanup.policy", "compact");
    broker.pass_ms(CLEANER_MS);
    assert_eq!(broker.size_bytes("t"), before, "its records are too young");
    broker.set_topic_config("t", "min.compaction.lag.ms", "0");
    broker.pass_ms(CLEANER_MS);
    assert!(broker.size_bytes("t") < before / 2);
}

impl Broker {
    /// Commits ten partitions at once.
    fn commit_offsets(&self, group: &str, offset: i64) {
        let partition = |partition_index| OffsetCommitRequestPartition {
            partition_index,
            committed_offset: offset,
            committed_metadata: Some("".into()),
            ..OffsetCommitRequestPartition::default()
        };
        let topic = OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: (0..10).map(partition).collect(),
            ..OffsetCommitRequestTopic::default()
        };
        let request = OffsetCommitRequest {
            group_id: group.into(),
            topics: vec![topic],
            ..Default::default()
        };
        for partition in &self.call(9, &request).topics[0].partitions {
            assert_eq!(error(partition.error_code), ErrorCode::None);
        }
    }

    /// Of the last of the ten.
    fn committed_offset(&self, group: &str) -> i64 {
        let topic = OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![9] };
        let topics = Some(vec![topic]);
        let request = OffsetFetchRequest { group_id: group.into(), topics, ..Default::default() };
        self.call(7, &request).topics[0].partitions[0].committed_offset
    }
}

#[test]
fn a_week_of_commits_leaves_the_offsets_topic_small() {
    const SEGMENT: i64 = 1 << 20;
    let properties = [format!("offsets.topic.segment.bytes={SEGMENT}")];
    let properties: Vec<&str> = properties.iter().map(|line| &**line).collect();
    let mut broker = Broker::with(&properties);
    broker.create_offsets_topic();
    broker.create_topic("t", 10, &[]);
    let groups: Vec<String> = (0..20).map(|group| format!("group-{group}")).collect();
    // Every ten minutes for seven days: 200 000 commits of 200 partitions.
    const ROUNDS: i64 = 7 * 24 * 6;
    let mut largest = 0;
    for round in 0..ROUNDS {
        for group in &groups {
            broker.commit_offsets(group, round);
        }
        broker.pass_ms(10 * 60 * 1000);
        if round % 144 == 143 {
            largest = largest.max(broker.size_bytes("__consumer_offsets"));
        }
    }
    // What the two partitions hold: 200 offsets of about 100 bytes, the segment that is written to,
    // and as much again that is not dirty enough yet.
    let bound = 2 * 3 * SEGMENT;
    assert!(largest < bound, "{largest} bytes on disk, at most {bound} were expected");
    assert!(broker.metric("ottla_cleanings_total") >= 8.0);
    broker.restart();
    for group in &groups {
        assert_eq!(broker.committed_offset(group), ROUNDS - 1);
    }
}

impl Broker {
    /// The state and the reason that the command line shows.
    fn compaction(&self, topic: &str, partition: i32) -> (String, String) {
        let topic = TopicRequest { name: topic.into(), partition_indexes: vec![partition] };
        let request = DescribeCompactionRequest { topics: vec![topic] };
        let answer = self.call(0, &request).topics.remove(0).partitions.remove(0);
        assert_eq!(error(answer.error_code), ErrorCode::None);
        (answer.state.to_string(), answer.reason.to_string())
    }
}

#[test]
fn whoever_asks_is_told_why_a_topic_is_not_compacted() {
    let broker = Broker::start();
    let told = |topic: &str| broker.compaction(topic, 0);
    let is = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    broker.create_topic("t", 1, &[SMALL]);
    assert_eq!(told("t"), is("not-compacted", "cleanup.policy does not contain compact"));
    broker.set_topic_config("t", "cleanup.policy", "compact");
    assert_eq!(told("t"), is("empty", "nothing is in it"));
    broker.put("t", 0, "a", "1");
    let reason = "everything from offset 0 on is in the active segment";
    assert_eq!(told("t"), is("active-segment", reason));
    broker.put_rounds("t", 0, 6);
    assert_eq!(told("t").0, "due");
    broker.set_topic_config("t", "min.compaction.lag.ms", "3600000");
    let reason = "its records are younger than min.compaction.lag.ms=3600000";
    assert_eq!(told("t"), is("too-young", reason));
    broker.set_topic_config("t", "min.compaction.lag.ms", "0");
    broker.set_broker_config("log.cleaner.threads", "0");
    assert_eq!(told("t").0, "disabled");
    broker.set_broker_config("log.cleaner.threads", "1");
    broker.pass_ms(CLEANER_MS);
    broker.put_rounds("t", 0, 1);
    let (state, reason) = told("t");
    assert_eq!(state, "not-dirty-enough");
    let parts = ("dirty ratio 0.", "does not exceed min.cleanable.dirty.ratio=0.5");
    assert!(reason.starts_with(parts.0) && reason.ends_with(parts.1), "{reason}");
    // Damage in what is to be cleaned next.
    broker.put_rounds("t", 0, 6);
    broker.env.disk().rot("/data/t-0/00000000000000000000.log".as_ref(), 70, 1);
    broker.pass_ms(CLEANER_MS);
    let (state, reason) = told("t");
    assert_eq!(state, "quarantined");
    assert!(reason.contains("00000000000000000000.log is corrupt"), "{reason}");
}

#[test]
fn only_our_own_client_is_told_of_our_own_api() {
    let broker = Broker::start();
    let key = ApiKey::DescribeCompaction.as_i16();
    let names = |software: &str| {
        let request = ApiVersionsRequest {
            client_software_name: software.into(),
            client_software_version: "1".into(),
        };
        broker.call(4, &request).api_keys.iter().any(|api| api.api_key == key)
    };
    assert!(names("ottla"));
    assert!(!names("apache-kafka-java") && !names("librdkafka"));
    let old = broker.call(0, &ApiVersionsRequest::default());
    assert!(old.api_keys.iter().all(|api| api.api_key != key));
}
