use crate::support::*;
use env::{Disk, DiskFile, OpenMode};
use env_sim::Crash;
use storage::limits::{HEADS_SEEN_MAX, LOOKUP_CHUNK_BYTES};
use storage::{LogConfig, LogSettings, RecoveryReport};
use types::{LeaderEpoch, Offset, TopicPartition, WallTime};

fn many_segments() -> World {
    let mut world = World::new(LogConfig { segment_bytes: 250, ..small() });
    (0..20).for_each(|time| _ = world.append(from_producer(1, 0, time, 1)).unwrap());
    world
}

#[test]
fn a_clean_stop_makes_the_next_start_scan_nothing() {
    let mut world = many_segments();
    world.stop();
    let before = world.disk.mutations();
    assert_eq!(world.start(), RecoveryReport::default());
    // The marker goes, by name and by a sync.
    assert!(world.disk.mutations() - before < 5);
    assert_eq!(world.log().recovery_point(), Offset(20));
    assert_eq!(world.batches().len(), 20);
}

#[test]
fn a_killed_process_costs_a_scan_from_the_recovery_point_on() {
    let mut world = many_segments();
    let segments = world.files(".log").len();
    assert_eq!(world.kill_and_start().scanned_segments, segments);
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    let report = world.kill_and_start();
    assert_eq!(report, RecoveryReport { scanned_segments: 1, ..RecoveryReport::default() });
    assert_eq!(world.batches().len(), 20);
    assert_eq!(world.log().producers().len(), 1);
}

#[test]
fn a_torn_tail_is_cut_at_the_last_whole_batch_whatever_is_left_of_it() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2], &[3, 3, 3]]);
    let log = world.disk.read_file(&world.file("00000000000000000000.log"), 1 << 20).unwrap();
    let sizes: Vec<usize> = world.batches().iter().map(|batch| batch.size_bytes()).collect();
    let last = sizes[0] + sizes[1];
    world.crash(Crash::Kill);
    for cut in 0..=log.len() {
        let path = world.file("00000000000000000000.log");
        world.disk.open(&path, OpenMode::Truncate).unwrap().write_at(&log[..cut], 0).unwrap();
        let report = world.start();
        let (whole, end) = match cut {
            cut if cut < sizes[0] => (0, 0),
            cut if cut < last => (sizes[0], 1),
            cut if cut < log.len() => (last, 2),
            _ => (log.len(), 5),
        };
        assert_eq!(world.log().log_end(), Offset(end), "cut at {cut}");
        let lost = report.cut.map_or(0, |cut| cut.bytes as usize);
        assert_eq!(lost, cut - whole);
        assert_eq!(world.disk.read_file(&path, 1 << 20).unwrap().len(), whole);
        world.crash(Crash::Kill);
    }
}

#[test]
fn damage_anywhere_in_a_batch_cuts_there_and_drops_later_segments() {
    let mut world = many_segments();
    let first = world.disk.read_file(&world.file("00000000000000000000.log"), 1 << 20).unwrap();
    world.crash(Crash::Kill);
    let size = batch(&[1]).size_bytes();
    // Every byte counts but the leader epoch's, which is outside the checksum.
    for position in (size..2 * size).filter(|position| !(12..16).contains(&(position - size))) {
        let mut damaged = many_segments();
        let path = damaged.file("00000000000000000000.log");
        assert_eq!(damaged.disk.read_file(&path, 1 << 20).unwrap().len(), first.len());
        damaged.disk.rot(&path, position, 0x10);
        let report = damaged.kill_and_start();
        assert_eq!(damaged.log().log_end(), Offset(1), "damage at {position}");
        assert!(report.dropped_segments > 2);
        assert!(!report.cut.unwrap().below_recovery_point);
        assert_eq!(damaged.files(".log").len(), 1);
        assert_eq!(damaged.append(from_producer(1, 0, 1, 1)).unwrap().base_offset, Offset(1));
    }
}

#[test]
fn damage_below_the_recovery_point_is_reported_as_a_loss() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    world.fill(&[&[3]]);
    // Of the first batch's size: the way to the recovery point leads over it.
    world.disk.rot(&world.file("00000000000000000000.log"), 11, 0x10);
    let cut = world.kill_and_start().cut.unwrap();
    assert!(cut.below_recovery_point, "{cut:?}");
    assert_eq!(cut.at, Offset(0));
    // What is gone is not durable.
    assert!(world.log().recovery_point() <= world.log().log_end());
}

