use types::{BrokerId, EpochEnd, ErrorCode, LeaderEpoch, MonoTime, Offset, PartitionEpoch};

use crate::limits::FETCH_RETRY_BACKOFF;
use crate::{Durability, LogEnds, PartitionState, truncation_point};

/// What a follower asks its leader for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchFrom {
    pub leader: BrokerId,
    pub leader_epoch: LeaderEpoch,
    /// The leader takes it for a promise: everything below is here, as durably as the topic asks.
    pub offset: Offset,
    pub last_fetched_epoch: LeaderEpoch,
    pub log_start: Offset,
}

/// What a leader answers, records left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchAnswer {
    pub error: ErrorCode,
    pub diverging: Option<EpochEnd>,
    pub high_watermark: Offset,
    pub log_start: Offset,
}

/// What the host does with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchStep {
    /// It belongs to a fetch that does not count any more, or there is nothing to do.
    Ignore,
    /// Write the records, then call [`PartitionFollower::handle_appended`]; move the log start up
    /// to here, as far as the log goes.
    Append { log_start: Offset },
    /// Cut the log, then fetch again.
    Truncate { to: Offset },
    /// The leader's log begins after this one ends, or this one is empty and the leader's ends
    /// before it: begin anew there.
    RestartAt { offset: Offset },
    /// Somebody has to look; nothing is fetched any more in this reign.
    Stop(StopReason),
}

/// Why a follower would rather stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The leader lacks what was committed: a disk lost what it had synced, or a leader was elected
    /// unclean while this replica was away. Following would make the loss complete.
    LeaderLacksCommitted { leader_has_up_to: Offset, committed_up_to: Offset },
}

/// A replica that copies its leader's log.
///
/// **Invariant:** the high watermark never moves back, and nothing below it is cut, unless the
/// topic's durability or an unclean election gave that up.
/// **Source:** KIP-101, KIP-279, KIP-595; Kafka `AbstractFetcherThread`.
#[doc(alias = "ReplicaFetcherThread")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionFollower {
    leader: Option<BrokerId>,
    leader_epoch: LeaderEpoch,
    partition_epoch: PartitionEpoch,
    high_watermark: Offset,
    durability: Durability,
    /// A leader was elected that may miss committed records.
    is_unclean: bool,
    not_before: MonoTime,
    stopped: Option<StopReason>,
}

impl PartitionFollower {
    /// Follows whom `state` names; nobody, while nobody leads.
    pub fn of(state: &PartitionState, high_watermark: Offset, durability: Durability) -> Self {
        PartitionFollower {
            leader: state.leader,
            leader_epoch: state.leader_epoch,
            partition_epoch: state.partition_epoch,
            high_watermark,
            durability,
            is_unclean: state.recovering,
            not_before: MonoTime::default(),
            stopped: None,
        }
    }

    pub fn leader(&self) -> Option<BrokerId> {
        self.leader
    }

    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    pub fn partition_epoch(&self) -> PartitionEpoch {
        self.partition_epoch
    }

