//! What compaction promises, one promise a test, and the mistakes others have made.

use crate::cleaning_support::*;
use crate::support::*;
use env::Disk;
use records::validate::ValidatedBatch;
use records::{BatchBuilder, Compression, NewRecord};
use storage::cleaner::{CleanerSettings, CleaningError, Placed, Step};
use storage::{LogConfig, StorageError};
use types::{Offset, ProducerId, WallTime};

fn world() -> World {
    World::new(compacted())
}

#[test]
fn of_each_key_the_last_value_stays_at_its_offset() {
    let mut world = world();
    world.put(&[("a", Some("1")), ("b", Some("1"))]);
    world.put(&[("a", Some("2"))]);
    world.roll();
    world.put(&[("b", Some("2")), ("c", Some("1"))]);
    world.roll();
    world.put(&[("a", Some("3"))]);
    let report = world.clean().unwrap();
    // The active segment's newer value does not count yet.
    let expected =
        is(&[(2, "a", Some("2")), (3, "b", Some("2")), (4, "c", Some("1")), (5, "a", Some("3"))]);
    assert_eq!(world.records(), expected);
    assert_eq!((report.segments_before, report.segments_after), (2, 1));
    assert_eq!((world.log().log_start(), world.log().log_end()), (at(0), at(6)));
    assert_eq!(world.clean(), None, "nothing is new");
}

#[test]
fn every_offset_can_still_be_asked_for() {
    let mut world = world();
    for round in 0..40 {
        world.put(&[("a", Some("x")), ("b", Some("y"))]);
        if round % 7 == 0 {
            world.roll();
        }
    }
    world.roll();
    world.clean();
    world.put(&[("z", Some("1"))]);
    let reader = world.reader();
    for offset in 0..reader.log_end().0 {
        let slice = reader.read(at(offset), 1, reader.log_end(), true).unwrap();
        assert!(!slice.is_empty(), "a reader at {offset} would wait for ever");
        assert!(slice.next_offset.0 > offset);
    }
}

#[test]
fn the_last_batch_of_a_segment_stays_if_only_as_a_head() {
    let mut world = world();
    world.put(&[("a", Some("1"))]);
    world.put(&[("b", Some("1"))]);
    world.put(&[("a", Some("2"))]);
    world.roll();
    world.put(&[("a", Some("3"))]);
    world.roll();
    world.clean();
    world.kill_and_start();
    // redpanda#13609: else the log would end before the offsets that it has given away.
    let kept = offsets(&world.batches());
    assert_eq!(kept, [(1, 1), (2, 2), (3, 3)]);
    assert!(texts(&world.batches()[1]).is_empty());
    assert_eq!(world.log().log_end(), at(4));
}

#[test]
fn offsets_and_times_of_what_stays_in_a_batch_are_what_they_were() {
    let mut world = world();
    let mut builder = BatchBuilder::new().compression(Compression::Lz4);
    for (time, key) in [(100, "a"), (250, "b"), (170, "c"), (300, "a")] {
        let key = Some(key.as_bytes());
        builder.push(NewRecord { timestamp: WallTime(time), key, value: Some(b"v"), headers: &[] });
    }
    world.append(ValidatedBatch::trusted(builder.build())).unwrap();
    world.roll();
    world.put(&[("c", Some("2"))]);
    world.roll();
    world.clean();
    // redpanda#30998: the first record went, and with it what the others' times count from.
    let batch = &world.batches()[0];
    batch.verify_crc().unwrap();
    assert_eq!(batch.header().compression().unwrap(), Compression::Lz4);
    let records: Vec<_> = batch.records().unwrap().map(Result::unwrap).collect();
    let kept: Vec<_> = records.iter().map(|r| (r.offset.0, r.timestamp.0)).collect();
    assert_eq!(kept, [(1, 250), (3, 300)]);
    assert_eq!((batch.base_offset(), batch.last_offset()), (at(0), at(3)));
}

#[test]
fn a_batch_of_which_nothing_goes_stays_byte_for_byte() {
    let mut world = world();
    let codecs = Compression::ALL;
    for (codec, key) in codecs.into_iter().zip(["a", "b", "c", "d", "e"]) {
        let batch = keyed(&[(key, Some("value"))], codec).build();
        world.append(ValidatedBatch::trusted(batch)).unwrap();
    }
    world.put(&[("z", Some("1"))]);
    world.put(&[("z", Some("2"))]);
    world.roll();
    let before = world.batches();
    world.clean();
    let after = world.batches();
    assert_eq!(after[..5], before[..5]);
    assert_eq!(after.len(), 6, "one batch of z went");
}