#[test]
fn a_log_that_ends_below_its_recovery_point_is_reported_as_a_loss() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2], &[3]]);
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    world.crash(Crash::Kill);
    let path = world.file("00000000000000000000.log");
    let whole = batch(&[1]).size_bytes() as u64;
    world.disk.open(&path, OpenMode::ReadWrite).unwrap().set_len(2 * whole).unwrap();
    let cut = world.start().cut.unwrap();
    assert_eq!((cut.at, cut.bytes, cut.below_recovery_point), (Offset(2), 0, true));
    assert_eq!(world.log().recovery_point(), Offset(2));
}

/// Batches 0 to 9 are durable, 10 to 14 are not; an index entry comes every other batch.
fn half_durable() -> World {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    (0..10).for_each(|time| _ = world.fill(&[&[time]]));
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    (10..15).for_each(|time| _ = world.fill(&[&[time]]));
    world
}

#[test]
fn below_the_recovery_point_nothing_is_read_through_and_above_it_everything() {
    let mut world = half_durable();
    let size = batch(&[1]).size_bytes();
    let report = world.kill_and_start();
    assert_eq!(report.scanned_bytes, 5 * size as u64);
    assert_eq!(world.batches().len(), 15);
    // A checksum that fails below is for whoever reads the batch; above it is cut off.
    for (damaged, end) in [(4, 15), (12, 12)] {
        let mut world = half_durable();
        let last_byte = damaged * size + size - 1;
        world.disk.rot(&world.file("00000000000000000000.log"), last_byte, 1);
        let report = world.kill_and_start();
        assert_eq!(world.log().log_end(), Offset(end));
        assert_eq!(report.cut.is_some(), end < 15);
        assert!(!report.cut.is_some_and(|cut| cut.below_recovery_point));
        assert_eq!(world.fill(&[&[99]]), [end]);
    }
}

#[test]
fn index_entries_are_kept_as_far_as_they_are_sound_and_the_rest_is_made_anew() {
    let names = ["index", "timeindex"].map(|end| format!("00000000000000000000.{end}"));
    let sizes = names.clone().map(|name| {
        let mut world = half_durable();
        world.kill_and_start();
        world.disk.read_file(&world.file(&name), 1 << 20).unwrap().len()
    });
    assert!(sizes[0] >= 6 * 8 && sizes[1] >= 6 * 12, "{sizes:?}");
    // Every byte of either index, and every length, as power loss or a liar may leave it.
    for (name, size) in names.iter().zip(sizes) {
        for place in 0..size {
            for is_cut in [false, true] {
                let mut world = half_durable();
                world.kill_and_start();
                world.crash(Crash::Kill);
                let path = world.file(name);
                let file = world.disk.open(&path, OpenMode::ReadWrite).unwrap();
                match is_cut {
                    true => file.set_len(place as u64).unwrap(),
                    false => world.disk.rot(&path, place, 0x81),
                }
                assert_eq!(world.start().cut, None, "{name} {place}");
                check_answers(&world, &format!("{name} {place} {is_cut}"));
            }
        }
    }
}

/// The answers of a log of 15 batches, the record at offset `i` of time `i`.
fn check_answers(world: &World, about: &str) {
    assert_eq!(world.batches().len(), 15, "{about}");
    let reader = world.reader();
    for offset in 0..15 {
        let slice = reader.read(at(offset), 1, at(15), true).unwrap();
        assert_eq!(slice.base_offset, Offset(offset), "{about}");
        let found = reader.offset_for_timestamp(WallTime(offset)).unwrap();
        assert_eq!(found.map(|found| found.offset), Some(Offset(offset)), "{about}");
    }
    assert_eq!(reader.offset_for_timestamp(WallTime(15)).unwrap(), None, "{about}");
    assert_eq!(reader.max_timestamp().unwrap().map(|found| found.offset), Some(Offset(14)));
}

