//! A topic's configuration in plain fields, and what a topic may be given.

use crate::error::ConfigError;
use crate::layers::{BrokerLayers, Overrides};
use crate::property::Status;
use crate::topic_table::{IGNORED_TOPIC_PROPERTIES, TOPIC_PROPERTIES, topic_property};
use crate::value::Value;

/// Everything that decides how a topic behaves. No text, nothing absent.
///
/// Each field has the name of its property with `_` for `.`; units are the last word of the name.
#[doc(alias = "LogConfig")]
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    pub cleanup_policy: CleanupPolicy,
    pub compression_type: CompressionType,
    pub compression_gzip_level: i32,
    pub compression_lz4_level: i32,
    pub compression_zstd_level: i32,
    pub delete_retention_ms: i64,
    pub durability: Durability,
    pub file_delete_delay_ms: i64,
    /// `i64::MAX` means never.
    pub flush_messages: i64,
    /// `i64::MAX` means never.
    pub flush_ms: i64,
    pub index_interval_bytes: i32,
    pub max_compaction_lag_ms: i64,
    pub max_message_bytes: i32,
    pub message_timestamp_after_max_ms: i64,
    pub message_timestamp_before_max_ms: i64,
    pub message_timestamp_type: TimestampType,
    pub min_cleanable_dirty_ratio: f64,
    pub min_compaction_lag_ms: i64,
    pub min_insync_replicas: i32,
    pub preallocate: bool,
    /// -1 means no limit.
    pub retention_bytes: i64,
    /// -1 means for ever.
    pub retention_ms: i64,
    pub segment_bytes: i32,
    pub segment_index_bytes: i32,
    pub segment_jitter_ms: i64,
    pub segment_ms: i64,
    pub unclean_leader_election_enable: bool,
}

/// What happens to old records. With neither, they stay for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    pub delete: bool,
    pub compact: bool,
}

/// What `acks=all` promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On disk.
    Fsync,
    /// In the memory of at least two in-sync replicas; on disk where there is only one.
    Replicated,
    /// In the page cache of the in-sync replicas, as in Apache Kafka.
    PageCache,
}

/// How batches are stored.
#[doc(alias = "BrokerCompressionType")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionType {
    /// As the producer sent them.
    Producer,
    Uncompressed,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Whose clock a record's timestamp shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

impl TopicConfig {
    /// The configuration of a topic with these overrides on a broker with these layers.
    ///
    /// Overrides have been checked when they were set; one that does not parse is passed over.
    pub fn resolve(topic: &Overrides, broker: &BrokerLayers<'_>) -> TopicConfig {
        let lookup = Lookup { topic, broker };
        TopicConfig {
            cleanup_policy: lookup.cleanup_policy(),
            compression_type: lookup.compression_type(),
            compression_gzip_level: lookup.int("compression.gzip.level"),
            compression_lz4_level: lookup.int("compression.lz4.level"),
            compression_zstd_level: lookup.int("compression.zstd.level"),
            delete_retention_ms: lookup.long("delete.retention.ms"),
            durability: lookup.durability(),
            file_delete_delay_ms: lookup.long("file.delete.delay.ms"),
            flush_messages: lookup.long("flush.messages"),
            flush_ms: lookup.long("flush.ms"),
            index_interval_bytes: lookup.int("index.interval.bytes"),
            max_compaction_lag_ms: lookup.long("max.compaction.lag.ms"),
            max_message_bytes: lookup.int("max.message.bytes"),
            message_timestamp_after_max_ms: lookup.long("message.timestamp.after.max.ms"),
            message_timestamp_before_max_ms: lookup.long("message.timestamp.before.max.ms"),
            message_timestamp_type: lookup.timestamp_type(),
            min_cleanable_dirty_ratio: lookup.double("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: lookup.long("min.compaction.lag.ms"),
            min_insync_replicas: lookup.int("min.insync.replicas"),
            preallocate: lookup.boolean("preallocate"),
            retention_bytes: lookup.long("retention.bytes"),
            retention_ms: lookup.long("retention.ms"),
            segment_bytes: lookup.int("segment.bytes"),
            segment_index_bytes: lookup.int("segment.index.bytes"),
            segment_jitter_ms: lookup.long("segment.jitter.ms"),
            segment_ms: lookup.long("segment.ms"),
            unclean_leader_election_enable: lookup.boolean("unclean.leader.election.enable"),
        }
    }
}

impl Default for TopicConfig {
    fn default() -> TopicConfig {
        TopicConfig::resolve(&Overrides::new(), &BrokerLayers::only_static(&Overrides::new()))
    }
}

/// Reads typed values by name. Names come from this file only, so an unknown one is our bug.
struct Lookup<'a> {
    topic: &'a Overrides,
    broker: &'a BrokerLayers<'a>,
}

