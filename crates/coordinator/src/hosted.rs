use types::ErrorCode;

use crate::decision::Decision;
use crate::shard::{CoordinatorShard, LoadedRecord, Now, Replayed};

/// How far a shard is on its way from the log to serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The log is being read. Requests → `COORDINATOR_LOAD_IN_PROGRESS`: an answer now would be
    /// "no offset", and consumers would start from the beginning.
    Loading,
    /// Serves. Deadlines run.
    Active,
    /// The log could not be read. Requests → `NOT_COORDINATOR`, until the partition is loaded anew.
    Failed,
    /// The partition is led elsewhere. Requests → `NOT_COORDINATOR`.
    Closed,
}

/// A shard that can be asked only while it may answer.
///
/// Source: Kafka `CoordinatorRuntime.CoordinatorState`.
#[derive(Debug)]
pub struct Hosted<S> {
    phase: Phase,
    shard: S,
}

impl<S: CoordinatorShard> Hosted<S> {
    /// A shard whose log is about to be read.
    pub fn loading(shard: S) -> Hosted<S> {
        Hosted { phase: Phase::Loading, shard }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// One record of the log, in order, while loading.
    ///
    /// # Panics
    /// If the shard is not loading: later records are replayed by whoever decided them.
    pub fn load(&mut self, record: LoadedRecord<'_>) -> Replayed {
        assert_eq!(self.phase, Phase::Loading, "a record is loaded into a shard that serves");
        self.shard.replay(record)
    }

    /// A transaction marker of the log, while loading.
    pub fn load_end_transaction(&mut self, transaction: types::ProducerId, committed: bool) {
        assert_eq!(self.phase, Phase::Loading, "a marker is loaded into a shard that serves");
        self.shard.replay_end_transaction(transaction, committed);
    }

    /// The end of the log is reached.
    pub fn finish_loading(&mut self, now: Now) {
        assert_eq!(self.phase, Phase::Loading, "loading ends once");
        self.shard.finish_loading(now);
        self.phase = Phase::Active;
    }

    /// The log cannot be read.
    pub fn fail_loading(&mut self) {
        self.phase = Phase::Failed;
    }

    /// The shard, for an event.
    ///
    /// # Errors
    /// What the request is answered with instead, see [`Phase`].
    pub fn active(&mut self) -> Result<&mut S, ErrorCode> {
        match self.phase {
            Phase::Active => Ok(&mut self.shard),
            Phase::Loading => Err(ErrorCode::CoordinatorLoadInProgress),
            Phase::Failed | Phase::Closed => Err(ErrorCode::NotCoordinator),
        }
    }

    /// The shard, for a read.
    ///
    /// # Errors
    /// As [`active`](Self::active).
    pub fn active_ref(&self) -> Result<&S, ErrorCode> {
        match self.phase {
            Phase::Active => Ok(&self.shard),
            Phase::Loading => Err(ErrorCode::CoordinatorLoadInProgress),
            Phase::Failed | Phase::Closed => Err(ErrorCode::NotCoordinator),
        }
    }

    /// The partition moved away: answers what is parked.
    pub fn close(&mut self) -> Decision<S::Reply> {
        let was_active = self.phase == Phase::Active;
        self.phase = Phase::Closed;
        if was_active { self.shard.unload() } else { Decision::nothing() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CoordinatorRecord, ReplyToken};
    use bytes::Bytes;
    use types::{MonoTime, Offset, ProducerId, WallTime};

    #[derive(Default)]
    struct Counter {
        replayed: usize,
        parked: Vec<ReplyToken>,
    }

    impl CoordinatorShard for Counter {
        type Reply = &'static str;

        fn replay(&mut self, _: LoadedRecord<'_>) -> Replayed {
            self.replayed += 1;
            Replayed::Applied
        }

        fn replay_end_transaction(&mut self, _: ProducerId, _: bool) {}

        fn finish_loading(&mut self, _: Now) {}

        fn handle_append_failed(
            &mut self,
            _: Now,
            failed: Decision<&'static str>,
            _: ErrorCode,
        ) -> Decision<&'static str> {
            failed
        }

        fn poll_timeout(&self) -> Option<MonoTime> {
            None
        }

        fn handle_timeout(&mut self, _: Now) -> Decision<&'static str> {
            Decision::nothing()
        }

        fn unload(&mut self) -> Decision<&'static str> {
            let replies = self.parked.drain(..).map(|token| (token, "moved")).collect();
            Decision { replies, ..Decision::nothing() }
        }
    }

    #[test]
    fn a_loading_shard_refuses_instead_of_answering_from_half_a_log() {
        let mut hosted = Hosted::loading(Counter::default());
        assert_eq!(hosted.active().err(), Some(ErrorCode::CoordinatorLoadInProgress));
        let record = CoordinatorRecord { key: Bytes::from_static(b"k"), value: None };
        let loaded =
            LoadedRecord { offset: Offset(0), transaction: ProducerId::NONE, record: &record };
        assert_eq!(hosted.load(loaded), Replayed::Applied);
        hosted.finish_loading(Now { mono: MonoTime(0), wall: WallTime(0) });
        assert_eq!(hosted.active().ok().map(|shard| shard.replayed), Some(1));
    }

    #[test]
    fn a_shard_whose_log_is_unreadable_is_not_a_coordinator() {
        let mut hosted = Hosted::loading(Counter::default());
        hosted.fail_loading();
        assert_eq!(hosted.active().err(), Some(ErrorCode::NotCoordinator));
        assert!(hosted.close().is_nothing());
    }

    #[test]
    fn closing_answers_what_is_parked_and_serves_no_more() {
        let mut hosted = Hosted::loading(Counter::default());
        hosted.finish_loading(Now { mono: MonoTime(0), wall: WallTime(0) });
        if let Ok(shard) = hosted.active() {
            shard.parked.push(ReplyToken(7));
        }
        assert_eq!(hosted.close().replies, vec![(ReplyToken(7), "moved")]);
        assert_eq!(hosted.active_ref().err(), Some(ErrorCode::NotCoordinator));
        assert_eq!(hosted.phase(), Phase::Closed);
    }
}
