use crate::error::AppendError;
use crate::limits::DUPLICATE_WINDOW;
use records::BatchHeader;
use std::collections::{BTreeMap, VecDeque};
use types::{Offset, ProducerEpoch, ProducerId, Sequence, WallTime};

/// Where a producer's batch went; enough to answer a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "BatchMetadata")]
pub struct WrittenBatch {
    pub last_sequence: Sequence,
    pub last_offset: Offset,
    /// Last offset less first.
    pub offset_delta: i32,
    /// The latest of its records.
    pub timestamp: WallTime,
}

impl WrittenBatch {
    pub fn base_offset(&self) -> Offset {
        self.last_offset.plus(-i64::from(self.offset_delta))
    }

    fn holds(&self, header: &BatchHeader) -> bool {
        self.last_sequence == header.last_sequence()
            && self.offset_delta == header.last_offset_delta
    }
}

/// What a log knows of one producer.
///
/// **Invariant:** `batches` are of `epoch`, oldest first, at most [`DUPLICATE_WINDOW`].
/// **Source:** KIP-98; Kafka `ProducerStateEntry`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "ProducerStateEntry")]
pub struct ProducerState {
    pub epoch: ProducerEpoch,
    pub batches: VecDeque<WrittenBatch>,
    /// Of the transaction coordinator that wrote the last marker; −1 before the first.
    pub coordinator_epoch: i32,
    pub last_timestamp: WallTime,
    /// Where the open transaction begins.
    pub transaction_start: Option<Offset>,
}

impl ProducerState {
    pub(crate) const NO_COORDINATOR: i32 = -1;

    fn new(epoch: ProducerEpoch) -> ProducerState {
        ProducerState {
            epoch,
            batches: VecDeque::new(),
            coordinator_epoch: ProducerState::NO_COORDINATOR,
            last_timestamp: WallTime::NONE,
            transaction_start: None,
        }
    }

    pub fn last_sequence(&self) -> Sequence {
        self.batches.back().map_or(Sequence::NONE, |batch| batch.last_sequence)
    }

    fn enter_epoch(&mut self, epoch: ProducerEpoch) {
        if self.epoch != epoch {
            self.batches.clear();
            self.epoch = epoch;
        }
    }

    pub(crate) fn remember(&mut self, batch: WrittenBatch) {
        if self.batches.len() == DUPLICATE_WINDOW {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
        self.last_timestamp = batch.timestamp;
    }

    fn is_expired(&self, now: WallTime, after_ms: i64) -> bool {
        let silent_ms = now.0.saturating_sub(self.last_timestamp.0);
        self.transaction_start.is_none() && silent_ms >= after_ms
    }
}

/// The end of a transaction, as a control batch writes it. Source: Kafka `EndTransactionMarker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) is_abort: bool,
    pub(crate) coordinator_epoch: i32,
}

/// A transaction that a marker has just ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndedTransaction {
    pub(crate) first_offset: Offset,
    /// Every transaction that began below has ended.
    pub(crate) last_stable_offset: Offset,
}

/// What a log knows of all its producers: duplicates, gaps, fences, open transactions.
///
/// **Invariant:** a pure function of the batches in the log, but for expiry.
/// **Persisted:** `.snapshot` files, see `producer_snapshot`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "ProducerStateManager")]
pub struct ProducerStates {
    producers: BTreeMap<ProducerId, ProducerState>,
    /// Open transactions by first offset.
    ongoing: BTreeMap<Offset, ProducerId>,
    /// Ended ones whose marker is not below the high watermark yet: first offset → marker's.
    unreplicated: BTreeMap<Offset, Offset>,
}

impl ProducerStates {
    pub fn get(&self, id: ProducerId) -> Option<&ProducerState> {
        self.producers.get(&id)
    }

    /// In order of producer id.
    pub fn iter(&self) -> impl Iterator<Item = (ProducerId, &ProducerState)> {
        self.producers.iter().map(|(id, state)| (*id, state))
    }