#[test]
fn after_a_checkpoint_recovery_looks_at_nothing_that_came_before() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    (0..10).for_each(|time| _ = world.append(from_producer(1, 0, time, 1)).unwrap());
    world.checkpoint();
    assert_eq!(world.files(".snapshot"), ["00000000000000000010.snapshot"]);
    world.append(from_producer(1, 0, 10, 1)).unwrap();
    // What the snapshot knows is not asked of the batches.
    let name = world.file("00000000000000000010.snapshot");
    let snapshot = world.disk.read_file(&name, 1 << 10).unwrap();
    let report = world.kill_and_start();
    assert_eq!(report.scanned_bytes, from_producer(1, 0, 10, 1).size_bytes() as u64);
    assert_eq!(world.disk.read_file(&name, 1 << 10).unwrap(), snapshot);
    assert!(world.append(from_producer(1, 0, 6, 1)).unwrap().duplicate);
    assert_eq!(world.append(from_producer(1, 0, 11, 1)).unwrap().base_offset, Offset(11));
    // Of snapshots that are no segment's only the last two stay.
    for time in 12..20 {
        world.append(from_producer(1, 0, time, 1)).unwrap();
        world.checkpoint();
        world.checkpoint();
    }
    assert_eq!(world.files(".snapshot").len(), 2);
}

#[test]
fn logs_that_are_flushed_together_cost_one_sync_and_survive_power_loss() {
    let world = World::new(small());
    let name = |number: i32| TopicPartition::new("many", number);
    let settings = LogSettings { config: world.config.clone(), now: NOW, jitter_seed: 1 };
    let make = |number| world.dir().create_log(&name(number), topic_id(), settings.clone());
    let mut logs: Vec<_> = (0..9).map(|number| make(number).unwrap()).collect();
    for log in &mut logs {
        log.append(batch(&[1, 2]), world.context()).unwrap();
    }
    let due: Vec<_> = logs.iter_mut().filter_map(|log| log.checkpoint().unwrap()).collect();
    assert_eq!(due.len(), 9);
    let before = world.disk.syncs();
    storage::flush_together(due).unwrap();
    assert_eq!(world.disk.syncs() - before, 1);
    world.dir().checkpoint_recovery_points().unwrap();
    world.disk.crash(Crash::PowerLoss);
    let dir = storage::LogDir::open(world.disk.clone(), DATA.as_ref()).unwrap();
    for found in dir.partitions().unwrap().iter().filter(|found| *found.partition.topic == *"many")
    {
        let (log, report) = dir.open_log(found, settings.clone()).unwrap();
        assert_eq!((log.log_end(), report.scanned_bytes), (Offset(2), 0));
        assert_eq!(log.recovery_point(), Offset(2));
    }
}

#[test]
fn a_torn_snapshot_of_a_checkpoint_gives_way_to_the_one_before_it() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    for time in 0..9 {
        world.append(from_producer(1, 0, time, 1)).unwrap();
        if time % 3 == 2 {
            world.checkpoint();
        }
    }
    world.disk.rot(&world.file("00000000000000000009.snapshot"), 12, 1);
    world.kill_and_start();
    assert_eq!(world.files(".snapshot"), ["00000000000000000006.snapshot"]);
    assert!((4..9).all(|time| world.append(from_producer(1, 0, time, 1)).unwrap().duplicate));
    assert_eq!(world.append(from_producer(1, 0, 9, 1)).unwrap().base_offset, Offset(9));
}

#[test]
fn a_segment_that_was_closed_after_its_recovery_point_was_written_down_gets_whole_indexes() {
    let mut world = World::new(small());
    (0..8).for_each(|time| _ = world.fill(&[&[time]]));
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    world.log().roll(NOW).unwrap();
    let paths = ["index", "timeindex"].map(|end| world.file(&format!("{:020}.{end}", 0)));
    let whole = paths.clone().map(|path| world.disk.read_file(&path, 1 << 20).unwrap());
    world.crash(Crash::Kill);
    // Power loss may set back what was not synced.
    for path in &paths {
        world.disk.open(path, OpenMode::ReadWrite).unwrap().set_len(0).unwrap();
    }
    world.start();
    assert_eq!(paths.map(|path| world.disk.read_file(&path, 1 << 20).unwrap()), whole);
    assert_eq!(world.batches().len(), 8);
}

#[test]
fn a_hole_of_zeros_is_no_batch() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    let path = world.file("00000000000000000000.log");
    let file = world.disk.open(&path, OpenMode::ReadWrite).unwrap();
    file.set_len(file.len().unwrap() + 4096).unwrap();
    let report = world.kill_and_start();
    assert_eq!(report.cut.unwrap().bytes, 4096);
    assert_eq!(world.log().log_end(), Offset(2));
}

