//! A log against a list of batches that cannot be wrong, through every kind of end.

use crate::support::*;
use env_sim::Crash;
use proptest::prelude::*;
use records::RecordBatch;
use records::control::ControlRecord;
use records::validate::{AppendOrigin, ValidatedBatch};
use storage::{AppendContext, LogConfig};
use types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, WallTime};

/// The producer whose transactions are aborted.
const ABORTER: i64 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Records with these timestamps; a producer's if it has one.
    Append {
        times: Vec<i64>,
        producer: Option<i64>,
    },
    AppendMany(u8),
    /// A transaction of producer 3, and the marker that aborts it.
    Abort,
    NewLeader,
    Roll,
    Flush,
    /// Snapshot, flush, recovery points.
    Checkpoint,
    /// Recovery points alone.
    RecoveryPoints,
    /// To this share of the log, in percent.
    Truncate(u8),
    DeleteRecords(u8),
    Restart,
    Crash {
        power_loss: bool,
    },
    /// The process dies in the middle of the step, at this mutation.
    Dies {
        at: u64,
        power_loss: bool,
        during: Box<Step>,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let times = prop::collection::vec(0..5000i64, 1..6);
    let append = (times, prop::option::of(1..3i64))
        .prop_map(|(times, producer)| Step::Append { times, producer });
    let plain = prop_oneof![
        8 => append,
        2 => (1..12u8).prop_map(Step::AppendMany),
        2 => Just(Step::Abort),
        1 => Just(Step::NewLeader),
        1 => Just(Step::Roll),
        2 => Just(Step::Flush),
        3 => Just(Step::Checkpoint),
        1 => Just(Step::RecoveryPoints),
        2 => (0..=100u8).prop_map(Step::Truncate),
        1 => (0..=60u8).prop_map(Step::DeleteRecords),
        1 => Just(Step::Restart),
    ];
    let crash = any::<bool>().prop_map(|power_loss| Step::Crash { power_loss });
    let dies = (1..25u64, any::<bool>(), plain.clone()).prop_map(|(at, power_loss, during)| {
        Step::Dies { at, power_loss, during: Box::new(during) }
    });
    prop::collection::vec(prop_oneof![12 => plain, 1 => crash, 2 => dies], 1..40)
}

/// What the log must be.
#[derive(Clone, Default)]
struct Model {
    /// All of the lineage, deleted ones included.
    batches: Vec<RecordBatch>,
    log_start: i64,
    /// Where a log begins that lost everything.
    base: i64,
    /// What a flush has promised.
    durable_to: i64,
    next_sequence: [i32; 4],
}

impl Model {
    fn end(&self) -> i64 {
        self.batches.last().map_or(self.base, |batch| batch.next_offset().0.max(self.base))
    }

    /// Keeps the batches that end at `end` or before.
    fn cut(&mut self, end: i64) {
        self.batches.retain(|batch| batch.next_offset().0 <= end);
        self.durable_to = self.durable_to.min(self.end());
        self.log_start = self.log_start.min(self.end());
    }

    /// The base of the batch that holds `offset`.
    fn batch_base(&self, offset: i64) -> i64 {
        let holder = self.batches.iter().find(|batch| batch.next_offset().0 > offset);
        holder.map_or(offset, |batch| batch.base_offset().0.min(offset))
    }

    fn share(&self, percent: u8) -> i64 {
        self.log_start + (self.end() - self.log_start) * i64::from(percent) / 100
    }
}

struct Run {
    world: World,
    model: Model,
}

