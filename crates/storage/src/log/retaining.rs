//! What retention knows of a log.

use super::PartitionLog;
use crate::error::StorageError;
use crate::retention::{self, RetentionPlan, SegmentFacts};
use crate::segment::Segment;
use env::Disk;
use std::sync::Arc;
use types::{Offset, WallTime};

impl<D: Disk> PartitionLog<D> {
    /// What retention asks for at `now`: see [`retention::plan`]. Looks at
    /// no more files than it takes.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn retention_plan(
        &self,
        high_watermark: Offset,
        now: WallTime,
    ) -> Result<Option<RetentionPlan>, StorageError> {
        self.state.check_alive()?;
        let segments = self.state.segments();
        let planned = (|| {
            let total = match retention::size_bound(&self.config) {
                Some(_) => segments.iter().map(|segment| segment.bytes()).sum::<Result<_, _>>()?,
                None => 0,
            };
            let facts = (0..segments.len()).map(|index| self.facts(&segments, index));
            let (start, config) = (self.log_start(), &self.config);
            retention::plan_lazily(facts, total, start, high_watermark, now, config)
        })();
        self.state.guard(planned)
    }

    /// What [`retention::plan`] decides by, oldest first.
    ///
    /// # Errors
    /// [`StorageError`]; the log is poisoned.
    pub fn segment_facts(&self) -> Result<Vec<SegmentFacts>, StorageError> {
        self.state.check_alive()?;
        let segments = self.state.segments();
        let facts = (0..segments.len()).map(|index| self.facts(&segments, index));
        self.state.guard(facts.collect())
    }

    fn facts(
        &self,
        segments: &[Arc<Segment<D>>],
        index: usize,
    ) -> Result<SegmentFacts, StorageError> {
        let segment = &segments[index];
        Ok(SegmentFacts {
            base: segment.base(),
            end: segments.get(index + 1).map_or(self.next_offset, |next| next.base()),
            bytes: segment.bytes()?,
            latest_timestamp: segment.latest()?.timestamp,
        })
    }
}