#[test]
fn lost_or_foreign_indexes_are_made_anew() {
    for clean in [true, false] {
        let mut world = many_segments();
        world.log().flush().unwrap();
        match clean {
            true => world.stop(),
            false => {
                world.dir().checkpoint_recovery_points().unwrap();
                world.crash(Crash::Kill);
            }
        }
        let names = world.files("index");
        let contents: Vec<_> = names
            .iter()
            .map(|name| world.disk.read_file(&world.file(name), 1 << 20).unwrap())
            .collect();
        for name in &names {
            world.disk.remove_file(&world.file(name)).unwrap();
        }
        let report = world.start();
        assert!(report.rebuilt_indexes > 2 || report.scanned_segments > 0);
        assert_eq!(world.batches().len(), 20);
        // All but the active segment's have the same bytes as before.
        for (name, content) in names.iter().zip(&contents).take(names.len() - 2) {
            assert_eq!(
                &world.disk.read_file(&world.file(name), 1 << 20).unwrap(),
                content,
                "{name}"
            );
        }
    }
}

#[test]
fn an_index_without_its_log_is_removed() {
    let mut world = World::new(small());
    world.fill(&[&[1]]);
    world.stop();
    let orphan = world.file("00000000000000000077.index");
    world.disk.open(&orphan, OpenMode::Create).unwrap();
    world.start();
    assert!(!world.disk.exists(&orphan));
}

#[test]
fn lost_or_torn_epochs_are_read_from_the_batches() {
    for content in [None, Some("0\n2\n0 0\n3"), Some(""), Some("\0\0\0\0")] {
        let mut world = World::new(small());
        world.fill(&[&[1], &[2]]);
        world.epoch = 3;
        world.fill(&[&[3]]);
        world.stop();
        let path = world.file("leader-epoch-checkpoint");
        world.disk.remove_file(&path).unwrap();
        if let Some(content) = content {
            let file = world.disk.open(&path, OpenMode::Create).unwrap();
            file.write_at(content.as_bytes(), 0).unwrap();
        }
        assert!(world.start().rebuilt_epochs);
        assert_eq!(world.reader().leader_epoch_at(at(1)), Some(LeaderEpoch(0)));
        assert_eq!(world.log().latest_epoch(), Some(LeaderEpoch(3)));
        assert_eq!(world.disk.read_file(&path, 100).unwrap(), b"0\n2\n0 0\n3 2\n");
    }
}

#[test]
fn epochs_of_a_lineage_that_power_loss_took_are_replaced_by_what_the_batches_say() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    let path = world.file("leader-epoch-checkpoint");
    world.crash(Crash::Kill);
    let file = world.disk.open(&path, OpenMode::Truncate).unwrap();
    file.write_at(b"0\n3\n0 0\n7 1\n9 2\n", 0).unwrap();
    world.start();
    assert_eq!(world.log().latest_epoch(), Some(LeaderEpoch(0)));
}

#[test]
fn without_snapshots_producers_are_read_from_the_log_after_a_crash() {
    let mut world = many_segments();
    world.crash(Crash::Kill);
    for name in world.files(".snapshot") {
        world.disk.remove_file(&world.file(&name)).unwrap();
    }
    world.start();
    assert!(world.append(from_producer(1, 0, 16, 1)).unwrap().duplicate);
    assert!(world.files(".snapshot").len() > 2, "the next start has them again");
}

#[test]
fn a_damaged_snapshot_gives_way_to_the_one_before_it() {
    let mut world = many_segments();
    world.stop();
    let newest = world.files(".snapshot").pop().unwrap();
    world.disk.rot(&world.file(&newest), 20, 1);
    world.start();
    assert!(world.append(from_producer(1, 0, 16, 1)).unwrap().duplicate);
    assert!(world.append(from_producer(1, 0, 20, 1)).is_ok());
}

#[test]
fn what_was_deleted_or_never_finished_is_removed() {
    let mut world = World::new(small());
    world.fill(&[&[1]]);
    world.crash(Crash::Kill);
    let junk = [
        "00000000000000000000.log.deleted",
        "00000000000000000005.timeindex.deleted",
        "00000000000000000000.log.cleaned",
        "leader-epoch-checkpoint.tmp",
    ];
    for name in junk {
        world.disk.open(&world.file(name), OpenMode::Create).unwrap();
    }
    let foreign = ["00000000000000000000-0000000000.checkpoint", "notes.txt"];
    for name in foreign {
        world.disk.open(&world.file(name), OpenMode::Create).unwrap();
    }
    world.start();
    assert!(junk.iter().all(|name| !world.disk.exists(&world.file(name))));
    assert!(foreign.iter().all(|name| world.disk.exists(&world.file(name))));
    assert_eq!(world.batches().len(), 1);
}