#[test]
fn tombstones_are_stamped_once_and_go_when_their_time_has_come() {
    let mut world = world();
    world.put(&[("a", Some("1"))]);
    world.put(&[("a", None), ("b", Some("1"))]);
    world.roll();
    world.clean_at(NOW.0);
    let horizon = |world: &World| world.batches()[0].header().delete_horizon();
    assert_eq!(world.records(), is(&[(1, "a", None), (2, "b", Some("1"))]));
    assert_eq!(horizon(&world), Some(WallTime(NOW.0 + 1000)));
    world.put(&[("c", Some("1"))]);
    world.roll();
    world.clean_at(NOW.0 + 999);
    assert_eq!(horizon(&world), Some(WallTime(NOW.0 + 1000)), "KIP-534: the first one counts");
    assert_eq!(world.records().len(), 3);
    world.put(&[("d", Some("1"))]);
    world.roll();
    world.clean_at(NOW.0 + 1000);
    let left = is(&[(2, "b", Some("1")), (3, "c", Some("1")), (4, "d", Some("1"))]);
    assert_eq!(world.records(), left);
}

#[test]
fn a_timestamp_far_ahead_does_not_let_a_tombstone_go_early() {
    let mut world = world();
    // KAFKA-4529: the horizon came from the times of records in earlier segments.
    let mut builder = BatchBuilder::new();
    let (timestamp, key) = (WallTime(NOW.0 * 1000), Some(&b"x"[..]));
    builder.push(NewRecord { timestamp, key, value: Some(b"v"), headers: &[] });
    world.append(ValidatedBatch::trusted(builder.build())).unwrap();
    world.roll();
    world.put(&[("a", Some("1"))]);
    world.roll();
    world.put(&[("a", None)]);
    world.roll();
    world.clean_at(NOW.0);
    world.put(&[("y", Some("1"))]);
    world.roll();
    world.clean_at(NOW.0 + 999);
    assert!(world.records().contains(&(2, "a".into(), None)));
}

#[test]
fn records_of_an_aborted_transaction_go_and_those_of_a_committed_one_stay() {
    let mut world = world();
    world.put(&[("a", Some("old")), ("b", Some("old"))]);
    world.put_in_transaction(1, 0, &[("a", Some("aborted"))]);
    world.put_in_transaction(2, 0, &[("b", Some("committed"))]);
    world.end_transaction(1, false);
    world.end_transaction(2, true);
    world.roll();
    let before = world.committed();
    world.clean();
    // The aborted record must not take the place of the committed one of its key.
    assert_eq!(world.committed(), is(&[(0, "a", Some("old")), (3, "b", Some("committed"))]));
    assert_eq!(world.records(), world.committed());
    assert!(before.contains(&(1, "b".into(), Some("old".into()))));
}

#[test]
fn a_marker_outlives_every_batch_of_its_transaction_across_groups_of_segments() {
    // Segments are so small that each stays one of its own: the marker is in another group.
    let mut world = World::new(LogConfig { segment_bytes: 160, ..compacted() });
    world.put_in_transaction(1, 0, &[("a", Some("1")), ("b", Some("1"))]);
    world.put_in_transaction(2, 0, &[("c", Some("1"))]);
    world.end_transaction(1, true);
    world.end_transaction(2, false);
    world.put(&[("x", Some("1"))]);
    world.roll();
    // KAFKA-8351: the state of transactions was forgotten between groups.
    for round in 0..4 {
        world.clean_at(NOW.0 + round * 5000);
        assert!(markers(&world).contains(&3), "records of the transaction are there");
        assert_eq!(world.log().last_stable_offset(Offset(i64::MAX)), Offset(i64::MAX));
        world.put(&[(&format!("filler {round}"), Some("1"))]);
        world.roll();
    }
}

fn markers(world: &World) -> Vec<i64> {
    let batches = world.batches();
    let control = batches.iter().filter(|batch| batch.header().is_control());
    control.filter(|batch| batch.header().records_count > 0).map(|b| b.base_offset().0).collect()
}

#[test]
fn markers_are_not_taken_for_values_of_one_key() {
    let mut world = world();
    // redpanda#16295, crabka#528: all commit markers have the same key.
    for id in 1..4 {
        world.put_in_transaction(id, 0, &[(["", "a", "b", "c"][id as usize], Some("1"))]);
        world.end_transaction(id, true);
    }
    world.roll();
    world.clean();
    assert_eq!(markers(&world), [1, 3, 5]);
    assert_eq!(world.committed().len(), 3);
}