    pub fn len(&self) -> usize {
        self.producers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// The batch that this one repeats, if it is among the last five.
    pub(crate) fn duplicate_of(&self, header: &BatchHeader) -> Option<WrittenBatch> {
        let state = self.producers.get(&header.producer_id)?;
        let same_epoch = state.epoch == header.producer_epoch;
        state.batches.iter().find(|written| same_epoch && written.holds(header)).copied()
    }

    /// Whether a client may append this batch. A producer that is unknown here, be it new, expired
    /// or deleted with its records, may start at any sequence, unless it is known to begin.
    ///
    /// # Source
    /// Kafka `ProducerAppendInfo.checkSequence`, KIP-360.
    pub(crate) fn check_client(
        &self,
        header: &BatchHeader,
        unknown_begin: bool,
    ) -> Result<(), AppendError> {
        let Some(state) = self.producers.get(&header.producer_id) else {
            return if unknown_begin { check_sequence(header, Sequence(0)) } else { Ok(()) };
        };
        check_epoch(state, header)?;
        let expected = match state.epoch == header.producer_epoch {
            true => state.last_sequence().plus(1),
            false => Sequence(0),
        };
        if state.epoch != ProducerEpoch::NONE {
            check_sequence(header, expected)?;
        }
        check_transaction(state, header)
    }

    /// Whether a coordinator of this broker may append this batch: no sequence to keep.
    pub(crate) fn check_coordinator(&self, header: &BatchHeader) -> Result<(), AppendError> {
        let Some(state) = self.producers.get(&header.producer_id) else { return Ok(()) };
        check_epoch(state, header)?;
        check_transaction(state, header)
    }

    pub(crate) fn check_marker(
        &self,
        header: &BatchHeader,
        marker: Marker,
    ) -> Result<(), AppendError> {
        let Some(state) = self.producers.get(&header.producer_id) else { return Ok(()) };
        check_epoch(state, header)?;
        if marker.coordinator_epoch < state.coordinator_epoch {
            return Err(AppendError::CoordinatorFenced {
                producer: header.producer_id,
                current: state.coordinator_epoch,
                got: marker.coordinator_epoch,
            });
        }
        Ok(())
    }

    /// Takes note of a batch in the log. Its checks are over: what is in the log is true.
    pub(crate) fn note_batch(&mut self, header: &BatchHeader) {
        let id = header.producer_id;
        let state =
            self.producers.entry(id).or_insert_with(|| ProducerState::new(header.producer_epoch));
        state.enter_epoch(header.producer_epoch);
        state.remember(WrittenBatch {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
        if header.is_transactional() && state.transaction_start.is_none() {
            state.transaction_start = Some(header.base_offset);
            self.ongoing.insert(header.base_offset, id);
        }
    }

    /// Takes note of a marker in the log. `None` if the producer had nothing open here.
    pub(crate) fn note_marker(
        &mut self,
        header: &BatchHeader,
        marker: Marker,
    ) -> Option<EndedTransaction> {
        let id = header.producer_id;
        let state =
            self.producers.entry(id).or_insert_with(|| ProducerState::new(header.producer_epoch));
        state.enter_epoch(header.producer_epoch);
        state.coordinator_epoch = marker.coordinator_epoch;
        state.last_timestamp = header.max_timestamp;
        let first_offset = state.transaction_start.take()?;
        self.ongoing.remove(&first_offset);
        let marker_offset = header.base_offset;
        self.unreplicated.insert(first_offset, marker_offset);
        let oldest = self.ongoing.keys().next().copied();
        let last_stable_offset = oldest.unwrap_or(marker_offset.plus(1));
        Some(EndedTransaction { first_offset, last_stable_offset })
    }

    /// The first offset of the oldest transaction that is open, or whose end is not replicated yet.
    pub(crate) fn first_unstable(&self) -> Option<Offset> {
        let open = self.ongoing.keys().next();
        let ended = self.unreplicated.keys().next();
        open.into_iter().chain(ended).min().copied()
    }

    /// Markers below the high watermark need no more waiting for.
    pub(crate) fn note_high_watermark(&mut self, high_watermark: Offset) {
        self.unreplicated.retain(|_, marker| *marker >= high_watermark);
    }

    /// Whether anybody was forgotten.
    pub(crate) fn expire(&mut self, now: WallTime, after_ms: i64) -> bool {
        let known = self.producers.len();
        self.producers.retain(|_, state| !state.is_expired(now, after_ms));
        self.producers.len() < known
    }

    /// Puts back what a snapshot kept.
    pub(crate) fn restore(&mut self, id: ProducerId, state: ProducerState) {
        if let Some(start) = state.transaction_start {
            self.ongoing.insert(start, id);
        }
        self.producers.insert(id, state);
    }
}

fn check_sequence(header: &BatchHeader, expected: Sequence) -> Result<(), AppendError> {
    let got = header.base_sequence;
    if got == expected {
        return Ok(());
    }
    let (producer, epoch) = (header.producer_id, header.producer_epoch);
    Err(AppendError::OutOfOrderSequence { producer, epoch, expected, got })
}

fn check_epoch(state: &ProducerState, header: &BatchHeader) -> Result<(), AppendError> {
    let (current, got) = (state.epoch, header.producer_epoch);
    match got < current {
        true => Err(AppendError::FencedProducer { producer: header.producer_id, current, got }),
        false => Ok(()),
    }
}

fn check_transaction(state: &ProducerState, header: &BatchHeader) -> Result<(), AppendError> {
    match state.transaction_start.is_some() && !header.is_transactional() {
        true => Err(AppendError::InvalidTransactionState {
            producer: header.producer_id,
            why: "a transaction is open, and the batch is not part of it",
        }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::Attributes;
    use types::LeaderEpoch;

    const PRODUCER: ProducerId = ProducerId(9);

    fn batch(epoch: i16, first_sequence: i32, count: i32, base_offset: i64) -> BatchHeader {
        BatchHeader {
            base_offset: Offset(base_offset),
            batch_length: 100,
            leader_epoch: LeaderEpoch(0),
            crc: 0,
            attributes: Attributes::default(),
            last_offset_delta: count - 1,
            base_timestamp: WallTime(1000),
            max_timestamp: WallTime(1000),
            producer_id: PRODUCER,
            producer_epoch: ProducerEpoch(epoch),
            base_sequence: Sequence(first_sequence),
            records_count: count,
        }
    }

    fn transactional(header: BatchHeader) -> BatchHeader {
        BatchHeader { attributes: Attributes::default().with_transactional(true), ..header }
    }

    fn marker_batch(id: i64, epoch: i16, offset: i64) -> BatchHeader {
        let header = transactional(batch(epoch, -1, 1, offset));
        BatchHeader { producer_id: ProducerId(id), ..header }
    }

    const COMMIT: Marker = Marker { is_abort: false, coordinator_epoch: 3 };

    /// Appends, or says why not; a duplicate answers with its base offset.
    fn append(
        states: &mut ProducerStates,
        header: BatchHeader,
    ) -> Result<Option<i64>, &'static str> {
        if let Some(written) = states.duplicate_of(&header) {
            return Ok(Some(written.base_offset().0));
        }
        states.check_client(&header, false).map_err(|error| error.error_code().name())?;
        states.note_batch(&header);
        Ok(None)
    }

    #[test]
    fn a_repeat_of_any_of_the_last_five_batches_returns_its_offset_and_an_older_one_is_out_of_order()
     {
        let mut states = ProducerStates::default();
        for i in 0..7 {
            assert_eq!(append(&mut states, batch(0, i * 2, 2, i64::from(i) * 10)), Ok(None));
        }
        for i in 2..7 {
            assert_eq!(append(&mut states, batch(0, i * 2, 2, 99)), Ok(Some(i64::from(i) * 10)));
        }
        assert_eq!(append(&mut states, batch(0, 2, 2, 99)), Err("OUT_OF_ORDER_SEQUENCE_NUMBER"));
    }

    #[test]
    fn a_repeat_with_other_bounds_is_not_a_duplicate() {
        let mut states = ProducerStates::default();
        append(&mut states, batch(0, 0, 4, 0)).unwrap();
        assert_eq!(append(&mut states, batch(0, 2, 2, 9)), Err("OUT_OF_ORDER_SEQUENCE_NUMBER"));
    }

    #[test]
    fn a_gap_is_out_of_order_and_an_unknown_producer_may_start_anywhere() {
        let mut states = ProducerStates::default();
        assert_eq!(append(&mut states, batch(0, 500, 1, 0)), Ok(None));
        assert_eq!(append(&mut states, batch(0, 502, 1, 1)), Err("OUT_OF_ORDER_SEQUENCE_NUMBER"));
        assert_eq!(append(&mut states, batch(0, 501, 1, 1)), Ok(None));
    }

    #[test]
    fn after_the_largest_sequence_comes_zero() {
        let mut states = ProducerStates::default();
        append(&mut states, batch(0, i32::MAX - 1, 2, 0)).unwrap();
        assert_eq!(append(&mut states, batch(0, 1, 1, 2)), Err("OUT_OF_ORDER_SEQUENCE_NUMBER"));
        assert_eq!(append(&mut states, batch(0, 0, 1, 2)), Ok(None));
        // A batch may itself wrap, and its repeat is still known.
        let mut states = ProducerStates::default();
        append(&mut states, batch(0, i32::MAX, 3, 7)).unwrap();
        assert_eq!(states.get(PRODUCER).unwrap().last_sequence(), Sequence(1));
        assert_eq!(append(&mut states, batch(0, i32::MAX, 3, 99)), Ok(Some(7)));
        assert_eq!(append(&mut states, batch(0, 2, 1, 10)), Ok(None));
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_fences_the_old_one() {
        let mut states = ProducerStates::default();
        append(&mut states, batch(0, 0, 1, 0)).unwrap();
        assert_eq!(append(&mut states, batch(1, 1, 1, 1)), Err("OUT_OF_ORDER_SEQUENCE_NUMBER"));
        assert_eq!(append(&mut states, batch(1, 0, 1, 1)), Ok(None));
        assert_eq!(append(&mut states, batch(0, 1, 1, 2)), Err("INVALID_PRODUCER_EPOCH"));
        // The old epoch's batches are no duplicates any more.
        assert_eq!(append(&mut states, batch(0, 0, 1, 2)), Err("INVALID_PRODUCER_EPOCH"));
    }

    #[test]
    fn after_a_marker_of_a_new_epoch_the_producer_starts_at_zero() {
        let mut states = ProducerStates::default();
        append(&mut states, transactional(batch(0, 0, 5, 0))).unwrap();
        states.note_marker(&marker_batch(9, 1, 5), COMMIT);
        assert_eq!(
            append(&mut states, transactional(batch(1, 5, 1, 6))),
            Err("OUT_OF_ORDER_SEQUENCE_NUMBER")
        );
        assert_eq!(append(&mut states, transactional(batch(1, 0, 1, 6))), Ok(None));
    }

    #[test]
    fn an_expired_producer_is_unknown_but_an_open_transaction_never_expires() {
        let mut states = ProducerStates::default();
        append(&mut states, batch(0, 0, 1, 0)).unwrap();
        assert!(!states.expire(WallTime(1999), 1000));
        assert_eq!(states.len(), 1);
        assert!(states.expire(WallTime(2000), 1000));
        assert!(states.is_empty());
        assert_eq!(append(&mut states, batch(0, 77, 1, 1)), Ok(None));
        let mut states = ProducerStates::default();
        append(&mut states, transactional(batch(0, 0, 1, 0))).unwrap();
        assert!(!states.expire(WallTime(i64::MAX), 1000));
        assert_eq!(states.len(), 1);
    }

    #[test]
    fn the_oldest_open_transaction_holds_stability_until_its_marker_is_replicated() {
        let mut states = ProducerStates::default();
        states.note_batch(&transactional(batch(0, 0, 1, 10)));
        let other = BatchHeader { producer_id: ProducerId(5), ..transactional(batch(0, 0, 1, 11)) };
        states.note_batch(&other);
        assert_eq!(states.first_unstable(), Some(Offset(10)));
        let ended = states.note_marker(&marker_batch(9, 0, 12), COMMIT).unwrap();
        assert_eq!(
            ended,
            EndedTransaction { first_offset: Offset(10), last_stable_offset: Offset(11) }
        );
        assert_eq!(states.first_unstable(), Some(Offset(10)), "the marker is not replicated yet");
        states.note_high_watermark(Offset(12));
        assert_eq!(states.first_unstable(), Some(Offset(10)));
        states.note_high_watermark(Offset(13));
        assert_eq!(states.first_unstable(), Some(Offset(11)));
        let ended = states.note_marker(&marker_batch(5, 0, 13), COMMIT).unwrap();
        assert_eq!(ended.last_stable_offset, Offset(14));
        states.note_high_watermark(Offset(14));
        assert_eq!(states.first_unstable(), None);
    }

    #[test]
    fn a_marker_of_an_older_coordinator_or_producer_epoch_is_fenced() {
        let mut states = ProducerStates::default();
        states.note_marker(&marker_batch(9, 4, 0), COMMIT);
        let code = |result: Result<(), AppendError>| result.unwrap_err().error_code().name();
        let stale = Marker { coordinator_epoch: 2, ..COMMIT };
        let refused = states.check_marker(&marker_batch(9, 4, 1), stale);
        assert_eq!(code(refused), "TRANSACTION_COORDINATOR_FENCED");
        let refused = states.check_marker(&marker_batch(9, 3, 1), COMMIT);
        assert_eq!(code(refused), "INVALID_PRODUCER_EPOCH");
        assert!(states.check_marker(&marker_batch(9, 5, 1), COMMIT).is_ok());
        assert!(states.check_marker(&marker_batch(77, 0, 1), stale).is_ok());
    }

    #[test]
    fn a_batch_outside_an_open_transaction_is_refused() {
        let mut states = ProducerStates::default();
        append(&mut states, transactional(batch(0, 0, 1, 0))).unwrap();
        assert_eq!(append(&mut states, batch(0, 1, 1, 1)), Err("INVALID_TXN_STATE"));
    }
}
