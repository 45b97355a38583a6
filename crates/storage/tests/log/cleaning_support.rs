//! Logs with keys, transactions and a cleaner.

use crate::support::*;
use env_sim::SimDisk;
use records::control::ControlRecord;
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchBuilder, Compression, NewRecord, RecordBatch};
use storage::cleaner::{
    Assessment, CleanerSettings, CleaningError, CleaningReport, Placed, Step, ToClean, assess,
};
use storage::{AppendContext, LogConfig};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, WallTime};

/// A compacted log of small segments; markers and tombstones go at the second cleaning.
pub fn compacted() -> LogConfig {
    LogConfig {
        compacts: true,
        deletes: false,
        delete_retention_ms: 1000,
        min_cleanable_dirty_ratio: 0.0,
        producer_id_expiration_ms: i64::MAX,
        ..small()
    }
}

pub const ROOMY: CleanerSettings =
    CleanerSettings { dedupe_buffer_bytes: 1 << 20, load_factor: 0.9, secret: [5; 16] };

/// Keys with values; no value is a tombstone.
pub type Pairs<'a> = &'a [(&'a str, Option<&'a str>)];

pub fn keyed(pairs: Pairs<'_>, codec: Compression) -> BatchBuilder {
    let mut builder = BatchBuilder::new().compression(codec);
    for (key, value) in pairs {
        builder.push(NewRecord {
            timestamp: NOW,
            key: Some(key.as_bytes()),
            value: value.map(str::as_bytes),
            headers: &[],
        });
    }
    builder
}

impl World {
    pub fn put(&mut self, pairs: Pairs<'_>) -> i64 {
        let batch = keyed(pairs, Compression::None).build();
        self.append(ValidatedBatch::trusted(batch)).unwrap().base_offset.0
    }

    /// Part of a transaction of producer `id`.
    pub fn put_in_transaction(&mut self, id: i64, sequence: i32, pairs: Pairs<'_>) -> i64 {
        let builder = keyed(pairs, Compression::None).transactional();
        let producer = (ProducerId(id), ProducerEpoch(0), Sequence(sequence));
        let batch = builder.producer(producer.0, producer.1, producer.2).build();
        self.append(ValidatedBatch::trusted(batch)).unwrap().base_offset.0
    }

    pub fn put_as_producer(&mut self, id: i64, sequence: i32, pairs: Pairs<'_>) -> i64 {
        let builder = keyed(pairs, Compression::None);
        let batch = builder.producer(ProducerId(id), ProducerEpoch(0), Sequence(sequence)).build();
        self.append(ValidatedBatch::trusted(batch)).unwrap().base_offset.0
    }

    pub fn end_transaction(&mut self, id: i64, commits: bool) -> i64 {
        self.end_transaction_in(id, 0, commits)
    }

    /// With a marker of `epoch`: transactions of KIP-890 end with the producer's next one.
    pub fn end_transaction_in(&mut self, id: i64, epoch: i16, commits: bool) -> i64 {
        let coordinator_epoch = 4;
        let marker = match commits {
            true => ControlRecord::Commit { coordinator_epoch },
            false => ControlRecord::Abort { coordinator_epoch },
        };
        let batch = marker.marker_batch(ProducerId(id), ProducerEpoch(epoch), NOW);
        let context = AppendContext {
            leader_epoch: LeaderEpoch(self.epoch),
            now: NOW,
            origin: AppendOrigin::Coordinator,
        };
        let appended = self.log().append(ValidatedBatch::trusted(batch), context).unwrap();
        self.commit_all();
        appended.base_offset.0
    }

    /// The high watermark is at the log end.
    pub fn commit_all(&mut self) {
        let end = self.log().log_end();
        self.log().note_high_watermark(end);
    }

    /// Closes the active segment.
    pub fn roll(&mut self) {
        self.log().roll(NOW).unwrap();
    }

    pub fn cleaning_due(&mut self, now: WallTime) -> Option<ToClean> {
        self.commit_all();
        let config = self.config.clone();
        let end = self.log().log_end();
        let facts = self.reader().cleaning_facts(end, &config).unwrap();
        match assess(&facts, &config, now) {
            Assessment::Clean(to_clean) => Some(to_clean),
            Assessment::Wait(_) => None,
        }
    }

