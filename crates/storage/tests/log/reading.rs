use crate::support::*;
use env::{Disk, DiskFile, OpenMode};
use records::validate::ValidatedBatch;
use records::{BatchBuilder, Compression, NewRecord};
use storage::{LogConfig, ReadError};
use types::{LeaderEpoch, Offset, WallTime};

#[test]
fn a_read_returns_whole_batches_from_the_one_that_holds_the_offset() {
    let mut world = World::new(small());
    world.fill(&[&[1, 1, 1], &[2, 2], &[3]]);
    let reader = world.reader();
    let slice = reader.read(at(1), 1 << 20, at(6), true).unwrap();
    assert_eq!((slice.base_offset, slice.next_offset), (Offset(0), Offset(6)));
    assert_eq!(slice.first_batch_epoch, Some(LeaderEpoch(0)));
    let slice = reader.read(at(3), 1 << 20, at(6), true).unwrap();
    assert_eq!((slice.base_offset, slice.next_offset), (Offset(3), Offset(6)));
}

#[test]
fn a_read_never_goes_past_its_bound_not_even_inside_a_batch() {
    let mut world = World::new(small());
    world.fill(&[&[1, 1, 1], &[2, 2], &[3]]);
    let next = |bound| world.reader().read(at(0), 1 << 20, at(bound), true).unwrap().next_offset.0;
    assert_eq!([0, 2, 3, 4, 5, 6, 99].map(next), [0, 0, 3, 3, 5, 6, 6]);
}

#[test]
fn a_read_returns_at_most_the_bytes_asked_for_but_one_batch_if_it_must() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    let large = vec![7; 300];
    world.fill(&[&large, &[2], &[3]]);
    let sizes: Vec<usize> = world.batches().iter().map(|batch| batch.size_bytes()).collect();
    let read = |from, bytes, at_least_one| {
        world.reader().read(at(from), bytes, at(302), at_least_one).unwrap().bytes.len()
    };
    assert_eq!(read(0, 10, true), sizes[0]);
    assert_eq!(read(0, 10, false), 0);
    assert_eq!(read(0, 0, true), sizes[0]);
    assert_eq!(read(0, sizes[0], false), sizes[0]);
    assert_eq!(read(0, sizes[0] + sizes[1] - 1, false), sizes[0]);
    assert_eq!(read(0, sizes[0] + sizes[1], false), sizes[0] + sizes[1]);
    assert_eq!(read(300, 1 << 20, false), sizes[1] + sizes[2]);
}

#[test]
fn a_first_batch_larger_than_any_buffer_is_found_and_returned_whole() {
    let mut world =
        World::new(LogConfig { segment_bytes: 1 << 22, index_interval_bytes: 1 << 30, ..small() });
    let large = vec![b'x'; 200_000];
    for _ in 0..3 {
        let mut builder = BatchBuilder::new();
        builder.push(NewRecord { value: Some(&large), ..NewRecord::default() });
        world.append(ValidatedBatch::trusted(builder.build())).unwrap();
    }
    // There is no index entry, so the offset lies several buffers into the segment.
    let slice = world.reader().read(at(2), 1, at(3), true).unwrap();
    assert_eq!((slice.base_offset, slice.next_offset), (Offset(2), Offset(3)));
    assert!(slice.bytes.len() > 200_000);
    assert!(world.reader().read(at(2), 1, at(3), false).unwrap().is_empty());
}

/// Appends a batch with one record of `bytes` for each; returns the sizes of the batches.
fn fill_sizes(world: &mut World, bytes: impl IntoIterator<Item = usize>) -> Vec<usize> {
    for bytes in bytes {
        let mut builder = BatchBuilder::new();
        let value = vec![b'x'; bytes];
        builder.push(NewRecord { value: Some(&value), ..NewRecord::default() });
        world.append(ValidatedBatch::trusted(builder.build())).unwrap();
    }
    world.batches().iter().map(|batch| batch.size_bytes()).collect()
}

