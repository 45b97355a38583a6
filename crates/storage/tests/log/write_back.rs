//! Bytes that the kernel could not write: it says so once, and calls their pages clean.

use crate::committing::{MOMENT, World};
use crate::support::DATA;
use env::{Disk, DiskFile, Job, OpenMode};
use env_sim::{Crash, SimDisk};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

/// So many logs are synced together, whoever syncs them.
const LOGS: usize = 5;

/// Each has something committed, and a commit is on its way of more than the journal takes.
fn committing(disk: &SimDisk) -> World {
    let mut world = World::start(disk);
    (0..LOGS).for_each(|number| world.create(number, number as u8 + 1));
    // The second time the journal takes it.
    for _ in 0..2 {
        for number in 0..LOGS {
            world.append(number, b"x");
            world.ask(number);
        }
        world.run_all();
    }
    ask_for_much(&mut world);
    world
}

fn ask_for_much(world: &mut World) {
    for number in 0..LOGS {
        (0..4).for_each(|_| assert!(world.append(number, &[1; 15_000])));
        world.ask(number);
    }
}

fn flush_all(world: &World) -> Result<(), storage::StorageError> {
    storage::flush_together(world.logs.values().map(|l| (l.flusher(), l.log_end())).collect())
}

fn promised(world: &World) -> [i64; LOGS] {
    std::array::from_fn(|number| world.promised(number))
}

/// Linux reports an error of write-back once through each open file.
#[test]
fn until_a_failed_sync_has_been_heard_of_no_commit_beside_it_promises_what_it_lost() {
    for checkpoints in [false, true] {
        let disk = SimDisk::new(1);
        let world = committing(&disk);
        let commits = Arc::clone(&world.commits);
        disk.fail_next_sync(".log");
        disk.after_next_sync(move || assert!(World::run(&commits)));
        if checkpoints {
            world.commit.checkpoint().unwrap();
            World::run(&world.checkpoints);
        } else {
            assert!(flush_all(&world).is_err());
        }
        assert!(world.dir.is_offline());
        assert_eq!(promised(&world), [2; LOGS], "checkpoints: {checkpoints}");
    }
}

#[test]
fn until_a_failed_commit_has_been_heard_of_no_flush_beside_it_succeeds() {
    let disk = SimDisk::new(1);
    let world = Arc::new(committing(&disk));
    disk.fail_next_sync(".log");
    let (commits, flusher) = (Arc::clone(&world.commits), world.logs[&0].flusher());
    let due: Vec<_> = world.logs.values().map(|log| (log.flusher(), log.log_end())).collect();
    disk.after_next_sync(move || assert!(storage::flush_together(due).is_err()));
    World::run(&commits);
    assert!(flusher.flush_to(world.logs[&0].log_end()).is_err());
    assert_eq!(promised(&world), [2; LOGS]);
}

/// A log that was just made, whose first record waits for its commit.
fn asked_for_one(disk: &SimDisk) -> World {
    let mut world = World::start(disk);
    world.create(0, 1);
    world.append(0, b"x");
    world.ask(0);
    world
}

/// `partition.metadata` is opened for each sync of it.
#[test]
fn of_two_syncs_of_the_names_of_a_log_that_was_just_made_none_succeeds_where_one_has_failed() {
    for commits_first in [true, false] {
        let disk = SimDisk::new(1);
        let world = asked_for_one(&disk);
        let (log, commits) = (&world.logs[&0], Arc::clone(&world.commits));
        let (flusher, end) = (log.flusher(), log.log_end());
        let (told, hears) = mpsc::channel();
        let commit = move || assert!(World::run(&commits));
        let flush = move || assert!(flusher.flush_to(end).is_err());
        let (first, second): (Job, Job) = match commits_first {
            true => (Box::new(commit), Box::new(flush)),
            false => (Box::new(flush), Box::new(commit)),
        };
        let beside = move || {
            let second = thread::spawn(move || {
                second();
                _ = told.send(());
            });
            assert!(
                hears.recv_timeout(MOMENT).is_err(),
                "it must not end before the error is known"
            );
            second
        };
        let (ends, ended) = mpsc::channel();
        let beside = move || ends.send(beside()).unwrap();
        disk.fail_next_sync("partition.metadata");
        // A flush syncs the segment first, a commit the names.
        let again = disk.clone();
        disk.after_next_sync(move || match commits_first {
            true => beside(),
            false => again.after_next_sync(beside),
        });
        first();
        ended.recv().unwrap().join().unwrap();
        assert!(world.dir.is_offline());
        assert_eq!(world.promised(0), 0, "the commit first: {commits_first}");
    }
}

#[test]
fn an_error_that_another_program_was_told_of_first_is_not_missed() {
    let disk = SimDisk::new(1);
    let mut world = World::start(&disk);
    (0..LOGS).for_each(|number| world.create(number, number as u8 + 1));
    ask_for_much(&mut world);
    disk.fail_write_back(".log");
    let other = disk.open(Path::new(DATA), OpenMode::Read).unwrap();
    assert!(other.sync_file_system().is_err());
    // The directory's first sync of all.
    world.run_all();
    assert!(world.dir.is_offline());
    assert_eq!(promised(&world), [0; LOGS]);
}

/// The process ends with its directory out of use, and the next one finds the page cache as it was.
#[test]
fn a_start_has_what_was_committed_and_nothing_that_only_the_page_cache_has() {
    for is_committed in [true, false] {
        let disk = SimDisk::new(1);
        let mut world = asked_for_one(&disk);
        world.run_all();
        world.append(0, b"y");
        if is_committed {
            world.ask(0);
            World::run(&world.commits);
            assert_eq!(world.promised(0), 2);
        }
        disk.fail_next_sync(".log");
        world.commit.checkpoint().unwrap();
        world.run_all();
        assert!(world.dir.is_offline());
        disk.crash(Crash::Kill);
        let expected: &[&[u8]] = if is_committed { &[b"x", b"y"] } else { &[b"x"] };
        let world = World::start(&disk);
        assert_eq!(world.values(0), expected);
        // From here on the start vouches for what it has found.
        disk.crash(Crash::PowerLoss);
        let world = World::start(&disk);
        assert_eq!(world.values(0), expected);
    }
}

/// Nobody had synced the file since, so nobody was told.
#[test]
fn an_error_of_the_journal_that_the_last_process_was_not_told_of_keeps_none_from_starting() {
    let disk = SimDisk::new(1);
    let world = asked_for_one(&disk);
    world.run_all();
    disk.fail_write_back("commit-journal-0");
    disk.crash(Crash::Kill);
    let world = World::start(&disk);
    assert_eq!(world.values(0), [b"x"]);
}
