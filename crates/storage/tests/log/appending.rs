use crate::support::*;
use env::Disk;
use env_sim::{Crash, Operation};
use records::control::ControlRecord;
use records::validate::{AppendOrigin, ValidatedBatch};
use storage::{AppendContext, AppendError, LogConfig, StorageError};
use types::{EpochEnd, LeaderEpoch, Offset, ProducerEpoch, ProducerId, WallTime};

#[test]
fn batches_get_consecutive_offsets_and_the_leader_s_epoch_and_are_otherwise_untouched() {
    let mut world = World::new(small());
    world.epoch = 4;
    assert_eq!(world.fill(&[&[1, 2, 3], &[4], &[5, 6]]), [0, 3, 4]);
    let stored = world.batches();
    assert_eq!(offsets(&stored), [(0, 2), (3, 3), (4, 5)]);
    assert!(stored.iter().all(|batch| batch.header().leader_epoch == LeaderEpoch(4)));
    let sent = batch(&[4]).into_batch().moved_to(Offset(3), LeaderEpoch(4));
    assert_eq!(stored[1], sent);
    assert_eq!(world.log().log_end(), Offset(6));
}

#[test]
fn a_segment_rolls_by_size_and_is_named_by_its_first_offset() {
    let mut world = World::new(LogConfig { segment_bytes: 250, ..small() });
    let bytes = batch(&[1]).size_bytes() as u64;
    let per_segment = (250 / bytes) as i64;
    for _ in 0..per_segment * 2 + 1 {
        world.append(batch(&[1])).unwrap();
    }
    let name = |base: i64| format!("{base:020}.log");
    assert_eq!(world.files(".log"), [name(0), name(per_segment), name(2 * per_segment)]);
    // A snapshot of producer state is taken at each roll.
    assert_eq!(world.files(".snapshot").len(), 2);
    assert_eq!(world.batches().len(), per_segment as usize * 2 + 1);
}

#[test]
fn a_segment_rolls_by_the_timestamp_of_its_first_batch_not_by_the_clock() {
    let mut world = World::new(LogConfig { segment_ms: 1000, ..small() });
    world.fill(&[&[5000], &[6000], &[100]]);
    assert_eq!(world.files(".log").len(), 1);
    world.fill(&[&[6001]]);
    assert_eq!(world.files(".log").len(), 2);
    // The same holds after a restart.
    world.stop();
    world.start();
    world.fill(&[&[7001]]);
    assert_eq!(world.files(".log").len(), 2);
    world.fill(&[&[7002]]);
    assert_eq!(world.files(".log").len(), 3);
}

#[test]
fn a_segment_rolls_when_an_index_is_full() {
    let index = LogConfig { index_interval_bytes: 0, segment_index_bytes: 36, ..small() };
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..index });
    (0..20).for_each(|time| _ = world.fill(&[&[time]]));
    assert!(world.files(".log").len() > 3, "{:?}", world.files(".log"));
    assert_eq!(world.batches().len(), 20);
}

#[test]
fn index_files_are_there_with_the_first_batch_and_complete_once_the_segment_is_closed() {
    let mut world = World::new(small());
    let len =
        |world: &World, name: &str| world.disk.read_file(&world.file(name), 1 << 20).unwrap().len();
    assert!(world.files("index").is_empty(), "a partition without records has none");
    (0..8).for_each(|time| _ = world.fill(&[&[time]]));
    assert_eq!(world.files("index").len(), 2);
    assert_eq!(len(&world, "00000000000000000000.index"), 0, "entries are written out behind");
    let bytes = batch(&[1]).size_bytes();
    // An entry comes once more than 100 bytes lie since the last one: every other batch.
    assert!((51..=100).contains(&bytes));
    world.stop();
    assert_eq!(len(&world, "00000000000000000000.index"), 3 * 8);
    assert_eq!(
        len(&world, "00000000000000000000.timeindex"),
        4 * 12,
        "the latest is added at close"
    );
    let index = world.disk.read_file(&world.file("00000000000000000000.index"), 100).unwrap();
    let entry = |i: usize| {
        (index[i * 8 + 3], u32::from_be_bytes(index[i * 8 + 4..][..4].try_into().unwrap()))
    };
    assert_eq!(
        [entry(0), entry(1), entry(2)],
        [(2, 2 * bytes as u32), (4, 4 * bytes as u32), (6, 6 * bytes as u32)]
    );
}