#[test]
fn who_reads_on_from_large_batch_to_large_batch_reads_no_byte_twice() {
    let config = LogConfig { segment_bytes: 1 << 22, index_interval_bytes: 4096, ..small() };
    let mut world = World::new(config);
    let sizes = fill_sizes(&mut world, [100_000; 8]);
    for of_sealed in [false, true] {
        for (offset, size) in (0..).zip(&sizes) {
            let before = world.disk.bytes_read();
            let slice = world.reader().read(at(offset), size + 50, at(8), true).unwrap();
            assert_eq!((slice.base_offset, slice.bytes.len()), (Offset(offset), *size));
            let read = (world.disk.bytes_read() - before) as usize;
            // A sealed index is searched on the disk.
            assert!(read <= size + 50 + 200, "{read} of {size}, sealed: {of_sealed}");
        }
        world.log().roll(NOW).unwrap();
    }
}

#[test]
fn every_batch_is_found_among_larger_and_smaller_ones_however_many_have_index_entries() {
    let sizes = [10, 9_000, 30_000, 10, 10, 5_000, 60_000, 200, 17_000, 17_000, 4_000, 100, 9_000];
    for interval in [0, 4096, 20_000, 1 << 30] {
        let config =
            LogConfig { segment_bytes: 1 << 22, index_interval_bytes: interval, ..small() };
        let mut world = World::new(config);
        let sizes = fill_sizes(&mut world, sizes.into_iter().cycle().take(60));
        for offset in 0..sizes.len() {
            for bytes in [1, 8_000, 20_000, 100_000] {
                let mut expected = sizes[offset];
                let fitting = |size: &&usize| {
                    expected += **size;
                    expected <= bytes
                };
                let count = 1 + sizes[offset + 1..].iter().take_while(fitting).count();
                let up_to = at(sizes.len() as i64);
                let slice = world.reader().read(at(offset as i64), bytes, up_to, true).unwrap();
                assert_eq!(slice.base_offset, at(offset as i64), "{interval} {bytes}");
                let got = slice.next_offset.since(slice.base_offset) as usize;
                // Far from any index entry the answer may be shorter than was asked for.
                let is_far = interval == 1 << 30;
                assert!(got == count || (is_far && (1..count).contains(&got)), "{got} {count}");
            }
        }
    }
}

#[test]
fn offsets_outside_the_log_are_refused_and_its_end_is_empty() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2], &[3]]);
    world.log().advance_log_start(at(1)).unwrap();
    let reader = world.reader();
    assert!(reader.read(at(3), 100, at(3), true).unwrap().is_empty());
    for outside in [0, 4, -1] {
        let error = reader.read(at(outside), 100, at(3), true).unwrap_err();
        assert!(matches!(error, ReadError::OffsetOutOfRange { .. }));
        assert_eq!(error.error_code().name(), "OFFSET_OUT_OF_RANGE");
    }
}

#[test]
fn every_offset_is_found_whatever_the_index_says() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    (0..60).for_each(|time| _ = world.fill(&[&[time, time]]));
    world.stop();
    let index = world.file("00000000000000000000.index");
    let good = world.disk.read_file(&index, 1 << 20).unwrap();
    let mut shifted = good.clone();
    shifted.chunks_mut(8).for_each(|entry| entry[7] ^= 5);
    let mut ahead = good.clone();
    ahead.chunks_mut(8).for_each(|entry| entry[3] /= 2);
    let far: Vec<u8> = [0, 0, 0, 1, 0x7f, 0, 0, 0].into();
    for damaged in [shifted, ahead, far, vec![], vec![1, 2, 3]] {
        let file = world.disk.open(&index, OpenMode::Truncate).unwrap();
        file.write_at(&damaged, 0).unwrap();
        world.start();
        for offset in 0..120 {
            let slice = world.reader().read(at(offset), 1, at(120), true).unwrap();
            assert_eq!(slice.base_offset, Offset(offset / 2 * 2));
        }
        world.stop();
        world.disk.open(&index, OpenMode::Truncate).unwrap().write_at(&good, 0).unwrap();
    }
}