#[test]
fn a_marker_of_which_nothing_else_is_left_goes_after_the_retention_and_not_before() {
    // The producers are forgotten, so that nothing is kept for their sake.
    let config = LogConfig { producer_id_expiration_ms: 1, ..compacted() };
    let mut world = World::new(config);
    world.put_in_transaction(1, 0, &[("a", Some("1"))]);
    world.end_transaction(1, true);
    world.put_in_transaction(2, 0, &[("b", Some("1"))]);
    world.end_transaction(2, false);
    world.roll();
    world.put(&[("a", Some("2"))]);
    world.roll();
    world.log().expire_producers(WallTime(NOW.0 + 10));
    world.clean_at(NOW.0);
    assert_eq!(markers(&world), [1, 3], "their batches have just gone");
    let mut next = |now: i64, key: &str| {
        world.put(&[(key, Some("1"))]);
        world.roll();
        world.clean_at(now);
        markers(&world)
    };
    assert_eq!(next(NOW.0 + 1, "n"), [1, 3], "stamped");
    assert_eq!(next(NOW.0 + 1000, "o"), [1, 3], "KAFKA-8522: not on another horizon");
    assert_eq!(next(NOW.0 + 1001, "p"), [0; 0], "and not for ever");
}

#[test]
fn nothing_is_cleaned_from_the_segment_of_an_open_transaction_on() {
    let mut world = world();
    world.put(&[("a", Some("1"))]);
    world.put(&[("a", Some("2"))]);
    world.roll();
    world.put_in_transaction(1, 0, &[("b", Some("1"))]);
    world.roll();
    world.put(&[("b", Some("2"))]);
    world.put(&[("b", Some("3"))]);
    world.roll();
    // redpanda#19931
    assert_eq!(world.cleaning_due(NOW).unwrap().end, at(2));
    world.clean();
    assert_eq!(world.records().len(), 4);
    world.end_transaction(1, true);
    world.roll();
    world.clean();
    assert_eq!(world.records(), is(&[(1, "a", Some("2")), (4, "b", Some("3"))]));
}

#[test]
fn a_segment_that_was_flushed_while_it_was_active_is_cleaned_once_it_is_closed() {
    let mut world = world();
    world.put(&[("a", Some("1"))]);
    world.put(&[("a", Some("2"))]);
    world.log().flush().unwrap();
    world.roll();
    world.clean();
    assert_eq!(world.records(), is(&[(1, "a", Some("2"))]));
    world.crash(env_sim::Crash::PowerLoss);
    world.start();
    assert_eq!(world.records(), is(&[(1, "a", Some("2"))]));
}

#[test]
fn only_what_survives_power_loss_is_cleaned() {
    let mut world = world();
    world.put(&[("a", Some("1"))]);
    world.put(&[("a", Some("2"))]);
    world.roll();
    let to_clean = world.cleaning_due(NOW).unwrap();
    let begun = world.log().begin_cleaning(&to_clean, &ROOMY, NOW).unwrap();
    assert!(begun.is_none(), "nothing was flushed yet");
}

#[test]
fn more_keys_than_fit_the_buffer_take_several_rounds_each_with_progress() {
    let mut world = world();
    for round in 0..4 {
        for key in 0..25 {
            let (key, value) = (format!("key {key}"), format!("{round}"));
            world.put(&[(&key, Some(&value))]);
        }
    }
    world.roll();
    // One segment has more keys than fit: Kafka's cleaner died of that for years.
    let tiny = CleanerSettings { dedupe_buffer_bytes: 24 * 8, ..ROOMY };
    let mut last = Offset(-1);
    while let Some(to_clean) = world.cleaning_due(NOW) {
        assert!(to_clean.first_dirty > last, "no progress from {last}");
        last = to_clean.first_dirty;
        let report = world.clean_with(&tiny, NOW).unwrap().unwrap();
        assert!(report.keys <= 7);
    }
    assert_eq!(world.records().len(), 25);
    assert!(world.records().iter().all(|(_, _, value)| value.as_deref() == Some("3")));
}

