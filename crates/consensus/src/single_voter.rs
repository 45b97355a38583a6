use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use types::{MonoTime, Offset, Uuid, WallTime};

use crate::limits::UNSYNCED_BATCHES_MAX;
use crate::{
    CommittedBatch, ConsensusEngine, ControlBatch, EngineEvent, Epoch, LogMark, MetadataLog,
    NodeId, ProposeError, QuorumStatus, VoterKey, VoterStatus,
};

/// The engine of a quorum of one: what is durable here is committed.
///
/// Everything in the log when it is opened counts as committed too: a tail that was written but
/// never synced is synced first, so nothing is ever delivered that a power loss could take back.
#[derive(Debug)]
pub struct SingleVoter<L> {
    id: NodeId,
    log: L,
    epoch: Epoch,
    phase: Phase,
    /// Appended, in order, not yet durable.
    unsynced: VecDeque<CommittedBatch>,
    /// Durable, in order, not yet delivered.
    committed: VecDeque<CommittedBatch>,
    high_watermark: Offset,
}

/// Where an engine is in its life.
#[derive(Debug)]
enum Phase {
    /// Says `Installed` once. → Replaying from where the snapshot ends.
    Installing(LogMark),
    /// Delivers the log as it was found, from this offset. Nothing can be proposed.
    /// → Announcing at the end of the log.
    Replaying { next: Offset },
    /// Says `Leader` once. → Leading.
    Announcing,
    /// Accepts proposals. → Resigned by `resign` · → Failing when the log fails.
    Leading,
    /// Says `Fatal` once. → Failed.
    Failing(io::Error),
    /// Refuses everything: what reached the disk is unknown until it is read again.
    Failed,
    /// Says `Follow` once. → Resigned.
    Resigning,
    /// Delivers nothing and accepts nothing, until the process starts anew.
    Resigned,
}

impl<L: MetadataLog> SingleVoter<L> {
    /// Opens a reign over `log`: its epoch is one above the last in the log. What the newest
    /// snapshot says is not read from the log again.
    ///
    /// # Errors
    /// The log cannot be synced, or the record that opens the reign cannot be made durable; the
    /// log does not begin with its first batch and no snapshot has what came before.
    pub fn open(id: NodeId, mut log: L, now: WallTime) -> io::Result<SingleVoter<L>> {
        let snapshot = log.find_snapshot(log.log_start())?;
        if snapshot.is_none() && log.log_start() > Offset::ZERO {
            return Err(no_snapshot(log.log_start()));
        }
        let epoch = log.last_epoch().next();
        // The reign is durable before anyone hears of it, else a crash could give its epoch away
        // a second time.
        let voters = vec![VoterKey { id, directory: Uuid::ZERO }];
        log.append_control(epoch, &ControlBatch::LeaderChange { leader: id, voters }, now)?;
        log.sync()?;
        let next = snapshot.map_or(log.log_start(), |snapshot| snapshot.end);
        let phase = snapshot.map_or(Phase::Replaying { next }, Phase::Installing);
        let (unsynced, committed) = (VecDeque::new(), VecDeque::new());
        Ok(SingleVoter { id, log, epoch, phase, unsynced, committed, high_watermark: next })
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Where the replay begins: what a [`Gate`](crate::Gate) in front of it expects first.
    pub fn log_start(&self) -> Offset {
        match self.phase {
            Phase::Replaying { next } => next,
            Phase::Installing(snapshot) => snapshot.end,
            _ => self.log.log_start(),
        }
    }

    pub fn log(&self) -> &L {
        &self.log
    }

    /// Ends the reign and gives the log back, to be closed.
    pub fn into_log(self) -> L {
        self.log
    }

    fn fail(&mut self, error: io::Error) {
        self.unsynced.clear();
        self.phase = Phase::Failing(error);
    }

    /// One sync for everything appended since the last one.
    fn commit_unsynced(&mut self) {
        if self.unsynced.is_empty() {
            return;
        }
        match self.log.sync() {
            Ok(()) => self.committed.append(&mut self.unsynced),
            Err(error) => self.fail(error),
        }
    }

    fn replay(&mut self, next: Offset) -> Option<EngineEvent> {
        let batch = match self.log.read(next) {
            Ok(Some(batch)) => batch,
            Ok(None) if next == self.log.log_end() => {
                self.phase = Phase::Announcing;
                return self.poll_event();
            }
            Ok(None) => return self.replay_failed(next, "nothing can be read"),
            Err(error) => {
                self.fail(error);
                return self.poll_event();
            }
        };
        if batch.base_offset != next || batch.last_offset < next {
            return self.replay_failed(next, "the batch found has another offset");
        }
        let batch = CommittedBatch {
            epoch: batch.epoch,
            base_offset: batch.base_offset,
            last_offset: batch.last_offset,
            appended_at: batch.appended_at,
            records: batch.records,
            kraft_version: batch.control.and_then(|control| control.kraft_version()),
        };
        self.high_watermark = batch.next_offset();
        self.phase = Phase::Replaying { next: self.high_watermark };
        Some(EngineEvent::Committed(batch))
    }

    fn replay_failed(&mut self, next: Offset, why: &str) -> Option<EngineEvent> {
        let end = self.log.log_end();
        let why = format!("replay the metadata log at offset {next} of {end}: {why}");
        self.fail(io::Error::new(io::ErrorKind::InvalidData, why));
        self.poll_event()
    }
}

impl<L: MetadataLog> ConsensusEngine for SingleVoter<L> {
    fn propose(
        &mut self,
        epoch: Epoch,
        base_offset: Offset,
        records: Vec<Bytes>,
        now: WallTime,
    ) -> Result<(), ProposeError> {
        match self.phase {
            Phase::Leading => {}
            Phase::Failing(_) | Phase::Failed => return Err(ProposeError::Failed),
            _ => return Err(ProposeError::NotLeader),
        }
        if epoch != self.epoch {
            return Err(ProposeError::NotLeader);
        }
        let next = self.log.log_end();
        if base_offset != next {
            return Err(ProposeError::WrongOffset { next });
        }
        ProposeError::check_size(&records)?;
        if self.unsynced.len() >= UNSYNCED_BATCHES_MAX {
            return Err(ProposeError::Busy);
        }
        match self.log.append(epoch, &records, now) {
            Ok(base_offset) => {
                assert_eq!(base_offset, next, "the metadata log appended elsewhere");
                let last_offset = base_offset.plus(records.len() as i64 - 1);
                let (appended_at, kraft_version) = (now, None);
                let batch = CommittedBatch {
                    epoch,
                    base_offset,
                    last_offset,
                    appended_at,
                    records,
                    kraft_version,
                };
                assert_eq!(batch.next_offset(), self.log.log_end(), "one offset a record");
                self.unsynced.push_back(batch);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(ProposeError::NoRoom),
            Err(error) => {
                self.fail(error);
                Err(ProposeError::Failed)
            }
        }
    }

    fn poll_event(&mut self) -> Option<EngineEvent> {
        if matches!(self.phase, Phase::Leading) && self.committed.is_empty() {
            self.commit_unsynced();
        }
        if let Some(batch) = self.committed.pop_front() {
            self.high_watermark = batch.next_offset();
            return Some(EngineEvent::Committed(batch));
        }
        match std::mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Installing(snapshot) => {
                self.phase = Phase::Replaying { next: snapshot.end };
                Some(EngineEvent::Installed(snapshot))
            }
            Phase::Replaying { next } => {
                self.phase = Phase::Replaying { next };
                self.replay(next)
            }
            Phase::Announcing => {
                self.phase = Phase::Leading;
                Some(EngineEvent::Leader { epoch: self.epoch, next: self.log.log_end() })
            }
            Phase::Failing(error) => Some(EngineEvent::Fatal(error)),
            Phase::Resigning => {
                self.phase = Phase::Resigned;
                Some(EngineEvent::Follow { epoch: self.epoch, leader: None })
            }
            quiet @ (Phase::Leading | Phase::Failed | Phase::Resigned) => {
                self.phase = quiet;
                None
            }
        }
    }