#[test]
fn a_rotten_batch_fails_its_read_and_leaves_the_others_readable() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    (0..30).for_each(|time| _ = world.fill(&[&[time]]));
    let size = world.batches()[0].size_bytes();
    // The magic of the batch at 20.
    world.disk.rot(&world.file("00000000000000000000.log"), 20 * size + 16, 0x40);
    let reader = world.reader();
    let error = reader.read(at(20), 1000, at(30), true).unwrap_err();
    assert!(matches!(error, ReadError::Corrupt { at: Offset(20), .. }), "{error}");
    let before = reader.read(at(15), 1 << 20, at(30), true).unwrap();
    assert_eq!((before.base_offset, before.next_offset), (Offset(15), Offset(20)));
    let after = reader.read(at(27), 1 << 20, at(30), true).unwrap();
    assert_eq!(after.next_offset, Offset(30));
}

#[test]
fn a_batch_whose_records_rot_is_never_served_and_reported_once() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    (0..30).for_each(|time| _ = world.fill(&[&[time]]));
    let size = world.batches()[0].size_bytes();
    // The last byte of the batch at 20: nothing but its checksum tells.
    world.disk.rot(&world.file("00000000000000000000.log"), 21 * size - 1, 0x01);
    let reader = world.reader();
    let before = reader.read(at(15), 1 << 20, at(30), true).unwrap();
    assert_eq!((before.next_offset, before.bytes.len()), (Offset(20), 5 * size));
    for is_new in [true, false] {
        match reader.read(at(20), 1 << 20, at(30), true).unwrap_err() {
            ReadError::Corrupt { at: Offset(20), is_first, .. } => assert_eq!(is_first, is_new),
            other => panic!("{other}"),
        }
    }
    assert_eq!(reader.read(at(21), 1 << 20, at(30), true).unwrap().next_offset, Offset(30));
    assert_eq!(world.dir().metrics().corrupt_batches.get(), 2);
    assert!(!world.dir().is_offline(), "rot in one batch takes nothing else away");
    world.append(batch(&[30])).unwrap();
}

#[test]
fn a_timestamp_leads_to_the_record_not_to_its_batch() {
    let mut world = World::new(LogConfig { segment_bytes: 400, ..small() });
    world.epoch = 2;
    world.fill(&[&[10, 30, 20], &[15], &[40, 50], &[45]]);
    world.epoch = 3;
    world.fill(&[&[60], &[60], &[5], &[70]]);
    for restart in 0..3 {
        let reader = world.reader();
        let find = |time| {
            reader
                .offset_for_timestamp(WallTime(time))
                .unwrap()
                .map(|found| (found.offset.0, found.timestamp.0))
        };
        assert_eq!(find(0), Some((0, 10)));
        assert_eq!(find(11), Some((1, 30)));
        assert_eq!(find(31), Some((4, 40)));
        assert_eq!(find(41), Some((5, 50)));
        assert_eq!(find(51), Some((7, 60)));
        assert_eq!(find(61), Some((10, 70)));
        assert_eq!(find(71), None);
        let found = reader.offset_for_timestamp(WallTime(45)).unwrap().unwrap();
        assert_eq!(
            found.leader_epoch,
            Some(LeaderEpoch(2)),
            "the epoch of the record, not today's"
        );
        let latest = reader.max_timestamp().unwrap().unwrap();
        assert_eq!((latest.offset, latest.timestamp), (Offset(10), WallTime(70)));
        match restart {
            0 => _ = world.kill_and_start(),
            _ => {
                world.stop();
                world.start();
            }
        }
    }
    assert!(world.files(".log").len() > 1);
}

#[test]
fn records_below_the_log_start_are_not_found_by_time() {
    let mut world = World::new(small());
    world.fill(&[&[10, 30, 20], &[15]]);
    world.log().advance_log_start(at(2)).unwrap();
    let found = world.reader().offset_for_timestamp(WallTime(5)).unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp), (Offset(2), WallTime(20)));
    assert_eq!(world.reader().offset_for_timestamp(WallTime(25)).unwrap(), None);
}