#[test]
fn one_batch_with_more_keys_than_the_buffer_is_cleaned_too() {
    let mut world = World::new(LogConfig { segment_bytes: 100_000, ..compacted() });
    let keys: Vec<String> = (0..200).map(|key| format!("key {key}")).collect();
    let pairs: Vec<_> = keys.iter().map(|key| (&**key, Some("1"))).collect();
    world.put(&pairs);
    world.put(&pairs);
    world.roll();
    let tiny = CleanerSettings { dedupe_buffer_bytes: 0, ..ROOMY };
    while world.clean_with(&tiny, NOW).unwrap().is_some() {}
    assert_eq!(world.records().len(), 200);
    assert_eq!(world.records()[0].0, 200);
}

#[test]
fn records_without_a_key_go_once_their_topic_is_compacted() {
    let mut world = world();
    world.fill(&[&[1, 2], &[3]]);
    world.put(&[("a", Some("1"))]);
    world.roll();
    world.clean();
    assert_eq!(world.records(), is(&[(3, "a", Some("1"))]));
}

#[test]
fn small_segments_become_one_and_a_full_one_stays_alone() {
    let mut world = world();
    for key in 0..30 {
        world.put(&[(&format!("key {key}"), Some("a value of some length"))]);
        if key < 12 {
            world.roll();
        }
    }
    world.roll();
    let before = world.files(".log").len();
    let size = world.reader().size_bytes().unwrap();
    world.clean();
    let after = world.files(".log").len();
    assert!(before >= 15 && after <= before / 2, "{before} files became {after}");
    assert_eq!(world.reader().size_bytes().unwrap(), size, "every key is another one");
    // The active segment is empty and has none yet.
    for (kind, count) in [(".index", after - 1), (".timeindex", after - 1)] {
        assert_eq!(world.files(kind).len(), count);
    }
    let batches = world.batches();
    world.kill_and_start();
    assert_eq!(world.batches(), batches);
}

#[test]
fn producers_are_known_from_the_cleaned_log_alone() {
    let mut world = world();
    for sequence in 0..8 {
        world.put_as_producer(1, sequence, &[("a", Some("1"))]);
    }
    world.put_in_transaction(2, 0, &[("a", Some("2"))]);
    world.end_transaction(2, true);
    world.put_in_transaction(2, 1, &[("a", Some("3"))]);
    world.end_transaction(2, false);
    world.put(&[("a", Some("4"))]);
    world.roll();
    world.commit_all();
    let before = world.log().producers().clone();
    for round in 0..3 {
        world.clean_at(NOW.0 + round * 2000);
        let key = format!("filler {round}");
        world.put(&[(&key, Some("1"))]);
        world.roll();
    }
    world.log().flush().unwrap();
    let disk = world.disk.clone();
    world.crash(env_sim::Crash::Kill);
    remove_snapshots(&disk, &world);
    world.start();
    world.commit_all();
    assert_eq!(*world.log().producers(), before);
    let end = world.log().log_end();
    assert_eq!(world.log().last_stable_offset(end), end);
    // A retry of any of the last five is still known.
    let repeated = keyed(&[("a", Some("1"))], Compression::None);
    let repeated = repeated.producer(ProducerId(1), types::ProducerEpoch(0), types::Sequence(3));
    let appended = world.append(ValidatedBatch::trusted(repeated.build())).unwrap();
    assert!(appended.duplicate && appended.base_offset == at(3));
}

#[test]
fn the_last_marker_of_a_producer_stays_while_it_says_which_epoch_is_fenced() {
    let mut world = world();
    world.put_in_transaction(1, 0, &[("a", Some("1"))]);
    world.end_transaction_in(1, 1, true);
    world.put(&[("a", Some("2"))]);
    world.roll();
    world.commit_all();
    let before = world.log().producers().clone();
    assert!(before.get(ProducerId(1)).unwrap().batches.is_empty());
    for round in 0..3 {
        world.clean_at(NOW.0 + round * 2000);
        world.put(&[("filler", Some("1"))]);
        world.roll();
    }
    assert_eq!(markers(&world), [1], "its transaction has gone, its time is over");
    world.log().flush().unwrap();
    world.crash(env_sim::Crash::Kill);
    remove_snapshots(&world.disk, &world);
    world.start();
    world.commit_all();
    assert_eq!(*world.log().producers(), before);
}

