//! What of a log may be cleaned, and whether it is worth it. Pure: the log says what it is, the
//! configuration what is wanted, the answer is a stretch or the reason why not.
//!
//! **Source:** Kafka `LogCleanerManager.cleanableOffsets`, `grabFilthiestCompactedLog`,
//! `maxCompactionDelay`; KIP-58 (min lag), KIP-354 (max lag).

use crate::config::LogConfig;
use std::cmp::Ordering;
use std::fmt;
use types::{Offset, ProducerId, WallTime};

/// What is known of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentToClean {
    pub base: Offset,
    /// Where the next one begins.
    pub end: Offset,
    pub bytes: u64,
    /// Of its first batch; looked up only where `max.compaction.lag.ms` counts.
    pub first_timestamp: WallTime,
    /// Looked up only where `min.compaction.lag.ms` counts.
    pub latest_timestamp: WallTime,
}

/// A log as the choice sees it.
#[derive(Clone, Debug)]
pub struct CleaningFacts {
    /// Oldest first, the last one active.
    pub segments: Vec<SegmentToClean>,
    pub log_start: Offset,
    pub log_end: Offset,
    /// Below it every transaction has ended and every record is replicated.
    pub last_stable_offset: Offset,
    /// Whose transaction holds the last stable offset back, and where it began.
    pub open_transaction: Option<(ProducerId, Offset)>,
    /// `cleaner-offset-checkpoint`'s: where the last cleaning ended.
    pub checkpoint: Option<Offset>,
}

/// A log that should be cleaned.
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "LogToClean")]
pub struct ToClean {
    /// Below it every key is there once.
    pub first_dirty: Offset,
    /// Not cleaned from here on: a segment's base.
    pub end: Offset,
    /// To be made durable first: the markers that end the transactions below `end` may lie after
    /// it, and a transaction that power loss opens again must not have cost an older value.
    pub flush_to: Offset,
    pub clean_bytes: u64,
    pub cleanable_bytes: u64,
    /// A record has waited for `max.compaction.lag.ms`, whatever the ratio.
    pub is_overdue: bool,
}

impl ToClean {
    /// The share of the log up to `end` that was not cleaned yet.
    pub fn dirty_ratio(&self) -> f64 {
        match self.clean_bytes + self.cleanable_bytes {
            0 => 0.0,
            total => self.cleanable_bytes as f64 / total as f64,
        }
    }

    /// Which of two logs comes first: [`Ordering::Greater`] is the dirtier one.
    pub fn by_dirt(&self, other: &ToClean) -> Ordering {
        self.dirty_ratio().total_cmp(&other.dirty_ratio())
    }
}

/// Whether a log is cleaned next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Assessment {
    Clean(ToClean),
    Wait(WhyNot),
}

/// Why a log is not being cleaned at present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WhyNot {
    /// `cleanup.policy` does not contain `compact`.
    NotCompacted,
    /// Nothing was ever written, or nothing is left.
    Empty,
    /// Everything that was not cleaned yet is in the segment that is written to.
    ActiveSegment { first_dirty: Offset },
    /// A transaction is open, or the records are not replicated yet; from its segment on nothing
    /// is cleaned.
    Unstable { last_stable_offset: Offset, open_transaction: Option<(ProducerId, Offset)> },
    /// The records are not older than `min.compaction.lag.ms`.
    TooYoung { min_lag_ms: i64 },
    /// The dirty share does not exceed `min.cleanable.dirty.ratio`.
    NotDirtyEnough { ratio: f64, min_ratio: f64 },
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhyNot::NotCompacted => f.write_str("cleanup.policy does not contain compact"),
            WhyNot::Empty => f.write_str("nothing is in it"),
            WhyNot::ActiveSegment { first_dirty } => {
                write!(f, "everything from offset {first_dirty} on is in the active segment")
            }
            WhyNot::Unstable { open_transaction: Some((producer, since)), .. } => {
                write!(f, "producer {producer} has a transaction open since offset {since}")
            }
            WhyNot::Unstable { last_stable_offset, .. } => {
                write!(f, "records from offset {last_stable_offset} on are not committed yet")
            }
            WhyNot::TooYoung { min_lag_ms } => {
                write!(f, "its records are younger than min.compaction.lag.ms={min_lag_ms}")
            }
            WhyNot::NotDirtyEnough { ratio, min_ratio } => {
                // Never rounded up to the bound it stays below.
                let shown = (ratio * 100.0).floor() / 100.0;
                write!(
                    f,
                    "dirty ratio {shown} does not exceed min.cleanable.dirty.ratio={min_ratio}"
                )
            }
        }
    }
}