#[test]
fn times_are_looked_up_inside_compressed_batches_and_by_append_time() {
    let mut world = World::new(small());
    let compressed = builder(&[10, 30, 20, 30]).compression(Compression::Gzip).build();
    world.append(ValidatedBatch::trusted(compressed)).unwrap();
    let by_broker = builder(&[1, 2, 3]).log_append_time(WallTime(99)).build();
    let appended = world.append(ValidatedBatch::trusted(by_broker)).unwrap();
    assert_eq!(appended.log_append_time, Some(WallTime(99)));
    let reader = world.reader();
    let find = |time| reader.offset_for_timestamp(WallTime(time)).unwrap().unwrap();
    assert_eq!((find(25).offset, find(25).timestamp), (Offset(1), WallTime(30)));
    assert_eq!((find(31).offset, find(31).timestamp), (Offset(4), WallTime(99)));
    let latest = reader.max_timestamp().unwrap().unwrap();
    assert_eq!((latest.offset, latest.timestamp), (Offset(4), WallTime(99)));
}

#[test]
fn a_time_index_that_lies_is_not_believed() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    (0..40).for_each(|time| _ = world.fill(&[&[time * 10]]));
    world.stop();
    // The last entry says: a time long past the batch it points to (KAFKA-10207).
    let path = world.file("00000000000000000000.timeindex");
    let last = world.disk.read_file(&path, 1 << 20).unwrap().len() - 12;
    world.disk.rot(&path, last + 2, 0x40);
    world.start();
    let latest = world.reader().max_timestamp().unwrap().unwrap();
    assert_eq!((latest.offset, latest.timestamp), (Offset(39), WallTime(390)));
    let facts = world.log().segment_facts().unwrap();
    assert_eq!(facts[0].latest_timestamp, WallTime(390));
}

#[test]
fn readers_go_on_while_the_writer_writes_rolls_truncates_and_deletes() {
    let mut world = World::new(small());
    let reader = world.reader();
    let done = std::sync::atomic::AtomicBool::new(false);
    let reads = std::sync::atomic::AtomicU64::new(0);
    let read = || reads.load(std::sync::atomic::Ordering::Acquire);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(std::sync::atomic::Ordering::Acquire) {
                        let (start, end) = (reader.log_start(), reader.log_end());
                        match reader.read(start, 4000, end, true) {
                            Ok(slice) => {
                                let mut next = slice.base_offset;
                                for batch in records::batches(&slice.bytes) {
                                    let batch = batch.expect("only whole batches are read");
                                    batch.verify_crc().expect("bytes of one time");
                                    assert_eq!(batch.base_offset(), next);
                                    next = batch.next_offset();
                                }
                                let read = u64::from(!slice.is_empty());
                                reads.fetch_add(read, std::sync::atomic::Ordering::AcqRel);
                            }
                            // Where it began is deleted by now, or it ended too soon again and
                            // again.
                            Err(ReadError::OffsetOutOfRange { .. } | ReadError::Moved) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        // On a busy machine the readers may not have run yet: the writer goes on until they have.
        for round in 0..600_000i64 {
            if round >= 600 && read() > 0 {
                break;
            }
            world.fill(&[&[round, round], &[round]]);
            let (start, end) = (world.log().log_start(), world.log().log_end());
            match round % 5 {
                3 => world.log().truncate_to(end.plus(-4).max(start), NOW).unwrap(),
                4 => _ = world.log().advance_log_start(start.plus(6)).unwrap(),
                _ => {}
            }
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert!(read() > 0, "somebody has read something");
    });
}

#[test]
fn a_batch_that_goes_back_behind_a_sound_one_ends_the_answer() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2], &[3]]);
    let sizes: Vec<usize> = world.batches().iter().map(|batch| batch.bytes().len()).collect();
    let path = world.file("00000000000000000000.log");
    let file = world.disk.open(&path, OpenMode::ReadWrite).unwrap();
    // Offset 0 again, and a length far beyond the file.
    let mut head = 0i64.to_be_bytes().to_vec();
    head.extend(1_000_000i32.to_be_bytes());
    file.write_at(&head, (sizes[0] + sizes[1]) as u64).unwrap();
    let slice = world.reader().read(Offset(1), 4000, Offset(3), true).unwrap();
    assert_eq!((slice.base_offset, slice.next_offset), (Offset(1), Offset(2)));
    assert_eq!(slice.bytes.len(), sizes[1]);
}
