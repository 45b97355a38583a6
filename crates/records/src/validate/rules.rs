use crate::compression::Compressor;
use crate::header::TimestampType;
use crate::limits;

/// Who appends: clients are trusted with less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppendOrigin {
    #[default]
    Client,
    /// A coordinator of this broker: may write control records and offsets of its own.
    Coordinator,
}

/// A topic's `compression.type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "BrokerCompressionType")]
pub enum TargetCompression {
    /// As the producer chose.
    #[default]
    Producer,
    /// Always this one.
    Fixed(Compressor),
}

/// What a topic and a request version demand of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProduceRules {
    pub origin: AppendOrigin,
    /// `max.message.bytes`, compressed, header included.
    pub batch_bytes_max: usize,
    /// `compression.type`.
    pub compression: TargetCompression,
    /// `cleanup.policy` contains `compact`.
    pub keys_required: bool,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
    /// Produce version 7 or later. Source: KIP-110.
    pub zstd_allowed: bool,
}

impl Default for ProduceRules {
    /// Kafka's defaults for a topic, a client and a new request version.
    fn default() -> ProduceRules {
        const HOUR_MS: i64 = 60 * 60 * 1000;
        ProduceRules {
            origin: AppendOrigin::Client,
            batch_bytes_max: limits::MESSAGE_BYTES_MAX_DEFAULT,
            compression: TargetCompression::Producer,
            keys_required: false,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: HOUR_MS,
            zstd_allowed: true,
        }
    }
}