#[test]
fn a_batch_larger_than_a_segment_is_refused() {
    let mut world = World::new(LogConfig { segment_bytes: 100, ..small() });
    assert_eq!(code(world.append(batch(&[0; 20]))), "RECORD_LIST_TOO_LARGE");
    assert_eq!(world.fill(&[&[1]]), [0]);
}

#[test]
fn a_repeated_batch_is_answered_with_its_first_offset_even_after_a_restart() {
    for kill in [false, true] {
        let mut world = World::new(small());
        for i in 0..8 {
            world.append(from_producer(9, 0, i * 2, 2)).unwrap();
        }
        match kill {
            true => _ = world.kill_and_start(),
            false => {
                world.stop();
                world.start();
            }
        }
        for i in 3..8 {
            let again = world.append(from_producer(9, 0, i * 2, 2)).unwrap();
            assert_eq!((again.base_offset, again.duplicate), (Offset(i64::from(i) * 2), true));
            assert_eq!(again.last_offset, Offset(i64::from(i) * 2 + 1));
        }
        assert_eq!(code(world.append(from_producer(9, 0, 4, 2))), "OUT_OF_ORDER_SEQUENCE_NUMBER");
        assert_eq!(code(world.append(from_producer(9, -1, 16, 1))), "INVALID_PRODUCER_EPOCH");
        let next = world.append(from_producer(9, 0, 16, 1)).unwrap();
        assert_eq!((next.base_offset, next.duplicate), (Offset(16), false));
    }
}

#[test]
fn several_batches_are_written_at_once_and_each_is_judged_for_itself() {
    let mut world = World::new(LogConfig { segment_bytes: 400, ..small() });
    world.fill(&[&[0]]);
    let before = world.disk.mutations();
    let three = [from_producer(1, 0, 0, 1), from_producer(1, 0, 1, 1), from_producer(1, 0, 9, 1)];
    let context = world.context();
    let results = world.log().append_all(three, context);
    assert_eq!(results[0].as_ref().unwrap().base_offset, Offset(1));
    assert_eq!(results[1].as_ref().unwrap().base_offset, Offset(2));
    assert_eq!(
        results[2].as_ref().unwrap_err().error_code().name(),
        "OUT_OF_ORDER_SEQUENCE_NUMBER"
    );
    assert_eq!(world.disk.mutations() - before, 1, "one write for both");
    let many = (0..20).map(|time| batch(&[time]));
    let results = world.log().append_all(many, context);
    let bases: Vec<i64> =
        results.iter().map(|result| result.as_ref().unwrap().base_offset.0).collect();
    assert_eq!(bases, (3..23).collect::<Vec<_>>());
    assert!(world.files(".log").len() > 3);
    assert_eq!(world.batches().len(), 23);
}

#[test]
fn after_a_disk_error_the_log_refuses_everything_until_it_is_opened_anew() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    world.disk.fail(Operation::Write, DATA, ".log");
    let error = world.append(batch(&[3])).unwrap_err();
    assert!(matches!(error, AppendError::Storage(StorageError::Io { .. })), "{error}");
    assert_eq!(error.error_code().name(), "KAFKA_STORAGE_ERROR");
    world.disk.heal();
    let refused = world.append(batch(&[3])).unwrap_err();
    assert!(matches!(refused, AppendError::Storage(StorageError::Poisoned { .. })), "{refused}");
    assert!(world.reader().read(at(0), 100, at(2), true).is_err());
    assert!(world.dir().is_offline());
    // It cannot be closed, so it will not be taken for clean: half a batch may lie at the end.
    assert!(world.log.take().unwrap().close().is_err());
    assert!(world.dir.take().unwrap().close(1).is_err());
    world.crash(Crash::Kill);
    let report = world.start();
    assert_eq!(report.scanned_segments, 1);
    assert_eq!(offsets(&world.batches()), [(0, 0), (1, 1)]);
    assert_eq!(world.fill(&[&[3]]), [2]);
}