    fn poll_timeout(&self) -> Option<MonoTime> {
        None
    }

    fn handle_timeout(&mut self, _now: MonoTime) {}

    fn trim(&mut self, snapshot: LogMark) -> io::Result<bool> {
        let is_decided = snapshot.end <= self.high_watermark && snapshot.epoch <= self.epoch;
        let runs = matches!(self.phase, Phase::Leading);
        if !runs || !is_decided || snapshot.end <= self.log.log_start() {
            return Ok(false);
        }
        let next = self.log.read(snapshot.end).ok().flatten();
        if next.is_none_or(|next| next.base_offset != snapshot.end) {
            return Ok(false);
        }
        let trimmed = trim(&mut self.log, snapshot.end);
        trimmed.inspect_err(|error| {
            self.fail(io::Error::new(error.kind(), error.to_string()));
        })
    }

    fn resign(&mut self, epoch: Epoch) {
        let leads = matches!(self.phase, Phase::Announcing | Phase::Leading);
        if leads && epoch == self.epoch {
            self.phase = Phase::Resigning;
        }
    }

    fn status(&self) -> QuorumStatus {
        let leads = matches!(self.phase, Phase::Leading);
        QuorumStatus {
            leader: leads.then_some(self.id),
            leader_epoch: self.epoch,
            high_watermark: self.high_watermark,
            voters: vec![VoterStatus::at(self.id, self.log.log_end())],
            observers: Vec::new(),
            told: Vec::new(),
        }
    }
}

/// Returns false if the disk was too full for it.
pub(crate) fn trim(log: &mut impl MetadataLog, start: Offset) -> io::Result<bool> {
    match log.trim_to(start) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn no_snapshot(start: Offset) -> io::Error {
    let why = format!(
        "the log starts at offset {start}, and no whole snapshot beside it says what came before"
    );
    io::Error::new(io::ErrorKind::InvalidData, why)
}
