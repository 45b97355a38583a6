//! What the configuration means to the rooms of the broker: the place where names of properties
//! end.

use std::sync::Arc;
use std::time::Duration;

use config::{
    BrokerConfig, BrokerLayers, CleanerConfig, CompressionType, Overrides, ReplicationRates,
    Throttled, TimestampType, TopicConfig,
};
use env::Rng;
use group_coordinator::GroupCoordinatorConfig;
use metadata::{ConfigResource, MetadataImage};
use records::validate::{ProduceRules, TargetCompression};
use records::{Compression, Compressor};
use replication::{Durability, GateRules, LeaderRules};
use storage::LogConfig;
use types::{BrokerId, TopicPartition, Uuid};

/// What this broker is and was configured to do. Fixed for the life of the process.
pub struct Settings {
    pub config: Arc<BrokerConfig>,
    pub cluster_id: Uuid,
    chance: Arc<dyn Rng>,
}

/// A topic's configuration, as its partitions use it.
#[derive(Clone, Debug)]
pub struct PartitionSettings {
    pub produce_rules: ProduceRules,
    pub min_insync_replicas: i32,
    /// What an acknowledgement promises.
    pub gate: GateRules,
    /// `replica.lag.time.max.ms`.
    pub lag_time_max: Duration,
    /// Records of a topic that is only compacted are deleted by key, never by offset.
    pub delete_records_refused: bool,
    pub throttled: Throttled,
    pub log: Arc<LogConfig>,
}

impl PartitionSettings {
    pub fn leader_rules(&self) -> LeaderRules {
        LeaderRules {
            gate: self.gate,
            min_insync_replicas: usize::try_from(self.min_insync_replicas).unwrap_or(0),
            lag_time_max: self.lag_time_max,
        }
    }
}

impl Settings {
    pub fn new(config: Arc<BrokerConfig>, cluster_id: Uuid, chance: Arc<dyn Rng>) -> Settings {
        Settings { config, cluster_id, chance }
    }

    pub fn broker_id(&self) -> BrokerId {
        self.config.node.node_id
    }

    pub fn random(&self) -> u64 {
        self.chance.next_u64()
    }

    pub fn random_id(&self) -> Uuid {
        Uuid::from_random(self.chance.bytes16())
    }

    /// Random ids, for whoever draws them later.
    pub fn topic_ids(&self) -> impl FnMut() -> Uuid + Send + 'static {
        let chance = Arc::clone(&self.chance);
        move || Uuid::from_random(chance.bytes16())
    }

    /// `fetch.max.bytes`: no fetch returns more, whatever it asks for.
    pub fn fetch_bytes_max(&self) -> i32 {
        self.config.network.fetch_max_bytes
    }

    /// What copies of replicas may use, as of now.
    pub fn replication_rates(&self, image: &MetadataImage) -> ReplicationRates {
        let broker = overrides(image, &ConfigResource::broker(self.broker_id()));
        let defaults = overrides(image, &ConfigResource::default_broker());
        config::replication_rates(&BrokerLayers {
            dynamic_broker: &broker,
            dynamic_default: &defaults,
            static_broker: &self.config.static_properties,
        })
    }

    /// What a partition's topic is configured to do, and this replica of it.
    pub fn for_partition(&self, id: &TopicPartition, image: &MetadataImage) -> PartitionSettings {
        self.of_partition(self.for_topic(&id.topic, image), id, image)
    }

    /// The settings of a topic, for one of its partitions.
    pub fn of_partition(
        &self,
        topic: PartitionSettings,
        id: &TopicPartition,
        image: &MetadataImage,
    ) -> PartitionSettings {
        let own = overrides(image, &ConfigResource::topic(&id.topic));
        let throttled = Throttled::of(&own, id.partition, self.broker_id());
        PartitionSettings { throttled, ..topic }
    }

    /// What `topic` is configured to do, by the precedence of Kafka's layers.
    pub fn for_topic(&self, topic: &str, image: &MetadataImage) -> PartitionSettings {
        let own = overrides(image, &ConfigResource::topic(topic));
        let broker = overrides(image, &ConfigResource::broker(self.broker_id()));
        let defaults = overrides(image, &ConfigResource::default_broker());
        let layers = BrokerLayers {
            dynamic_broker: &broker,
            dynamic_default: &defaults,
            static_broker: &self.config.static_properties,
        };
        let topic = TopicConfig::resolve(&own, &layers);
        partition_settings(&topic, &self.config)
    }

    /// What compaction may use, with what was changed at run time.
    pub fn for_cleaners(&self, image: &MetadataImage) -> CleanerConfig {
        let broker = overrides(image, &ConfigResource::broker(self.broker_id()));
        let defaults = overrides(image, &ConfigResource::default_broker());
        CleanerConfig::resolve(&BrokerLayers {
            dynamic_broker: &broker,
            dynamic_default: &defaults,
            static_broker: &self.config.static_properties,
        })
    }
}