impl Lookup<'_> {
    fn value(&self, name: &str) -> Value {
        let row = topic_property(name);
        assert!(row.is_some(), "{name} is not in the topic table");
        debug_assert!(
            row.is_none_or(|row| !matches!(row.property.status, Status::Accepted(_))),
            "{name} is said to have no effect"
        );
        row.map_or(Value::Boolean(false), |row| self.broker.topic_value(self.topic, row))
    }

    fn long(&self, name: &str) -> i64 {
        let number = self.value(name).as_number();
        assert!(number.is_some(), "{name} is not a number");
        number.unwrap_or_default()
    }

    fn int(&self, name: &str) -> i32 {
        // The table has checked the range; a broker's synonym may be wider.
        self.long(name).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }

    fn boolean(&self, name: &str) -> bool {
        self.value(name) == Value::Boolean(true)
    }

    fn double(&self, name: &str) -> f64 {
        let number = self.value(name).as_double();
        assert!(number.is_some(), "{name} is not a double");
        number.unwrap_or_default()
    }

    fn text(&self, name: &str) -> String {
        self.value(name).to_string()
    }

    fn cleanup_policy(&self) -> CleanupPolicy {
        let value = self.value("cleanup.policy");
        let items = value.as_list().unwrap_or_default();
        let has = |name| items.iter().any(|item| item == name);
        CleanupPolicy { delete: has("delete"), compact: has("compact") }
    }

    fn compression_type(&self) -> CompressionType {
        match self.text("compression.type").as_str() {
            "uncompressed" => CompressionType::Uncompressed,
            "gzip" => CompressionType::Gzip,
            "snappy" => CompressionType::Snappy,
            "lz4" => CompressionType::Lz4,
            "zstd" => CompressionType::Zstd,
            _ => CompressionType::Producer,
        }
    }

    fn durability(&self) -> Durability {
        match self.text("durability").as_str() {
            "replicated" => Durability::Replicated,
            "page-cache" => Durability::PageCache,
            _ => Durability::Fsync,
        }
    }

    fn timestamp_type(&self) -> TimestampType {
        match self.text("message.timestamp.type").as_str() {
            "LogAppendTime" => TimestampType::LogAppendTime,
            _ => TimestampType::CreateTime,
        }
    }
}

/// The overrides of a topic to be created, checked.
///
/// # Errors
/// As for a change of them; also a null value → `INVALID_CONFIG`.
pub fn new_topic_overrides<'a>(
    asked: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<Overrides, ConfigError> {
    let mut overrides = Overrides::new();
    for (name, value) in asked {
        if IGNORED_TOPIC_PROPERTIES.contains(&name) {
            continue;
        }
        let value = value.ok_or_else(|| {
            ConfigError::new(format!("Null value not supported for topic configs: {name}"))
        })?;
        overrides.insert(name.to_owned(), value.to_owned());
    }
    validate_topic(&overrides)?;
    Ok(overrides)
}

/// Checks all overrides of a topic.
///
/// # Errors
/// An unknown name, a value its row refuses, two that contradict each other, or one that would be
/// unsafe to ignore → `INVALID_CONFIG`. Source: Kafka `LogConfig.validate`.
pub(crate) fn validate_topic(overrides: &Overrides) -> Result<(), ConfigError> {
    for name in overrides.keys() {
        if topic_property(name).is_none() {
            return Err(ConfigError::new(format!("Unknown topic config name: {name}")));
        }
    }
    for row in TOPIC_PROPERTIES {
        let Some(text) = overrides.get(row.property.name) else { continue };
        let value = row.property.parse(text)?;
        if let Status::Refused(_) = row.property.status
            && value == Value::Boolean(true)
        {
            return Err(ConfigError::new(
                "Tiered Storage functionality is disabled in the broker. Topic cannot be \
                 configured with remote log storage.",
            ));
        }
    }
    validate_compaction_lags(overrides)
}

