//! The table of topic properties, and of those that a group may have of its own.

use crate::property::{Property, Rule, boolean, double, int, list, long, text};

/// A topic property and the broker properties that supply its default, most specific first.
#[derive(Clone, Copy, Debug)]
pub struct TopicProperty {
    pub property: Property,
    /// The broker's name for it and what its number is multiplied by to give this one's unit.
    pub synonyms: &'static [(&'static str, i64)],
}

/// The topic property of this name.
pub fn topic_property(name: &str) -> Option<&'static TopicProperty> {
    TOPIC_PROPERTIES.iter().find(|row| row.property.name == name)
}

/// The property of this name that a group may have of its own.
pub fn group_property(name: &str) -> Option<&'static Property> {
    GROUP_PROPERTIES.iter().find(|property| property.name == name)
}

const MS_PER_MINUTE: i64 = 60 * 1000;
const MS_PER_HOUR: i64 = 60 * MS_PER_MINUTE;
const NO_TIERED: &str = "there is no tiered storage";
/// Topic properties of older Kafkas that tools still send; kept out of a topic, never an error.
pub const IGNORED_TOPIC_PROPERTIES: &[&str] = &[
    "message.format.version",
    "message.downconversion.enable",
    "message.timestamp.difference.max.ms",
];

const fn of(property: Property, synonyms: &'static [(&'static str, i64)]) -> TopicProperty {
    TopicProperty { property, synonyms }
}