    /// What is known to be committed. Consumers of this replica read below it.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    pub fn stopped(&self) -> Option<StopReason> {
        self.stopped
    }

    /// Ignored unless it is of this reign and not older.
    pub fn handle_partition_state(&mut self, state: &PartitionState) {
        if state.leader_epoch == self.leader_epoch && state.partition_epoch >= self.partition_epoch
        {
            self.partition_epoch = state.partition_epoch;
            self.is_unclean |= state.recovering;
        }
    }

    /// The topic's `durability` is this.
    pub fn set_durability(&mut self, durability: Durability) {
        self.durability = durability;
    }

    /// Whether it vouches for nothing that is not on its disk.
    pub fn vouches_by_disk(&self) -> bool {
        self.durability == Durability::Fsync
    }

    /// The next fetch, if it is time for one. Under `durability=fsync` that is when everything here
    /// is durable: the offset is what the leader acknowledges by.
    pub fn poll_fetch(&self, log: LogEnds, now: MonoTime) -> Option<FetchFrom> {
        let leader = self.leader?;
        let vouches = !self.vouches_by_disk() || log.durable >= log.log_end;
        let fetches = self.stopped.is_none() && vouches && self.not_before <= now;
        fetches.then_some(FetchFrom {
            leader,
            leader_epoch: self.leader_epoch,
            offset: log.log_end,
            last_fetched_epoch: log.last_epoch,
            log_start: log.log_start,
        })
    }

    /// When [`poll_fetch`](Self::poll_fetch) may have something after an error.
    pub fn poll_timeout(&self) -> Option<MonoTime> {
        (self.leader.is_some() && self.stopped.is_none()).then_some(self.not_before)
    }

    /// The answer to `asked`; `end_of` says where an epoch ends in this log.
    pub fn handle_answer(
        &mut self,
        asked: &FetchFrom,
        answer: &FetchAnswer,
        log: LogEnds,
        end_of: impl Fn(LeaderEpoch) -> Option<EpochEnd>,
        now: MonoTime,
    ) -> FetchStep {
        let is_current = asked.leader_epoch == self.leader_epoch
            && Some(asked.leader) == self.leader
            && (asked.offset, asked.last_fetched_epoch) == (log.log_end, log.last_epoch);
        if !is_current || self.stopped.is_some() {
            return FetchStep::Ignore;
        }
        match (answer.error, answer.diverging) {
            // Nothing else in it counts: not even its high watermark, which may lie above what the
            // two logs share (KAFKA-14704).
            (ErrorCode::None, Some(end)) => self.cut(truncation_point(end, log.log_end, end_of)),
            (ErrorCode::None, None) => FetchStep::Append { log_start: answer.log_start },
            (ErrorCode::OffsetOutOfRange, _) if answer.log_start > log.log_end => {
                FetchStep::RestartAt { offset: answer.log_start }
            }
            (ErrorCode::OffsetOutOfRange, _) if self.outlived(answer, log) => {
                self.high_watermark = self.high_watermark.min(answer.log_start);
                FetchStep::RestartAt { offset: answer.log_start }
            }
            _ => {
                self.handle_failed(now);
                FetchStep::Ignore
            }
        }
    }

    /// A fetch got no answer, or an error that time will mend.
    pub fn handle_failed(&mut self, now: MonoTime) {
        self.not_before = now.plus(FETCH_RETRY_BACKOFF);
    }

    /// The records of an answer are in the log, which ends at `log_end`. Says where the high
    /// watermark is if it moved.
    pub fn handle_appended(&mut self, answer: &FetchAnswer, log_end: Offset) -> Option<Offset> {
        let known = answer.high_watermark.min(log_end);
        (known > self.high_watermark).then(|| {
            self.high_watermark = known;
            known
        })
    }

    /// Whether the leader's log ends before this one, in which nothing is left to compare by epoch:
    /// a deletion emptied it, and then a loss of power took the leader's. Kafka cuts at the
    /// leader's end (`AbstractFetcherThread.fetchOffsetAndTruncate`).
    fn outlived(&self, answer: &FetchAnswer, log: LogEnds) -> bool {
        let is_empty = log.log_start == log.log_end;
        let is_below = Offset::ZERO <= answer.log_start && answer.log_start < log.log_end;
        is_empty && is_below && self.may_give_up_committed()
    }

    fn may_give_up_committed(&self) -> bool {
        self.is_unclean || self.durability != Durability::Fsync
    }

    fn cut(&mut self, to: Offset) -> FetchStep {
        if to < self.high_watermark && !self.may_give_up_committed() {
            let reason = StopReason::LeaderLacksCommitted {
                leader_has_up_to: to,
                committed_up_to: self.high_watermark,
            };
            self.stopped = Some(reason);
            return FetchStep::Stop(reason);
        }
        self.high_watermark = self.high_watermark.min(to);
        FetchStep::Truncate { to }
    }
}