/// The dynamic configuration of a resource; empty if it has none.
pub fn overrides(image: &MetadataImage, resource: &ConfigResource) -> Overrides {
    let found = image.configs.get(resource);
    found.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn partition_settings(topic: &TopicConfig, broker: &BrokerConfig) -> PartitionSettings {
    PartitionSettings {
        produce_rules: ProduceRules {
            batch_bytes_max: topic.max_message_bytes.max(0) as usize,
            compression: target_compression(topic),
            keys_required: topic.cleanup_policy.compact,
            timestamp_type: match topic.message_timestamp_type {
                TimestampType::CreateTime => records::TimestampType::CreateTime,
                TimestampType::LogAppendTime => records::TimestampType::LogAppendTime,
            },
            timestamp_before_max_ms: topic.message_timestamp_before_max_ms,
            timestamp_after_max_ms: topic.message_timestamp_after_max_ms,
            ..ProduceRules::default()
        },
        min_insync_replicas: topic.min_insync_replicas,
        gate: GateRules {
            durability: match topic.durability {
                config::Durability::Fsync => Durability::Fsync,
                config::Durability::Replicated => Durability::Replicated,
                config::Durability::PageCache => Durability::PageCache,
            },
            flush_messages: topic.flush_messages,
        },
        lag_time_max: broker.replication.lag_time_max,
        throttled: Throttled::default(),
        delete_records_refused: topic.cleanup_policy.compact && !topic.cleanup_policy.delete,
        log: Arc::new(log_config(topic, broker)),
    }
}

/// A level out of range was refused when it was set; then the codec's own default is as good.
fn target_compression(topic: &TopicConfig) -> TargetCompression {
    let fixed = |codec, level| {
        let compressor = Compressor::with_level(codec, level);
        TargetCompression::Fixed(compressor.unwrap_or_else(|_| Compressor::new(codec)))
    };
    match topic.compression_type {
        CompressionType::Producer => TargetCompression::Producer,
        CompressionType::Uncompressed => {
            TargetCompression::Fixed(Compressor::new(Compression::None))
        }
        CompressionType::Gzip => fixed(Compression::Gzip, topic.compression_gzip_level),
        CompressionType::Snappy => TargetCompression::Fixed(Compressor::new(Compression::Snappy)),
        CompressionType::Lz4 => fixed(Compression::Lz4, topic.compression_lz4_level),
        CompressionType::Zstd => fixed(Compression::Zstd, topic.compression_zstd_level),
    }
}

fn log_config(topic: &TopicConfig, broker: &BrokerConfig) -> LogConfig {
    LogConfig {
        compacts: topic.cleanup_policy.compact,
        deletes: topic.cleanup_policy.delete,
        segment_bytes: topic.segment_bytes.max(0) as u64,
        segment_ms: topic.segment_ms,
        segment_jitter_ms: topic.segment_jitter_ms,
        segment_index_bytes: topic.segment_index_bytes.max(0) as u64,
        index_interval_bytes: topic.index_interval_bytes.max(0) as u64,
        delete_retention_ms: topic.delete_retention_ms,
        min_cleanable_dirty_ratio: topic.min_cleanable_dirty_ratio,
        min_compaction_lag_ms: topic.min_compaction_lag_ms,
        max_compaction_lag_ms: topic.max_compaction_lag_ms,
        retention_ms: (topic.retention_ms >= 0).then_some(topic.retention_ms),
        retention_bytes: u64::try_from(topic.retention_bytes).ok(),
        file_delete_delay_ms: topic.file_delete_delay_ms,
        flush_messages: topic.flush_messages,
        flush_ms: topic.flush_ms,
        producer_id_expiration_ms: i64::from(broker.producer_ids.expiration_ms),
    }
}

/// What the group coordinators go by.
pub fn group_config(config: &BrokerConfig) -> GroupCoordinatorConfig {
    const MINUTE_S: u64 = 60;
    let (group, offsets) = (&config.group, &config.offsets);
    GroupCoordinatorConfig {
        group_size_max: group.max_size.max(0) as usize,
        session_timeout_ms_min: group.min_session_timeout_ms,
        session_timeout_ms_max: group.max_session_timeout_ms,
        initial_rebalance_delay_ms: group.initial_rebalance_delay_ms,
        offset_metadata_units_max: offsets.metadata_max_bytes.max(0) as usize,
        commit_timeout: Duration::from_millis(
            u64::try_from(offsets.commit_timeout_ms).unwrap_or(1),
        ),
        offsets_retention: Duration::from_secs(
            MINUTE_S * u64::try_from(offsets.retention_minutes).unwrap_or(0),
        ),
        offsets_retention_check_interval: Duration::from_millis(
            u64::try_from(offsets.retention_check_interval_ms).unwrap_or(1),
        ),
        ..GroupCoordinatorConfig::default()
    }
}
