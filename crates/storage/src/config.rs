/// What a topic's properties mean for its logs. Plain values: parsing is `config`'s business.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: roll before a segment would grow past it.
    pub segment_bytes: u64,
    /// `segment.ms`: roll once the first batch is this old, by record timestamps.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: each segment's share of it, drawn by its base offset, comes off
    /// `segment_ms`.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: the size an active index file is given in advance.
    pub segment_index_bytes: u64,
    /// `index.interval.bytes`: more than this many bytes lie between two index entries.
    pub index_interval_bytes: u64,
    /// `cleanup.policy` contains `delete`: retention by age and size applies.
    pub deletes: bool,
    /// `cleanup.policy` contains `compact`: offsets may be missing between batches.
    pub compacts: bool,
    /// `delete.retention.ms`: how long after its first cleaning a tombstone, or the marker of a
    /// transaction of which nothing else is left, stays.
    pub delete_retention_ms: i64,
    /// `min.cleanable.dirty.ratio`: the share that must be exceeded before a log is cleaned.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`: how long a record stays although a later one has its key.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`: after which a record is cleaned whatever the share.
    pub max_compaction_lag_ms: i64,
    /// `retention.ms`; `None` keeps for ever.
    pub retention_ms: Option<i64>,
    /// `retention.bytes`; `None` keeps all.
    pub retention_bytes: Option<u64>,
    /// `file.delete.delay.ms`: how long a renamed `.deleted` file stays.
    pub file_delete_delay_ms: i64,
    /// `flush.messages`: sync after this many records.
    pub flush_messages: i64,
    /// `flush.ms`: sync at least this often.
    pub flush_ms: i64,
    /// `producer.id.expiration.ms` of the broker: forget a producer that was silent for so long.
    pub producer_id_expiration_ms: i64,
}

impl Default for LogConfig {
    /// Kafka's defaults.
    fn default() -> LogConfig {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: 7 * DAY_MS,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            deletes: true,
            compacts: false,
            delete_retention_ms: DAY_MS,
            min_cleanable_dirty_ratio: 0.5,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
            retention_ms: Some(7 * DAY_MS),
            retention_bytes: None,
            file_delete_delay_ms: 60_000,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            producer_id_expiration_ms: DAY_MS,
        }
    }
}

impl LogConfig {
    /// How old the first batch of an active segment gets: what `max.compaction.lag.ms` says must
    /// be in a closed segment to be cleaned. Source: Kafka `LogConfig.maxSegmentMs`.
    pub fn segment_ms_max(&self) -> i64 {
        match self.compacts && self.max_compaction_lag_ms > 0 {
            true => self.segment_ms.min(self.max_compaction_lag_ms),
            false => self.segment_ms,
        }
    }

    /// How much earlier than at its greatest age the segment at `base_offset` rolls. The same for
    /// the same log and offset, spread evenly over the jitter, so that the logs of a topic do not
    /// roll at once.
    pub(crate) fn roll_jitter_ms(&self, seed: u64, base_offset: types::Offset) -> i64 {
        let span = self.segment_jitter_ms.min(self.segment_ms_max());
        if span <= 0 {
            return 0;
        }
        // SplitMix64's finisher: neighbouring offsets land far apart.
        let mut z = seed ^ (base_offset.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % span as u64) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Offset;

    #[test]
    fn jitter_stays_within_its_span_and_differs_between_segments() {
        let config = LogConfig { segment_jitter_ms: 1000, ..LogConfig::default() };
        let drawn: Vec<i64> = (0..50).map(|base| config.roll_jitter_ms(7, Offset(base))).collect();
        assert!(drawn.iter().all(|jitter| (0..1000).contains(jitter)));
        assert!(
            drawn.iter().any(|jitter| *jitter > 500) && drawn.iter().any(|jitter| *jitter < 500)
        );
        assert_eq!(LogConfig::default().roll_jitter_ms(7, Offset(3)), 0);
    }
}
