//! A process that dies in the middle of a cleaning leaves the old files or the new ones.

use crate::cleaning_support::*;
use crate::support::*;
use env::Job;
use env_sim::{Crash, SimClock};
use records::RecordBatch;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use storage::{CommitParts, OnCommit, StorageError};
use types::Offset;

/// Three segments of which one group becomes one segment, and an active one.
fn filled(seed: u64) -> World {
    let mut world = World::seeded(compacted(), seed);
    world.put(&[("a", Some("1")), ("b", Some("1"))]);
    world.put_in_transaction(1, 0, &[("a", Some("2"))]);
    world.roll();
    world.end_transaction(1, false);
    world.put(&[("a", None), ("c", Some("1"))]);
    world.roll();
    world.put_in_transaction(1, 1, &[("b", Some("2"))]);
    world.end_transaction(1, true);
    world.put(&[("c", Some("2"))]);
    world.roll();
    world.put(&[("a", Some("9"))]);
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    world
}

/// Everything that a reader of any kind is told.
#[derive(Debug, PartialEq)]
struct Seen {
    batches: Vec<RecordBatch>,
    committed: Vec<(i64, String, Option<String>)>,
    segments: Vec<String>,
    ends: (i64, i64),
}

fn seen(world: &mut World) -> Seen {
    world.commit_all();
    let is_live = |name: &String| name.ends_with(".log");
    Seen {
        batches: world.batches(),
        committed: world.committed(),
        segments: world.files(".log").into_iter().filter(is_live).collect(),
        ends: (world.log().log_start().0, world.log().log_end().0),
    }
}

/// Power loss is chance; each point is tried with as many worlds.
const WORLDS: u64 = 24;

#[test]
fn whenever_a_cleaning_is_cut_short_the_log_is_the_old_one_or_the_new_one() {
    let mut reference = filled(0);
    let old = seen(&mut reference);
    let start = reference.disk.mutations();
    reference.clean().unwrap();
    let points = reference.disk.mutations() - start;
    let new = seen(&mut reference);
    assert!(old.segments.len() == 4 && new.segments.len() == 2, "{old:?} {new:?}");
    assert!(points > 30, "{points} places to die at");
    let mut outcomes = BTreeSet::new();
    for point in 1..=points {
        for (crash, seeds) in [(Crash::Kill, 1), (Crash::PowerLoss, WORLDS)] {
            for seed in 0..seeds {
                let mut world = filled(seed);
                world.disk.die_after(point);
                let died = world.clean_with(&ROOMY, NOW).is_err();
                assert_eq!(died, world.disk.is_dead());
                world.crash(crash);
                world.start();
                let found = seen(&mut world);
                let what = format!("{crash:?} at {point} of {points}, world {seed}");
                let is_new = found == new;
                assert!(is_new || found == old, "{what}: {found:#?}\nold {old:#?}\nnew {new:#?}");
                outcomes.insert(is_new);
                for stage in [".cleaned", ".swap", ".deleted"] {
                    assert_eq!(world.files(stage), [""; 0], "{what}");
                }
                // And whatever it is, the next cleaning makes it the new one.
                world.clean();
                assert_eq!(seen(&mut world), new, "{what}, cleaned again");
            }
        }
    }
    assert_eq!(outcomes.len(), 2, "dying is tried before and after the point of no return");
}

#[test]
fn a_start_that_is_cut_short_while_it_finishes_a_cleaning_is_finished_by_the_next() {
    let mut reference = filled(0);
    let old = seen(&mut reference);
    reference.clean().unwrap();
    let new = seen(&mut reference);
    for (first, second) in (1..60).flat_map(|first| (1..25).map(move |second| (first, second))) {
        let mut world = filled(first * 100 + second);
        world.disk.die_after(first);
        _ = world.clean_with(&ROOMY, NOW);
        world.crash(Crash::PowerLoss);
        world.disk.die_after(second);
        let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.start()));
        let is_dead = world.disk.is_dead();
        world.crash(Crash::PowerLoss);
        assert!(started.is_ok() || is_dead, "{first}, {second}: it does not start");
        world.start();
        let found = seen(&mut world);
        assert!(found == new || found == old, "{first}, {second}: {found:#?}");
    }
}

struct Nobody;

impl OnCommit for Nobody {
    fn handle_committed(
        self: Arc<Self>,
        outcome: Result<Offset, StorageError>,
        _now: types::WallTime,
    ) -> usize {
        outcome.unwrap();
        0
    }
}

#[test]
fn what_a_journal_holds_of_replaced_segments_is_never_replayed_into_the_cleaned_one() {
    for seed in 0..8 {
        let mut world = World::seeded(compacted(), seed);
        let jobs: Arc<Mutex<Vec<Job>>> = Arc::default();
        let queue = jobs.clone();
        let commit = world.dir().group_commit(CommitParts {
            commits: Box::new(move |job| queue.lock().unwrap().push(job)),
            here: Box::new(|_, _| false),
            linger: Box::new(|until| until()),
            checkpoints: Box::new(|_| {}),
            clock: Arc::new(SimClock::default()),
            journal_bytes: 1 << 20,
            recovery_points_bytes: 1 << 20,
        });
        for value in 0..30 {
            world.put(&[("a", Some(&format!("{value}")))]);
            if value % 3 == 0 {
                commit.request(&world.reader(), || Arc::new(Nobody));
                let job = jobs.lock().unwrap().pop().unwrap();
                job();
            }
        }
        world.roll();
        world.clean().unwrap();
        let (batches, records) = (world.batches(), world.records());
        assert_eq!(records, is(&[(29, "a", Some("29"))]));
        world.crash(Crash::PowerLoss);
        world.start();
        assert_eq!((world.batches(), world.records()), (batches, records), "world {seed}");
    }
}
