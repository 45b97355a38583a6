//! Compaction against a list of records that cannot be wrong.

use crate::cleaning_support::*;
use crate::support::*;
use env_sim::Crash;
use proptest::prelude::*;
use records::validate::ValidatedBatch;
use records::{Compression, RecordBatch};
use std::collections::BTreeMap;
use storage::LogConfig;
use storage::cleaner::CleanerSettings;
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, WallTime};

const RETENTION_MS: i64 = 1000;

#[derive(Clone, Debug)]
enum Step {
    Put {
        /// A value of 0 is a tombstone.
        pairs: Vec<(u8, u8)>,
        codec: u8,
        by: Writer,
    },
    End {
        producer: i64,
        commits: bool,
    },
    Roll,
    Clean {
        after_ms: i64,
        keys: u64,
    },
    Crash {
        power_loss: bool,
    },
    DiesCleaning {
        at: u64,
        power_loss: bool,
    },
}

#[derive(Clone, Copy, Debug)]
enum Writer {
    Anybody,
    Idempotent(i64),
    Transactional(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let by = prop_oneof![
        2 => Just(Writer::Anybody),
        1 => (1..3i64).prop_map(Writer::Idempotent),
        2 => (3..5i64).prop_map(Writer::Transactional),
    ];
    let pairs = prop::collection::vec((0..6u8, 0..4u8), 1..5);
    let put = (pairs, 0..5u8, by).prop_map(|(pairs, codec, by)| Step::Put { pairs, codec, by });
    let end =
        (3..5i64, any::<bool>()).prop_map(|(producer, commits)| Step::End { producer, commits });
    let times = prop_oneof![Just(0), Just(RETENTION_MS / 2), Just(RETENTION_MS)];
    let clean = (times, prop_oneof![Just(1000u64), 1..8u64])
        .prop_map(|(after_ms, keys)| Step::Clean { after_ms, keys });
    let dies = (1..70u64, any::<bool>())
        .prop_map(|(at, power_loss)| Step::DiesCleaning { at, power_loss });
    let step = prop_oneof![
        10 => put,
        4 => end,
        3 => Just(Step::Roll),
        4 => clean,
        1 => any::<bool>().prop_map(|power_loss| Step::Crash { power_loss }),
        1 => dies,
    ];
    prop::collection::vec(step, 1..50)
}

/// One record as it was written.
#[derive(Clone, Debug, PartialEq)]
struct Written {
    offset: i64,
    key: String,
    value: Option<String>,
}

struct Model {
    /// All that was ever written and is not lost.
    batches: Vec<RecordBatch>,
    next_sequence: BTreeMap<i64, i32>,
    open: BTreeMap<i64, i64>,
    now: i64,
    /// When a tombstone was first in reach of a cleaning.
    tombstones: BTreeMap<i64, i64>,
    /// Every cleaning that ended left each key once below.
    cleaned_to: i64,
}

impl Model {
    /// What read_committed shows, and where it ends.
    fn committed(&self) -> (Vec<Written>, i64) {
        let mut shown = Vec::new();
        let mut pending: BTreeMap<i64, Vec<Written>> = BTreeMap::new();
        let mut open: BTreeMap<i64, i64> = BTreeMap::new();
        for batch in &self.batches {
            let header = batch.header();
            let id = header.producer_id.0;
            if header.is_control() {
                open.remove(&id);
                let records = pending.remove(&id).unwrap_or_default();
                if !is_abort(batch) {
                    shown.extend(records);
                }
                continue;
            }
            let records =
                texts(batch).into_iter().map(|(offset, key, value)| Written { offset, key, value });
            match header.is_transactional() {
                true => {
                    open.entry(id).or_insert(batch.base_offset().0);
                    pending.entry(id).or_default().extend(records);
                }
                false => shown.extend(records),
            }
        }
        let stable = open.values().min().copied().unwrap_or(i64::MAX);
        shown.retain(|record| record.offset < stable);
        shown.sort_by_key(|record| record.offset);
        (shown, stable)
    }
}

struct Run {
    world: World,
    model: Model,
}

impl Run {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Put { pairs, codec, by } => self.put(pairs, *codec, *by),
            Step::End { producer, commits } => {
                if self.model.open.remove(producer).is_some() {
                    let at = self.world.end_transaction(*producer, *commits);
                    self.note_appended(at);
                }
            }
            Step::Roll => self.world.roll(),
            Step::Clean { after_ms, keys } => {
                self.model.now += after_ms;
                self.note_reach();
                let settings = CleanerSettings { dedupe_buffer_bytes: keys * 24, ..ROOMY };
                let done = self.world.clean_with(&settings, WallTime(self.model.now)).unwrap();
                if done.is_some() {
                    self.model.cleaned_to = self.checkpoint();
                }
            }
            Step::Crash { power_loss } => self.crash(*power_loss),
            Step::DiesCleaning { at, power_loss } => {
                self.note_reach();
                self.world.disk.die_after(*at);
                let done = self.world.clean_with(&ROOMY, WallTime(self.model.now));
                if matches!(done, Ok(Some(_))) {
                    self.model.cleaned_to = self.checkpoint();
                }
                self.crash(*power_loss);
            }
        }
    }

    fn checkpoint(&mut self) -> i64 {
        let (end, config) = (self.world.log().log_end(), self.world.config.clone());
        let facts = self.world.reader().cleaning_facts(end, &config).unwrap();
        facts.checkpoint.unwrap().0
    }

    fn put(&mut self, pairs: &[(u8, u8)], codec: u8, by: Writer) {
        let texts: Vec<_> =
            pairs.iter().map(|(key, value)| (format!("k{key}"), format!("v{value}"))).collect();
        let pairs: Vec<_> = texts
            .iter()
            .map(|(key, value)| (&**key, Some(&**value).filter(|value| *value != "v0")))
            .collect();
        let mut builder = keyed(&pairs, Compression::ALL[codec as usize]);
        if let Writer::Idempotent(id) | Writer::Transactional(id) = by {
            let sequence = self.model.next_sequence.entry(id).or_default();
            builder = builder.producer(ProducerId(id), ProducerEpoch(0), Sequence(*sequence));
            *sequence += pairs.len() as i32;
        }
        if let Writer::Transactional(_) = by {
            builder = builder.transactional();
        }
        let at = self.world.append(ValidatedBatch::trusted(builder.build())).unwrap().base_offset;
        if let Writer::Transactional(id) = by {
            self.model.open.entry(id).or_insert(at.0);
        }
        self.world.commit_all();
        self.note_appended(at.0);
    }

    fn note_appended(&mut self, at: i64) {
        let (reader, end) = (self.world.reader(), self.world.log().log_end());
        let slice = reader.read(Offset(at), 1, end, true).unwrap();
        self.model.batches.push(RecordBatch::parse(&slice.bytes).unwrap());
    }

    /// Tombstones that the next cleaning may stamp.
    fn note_reach(&mut self) {
        let Some(to_clean) = self.world.cleaning_due(WallTime(self.model.now)) else { return };
        for record in self.model.committed().0 {
            if record.value.is_none() && record.offset < to_clean.end.0 {
                self.model.tombstones.entry(record.offset).or_insert(self.model.now);
            }
        }
    }

    fn crash(&mut self, power_loss: bool) {
        self.world.crash(if power_loss { Crash::PowerLoss } else { Crash::Kill });
        self.world.start();
        self.world.commit_all();
        let end = self.world.log().log_end();
        if !power_loss {
            let written = self.model.batches.last().map_or(0, |batch| batch.next_offset().0);
            assert_eq!(end.0, written, "a killed process loses nothing");
        }
        assert!(end.0 >= self.model.cleaned_to, "only what is durable is cleaned");
        self.model.batches.retain(|batch| batch.next_offset() <= end);
        let log = self.world.log.as_ref().unwrap();
        self.model.open = log.ongoing_transactions().iter().map(|(id, at)| (id.0, at.0)).collect();
        for id in 1..5 {
            let state = log.producers().get(ProducerId(id));
            let next = state.map_or(0, |state| state.last_sequence().plus(1).0);
            self.model.next_sequence.insert(id, next);
        }
        self.world.epoch += 1;
        let epoch = LeaderEpoch(self.world.epoch);
        self.world.log().begin_epoch(epoch).unwrap();
    }

    fn check(&mut self) {
        let end = self.world.log().log_end();
        let written = self.model.batches.last().map_or(0, |batch| batch.next_offset().0);
        assert_eq!((self.world.log().log_start().0, end.0), (0, written), "offsets stay");
        self.check_offsets();
        let (original, stable) = self.model.committed();
        let expected_stable = Offset(stable).min(end);
        assert_eq!(self.world.log().last_stable_offset(end), expected_stable);
        for from in (0..=end.0).step_by(5).chain([end.0]) {
            self.check_from(from, &original);
        }
        self.check_producers();
    }

    /// Every batch is sound and comes after the one before.
    fn check_offsets(&self) {
        let mut next = 0;
        for batch in self.world.batches() {
            batch.verify_crc().unwrap();
            assert!(batch.base_offset().0 >= next, "{} after {next}", batch.base_offset());
            let mut inside = batch.base_offset().0;
            for record in batch.records().unwrap().map(Result::unwrap) {
                assert!(record.offset.0 >= inside && record.offset <= batch.last_offset());
                inside = record.offset.0 + 1;
            }
            next = batch.next_offset().0;
        }
    }

    /// read_committed(compacted) is compact(read_committed(original)), from any offset.
    fn check_from(&self, from: i64, original: &[Written]) {
        let shown = read_committed(&self.world, Offset(from));
        let written: BTreeMap<i64, &Written> =
            original.iter().filter(|r| r.offset >= from).map(|r| (r.offset, r)).collect();
        let mut last = BTreeMap::new();
        for record in written.values() {
            last.insert(&record.key, *record);
        }
        let mut once = BTreeMap::new();
        for (offset, key, value) in &shown {
            let record = written.get(offset).unwrap_or_else(|| panic!("{offset} was never there"));
            assert_eq!((&record.key, &record.value), (key, value));
            if *offset < self.model.cleaned_to {
                let twice = once.insert(key.clone(), *offset);
                assert_eq!(twice, None, "{key} is there twice below {}", self.model.cleaned_to);
            }
        }
        for record in last.values() {
            let is_there = shown.iter().any(|(offset, ..)| *offset == record.offset);
            let reached = self.model.tombstones.get(&record.offset);
            let may_be_gone = record.value.is_none()
                && reached.is_some_and(|at| self.model.now >= at + RETENTION_MS);
            assert!(is_there || may_be_gone, "from {from}, {record:?} is missing");
        }
    }

    /// What a start without any snapshot knows is what is known.
    fn check_producers(&mut self) {
        self.world.log().flush().unwrap();
        let known = self.world.log().producers().clone();
        self.world.crash(Crash::Kill);
        remove_snapshots(&self.world.disk, &self.world);
        self.world.start();
        self.world.commit_all();
        assert_eq!(*self.world.log().producers(), known);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_compacted_log_is_the_last_value_of_each_key_whatever_happens_to_it(
        steps in steps(),
        seed: u64,
    ) {
        let config = LogConfig {
            segment_bytes: 500,
            segment_index_bytes: 120,
            index_interval_bytes: 120,
            delete_retention_ms: RETENTION_MS,
            ..compacted()
        };
        let model = Model {
            batches: Vec::new(),
            next_sequence: BTreeMap::new(),
            open: BTreeMap::new(),
            now: NOW.0,
            tombstones: BTreeMap::new(),
            cleaned_to: 0,
        };
        let mut run = Run { world: World::seeded(config, seed), model };
        for step in &steps {
            run.step(step);
            if matches!(step, Step::Clean { .. } | Step::DiesCleaning { .. } | Step::Crash { .. }) {
                run.check();
            }
        }
    }
}
