//! A disk without room: refused, nothing half written, nothing forgotten, and on as soon as there
//! is room again.

use crate::support::*;
use env::Disk;
use env_sim::{Crash, SimDisk};
use storage::{AppendError, LogConfig, LogSettings};
use types::{Offset, TopicPartition, Uuid, WallTime};

/// So large that nothing is reserved in the sizes of these tests.
const ROOMY: u64 = 1 << 40;

fn used(disk: &SimDisk) -> u64 {
    disk.set_capacity(ROOMY);
    ROOMY - disk.space("/".as_ref()).unwrap().1
}

/// Leaves exactly `bytes`.
fn leave(world: &World, bytes: u64) {
    world.disk.set_capacity(used(&world.disk) + bytes);
}

#[test]
fn clients_are_refused_before_the_disk_is_full_and_coordinators_are_not() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
    (0..29).for_each(|_| _ = world.fill(&[&[1]]));
    // A sixteenth of some 2 000 is kept.
    leave(&world, 100);
    let mut context = world.context();
    // What was measured before counts for a second.
    context.now = WallTime(NOW.0 + 1000);
    match world.log().append(batch(&[2]), context).unwrap_err() {
        AppendError::NoSpace { usable: 100, reserve, .. } => assert!(reserve > 100),
        other => panic!("{other}"),
    }
    context.origin = records::validate::AppendOrigin::Coordinator;
    assert_eq!(world.log().append(batch(&[2]), context).unwrap().base_offset, Offset(29));
    assert_eq!(world.dir().metrics().refused_for_space.get(), 1);
    assert!(!world.dir().is_offline());
    assert_eq!(world.batches().len(), 30);
    world.disk.set_capacity(u64::MAX);
    assert_eq!(world.fill(&[&[3]]), [30]);
}

#[test]
fn a_write_that_finds_no_room_is_taken_back_and_the_log_goes_on() {
    for room in 0..80 {
        let mut world = World::new(LogConfig { segment_bytes: 1 << 20, ..small() });
        world.append(from_producer(1, 0, 0, 2)).unwrap();
        world.append(from_producer(1, 0, 2, 1)).unwrap();
        let before = world.batches();
        // The room was reserved while there was some, and is not there when it is needed.
        leave(&world, room);
        let mut context = world.context();
        context.origin = records::validate::AppendOrigin::Coordinator;
        let refused = world.log().append(batch(&[7]), context).map(|_| ());
        match room {
            ..70 => assert_eq!(code(refused), "KAFKA_STORAGE_ERROR", "{room}"),
            _ => continue,
        }
        assert_eq!(world.reader().log_end(), Offset(3));
        assert_eq!(world.batches(), before);
        assert!(!world.dir().is_offline(), "a full disk is no broken one");
        assert_eq!(world.dir().metrics().errors.of_kind("no_space"), 1);
        let log = world.disk.read_file(&world.file("00000000000000000000.log"), 1 << 20).unwrap();
        let whole: usize = before.iter().map(|batch| batch.size_bytes()).sum();
        assert_eq!(log.len(), whole, "the torn batch is gone before the next one is written");
        world.disk.set_capacity(u64::MAX);
        // The producer's sequence did not move, and its earlier batches are known for repeats.
        assert!(world.append(from_producer(1, 0, 2, 1)).unwrap().duplicate);
        assert_eq!(world.append(from_producer(1, 0, 3, 1)).unwrap().base_offset, Offset(3));
        let written = world.batches();
        let report = world.kill_and_start();
        assert_eq!(report.cut, None);
        assert_eq!(world.batches(), written);
    }
}

#[test]
fn a_segment_that_finds_no_room_leaves_the_log_with_the_one_before() {
    let mut all_refused = 0;
    // Anything that has no room on the way from one segment to the next.
    for room in (0..4000).step_by(50) {
        let mut world = World::new(LogConfig { segment_bytes: 400, ..small() });
        let mut expected: Vec<i64> = (0..4).collect();
        world.fill(&[&[0], &[1], &[2], &[3]]);
        leave(&world, room);
        let mut context = world.context();
        context.origin = records::validate::AppendOrigin::Coordinator;
        let mut refused = 0;
        for time in 4..12 {
            match world.log().append(batch(&[time]), context) {
                Ok(appended) => expected.push(appended.base_offset.0),
                Err(error) => {
                    assert_eq!(error.error_code().name(), "KAFKA_STORAGE_ERROR");
                    refused += 1;
                }
            }
        }
        all_refused += refused;
        assert!(!world.dir().is_offline(), "{room}");
        let bases = |world: &World| -> Vec<i64> {
            world.batches().iter().map(|batch| batch.base_offset().0).collect()
        };
        assert_eq!(bases(&world), expected, "{room}");
        world.disk.set_capacity(u64::MAX);
        expected.push(world.fill(&[&[20]])[0]);
        assert_eq!(bases(&world), expected);
        if room % 100 == 0 {
            world.kill_and_start();
        } else {
            world.stop();
            world.start();
        }
        assert_eq!(bases(&world), expected, "{room}");
    }
    assert!(all_refused > 50, "{all_refused}");
}