#[test]
fn a_follower_keeps_the_leader_s_offsets_and_epochs() {
    let mut leader = World::new(small());
    leader.fill(&[&[1], &[2]]);
    leader.epoch = 3;
    leader.fill(&[&[3, 4]]);
    let mut follower = World::new(small());
    let sent = leader.batches();
    let appended = follower.log().append_as_follower(replicated(&sent), NOW).unwrap();
    assert_eq!((appended.base_offset, appended.last_offset), (Offset(0), Offset(3)));
    assert_eq!(follower.batches(), sent);
    assert_eq!(follower.reader().leader_epoch_at(at(1)), Some(LeaderEpoch(0)));
    assert_eq!(follower.reader().leader_epoch_at(at(3)), Some(LeaderEpoch(3)));
    // What is here already is refused, not written twice.
    let again = follower.log().append_as_follower(replicated(&sent), NOW);
    assert!(matches!(again, Err(AppendError::OffsetNotMonotonic { .. })));
    // A gap is legal: compaction leaves them.
    let later = sent[2].moved_to(Offset(40), LeaderEpoch(3));
    follower.log().append_as_follower(replicated(&[later]), NOW).unwrap();
    assert_eq!(follower.log().log_end(), Offset(42));
    assert_eq!(follower.reader().read(at(20), 1000, at(42), true).unwrap().base_offset, Offset(40));
}

/// Under the epoch without records it would be taken for a record that no other replica has, and be
/// cut although it is committed.
#[test]
fn what_a_deposed_leader_then_copies_is_not_taken_for_its_own_epoch() {
    let mut leader = World::new(small());
    leader.epoch = 3;
    leader.fill(&[&[1], &[2]]);
    leader.epoch = 5;
    leader.fill(&[&[3]]);
    let sent = leader.batches();
    let mut follower = World::new(small());
    follower.log().append_as_follower(replicated(&sent[..1]), NOW).unwrap();
    follower.log().begin_epoch(LeaderEpoch(4)).unwrap();
    follower.log().append_as_follower(replicated(&sent[1..2]), NOW).unwrap();
    let end_of_3 = EpochEnd { epoch: LeaderEpoch(3), end_offset: Offset(2) };
    let known = |follower: &mut World| follower.log().epoch_end_offset(LeaderEpoch(3));
    assert_eq!(known(&mut follower), Some(end_of_3));
    assert_eq!(follower.log().latest_epoch(), Some(LeaderEpoch(3)));
    assert_eq!(follower.reader().leader_epoch_at(at(1)), Some(LeaderEpoch(3)));
    follower.crash(Crash::Kill);
    assert!(!follower.start().rebuilt_epochs, "the file says the same");
    assert_eq!(known(&mut follower), Some(end_of_3));
    follower.log().append_as_follower(replicated(&sent[2..]), NOW).unwrap();
    assert_eq!(known(&mut follower), Some(end_of_3));
    assert_eq!(follower.reader().leader_epoch_at(at(2)), Some(LeaderEpoch(5)));
}

/// A broker is elected for thousands of partitions at once.
#[test]
fn an_epoch_begins_without_touching_a_file_and_is_in_the_file_before_its_first_batch() {
    let mut world = World::new(small());
    world.fill(&[&[1]]);
    let before = world.disk.mutations();
    world.log().begin_epoch(LeaderEpoch(4)).unwrap();
    assert_eq!(world.disk.mutations(), before);
    assert_eq!(world.log().latest_epoch(), Some(LeaderEpoch(4)));
    world.epoch = 4;
    world.fill(&[&[2]]);
    let text = world.disk.read_file(&world.file("leader-epoch-checkpoint"), 1000).unwrap();
    assert_eq!(text, b"0\n2\n0 0\n4 1\n");
    world.crash(Crash::Kill);
    assert!(!world.start().rebuilt_epochs);
    assert_eq!(world.log().latest_epoch(), Some(LeaderEpoch(4)));
}

#[test]
fn a_damaged_batch_is_not_replicated_but_those_before_it_are() {
    let mut leader = World::new(small());
    leader.fill(&[&[1], &[2]]);
    let mut bytes = replicated(&leader.batches()).to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let mut follower = World::new(small());
    let refused = follower.log().append_as_follower(bytes.into(), NOW);
    assert_eq!(code(refused), "CORRUPT_MESSAGE");
    assert_eq!(follower.log().log_end(), Offset(1));
}