#[test]
fn a_compaction_that_was_putting_its_segment_in_place_is_finished() {
    let mut world = World::new(LogConfig { segment_bytes: 250, ..small() });
    (0..9).for_each(|time| _ = world.fill(&[&[time]]));
    let logs = world.files(".log");
    let third: i64 = logs[2].trim_end_matches(".log").parse().unwrap();
    let kept = world.batches().into_iter().filter(|batch| batch.base_offset().0 % 2 == 1);
    let kept: Vec<_> = kept.filter(|batch| batch.base_offset().0 < third).collect();
    world.stop();
    let swap = world.file(&format!("{}.swap", logs[0]));
    world.disk.open(&swap, OpenMode::Create).unwrap().write_at(&replicated(&kept), 0).unwrap();
    for _ in 0..2 {
        world.start();
        assert_eq!(world.files(".log").len(), logs.len() - 1);
        let mut expected: Vec<i64> = (0..third).filter(|offset| offset % 2 == 1).collect();
        expected.extend(third..9);
        let found: Vec<i64> = world.batches().iter().map(|batch| batch.base_offset().0).collect();
        assert_eq!(found, expected);
        assert_eq!(world.log().log_end(), Offset(9));
        world.stop();
    }
}

#[test]
fn a_log_that_ends_below_its_start_begins_again_there() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2], &[3]]);
    world.log().advance_log_start(at(3)).unwrap();
    world.crash(Crash::Kill);
    let path = world.file("00000000000000000000.log");
    world.disk.open(&path, OpenMode::ReadWrite).unwrap().set_len(10).unwrap();
    let report = world.start();
    assert_eq!(report.dropped_segments, 1);
    assert_eq!((world.log().log_start(), world.log().log_end()), (Offset(3), Offset(3)));
    assert_eq!(world.fill(&[&[4]]), [3]);
}

#[test]
fn old_message_formats_are_served_as_they_are_and_found_by_offset_and_time() {
    let mut world = World::new(small());
    world.fill(&[&[500], &[600]]);
    let new = world.batches();
    world.stop();
    // Offsets 0 and 1 in format 1 (entry: offset, size, CRC, magic, attributes, timestamp, key,
    // value).
    let entry = |offset: i64, time: i64| {
        let mut body = vec![1u8, 0];
        body.extend(time.to_be_bytes());
        body.extend((-1i32).to_be_bytes());
        body.extend(3i32.to_be_bytes());
        body.extend(b"old");
        let mut bytes = offset.to_be_bytes().to_vec();
        bytes.extend((body.len() as i32 + 4).to_be_bytes());
        bytes.extend(records::crc32(&body).to_be_bytes());
        bytes.extend(body);
        bytes
    };
    let mut log = [entry(0, 100), entry(1, 200)].concat();
    let old_bytes = log.len();
    let moved: Vec<_> =
        new.iter().map(|b| b.moved_to(b.base_offset().plus(2), LeaderEpoch(0))).collect();
    log.extend(replicated(&moved));
    let path = world.file("00000000000000000000.log");
    world.disk.open(&path, OpenMode::Truncate).unwrap().write_at(&log, 0).unwrap();
    for name in world.files("index") {
        world.disk.remove_file(&world.file(&name)).unwrap();
    }
    for kill in [false, true] {
        world.start();
        let reader = world.reader();
        assert_eq!(reader.log_end(), Offset(4));
        assert_eq!(&reader.read(at(0), 1 << 20, at(4), true).unwrap().bytes[..], &log[..]);
        let second = reader.read(at(1), 1 << 20, at(2), true).unwrap();
        assert_eq!(&second.bytes[..], &log[old_bytes / 2..old_bytes]);
        let find = |time| reader.offset_for_timestamp(WallTime(time)).unwrap().unwrap().offset.0;
        assert_eq!([find(50), find(101), find(201), find(600)], [0, 1, 2, 3]);
        match kill {
            false => world.crash(Crash::Kill),
            true => world.stop(),
        }
    }
}

#[test]
fn flushed_records_survive_power_loss_and_a_failed_sync_counts_for_nothing() {
    for seed in 0..40 {
        let mut world = World::seeded(LogConfig { segment_bytes: 250, ..small() }, seed);
        (0..9).for_each(|time| _ = world.fill(&[&[time]]));
        assert_eq!(world.log().flush().unwrap(), Offset(9));
        (9..14).for_each(|time| _ = world.fill(&[&[time]]));
        world.disk.fail_next_sync(".log");
        assert!(world.log().flush().is_err());
        assert_eq!(world.log().recovery_point(), Offset(9));
        assert!(world.log().flush().is_err(), "a failed sync is never tried again");
        world.crash(Crash::PowerLoss);
        world.start();
        let end = world.log().log_end().0;
        assert!((9..=14).contains(&end), "{end}");
        assert_eq!(world.batches().len() as i64, end);
    }
}