fn validate_compaction_lags(overrides: &Overrides) -> Result<(), ConfigError> {
    let none = Overrides::new();
    let broker = BrokerLayers::only_static(&none);
    let lookup = Lookup { topic: overrides, broker: &broker };
    let least = lookup.long("min.compaction.lag.ms");
    let most = lookup.long("max.compaction.lag.ms");
    if least > most {
        return Err(ConfigError::new(format!(
            "conflict topic config setting min.compaction.lag.ms ({least}) > \
             max.compaction.lag.ms ({most})"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Overrides {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[track_caller]
    fn refuses(pairs: &[(&str, &str)], message: &str) {
        assert_eq!(validate_topic(&set(pairs)).unwrap_err().message(), message);
    }

    #[test]
    fn milliseconds_beat_minutes_beat_hours() {
        let resolved = |pairs: &[(&str, &str)]| {
            let file = set(pairs);
            TopicConfig::resolve(&Overrides::new(), &BrokerLayers::only_static(&file)).retention_ms
        };
        assert_eq!(resolved(&[]), 168 * 3_600_000);
        assert_eq!(resolved(&[("log.retention.hours", "1")]), 3_600_000);
        let minutes = ("log.retention.minutes", "2");
        assert_eq!(resolved(&[("log.retention.hours", "1"), minutes]), 120_000);
        assert_eq!(resolved(&[minutes, ("log.retention.ms", "7")]), 7);
        assert_eq!(resolved(&[("log.retention.hours", "-1")]), -1);
    }

    #[test]
    fn a_topics_own_value_wins_over_every_broker_layer() {
        let (one, all) = (set(&[("message.max.bytes", "5")]), set(&[("message.max.bytes", "6")]));
        let file = set(&[("message.max.bytes", "7")]);
        let broker =
            BrokerLayers { dynamic_broker: &one, dynamic_default: &all, static_broker: &file };
        let bytes = |topic: &Overrides| TopicConfig::resolve(topic, &broker).max_message_bytes;
        assert_eq!(bytes(&Overrides::new()), 5);
        assert_eq!(bytes(&set(&[("max.message.bytes", "4")])), 4);
    }

    #[test]
    fn the_flush_interval_falls_back_to_the_schedulers() {
        let file = set(&[("log.flush.scheduler.interval.ms", "9")]);
        let broker = BrokerLayers::only_static(&file);
        assert_eq!(TopicConfig::resolve(&Overrides::new(), &broker).flush_ms, 9);
    }

    #[test]
    fn a_damaged_override_does_not_hide_the_brokers_value() {
        let file = set(&[("log.segment.bytes", "2097152")]);
        let broker = BrokerLayers::only_static(&file);
        let topic = set(&[("segment.bytes", "lots")]);
        assert_eq!(TopicConfig::resolve(&topic, &broker).segment_bytes, 2_097_152);
    }

    #[test]
    fn unknown_names_and_contradictions_are_refused_in_kafkas_words() {
        refuses(&[("foo", "1")], "Unknown topic config name: foo");
        refuses(
            &[("retention.ms", "x")],
            "Invalid value x for configuration retention.ms: Not a number of type LONG",
        );
        refuses(
            &[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")],
            "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)",
        );
        refuses(
            &[("leader.replication.throttled.replicas", "x")],
            "Invalid value [x] for configuration leader.replication.throttled.replicas: \
             leader.replication.throttled.replicas must be the literal '*' or a list of replicas \
             in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
        );
    }

    #[test]
    fn names_that_left_kafka_are_dropped_when_a_topic_is_made() {
        let asked = [("message.format.version", Some("2.0")), ("retention.ms", Some("5"))];
        assert_eq!(new_topic_overrides(asked), Ok(set(&[("retention.ms", "5")])));
        let message = new_topic_overrides([("retention.ms", None)]).unwrap_err().to_string();
        assert_eq!(message, "Null value not supported for topic configs: retention.ms");
    }

    #[test]
    fn tiered_storage_is_refused_because_its_data_would_stay_here() {
        assert!(validate_topic(&set(&[("remote.storage.enable", "true")])).is_err());
        assert_eq!(validate_topic(&set(&[("remote.storage.enable", "false")])), Ok(()));
    }

    #[test]
    fn an_empty_cleanup_policy_keeps_everything() {
        let broker_file = Overrides::new();
        let broker = BrokerLayers::only_static(&broker_file);
        let config = TopicConfig::resolve(&set(&[("cleanup.policy", "")]), &broker);
        assert_eq!(config.cleanup_policy, CleanupPolicy { delete: false, compact: false });
    }
}