impl Run {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let fail = |error: &dyn std::fmt::Display| error.to_string();
        match step {
            Step::Append { times, producer } => self.append(times, *producer)?,
            Step::AppendMany(count) => {
                let many: Vec<_> = (0..*count).map(|i| batch(&[i64::from(i) * 7])).collect();
                for batch in &many {
                    let placed = self.placed(batch.clone().into_batch());
                    self.model.batches.push(placed);
                }
                let context = self.world.context();
                for result in self.world.log().append_all(many, context) {
                    result.map_err(|error| fail(&error))?;
                }
            }
            Step::Abort => self.abort()?,
            Step::NewLeader => {
                self.world.epoch += 1;
                let epoch = LeaderEpoch(self.world.epoch);
                self.world.log().begin_epoch(epoch).map_err(|error| fail(&error))?;
            }
            Step::Roll => _ = self.world.log().roll(NOW).map_err(|error| fail(&error))?,
            Step::Flush => {
                let to = self.world.log().flush().map_err(|error| fail(&error))?;
                assert_eq!(to.0, self.model.end());
                self.model.durable_to = to.0;
            }
            Step::Checkpoint => {
                let due = self.world.log().checkpoint().map_err(|error| fail(&error))?;
                if let Some((flusher, end)) = due {
                    let to = flusher.flush_to(end).map_err(|error| fail(&error))?;
                    assert_eq!(to.0, self.model.end());
                    self.model.durable_to = to.0;
                }
                self.world.dir().checkpoint_recovery_points().map_err(|error| fail(&error))?;
                self.check_snapshots();
            }
            Step::RecoveryPoints => {
                self.world.dir().checkpoint_recovery_points().map_err(|error| fail(&error))?;
            }
            Step::Truncate(percent) => {
                let to = self.model.share(*percent);
                self.world.log().truncate_to(Offset(to), NOW).map_err(|error| fail(&error))?;
                self.model.cut(self.model.batch_base(to));
                self.learn_sequences();
                self.follow_a_new_leader();
            }
            Step::DeleteRecords(percent) => {
                let to = self.model.share(*percent);
                self.world.log().advance_log_start(Offset(to)).map_err(|error| fail(&error))?;
                self.model.log_start = to;
            }
            Step::Restart => {
                self.stop()?;
                self.world.start();
            }
            Step::Crash { power_loss } => self.crash(*power_loss, None),
            Step::Dies { at, power_loss, during } => {
                let before = self.model.clone();
                self.world.disk.die_after(*at);
                match self.step_without_start(during) {
                    Ok(()) => self.crash(*power_loss, None),
                    Err(_) => self.crash(*power_loss, Some((before, during))),
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, times: &[i64], producer: Option<i64>) -> Result<(), String> {
        let batch = match producer {
            Some(id) => {
                let sequence = self.model.next_sequence[id as usize];
                from_producer(id, 0, sequence, times.len())
            }
            None => batch(times),
        };
        self.model.batches.push(self.placed(batch.clone().into_batch()));
        self.world.append(batch).map_err(|error| error.to_string())?;
        if let Some(id) = producer {
            self.model.next_sequence[id as usize] += times.len() as i32;
        }
        Ok(())
    }

    fn abort(&mut self) -> Result<(), String> {
        let sequence = self.model.next_sequence[ABORTER as usize];
        let data = transactional(ABORTER, sequence, 2);
        self.model.batches.push(self.placed(data.clone().into_batch()));
        self.world.append(data).map_err(|error| error.to_string())?;
        self.model.next_sequence[ABORTER as usize] += 2;
        let marker = ControlRecord::Abort { coordinator_epoch: 0 };
        let marker = marker.marker_batch(ProducerId(ABORTER), ProducerEpoch(0), NOW);
        self.model.batches.push(self.placed(marker.clone()));
        let context = AppendContext { origin: AppendOrigin::Coordinator, ..self.world.context() };
        let appended = self.world.log().append(ValidatedBatch::trusted(marker), context);
        appended.map(|_| ()).map_err(|error| error.to_string())
    }

    fn stop(&mut self) -> Result<(), String> {
        let log = self.world.log.take().expect("it is open");
        log.close().map_err(|error| error.to_string())?;
        let dir = self.world.dir.take().expect("it is open");
        dir.close(1).map_err(|error| error.to_string())?.expect("all is closed");
        self.model.durable_to = self.model.end();
        Ok(())
    }

    /// A step of a process that may die in it; a restart dies before the next process starts.
    fn step_without_start(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Restart => self.stop(),
            other => self.step(other),
        }
    }

    fn placed(&self, batch: RecordBatch) -> RecordBatch {
        batch.moved_to(Offset(self.model.end()), LeaderEpoch(self.world.epoch))
    }

    /// The process ends, and the model learns what of the unpromised came through: always a prefix.
    fn crash(&mut self, power_loss: bool, died: Option<(Model, &Step)>) {
        self.world.crash(if power_loss { Crash::PowerLoss } else { Crash::Kill });
        self.world.start();
        let end = self.world.log().log_end().0;
        let start = self.world.log().log_start().0;
        // Promised: what was flushed or, if only the process died, all that was appended.
        let mut promised = if power_loss { self.model.durable_to } else { self.model.end() };
        let mut started = self.model.log_start..=self.model.log_start;
        if let Some((before, step)) = &died {
            promised = if power_loss { before.durable_to } else { before.end() };
            match step {
                Step::Truncate(percent) => {
                    promised = promised.min(before.batch_base(before.share(*percent)));
                    started = before.log_start.min(promised)..=before.log_start;
                }
                Step::DeleteRecords(percent) => {
                    started = before.log_start..=before.share(*percent);
                }
                _ => {}
            }
        }
        assert!(end >= promised, "{promised} was promised, {end} is left");
        let lost_all = end == 0 && promised == 0;
        assert!(lost_all || started.contains(&start), "the log starts at {start}, not {started:?}");
        self.model.cut(end);
        if self.model.end() < start {
            // Deleted for good, and what came after was lost: it begins again at its start.
            self.model.base = start;
        }
        assert_eq!(self.model.end(), end, "the log ends after a whole batch");
        self.model.log_start = start;
        // What was read back is in the page cache again, not on the platter: nothing new is
        // promised.
        self.model.durable_to = self.model.durable_to.min(end);
        self.learn_sequences();
        if !power_loss && matches!(died, Some((_, Step::Truncate(_)))) {
            // The first batch after a crash settles what the dead process had cut off.
            self.follow_a_new_leader();
            self.step(&Step::AppendMany(1)).expect("the disk is well");
        }
    }

    /// Producers go on where the log says they are. Of batches below its start it may know less
    /// than the model; that it knows those it holds is checked.
    fn learn_sequences(&mut self) {
        for id in 1..4 {
            let state = self.world.log.as_ref().and_then(|log| log.producers().get(ProducerId(id)));
            let next = state.map_or(0, |state| state.last_sequence().plus(1).0);
            self.model.next_sequence[id as usize] = next;
        }
    }

    /// Nothing is cut off but for a new leader's sake.
    fn follow_a_new_leader(&mut self) {
        self.world.epoch += 1;
    }

    fn check(&mut self) {
        let (start, end) = (Offset(self.model.log_start), Offset(self.model.end()));
        assert_eq!((self.world.log().log_start(), self.world.log().log_end()), (start, end));
        let held = |batch: &&RecordBatch| batch.last_offset() >= start;
        let expected: Vec<&RecordBatch> = self.model.batches.iter().filter(held).collect();
        assert_eq!(self.world.batches().iter().collect::<Vec<_>>(), expected);
        let reader = self.world.reader();
        for batch in expected.iter().filter(|batch| batch.base_offset() >= start) {
            let slice = reader.read(batch.last_offset(), 1, end, true).unwrap();
            assert_eq!(slice.bytes, batch.bytes());
            let epoch = reader.leader_epoch_at(batch.base_offset());
            assert_eq!(epoch, Some(batch.header().leader_epoch));
        }
        self.check_times(&expected);
        self.check_producers(&expected);
        self.check_aborts(end);
        assert!(self.world.log().recovery_point() <= end);
    }

    fn check_times(&self, expected: &[&RecordBatch]) {
        let reader = self.world.reader();
        let start = Offset(self.model.log_start);
        let records: Vec<_> = expected
            .iter()
            .flat_map(|batch| batch.records().unwrap().map(Result::unwrap))
            .filter(|record| record.offset >= start)
            .collect();
        for asked in [0, 1, 777, 2500, 4999, NOW.0, NOW.0 + 1] {
            let first = records.iter().find(|record| record.timestamp.0 >= asked);
            let found = reader.offset_for_timestamp(WallTime(asked)).unwrap();
            let (found, first) =
                (found.map(|found| found.offset), first.map(|record| record.offset));
            assert_eq!(found, first, "asked for {asked}");
        }
    }

    /// Every transaction that was aborted is known as such, no other, and each once. Of one that
    /// began below the log start its beginning may be forgotten.
    fn check_aborts(&self, end: Offset) {
        let mut expected = Vec::new();
        let mut start = None;
        for batch in &self.model.batches {
            match (batch.header().producer_id, batch.header().is_control()) {
                (ProducerId(ABORTER), false) => _ = start.get_or_insert(batch.base_offset()),
                (ProducerId(ABORTER), true) => {
                    expected.extend(start.take().map(|first| (first, batch.base_offset())));
                }
                _ => {}
            }
        }
        let from = Offset(self.model.log_start);
        let found = self.world.reader().aborted_transactions(from, end).unwrap();
        let mut found: Vec<_> = found.iter().map(|a| (a.first_offset, a.last_offset)).collect();
        let (expected, may_be): (Vec<_>, Vec<_>) =
            expected.into_iter().partition(|(first, _)| *first >= from);
        found.retain(|(_, marker)| may_be.iter().all(|(_, other)| other != marker));
        assert_eq!(found, expected);
    }

    /// After a checkpoint: one a segment at most, and two more.
    fn check_snapshots(&self) {
        let bases = self.world.files(".log");
        let bases: Vec<&str> = bases.iter().map(|name| name.trim_end_matches(".log")).collect();
        let snapshots = self.world.files(".snapshot");
        let is_base = |name: &&String| bases.contains(&name.trim_end_matches(".snapshot"));
        let others = snapshots.iter().filter(|name| !is_base(name)).count();
        assert!(others <= 2, "{snapshots:?} for the segments {bases:?}");
    }

    /// The last batch of every producer in the log is a known duplicate.
    fn check_producers(&self, expected: &[&RecordBatch]) {
        for id in 1..3 {
            let of_producer = |batch: &&&RecordBatch| batch.header().producer_id == ProducerId(id);
            let written: Vec<_> = expected.iter().filter(of_producer).collect();
            let Some(last) = written.last() else { continue };
            let log = self.world.log.as_ref().expect("it is open");
            let state = log.producers().get(ProducerId(id)).expect("it wrote");
            assert_eq!(state.last_sequence(), last.header().last_sequence());
            let remembered: Vec<_> = state.batches.iter().map(|batch| batch.last_offset).collect();
            let window = written.iter().rev().take(5).rev().map(|batch| batch.last_offset());
            let window: Vec<_> = window.collect();
            assert!(remembered.ends_with(&window), "{remembered:?} lacks some of {window:?}");
        }
    }
}

fn run(steps: &[Step], seed: u64) {
    let config = LogConfig {
        segment_bytes: 700,
        segment_ms: 4000,
        segment_index_bytes: 60,
        index_interval_bytes: 120,
        producer_id_expiration_ms: i64::MAX,
        ..LogConfig::default()
    };
    let world = World::with_few_open_files(config, seed);
    let mut run = Run { world, model: Model::default() };
    for step in steps {
        if let Err(error) = run.step(step) {
            panic!("{step:?}: {error}");
        }
        run.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(std::env::var("OTTLA_CASES").map_or(128, |n| n.parse().unwrap())))]

    #[test]
    fn a_log_is_the_list_of_its_batches_whatever_happens_to_it(steps in steps(), seed: u64) {
        run(&steps, seed);
    }
}