#[test]
fn a_reader_of_the_replaced_segments_sees_the_log_as_it_is() {
    let mut world = world();
    for value in 0..20 {
        world.put(&[("a", Some(&format!("{value}")))]);
    }
    world.roll();
    let reader = world.reader();
    let first = reader.read(at(0), 200, reader.log_end(), true).unwrap();
    assert_eq!(first.base_offset, at(0));
    world.clean();
    let next = reader.read(first.next_offset, 1000, reader.log_end(), true).unwrap();
    let batches: Vec<_> = records::batches(&next.bytes).map(Result::unwrap).collect();
    let left: Vec<_> = batches.iter().flat_map(texts).collect();
    assert_eq!(left, is(&[(19, "a", Some("19"))]));
    assert!(world.files(".deleted").len() >= 3, "open files stay until they are removed");
    let deleted = world.log().take_deleted();
    world.dir().remove_files(&deleted).unwrap();
    assert_eq!(world.files(".deleted"), [""; 0]);
}

#[test]
fn a_log_that_is_cut_while_it_is_cleaned_keeps_the_cut() {
    for trims in [false, true] {
        let mut world = world();
        for value in 0..20 {
            world.put(&[("a", Some(&format!("{value}")))]);
            world.roll();
        }
        let to_clean = world.cleaning_due(NOW).unwrap();
        world.log().flush().unwrap();
        let mut cleaning = world.log().begin_cleaning(&to_clean, &ROOMY, NOW).unwrap().unwrap();
        while cleaning.step(100).unwrap() != Step::Ready {}
        match trims {
            true => _ = world.log().advance_log_start(at(3)).unwrap(),
            false => world.log().truncate_to(at(10), NOW).unwrap(),
        }
        assert!(matches!(cleaning.step(100), Err(CleaningError::Moved)));
        let placed = world.log().put_in_place(&mut cleaning).unwrap();
        assert_eq!(placed, Placed::Moved);
        cleaning.give_up().unwrap();
        assert_eq!(world.files(".cleaned"), [""; 0]);
        let ends = (world.log().log_start(), world.log().log_end());
        assert_eq!(ends, if trims { (at(3), at(20)) } else { (at(0), at(10)) });
        world.clean();
        assert_eq!(world.records().len(), 1);
    }
}

#[test]
fn a_damaged_batch_ends_the_cleaning_and_leaves_the_log_in_use() {
    // In the second batch: an offset, which no checksum covers, a length, and the records.
    for rotten in [70, 79, 135] {
        let mut world = world();
        world.put(&[("a", Some("1"))]);
        world.put(&[("a", Some("2"))]);
        world.roll();
        world.put(&[("b", Some("1"))]);
        world.log().flush().unwrap();
        world.disk.rot(&world.file("00000000000000000000.log"), rotten, 1);
        let error = world.clean_with(&ROOMY, NOW).unwrap_err();
        assert!(matches!(error, CleaningError::Storage(StorageError::Corrupt { .. })), "{error}");
        world.put(&[("b", Some("2"))]);
        assert_eq!(world.reader().read(at(2), 100, at(4), true).unwrap().base_offset, at(2));
    }
}

#[test]
fn the_checkpoint_is_kafkas_and_goes_down_with_a_truncation() {
    let mut world = world();
    world.put(&[("a", Some("1"))]);
    world.put(&[("a", Some("2"))]);
    world.roll();
    world.put(&[("a", Some("3"))]);
    world.clean();
    let path = std::path::Path::new(DATA).join("cleaner-offset-checkpoint");
    let text = |world: &World| String::from_utf8(world.disk.read_file(&path, 1000).unwrap());
    assert_eq!(text(&world).unwrap(), "0\n1\norders 0 2\n");
    world.stop();
    world.start();
    assert_eq!(world.clean(), None, "known from the last process");
    world.log().truncate_to(at(1), NOW).unwrap();
    assert_eq!(text(&world).unwrap(), "0\n1\norders 0 1\n");
    world.log.take();
}

#[test]
fn the_latest_record_is_found_where_the_batch_of_the_latest_time_is_empty() {
    let mut world = world();
    let mut later = BatchBuilder::new();
    let timestamp = WallTime(NOW.0 + 500);
    later.push(NewRecord { timestamp, key: Some(b"a"), value: Some(b"1"), headers: &[] });
    world.put(&[("b", Some("1"))]);
    world.append(ValidatedBatch::trusted(later.build())).unwrap();
    world.roll();
    world.put(&[("a", Some("2"))]);
    world.roll();
    world.clean();
    let found = world.reader().max_timestamp().unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp), (at(0), NOW));
    assert_eq!(world.reader().offset_for_timestamp(WallTime(NOW.0 + 1)).unwrap(), None);
}
