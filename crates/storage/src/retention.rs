//! Which segments may go. Pure: it decides, [`PartitionLog::advance_log_start`] acts.
//!
//! [`PartitionLog::advance_log_start`]: crate::PartitionLog::advance_log_start

use crate::config::LogConfig;
use std::convert::Infallible;
use types::{Offset, WallTime};

/// What is known of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFacts {
    pub base: Offset,
    /// Where the next one begins.
    pub end: Offset,
    pub bytes: u64,
    /// [`WallTime::NONE`] if no record has a time: then age does not count.
    pub latest_timestamp: WallTime,
}

/// What retention asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Where the log should start: a segment's base or the log end.
    pub log_start: Offset,
    /// All of the active segment goes too, so it must be closed first.
    pub roll_first: bool,
}

/// The plan for a log with these segments, oldest first, the last one active. `None` if all stays.
///
/// Nothing at or above the high watermark goes: a follower may yet need it. Segments go from the
/// front only, so one with a timestamp in the future keeps those behind it; that they do not come
/// about is `message.timestamp.after.max.ms`'s business.
///
/// # Source
/// Kafka `UnifiedLog.deleteOldSegments`.
pub fn plan(
    segments: &[SegmentFacts],
    log_start: Offset,
    high_watermark: Offset,
    now: WallTime,
    config: &LogConfig,
) -> Option<RetentionPlan> {
    let total = segments.iter().map(|segment| segment.bytes).sum();
    let facts = segments.iter().map(|segment| Ok::<_, Infallible>(*segment));
    let Ok(plan) = plan_lazily(facts, total, log_start, high_watermark, now, config);
    plan
}

/// The same, without looking at more segments than it takes: each may cost a look at its file.
/// `total` is the size of all; it counts only if there is a bound to it.
pub(crate) fn plan_lazily<E>(
    segments: impl Iterator<Item = Result<SegmentFacts, E>>,
    total: u64,
    log_start: Offset,
    high_watermark: Offset,
    now: WallTime,
    config: &LogConfig,
) -> Result<Option<RetentionPlan>, E> {
    let bytes_kept = size_bound(config);
    let mut excess = bytes_kept.map_or(0, |keep| total.saturating_sub(keep));
    let mut plan = None;
    for segment in segments {
        let segment = segment?;
        let is_expired = config.retention_ms.filter(|_| config.deletes).is_some_and(|keep_ms| {
            segment.latest_timestamp.0 >= 0
                && now.0.saturating_sub(segment.latest_timestamp.0) > keep_ms
        });
        let is_excess = segment.bytes > 0 && excess >= segment.bytes;
        let is_below_start = segment.end <= log_start && segment.end > segment.base;
        let is_replicated = segment.end <= high_watermark;
        let is_empty = segment.bytes == 0;
        if is_empty || !is_replicated || !(is_expired || is_excess || is_below_start) {
            return Ok(plan);
        }
        excess = excess.saturating_sub(segment.bytes);
        plan = Some(RetentionPlan { log_start: segment.end.max(log_start), roll_first: false });
    }
    // Not one is left.
    Ok(plan.map(|plan| RetentionPlan { roll_first: true, ..plan }))
}

/// `retention.bytes`, if it applies.
pub(crate) fn size_bound(config: &LogConfig) -> Option<u64> {
    config.retention_bytes.filter(|_| config.deletes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime(1_000_000);

    fn segment(base: i64, bytes: u64, latest_timestamp: i64) -> SegmentFacts {
        SegmentFacts {
            base: Offset(base),
            end: Offset(base + 10),
            bytes,
            latest_timestamp: WallTime(latest_timestamp),
        }
    }

    fn config(retention_ms: Option<i64>, retention_bytes: Option<u64>) -> LogConfig {
        LogConfig { retention_ms, retention_bytes, ..LogConfig::default() }
    }

    fn log_start(
        segments: &[SegmentFacts],
        high_watermark: i64,
        config: &LogConfig,
    ) -> Option<(i64, bool)> {
        plan(segments, Offset(0), Offset(high_watermark), NOW, config)
            .map(|plan| (plan.log_start.0, plan.roll_first))
    }

    #[test]
    fn segments_go_by_age_from_the_front_and_the_active_one_is_rolled_first() {
        let by_age = config(Some(1000), None);
        let old = 998_000;
        let segments = [segment(0, 5, old), segment(10, 5, old), segment(20, 5, 999_500)];
        assert_eq!(log_start(&segments, 30, &by_age), Some((20, false)));
        assert_eq!(log_start(&segments, 19, &by_age), Some((10, false)), "bounded by replication");
        assert_eq!(log_start(&segments[..2], 20, &by_age), Some((20, true)));
        assert_eq!(log_start(&segments[2..], 30, &by_age), None);
        assert_eq!(log_start(&segments, 30, &config(None, None)), None);
    }

    #[test]
    fn a_timestamp_in_the_future_or_none_at_all_never_makes_a_segment_old() {
        let by_age = config(Some(1000), None);
        assert_eq!(log_start(&[segment(0, 5, i64::MAX), segment(10, 5, 1)], 20, &by_age), None);
        assert_eq!(log_start(&[segment(0, 5, -1), segment(10, 5, 1)], 20, &by_age), None);
        assert_eq!(
            log_start(&[segment(0, 5, 0), segment(10, 0, -1)], 20, &by_age),
            Some((10, false))
        );
    }

    #[test]
    fn size_retention_never_goes_below_what_is_to_be_kept() {
        let segments = [segment(0, 100, 1), segment(10, 100, 1), segment(20, 50, 1)];
        assert_eq!(log_start(&segments, 30, &config(None, Some(150))), Some((10, false)));
        assert_eq!(log_start(&segments, 30, &config(None, Some(151))), None);
        assert_eq!(log_start(&segments, 30, &config(None, Some(50))), Some((20, false)));
        assert_eq!(log_start(&segments, 30, &config(None, Some(0))), Some((30, true)));
    }

    #[test]
    fn without_the_delete_policy_neither_age_nor_size_counts() {
        let config = LogConfig { deletes: false, ..config(Some(0), Some(0)) };
        assert_eq!(log_start(&[segment(0, 5, 1)], 10, &config), None);
    }

    #[test]
    fn an_empty_active_segment_stays() {
        let empty = SegmentFacts { end: Offset(10), ..segment(10, 0, -1) };
        assert_eq!(log_start(&[empty], 10, &config(Some(0), Some(0))), None);
    }

    #[test]
    fn segments_below_the_log_start_go() {
        let segments = [segment(0, 5, -1), segment(10, 5, -1)];
        let kept = config(None, None);
        let planned = plan(&segments, Offset(13), Offset(20), NOW, &kept).unwrap();
        assert_eq!(planned, RetentionPlan { log_start: Offset(13), roll_first: false });
    }
}