/// Whether the log is to be cleaned, and from where to where.
pub fn assess(facts: &CleaningFacts, config: &LogConfig, now: WallTime) -> Assessment {
    if !config.compacts {
        return Assessment::Wait(WhyNot::NotCompacted);
    }
    let first_dirty = first_dirty(facts);
    let (end, stopped_by) = first_uncleanable(facts, first_dirty, config, now);
    let bytes_of = |wanted: &dyn Fn(&SegmentToClean) -> bool| {
        facts.segments.iter().filter(|segment| wanted(segment)).map(|segment| segment.bytes).sum()
    };
    // A segment that holds the first dirty offset counts as clean in part; Kafka counts it whole.
    let to_clean = ToClean {
        first_dirty,
        end,
        flush_to: facts.log_end,
        clean_bytes: bytes_of(&|segment| segment.end <= first_dirty && segment.base < end),
        cleanable_bytes: bytes_of(&|segment| segment.end > first_dirty && segment.base < end),
        is_overdue: is_overdue(facts, first_dirty, end, config, now),
    };
    if to_clean.cleanable_bytes == 0 || first_dirty >= end {
        let is_empty = facts.log_start == facts.log_end;
        return Assessment::Wait(if is_empty { WhyNot::Empty } else { stopped_by });
    }
    let (ratio, min_ratio) = (to_clean.dirty_ratio(), config.min_cleanable_dirty_ratio);
    match ratio > min_ratio || to_clean.is_overdue {
        true => Assessment::Clean(to_clean),
        false => Assessment::Wait(WhyNot::NotDirtyEnough { ratio, min_ratio }),
    }
}

/// The checkpoint's word, unless the log does not go so far or begins later: then all is dirty.
fn first_dirty(facts: &CleaningFacts) -> Offset {
    match facts.checkpoint {
        Some(known) if facts.log_start <= known && known <= facts.log_end => known,
        _ => facts.log_start,
    }
}

/// The base of the first segment that must stay as it is, and what says so.
fn first_uncleanable(
    facts: &CleaningFacts,
    first_dirty: Offset,
    config: &LogConfig,
    now: WallTime,
) -> (Offset, WhyNot) {
    let active = facts.segments.last().map_or(facts.log_start, |active| active.base);
    let mut end = (active, WhyNot::ActiveSegment { first_dirty });
    let stable = facts.last_stable_offset;
    let unstable = facts.segments.iter().find(|segment| segment.end > stable);
    if let Some(unstable) = unstable.filter(|unstable| unstable.base < end.0) {
        let open_transaction = facts.open_transaction;
        end = (unstable.base, WhyNot::Unstable { last_stable_offset: stable, open_transaction });
    }
    let min_lag_ms = config.min_compaction_lag_ms;
    if min_lag_ms > 0 {
        let is_young = |segment: &&SegmentToClean| {
            segment.end > first_dirty
                && segment.latest_timestamp.0 > now.0.saturating_sub(min_lag_ms)
        };
        let young = facts.segments.iter().find(is_young);
        if let Some(young) = young.filter(|young| young.base < end.0) {
            end = (young.base, WhyNot::TooYoung { min_lag_ms });
        }
    }
    end
}

