//! Records that clients delete from the front of the log.

use std::sync::Arc;

use env::Disk;
use storage::PartitionLog;
use types::{BrokerId, ErrorCode, Offset, WallTime};

use super::{Partition, lock};
use crate::deletion_wait::DeletionWait;

impl<D: Disk> Partition<D> {
    /// Moves the log start of this leader up to `before`, for good. Nobody comes into the in-sync
    /// set any more who has not heard of it. `then` gets the log with what it has let go of.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER`, `OFFSET_OUT_OF_RANGE` above the high watermark, or the log's.
    pub fn delete_before(
        &self,
        before: Offset,
        now: WallTime,
        then: impl FnOnce(&mut PartitionLog<D>),
    ) -> Result<(), ErrorCode> {
        let advanced = self.own(now, |owner, _| {
            let (Some(leader), Some(log)) = (owner.replica.leader_mut(), owner.log.as_mut()) else {
                return Err(ErrorCode::NotLeaderOrFollower);
            };
            if before > leader.high_watermark() {
                return Err(ErrorCode::OffsetOutOfRange);
            }
            let advanced = log.advance_log_start(before).map_err(|error| error.error_code());
            leader.handle_records_deleted(log.log_start());
            then(log);
            Ok(advanced)
        })?;
        self.answer_followers();
        advanced.map(|_| ())
    }

    /// Where the log starts on all of its live replicas.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER`, or why the partition is not here any more.
    pub fn low_watermark(&self, is_live: impl Fn(BrokerId) -> bool) -> Result<Offset, ErrorCode> {
        self.check_here()?;
        let owner = self.look();
        let (Some(leader), Some(log)) = (owner.replica.leader(), &owner.log) else {
            return Err(ErrorCode::NotLeaderOrFollower);
        };
        Ok(leader.low_watermark(log.log_start(), is_live))
    }

    pub(crate) fn add_deletion_wait(&self, wait: Arc<DeletionWait<D>>) {
        lock(&self.deletion_waits).push(wait);
    }

    pub(crate) fn remove_deletion_wait(&self, wait: &Arc<DeletionWait<D>>) {
        lock(&self.deletion_waits).retain(|other| !Arc::ptr_eq(other, wait));
    }

    /// A replica may have heard of a deletion, or is not waited for any more.
    pub(crate) fn check_deletions(&self) {
        let waits = lock(&self.deletion_waits).clone();
        waits.iter().for_each(DeletionWait::check);
    }
}