    /// Cleans once, as far as the buffer goes. `None` if there is nothing to do.
    pub fn clean_with(
        &mut self,
        settings: &CleanerSettings,
        now: WallTime,
    ) -> Result<Option<CleaningReport>, CleaningError> {
        let Some(to_clean) = self.cleaning_due(now) else { return Ok(None) };
        self.log().flusher().flush_to(to_clean.flush_to)?;
        let begun = self.log().begin_cleaning(&to_clean, settings, now)?;
        let Some(mut cleaning) = begun else { return Ok(None) };
        loop {
            match cleaning.step(300)? {
                Step::Worked(_) => {}
                Step::Ready => match self.log().put_in_place(&mut cleaning)? {
                    Placed::InPlace => {}
                    Placed::Moved => return Err(CleaningError::Moved),
                },
                Step::Done => break,
            }
        }
        self.log().finish_cleaning(&cleaning)?;
        Ok(Some(cleaning.report()))
    }

    /// Everything that can be cleaned at `now`, once.
    pub fn clean_at(&mut self, now: i64) -> Option<CleaningReport> {
        self.clean_with(&ROOMY, WallTime(now)).unwrap()
    }

    pub fn clean(&mut self) -> Option<CleaningReport> {
        self.clean_at(NOW.0)
    }

    /// Offset, key and value of each record that is no control record; `None` is a tombstone.
    pub fn records(&self) -> Vec<(i64, String, Option<String>)> {
        self.batches().iter().filter(|b| !b.header().is_control()).flat_map(texts).collect()
    }

    /// What a read_committed consumer sees.
    pub fn committed(&self) -> Vec<(i64, String, Option<String>)> {
        read_committed(self, self.reader().log_start())
    }
}

/// From `from` on, as Kafka's consumer filters: batches of aborted producers are skipped from the
/// transaction's first offset to its marker.
pub fn read_committed(world: &World, from: Offset) -> Vec<(i64, String, Option<String>)> {
    let reader = world.reader();
    let end = reader.last_stable_offset(reader.log_end());
    let mut aborted = reader.aborted_transactions(from, end).unwrap();
    aborted.sort_by_key(|one| one.first_offset);
    let mut aborting: Vec<ProducerId> = Vec::new();
    let mut seen = Vec::new();
    for batch in world.batches() {
        if batch.last_offset() < from || batch.last_offset() >= end {
            continue;
        }
        while aborted.first().is_some_and(|one| one.first_offset <= batch.last_offset()) {
            aborting.push(aborted.remove(0).producer_id);
        }
        let id = batch.header().producer_id;
        if batch.header().is_control() {
            if is_abort(&batch) {
                aborting.retain(|other| *other != id);
            }
        } else if !(batch.header().is_transactional() && aborting.contains(&id)) {
            seen.extend(texts(&batch).into_iter().filter(|(offset, ..)| *offset >= from.0));
        }
    }
    seen
}

pub fn is_abort(batch: &RecordBatch) -> bool {
    let first = batch.records().unwrap().next();
    first.is_some_and(|record| {
        matches!(ControlRecord::from_record(&record.unwrap()), Ok(ControlRecord::Abort { .. }))
    })
}

pub fn texts(batch: &RecordBatch) -> Vec<(i64, String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let records = batch.records().unwrap().map(Result::unwrap);
    let texts = records.map(|record| {
        let key = record.key.as_deref().map(text).unwrap_or_default();
        (record.offset.0, key, record.value.as_deref().map(text))
    });
    texts.collect()
}

/// Puts records together as the tests write them.
pub fn is(records: &[(i64, &str, Option<&str>)]) -> Vec<(i64, String, Option<String>)> {
    let owned = |(offset, key, value): &(i64, &str, Option<&str>)| {
        (*offset, (*key).to_owned(), value.map(str::to_owned))
    };
    records.iter().map(owned).collect()
}

/// The log's state as a start after a crash without snapshots would know it.
pub fn remove_snapshots(disk: &SimDisk, world: &World) {
    use env::Disk;
    for name in world.files(".snapshot") {
        disk.remove_file(&world.file(&name)).unwrap();
    }
}