fn is_overdue(
    facts: &CleaningFacts,
    first_dirty: Offset,
    end: Offset,
    config: &LogConfig,
    now: WallTime,
) -> bool {
    let dirty = facts.segments.iter().filter(|one| one.end > first_dirty && one.base < end);
    let known = dirty.map(|segment| segment.first_timestamp.0).filter(|first| *first > 0);
    known
        .min()
        .is_some_and(|first| first < now.0.saturating_sub(config.max_compaction_lag_ms.max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime(1_000_000);

    /// Ten offsets and 100 bytes each; the last one is active.
    fn facts(segments: i64, checkpoint: Option<i64>) -> CleaningFacts {
        let segment = |index: i64| SegmentToClean {
            base: Offset(index * 10),
            end: Offset(index * 10 + 10),
            bytes: 100,
            first_timestamp: WallTime(900_000 + index * 10),
            latest_timestamp: WallTime(900_009 + index * 10),
        };
        CleaningFacts {
            segments: (0..segments).map(segment).collect(),
            log_start: Offset(0),
            log_end: Offset(segments * 10),
            last_stable_offset: Offset(segments * 10),
            open_transaction: None,
            checkpoint: checkpoint.map(Offset),
        }
    }

    fn compacted() -> LogConfig {
        LogConfig { compacts: true, deletes: false, ..LogConfig::default() }
    }

    /// From where to where.
    fn stretch(facts: &CleaningFacts, config: &LogConfig) -> Result<(i64, i64), String> {
        match assess(facts, config, NOW) {
            Assessment::Clean(found) => Ok((found.first_dirty.0, found.end.0)),
            Assessment::Wait(why) => Err(why.to_string()),
        }
    }

    #[test]
    fn a_log_is_cleaned_from_its_checkpoint_to_its_active_segment() {
        assert_eq!(stretch(&facts(4, None), &compacted()), Ok((0, 30)));
        assert_eq!(stretch(&facts(5, Some(10)), &compacted()), Ok((10, 40)));
        let within = stretch(&facts(5, Some(15)), &compacted());
        assert_eq!(within, Ok((15, 40)), "a round that did not fit the buffer goes on inside");
    }

    #[test]
    fn a_checkpoint_outside_the_log_is_forgotten() {
        assert_eq!(stretch(&facts(4, Some(41)), &compacted()), Ok((0, 30)));
        let mut later = CleaningFacts { log_start: Offset(20), ..facts(4, Some(10)) };
        later.segments.drain(..2);
        assert_eq!(stretch(&later, &compacted()), Ok((20, 30)));
    }

    #[test]
    fn a_log_waits_until_its_dirty_share_exceeds_the_ratio() {
        let half = facts(5, Some(20));
        let why = "dirty ratio 0.5 does not exceed min.cleanable.dirty.ratio=0.5";
        assert_eq!(stretch(&half, &compacted()), Err(why.into()));
        let lower = LogConfig { min_cleanable_dirty_ratio: 0.49, ..compacted() };
        assert_eq!(stretch(&half, &lower), Ok((20, 40)));
        let why = "dirty ratio 0.33 does not exceed min.cleanable.dirty.ratio=0.5";
        assert_eq!(stretch(&facts(4, Some(20)), &compacted()), Err(why.into()));
    }

    #[test]
    fn with_a_ratio_of_0_a_log_without_anything_new_is_left_alone() {
        let config = LogConfig { min_cleanable_dirty_ratio: 0.0, ..compacted() };
        let why = "everything from offset 30 on is in the active segment";
        assert_eq!(stretch(&facts(4, Some(30)), &config), Err(why.into()));
    }

    #[test]
    fn the_active_segment_is_never_cleaned() {
        let why = "everything from offset 0 on is in the active segment";
        assert_eq!(stretch(&facts(1, None), &compacted()), Err(why.into()));
        let empty = CleaningFacts { log_end: Offset(0), ..facts(1, None) };
        assert_eq!(stretch(&empty, &compacted()), Err("nothing is in it".into()));
    }

    #[test]
    fn an_open_transaction_and_what_is_not_replicated_hold_from_their_segment_on() {
        let mut open = facts(4, None);
        open.last_stable_offset = Offset(17);
        open.open_transaction = Some((ProducerId(9), Offset(17)));
        assert_eq!(stretch(&open, &compacted()), Ok((0, 10)));
        open.last_stable_offset = Offset(3);
        let why = "producer 9 has a transaction open since offset 17";
        assert_eq!(stretch(&open, &compacted()), Err(why.into()));
        open.open_transaction = None;
        let why = "records from offset 3 on are not committed yet";
        assert_eq!(stretch(&open, &compacted()), Err(why.into()));
        open.last_stable_offset = Offset(20);
        assert_eq!(stretch(&open, &compacted()), Ok((0, 20)), "a boundary is no part of a segment");
    }

    #[test]
    fn records_younger_than_the_min_lag_stay() {
        let config = |lag| LogConfig { min_compaction_lag_ms: lag, ..compacted() };
        // The latest records are 99 991, 99 981, … ms old.
        assert_eq!(stretch(&facts(4, None), &config(99_981)), Ok((0, 20)));
        let why = "its records are younger than min.compaction.lag.ms=100000";
        assert_eq!(stretch(&facts(4, None), &config(100_000)), Err(why.into()));
    }

    #[test]
    fn records_older_than_the_max_lag_are_cleaned_whatever_the_ratio() {
        let config = |lag| LogConfig { max_compaction_lag_ms: lag, ..compacted() };
        assert_eq!(stretch(&facts(9, Some(70)), &config(1_000)), Ok((70, 80)));
        assert!(stretch(&facts(9, Some(70)), &config(200_000)).is_err());
        assert!(stretch(&facts(9, Some(80)), &config(1_000)).is_err(), "only the active segment");
    }

    #[test]
    fn the_dirtier_of_two_logs_comes_first() {
        let log = |clean_bytes, cleanable_bytes| ToClean {
            first_dirty: Offset(0),
            end: Offset(1),
            flush_to: Offset(1),
            clean_bytes,
            cleanable_bytes,
            is_overdue: false,
        };
        assert_eq!(log(1, 3).by_dirt(&log(100, 200)), Ordering::Greater);
        assert_eq!(log(0, 1).by_dirt(&log(0, 9)), Ordering::Equal);
    }

    #[test]
    fn only_topics_that_compact_are_cleaned() {
        let config = LogConfig { compacts: false, ..compacted() };
        let why = "cleanup.policy does not contain compact";
        assert_eq!(stretch(&facts(4, None), &config), Err(why.into()));
        let both = LogConfig { deletes: true, ..compacted() };
        assert_eq!(stretch(&facts(4, None), &both), Ok((0, 30)));
    }
}