/// Batches of 16 KiB, durable as they come, with what is written down of recovery points.
fn append_much(world: &mut World, sequences: std::ops::Range<i32>) {
    for sequence in sequences {
        world.append_large(sequence);
        world.log().flush().unwrap();
        world.dir().checkpoint_recovery_points().unwrap();
    }
}

/// What a start after a crash reads of a log whose batches are all durable.
fn bytes_of_start(world: &mut World) -> u64 {
    world.crash(Crash::Kill);
    let before = world.disk.bytes_read();
    assert_eq!(world.start().scanned_bytes, 0);
    world.disk.bytes_read() - before
}

/// Found by measuring: 10 GB that no checkpoint had come upon cost 715,000 reads of a head each.
#[test]
fn a_start_before_the_first_checkpoint_looks_at_the_heads_of_what_came_last_alone() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 30, ..LogConfig::default() });
    let of_a_write_down = large_of_a_write_down();
    let count = 5 * of_a_write_down + 7;
    append_much(&mut world, 0..count);
    let read = bytes_of_start(&mut world);
    // An entry of each index is read whole, and a few batches are looked up.
    let indexes = 20 * count as usize;
    let bound = (indexes + 3 * LOOKUP_CHUNK_BYTES) as u64;
    let heads = (records::BatchHeader::BYTES * count as usize) as u64;
    assert!(bound < indexes as u64 + heads, "or it would show nothing");
    assert!(read <= bound, "{read} bytes of {bound}");
    let last = 5 * of_a_write_down + 6;
    assert!((last - 4..=last).all(|known| world.append(large(known)).unwrap().duplicate));
    assert_eq!(code(world.append(large(last + 2))), "OUT_OF_ORDER_SEQUENCE_NUMBER");
    assert!(world.files(".snapshot").len() <= 3, "{:?}", world.files(".snapshot"));
}

#[test]
fn a_start_reads_the_head_of_a_batch_once_for_its_indexes_and_its_producers() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 30, ..LogConfig::default() });
    let count = large_of_a_write_down() - 1;
    append_much(&mut world, 0..count);
    let few = {
        let mut few = World::new(LogConfig { segment_bytes: 1 << 30, ..LogConfig::default() });
        append_much(&mut few, 0..1);
        bytes_of_start(&mut few)
    };
    let heads = (records::BatchHeader::BYTES * count as usize) as u64;
    let all = bytes_of_start(&mut world);
    assert!(all < few + heads + heads / 2, "{all} bytes for {heads} of heads");
    assert!((count - 5..count).all(|known| world.append(large(known)).unwrap().duplicate));
    assert_eq!(code(world.append(large(count + 1))), "OUT_OF_ORDER_SEQUENCE_NUMBER");
}

#[test]
fn of_more_heads_than_are_kept_the_producers_are_known_as_well() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 30, ..LogConfig::default() });
    let count = HEADS_SEEN_MAX as i32 + 3;
    (0..count).for_each(|sequence| _ = world.append(from_producer(1, 0, sequence, 1)).unwrap());
    world.kill_and_start();
    assert!(
        (count - 5..count)
            .all(|known| { world.append(from_producer(1, 0, known, 1)).unwrap().duplicate })
    );
}

#[test]
fn what_a_start_would_go_by_is_kept_until_it_would_go_by_something_later() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 30, ..LogConfig::default() });
    let of_a_write_down = large_of_a_write_down();
    append_much(&mut world, 0..of_a_write_down);
    let believed = world.files(".snapshot");
    assert_eq!(believed.len(), 1);
    // From here on no recovery point is written down, nor is what lies above it worth much.
    (of_a_write_down..6 * of_a_write_down).for_each(|sequence| world.append_large(sequence));
    let kept = world.files(".snapshot");
    assert!(kept.contains(&believed[0]) && kept.len() == 2, "{kept:?}");
    for sequence in 6 * of_a_write_down..6 * of_a_write_down + 3 {
        world.append(large(sequence)).unwrap();
        world.log().checkpoint().unwrap();
    }
    assert!(world.files(".snapshot").contains(&believed[0]));
    world.kill_and_start();
    assert_eq!(world.files(".snapshot"), believed);
}