#[test]
fn a_follower_whose_leader_starts_inside_a_batch_gets_the_whole_batch() {
    let mut leader = World::new(small());
    leader.fill(&[&[1, 2, 3, 4], &[5]]);
    let mut follower = World::new(small());
    follower.log().reset_to(at(2), NOW).unwrap();
    follower.log().append_as_follower(replicated(&leader.batches()), NOW).unwrap();
    assert_eq!((follower.log().log_start(), follower.log().log_end()), (Offset(2), Offset(5)));
    let slice = follower.reader().read(at(2), 1000, at(5), true).unwrap();
    assert_eq!((slice.base_offset, slice.next_offset), (Offset(0), Offset(5)));
}

/// KIP-360: who is unknown may have been forgotten, or deleted with its records.
#[test]
fn while_beginnings_are_expected_only_who_may_have_been_forgotten_starts_in_the_middle() {
    const OUT_OF_ORDER: &str = "OUT_OF_ORDER_SEQUENCE_NUMBER";
    let mut world = World::new(small());
    world.append(from_producer(1, 0, 0, 1)).unwrap();
    world.append(from_producer(2, 0, 5, 1)).unwrap();
    world.log().expect_beginnings(WallTime(NOW.0 - 1)..WallTime(NOW.0 + 1));
    assert_eq!(code(world.append(from_producer(3, 0, 5, 1))), OUT_OF_ORDER);
    world.append(from_producer(3, 0, 0, 1)).unwrap();
    world.append(from_producer(2, 0, 6, 1)).unwrap();
    world.log().truncate_to(Offset(1), NOW).unwrap();
    assert_eq!(code(world.append(from_producer(2, 0, 7, 1))), OUT_OF_ORDER, "cut off");
    world.log().expect_beginnings(WallTime(NOW.0 - 9)..NOW);
    world.append(from_producer(4, 0, 5, 1)).expect("not expected any more");

    let mut forgets = World::new(small());
    forgets.append(from_producer(1, 0, 0, 1)).unwrap();
    forgets.log().expect_beginnings(NOW..WallTime(NOW.0 + 1));
    forgets.log().expire_producers(WallTime(i64::MAX));
    forgets.append(from_producer(2, 0, 5, 1)).expect("as the first one may");

    let mut begins_late = World::new(small());
    begins_late.log().reset_to(Offset(7), NOW).unwrap();
    begins_late.log().expect_beginnings(NOW..WallTime(NOW.0 + 1));
    begins_late.append(from_producer(1, 0, 5, 1)).expect("what it wrote may lie before");
}

fn end(world: &mut World, id: i64, record: ControlRecord) {
    let marker = record.marker_batch(ProducerId(id), ProducerEpoch(0), WallTime(NOW.0));
    let context = AppendContext { origin: AppendOrigin::Coordinator, ..world.context() };
    world.log().append(ValidatedBatch::trusted(marker), context).unwrap();
}

#[test]
fn open_transactions_hold_the_last_stable_offset_and_aborted_ones_are_indexed() {
    for restart in [false, true] {
        let mut world = World::new(small());
        world.append(batch(&[1])).unwrap();
        world.append(transactional(1, 0, 2)).unwrap(); // 1..=2
        world.append(transactional(2, 0, 1)).unwrap(); // 3
        end(&mut world, 1, ControlRecord::Abort { coordinator_epoch: 0 }); // 4
        if restart {
            world.kill_and_start();
        }
        assert_eq!(world.log().ongoing_transactions(), [(ProducerId(2), Offset(3))]);
        assert_eq!(
            world.reader().last_stable_offset(at(5)),
            Offset(1),
            "the marker must be replicated"
        );
        world.log().note_high_watermark(at(5));
        assert_eq!(world.reader().last_stable_offset(at(5)), Offset(3));
        end(&mut world, 2, ControlRecord::Commit { coordinator_epoch: 0 }); // 5
        world.log().note_high_watermark(at(6));
        assert_eq!(world.reader().last_stable_offset(at(6)), Offset(6));
        let aborted = world.reader().aborted_transactions(at(0), at(6)).unwrap();
        assert_eq!(aborted.len(), 1);
        assert_eq!((aborted[0].producer_id, aborted[0].first_offset), (ProducerId(1), Offset(1)));
        assert_eq!((aborted[0].last_offset, aborted[0].last_stable_offset), (Offset(4), Offset(3)));
        // Only those that touch the range that was read.
        assert!(world.reader().aborted_transactions(at(5), at(6)).unwrap().is_empty());
        assert!(world.reader().aborted_transactions(at(0), at(1)).unwrap().is_empty());
    }
}