#[test]
fn of_a_turn_that_runs_out_of_room_on_the_way_what_is_acknowledged_is_what_is_there() {
    let (mut refused, mut went_on) = (0, 0);
    for room in (0..3000).step_by(20) {
        let mut world = World::new(LogConfig { segment_bytes: 400, ..small() });
        world.fill(&[&[0], &[1]]);
        leave(&world, room);
        let mut context = world.context();
        context.origin = records::validate::AppendOrigin::Coordinator;
        let turn: Vec<_> = (2..14).map(|time| batch(&[time])).collect();
        let results = world.log().append_all(turn, context);
        let mut expected = vec![0, 1];
        let acked = results.iter().flatten().map(|appended| appended.base_offset.0);
        expected.extend(acked);
        let after_refusal = results.iter().skip_while(|result| result.is_ok());
        refused += usize::from(after_refusal.clone().count() > 0);
        went_on += usize::from(after_refusal.flatten().count() > 0);
        assert!(!world.dir().is_offline(), "{room}");
        let bases: Vec<i64> = world.batches().iter().map(|batch| batch.base_offset().0).collect();
        assert_eq!(bases, expected, "{room}");
        world.disk.set_capacity(u64::MAX);
        assert_eq!(world.fill(&[&[20]]), [expected.len() as i64]);
        world.kill_and_start();
        assert_eq!(world.batches().len(), expected.len() + 1);
    }
    assert!(refused > 20 && went_on > 0, "{refused} {went_on}");
}

#[test]
fn records_can_be_deleted_on_a_disk_without_a_byte_left_and_stay_deleted() {
    for crash in [Crash::Kill, Crash::PowerLoss] {
        let mut world = World::new(LogConfig { segment_bytes: 400, ..small() });
        (0..60).for_each(|time| _ = world.fill(&[&[time]]));
        world.log().flush().unwrap();
        let segments = world.files(".log").len();
        leave(&world, 0);
        let facts = world.log().segment_facts().unwrap();
        let to = facts[10].base;
        assert_eq!(world.log().advance_log_start(to).unwrap(), to);
        let gone = world.log().take_deleted();
        world.dir().remove_files(&gone).unwrap();
        assert_eq!(world.files(".log").len(), segments - 10);
        assert!(!world.dir().is_offline());
        // The room that came back serves the next record.
        let mut context = world.context();
        context.origin = records::validate::AppendOrigin::Coordinator;
        assert_eq!(world.log().append(batch(&[60]), context).unwrap().base_offset, Offset(60));
        world.log().flush().unwrap();
        world.crash(crash);
        world.start();
        assert_eq!((world.log().log_start(), world.log().log_end()), (to, Offset(61)));
    }
}

#[test]
fn a_log_for_which_there_is_no_room_leaves_nothing_behind_and_can_be_made_later() {
    let world = World::new(small());
    let one = TopicPartition::new("later", 0);
    let settings = || LogSettings { config: world.config.clone(), now: NOW, jitter_seed: 1 };
    leave(&world, 10);
    let error = world.dir().create_log(&one, Uuid::from_random([4; 16]), settings());
    assert!(error.map(|_| ()).unwrap_err().is_full());
    assert!(!world.dir().is_offline());
    assert_eq!(world.dir().partitions().unwrap().len(), 1, "nothing is left of it");
    world.disk.set_capacity(u64::MAX);
    world.dir().create_log(&one, Uuid::from_random([4; 16]), settings()).unwrap();
}

#[test]
fn checkpoints_without_room_keep_what_they_said_and_the_directory_stays() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    world.fill(&[&[3]]);
    world.log().flush().unwrap();
    leave(&world, 3);
    assert!(world.dir().checkpoint_recovery_points().unwrap_err().is_full());
    let mark = [(partition(), Offset(2))];
    assert!(world.dir().checkpoint_high_watermarks(mark).unwrap_err().is_full());
    assert!(!world.dir().is_offline());
    // A log of the same name must not begin with what an old checkpoint says.
    let log = world.log.take().unwrap();
    let doomed = world.dir().delete_log(log, [1; 16]).unwrap();
    world.disk.set_capacity(u64::MAX);
    world.dir().remove_dir(&doomed).unwrap();
    let settings = LogSettings { config: world.config.clone(), now: NOW, jitter_seed: 1 };
    world.log = Some(world.dir().create_log(&partition(), topic_id(), settings).unwrap());
    world.fill(&[&[1], &[2], &[3]]);
    let report = world.kill_and_start();
    assert_eq!(report.scanned_segments, 1, "nothing of it is known to be durable");
    assert_eq!(world.log().log_end(), Offset(3));
}

#[test]
fn a_disk_that_is_full_at_the_end_leaves_no_marker_of_a_clean_one() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    // Not even what the indexes give back.
    world.disk.set_capacity(0);
    assert!(world.log.take().unwrap().close().is_err());
    assert!(!matches!(world.dir.take().unwrap().close(7), Ok(Ok(()))));
    world.disk.set_capacity(u64::MAX);
    world.crash(Crash::Kill);
    world.start();
    assert!(!world.dir().was_clean());
    assert_eq!(world.log().log_end(), Offset(2));
}

#[test]
fn what_a_start_would_go_by_finds_no_room_and_the_append_counts() {
    let mut world = World::new(LogConfig { segment_bytes: 1 << 30, ..LogConfig::default() });
    let of_a_write_down = large_of_a_write_down();
    (0..of_a_write_down - 1).for_each(|sequence| _ = world.append(large(sequence)).unwrap());
    leave(&world, large(0).size_bytes() as u64 + 1);
    let mut context = world.context();
    context.origin = records::validate::AppendOrigin::Coordinator;
    let last = large(of_a_write_down - 1);
    assert!(!world.log().append(last, context).unwrap().duplicate);
    world.log().write_down_when_due().unwrap();
    assert_eq!((world.dir().is_offline(), world.files(".snapshot").len()), (false, 0));
    world.disk.set_capacity(u64::MAX);
    let next = of_a_write_down..2 * of_a_write_down;
    next.for_each(|sequence| world.append_large(sequence));
    assert_eq!(world.files(".snapshot").len(), 1);
}
