//! Bounds of what is held in memory.

/// Partitions of one topic. Kafka has no bound; a record that names a partition index beyond the
/// next is refused anyway, so this only bounds what one topic may grow to by repetition.
pub const TOPIC_PARTITIONS_MAX: usize = 1_000_000;

/// Records inside one metadata transaction, which are held back until it ends: ten full commands.
pub const TRANSACTION_RECORDS_MAX: usize = 1_000_000;
