//! Reads, writes and syncs that fail: the directory goes offline at once, says why, and nothing is
//! tried again.

use crate::support::*;
use env_sim::{Crash, Operation};
use std::sync::{Arc, Mutex};
use storage::{LogConfig, LogDirMetrics, StorageError};
use types::Offset;

/// What the directory said, and what it counted, after `act` met a failing `operation`.
fn broken(
    operation: Operation,
    name_end: &str,
    act: impl FnOnce(&mut World) -> bool,
) -> (World, Vec<String>, Arc<LogDirMetrics>) {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    world.log().flush().unwrap();
    world.fill(&[&[3]]);
    let said = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&said);
    world.dir().on_offline(move |error| hear.lock().unwrap().push(error.to_string()));
    world.disk.fail(operation, DATA, name_end);
    assert!(act(&mut world), "the failure is told the caller");
    assert!(world.dir().is_offline());
    let failed_once = said.lock().unwrap().len();
    assert_eq!(failed_once, 1, "said once");
    // The disk is well again, but what is on it is not known: nothing is tried again by itself.
    world.disk.heal();
    assert_eq!(code(world.append(batch(&[4]))), "KAFKA_STORAGE_ERROR");
    assert!(world.reader().read(at(0), 100, at(3), true).is_err());
    assert!(matches!(world.log().flush(), Err(StorageError::Poisoned { .. })));
    assert!(world.dir().checkpoint_recovery_points().is_err());
    assert!(world.log.take().unwrap().close().is_err());
    let counts = Arc::clone(world.dir().metrics());
    assert!(world.dir.take().unwrap().close(1).is_err(), "no marker of a clean end");
    let said = said.lock().unwrap().clone();
    (world, said, counts)
}

/// After a new start everything that was durable is there.
fn comes_back(mut world: World, crash: Crash, at_least: i64) {
    world.crash(crash);
    world.start();
    assert!(!world.dir().was_clean());
    assert!(world.log().log_end() >= Offset(at_least), "{}", world.log().log_end());
    world.append(batch(&[9])).unwrap();
}

#[test]
fn a_failed_write_takes_the_directory_offline() {
    let (world, said, counts) =
        broken(Operation::Write, ".log", |world| world.append(batch(&[4])).is_err());
    assert!(said[0].starts_with("cannot append batch /data/orders-0/"), "{said:?}");
    assert_eq!((counts.errors.of_kind("write"), counts.errors.total()), (1, 1));
    comes_back(world, Crash::Kill, 3);
}

#[test]
fn a_failed_read_takes_the_directory_offline() {
    let read = |world: &mut World| world.reader().read(at(0), 100, at(3), true).is_err();
    let (world, said, counts) = broken(Operation::Read, ".log", read);
    assert!(said[0].starts_with("cannot read segment /data/orders-0/"), "{said:?}");
    assert_eq!((counts.errors.of_kind("read"), counts.errors.total()), (1, 1));
    comes_back(world, Crash::Kill, 3);
}

#[test]
fn after_a_failed_sync_nothing_written_before_it_counts_as_durable() {
    let (world, said, counts) =
        broken(Operation::Sync, ".log", |world| world.log().flush().is_err());
    assert!(said[0].starts_with("cannot sync segment /data/orders-0/"), "{said:?}");
    assert_eq!((counts.errors.of_kind("sync"), counts.errors.total()), (1, 1));
    // The kernel has dropped the third batch; a second sync would have claimed to save it.
    comes_back(world, Crash::PowerLoss, 2);
}

#[test]
fn a_failed_checkpoint_takes_the_directory_offline() {
    let checkpoint = |world: &mut World| world.dir().checkpoint_recovery_points().is_err();
    let (world, said, _) = broken(Operation::Names, "-checkpoint.tmp", checkpoint);
    assert!(said[0].starts_with("cannot write checkpoint /data/recovery-point"), "{said:?}");
    comes_back(world, Crash::Kill, 3);
}

#[test]
fn who_asks_late_is_told_at_once() {
    let mut world = World::new(small());
    world.disk.fail(Operation::Write, DATA, ".log");
    world.append(batch(&[1])).unwrap_err();
    let said = Arc::new(Mutex::new(0));
    let hear = Arc::clone(&said);
    world.dir().on_offline(move |_| *hear.lock().unwrap() += 1);
    assert_eq!(*said.lock().unwrap(), 1);
    assert!(world.dir().failure().is_some());
}

#[test]
fn a_log_out_of_use_is_not_asked_again_to_write_anything_down() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 30, ..LogConfig::default() });
    (0..large_of_a_write_down()).for_each(|sequence| _ = world.append(large(sequence)).unwrap());
    assert!(world.reader().is_write_down_due());
    world.disk.fail(Operation::Write, DATA, ".snapshot");
    assert!(world.log().write_down_when_due().is_err());
    assert!(world.dir().is_offline() && !world.reader().is_write_down_due());
}