/// Every topic property. Source: Kafka `LogConfig`, `ServerTopicConfigSynonyms`.
#[rustfmt::skip]
pub const TOPIC_PROPERTIES: &[TopicProperty] = &[
    of(list("cleanup.policy", "delete").rule(Rule::EachOf(&["compact", "delete"]))
        .doc("What happens to old records: `delete` them, `compact` to the newest of each key, \
              both, or nothing."),
        &[("log.cleanup.policy", 1)]),
    of(text("compression.type", "producer")
        .one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])
        .doc("How batches are stored; `producer` keeps what the producer chose."),
        &[("compression.type", 1)]),
    of(int("compression.gzip.level", "-1").rule(Rule::GzipLevel)
        .doc("The gzip level when the broker compresses; -1 is gzip's own default."),
        &[("compression.gzip.level", 1)]),
    of(int("compression.lz4.level", "9").between(1, 17)
        .doc("The lz4 level when the broker compresses."),
        &[("compression.lz4.level", 1)]),
    of(int("compression.zstd.level", "3").between(-131_072, 22)
        .doc("The zstd level when the broker compresses."),
        &[("compression.zstd.level", 1)]),
    of(long("delete.retention.ms", "86400000").at_least(0)
        .doc("How long deletion markers stay readable in a compacted topic."),
        &[("log.cleaner.delete.retention.ms", 1)]),
    of(text("durability", "fsync").one_of(&["fsync", "replicated", "page-cache"])
        .doc("What an acknowledgement of `acks=all` promises: `fsync`, that the records are on \
              disk; `replicated`, that at least two in-sync replicas have them, or one has them \
              on disk; `page-cache`, what Apache Kafka promises."),
        &[("log.durability", 1)]),
    of(long("file.delete.delay.ms", "60000").at_least(0)
        .doc("How long a removed segment's file stays on disk."),
        &[("log.segment.delete.delay.ms", 1)]),
    of(long("flush.messages", "9223372036854775807").at_least(1)
        .doc("A partition is synced to disk after this many records, whatever its `durability`."),
        &[("log.flush.interval.messages", 1)]),
    of(long("flush.ms", "9223372036854775807").at_least(0)
        .doc("A partition is synced to disk at this age, whatever its `durability`."),
        &[("log.flush.interval.ms", 1), ("log.flush.scheduler.interval.ms", 1)]),
    of(list("follower.replication.throttled.replicas", "").rule(Rule::ThrottledReplicas)
        .doc("The followers that fetch at a limited rate: `*`, or `partition:broker` pairs."),
        &[]),
    of(int("index.interval.bytes", "4096").at_least(0)
        .doc("How many bytes of records lie between two index entries."),
        &[("log.index.interval.bytes", 1)]),
    of(list("leader.replication.throttled.replicas", "").rule(Rule::ThrottledReplicas)
        .doc("The leaders that send to followers at a limited rate: `*`, or `partition:broker` \
              pairs."),
        &[]),
    of(long("local.retention.bytes", "-2").at_least(-2)
        .accepted(NO_TIERED)
        .doc("How much of a partition stays on the local disk; -2 means all that is kept."),
        &[("log.local.retention.bytes", 1)]),
    of(long("local.retention.ms", "-2").at_least(-2)
        .accepted(NO_TIERED)
        .doc("How long segments stay on the local disk; -2 means as long as they are kept."),
        &[("log.local.retention.ms", 1)]),
    of(long("max.compaction.lag.ms", "9223372036854775807").at_least(1)
        .doc("The age at which a record must be compacted."),
        &[("log.cleaner.max.compaction.lag.ms", 1)]),
    of(int("max.message.bytes", "1048588").at_least(0)
        .doc("The largest batch a partition takes, after compression."),
        &[("message.max.bytes", 1)]),
    of(long("message.timestamp.after.max.ms", "3600000").at_least(0)
        .doc("How far a record's time may lie after the broker's."),
        &[("log.message.timestamp.after.max.ms", 1)]),
    of(long("message.timestamp.before.max.ms", "9223372036854775807").at_least(0)
        .doc("How far a record's time may lie before the broker's."),
        &[("log.message.timestamp.before.max.ms", 1)]),
    of(text("message.timestamp.type", "CreateTime").one_of(&["CreateTime", "LogAppendTime"])
        .doc("Whether a record keeps its producer's time or gets the broker's."),
        &[("log.message.timestamp.type", 1)]),
    of(double("min.cleanable.dirty.ratio", "0.5").rule(Rule::Fraction(0.0, 1.0))
        .doc("The share of the log that must be new before it is compacted again."),
        &[("log.cleaner.min.cleanable.ratio", 1)]),
    of(long("min.compaction.lag.ms", "0").at_least(0)
        .doc("How long a record is safe from compaction."),
        &[("log.cleaner.min.compaction.lag.ms", 1)]),
    of(int("min.insync.replicas", "1").at_least(1)
        .doc("Replicas that must hold a write before `acks=all` is answered."),
        &[("min.insync.replicas", 1)]),
    of(boolean("preallocate", "false")
        .doc("Whether a segment's whole size is reserved when it begins."),
        &[("log.preallocate", 1)]),
    of(boolean("remote.log.copy.disable", "false")
        .accepted(NO_TIERED)
        .doc("Whether a tiered topic stops copying to remote storage."),
        &[]),
    of(boolean("remote.log.delete.on.disable", "false")
        .accepted(NO_TIERED)
        .doc("Whether remote data is deleted when a topic stops being tiered."),
        &[]),
    of(boolean("remote.storage.enable", "false")
        .refused("there is no tiered storage, and data meant for it would fill the local disk")
        .doc("Whether old segments move to remote storage."),
        &[]),
    of(long("retention.bytes", "-1")
        .doc("How many bytes each partition keeps; -1 means all."),
        &[("log.retention.bytes", 1)]),
    of(long("retention.ms", "604800000").at_least(-1)
        .doc("How long records are kept; -1 means for ever."),
        &[("log.retention.ms", 1), ("log.retention.minutes", MS_PER_MINUTE),
          ("log.retention.hours", MS_PER_HOUR)]),
    of(int("segment.bytes", "1073741824").at_least(1_048_576)
        .doc("The size at which a partition begins a new segment."),
        &[("log.segment.bytes", 1)]),
    of(int("segment.index.bytes", "10485760").at_least(4)
        .doc("The largest offset index of a segment."),
        &[("log.index.size.max.bytes", 1)]),
    of(long("segment.jitter.ms", "0").at_least(0)
        .doc("The most by which a roll may come early, so that partitions do not roll together."),
        &[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", MS_PER_HOUR)]),
    of(long("segment.ms", "604800000").at_least(1)
        .doc("The age at which a partition begins a new segment."),
        &[("log.roll.ms", 1), ("log.roll.hours", MS_PER_HOUR)]),
    of(boolean("unclean.leader.election.enable", "false")
        .doc("Whether a replica that lags may become leader, losing what it lacks."),
        &[("unclean.leader.election.enable", 1)]),
];

const NO_SHARE: &str = "share groups are not served yet";
const NO_STREAMS: &str = "streams groups are not served yet";

/// Every property that a group may have of its own. Source: Kafka `GroupConfig`.
#[rustfmt::skip]
pub const GROUP_PROPERTIES: &[Property] = &[
    int("consumer.session.timeout.ms", "45000").at_least(1)
        .doc("How long a silent member of this group stays in it."),
    int("consumer.heartbeat.interval.ms", "5000").at_least(1)
        .doc("How often members of this group are told to call."),
    int("share.session.timeout.ms", "45000").at_least(1).accepted(NO_SHARE)
        .doc("How long a silent member of this share group stays in it."),
    int("share.heartbeat.interval.ms", "5000").at_least(1).accepted(NO_SHARE)
        .doc("How often members of this share group are told to call."),
    int("share.record.lock.duration.ms", "30000").at_least(1000).accepted(NO_SHARE)
        .doc("How long a member of this share group may keep a record."),
    text("share.auto.offset.reset", "latest").rule(Rule::ShareOffsetReset).accepted(NO_SHARE)
        .doc("Where this share group begins to read."),
    text("share.isolation.level", "read_uncommitted")
        .one_of(&["read_committed", "read_uncommitted"])
        .accepted(NO_SHARE)
        .doc("Whether this share group sees records of open transactions."),
    int("streams.session.timeout.ms", "45000").at_least(1).accepted(NO_STREAMS)
        .doc("How long a silent member of this streams group stays in it."),
    int("streams.heartbeat.interval.ms", "5000").at_least(1).accepted(NO_STREAMS)
        .doc("How often members of this streams group are told to call."),
    int("streams.num.standby.replicas", "0").at_least(0).accepted(NO_STREAMS)
        .doc("Standby copies of each task of this streams group."),
    int("streams.initial.rebalance.delay.ms", "3000").at_least(0).accepted(NO_STREAMS)
        .doc("How long this streams group waits for more members when it is empty."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::broker_property;
    use crate::value::Value;

    #[test]
    fn every_row_accepts_its_own_default() {
        let rows = TOPIC_PROPERTIES.iter().map(|row| &row.property).chain(GROUP_PROPERTIES);
        for property in rows {
            let default = property.default.expect("topic and group properties always have a value");
            property.parse(default).unwrap_or_else(|e| panic!("{}: {e}", property.name));
            assert!(property.doc.ends_with('.'), "{}", property.name);
        }
    }

    #[test]
    fn a_topics_default_is_its_brokers_default() {
        for row in TOPIC_PROPERTIES {
            let broker = row.synonyms.iter().find_map(|(name, factor)| {
                let property = broker_property(name).unwrap_or_else(|| panic!("no row {name}"));
                property.default.map(|text| (property.parse(text).unwrap(), *factor))
            });
            let own = row.property.parse(row.property.default.unwrap()).unwrap();
            match broker {
                Some((Value::Number(n), factor)) => assert_eq!(own, Value::Number(n * factor)),
                Some((value, _)) => assert_eq!(own, value, "{}", row.property.name),
                None => assert!(row.synonyms.is_empty()),
            }
        }
    }

    #[test]
    fn rows_are_in_alphabetical_order() {
        let order = |row: &TopicProperty| {
            let name = row.property.name;
            if name == "compression.type" { "compression.a" } else { name }
        };
        assert!(TOPIC_PROPERTIES.is_sorted_by_key(order));
    }
}
