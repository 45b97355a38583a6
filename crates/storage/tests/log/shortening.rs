use crate::support::*;
use env::Disk;
use std::path::Path;
use storage::{LogConfig, retention};
use types::{LeaderEpoch, Offset, WallTime};

#[test]
fn truncation_removes_the_offset_and_everything_after_across_segments() {
    let mut world = World::new(LogConfig { segment_bytes: 250, ..small() });
    (0..20).for_each(|time| _ = world.fill(&[&[time]]));
    let segments = world.files(".log").len();
    world.log().truncate_to(at(7), NOW).unwrap();
    assert_eq!(world.log().log_end(), Offset(7));
    assert_eq!(world.batches().len(), 7);
    assert!(world.files(".log").len() < segments);
    assert_eq!(world.fill(&[&[100]]), [7]);
    let latest = world.reader().max_timestamp().unwrap().unwrap();
    assert_eq!((latest.offset, latest.timestamp), (Offset(7), WallTime(100)));
    assert_eq!(
        world.reader().offset_for_timestamp(WallTime(7)).unwrap().unwrap().offset,
        Offset(7)
    );
}

#[test]
fn truncation_inside_a_batch_removes_all_of_it() {
    let mut world = World::new(small());
    world.fill(&[&[1, 1], &[2, 2, 2]]);
    world.log().truncate_to(at(3), NOW).unwrap();
    assert_eq!(world.log().log_end(), Offset(2));
    assert_eq!(world.fill(&[&[3]]), [2]);
}

#[test]
fn truncation_forgets_the_latest_timestamp_the_epochs_and_the_producers_it_cut_off() {
    let mut world = World::new(small());
    world.append(from_producer(1, 0, 0, 1)).unwrap();
    world.append(from_producer(1, 0, 1, 1)).unwrap();
    world.epoch = 5;
    world.append(from_producer(1, 0, 2, 1)).unwrap();
    world.append(batch(&[9_000_000])).unwrap();
    world.log().truncate_to(at(2), NOW).unwrap();
    assert_eq!(world.log().latest_epoch(), Some(LeaderEpoch(0)));
    assert_eq!(world.reader().max_timestamp().unwrap().unwrap().timestamp, NOW);
    // What was cut off is no duplicate; what was kept is.
    let again = world.append(from_producer(1, 0, 1, 1)).unwrap();
    assert_eq!((again.base_offset, again.duplicate), (Offset(1), true));
    let fresh = world.append(from_producer(1, 0, 2, 1)).unwrap();
    assert_eq!((fresh.base_offset, fresh.duplicate), (Offset(2), false));
}

#[test]
fn an_epoch_without_records_is_forgotten_when_truncating_at_the_log_end() {
    let mut world = World::new(small());
    world.fill(&[&[1]]);
    world.log().begin_epoch(LeaderEpoch(4)).unwrap();
    assert_eq!(world.log().latest_epoch(), Some(LeaderEpoch(4)));
    world.log().truncate_to(at(9), NOW).unwrap();
    assert_eq!(world.log().latest_epoch(), Some(LeaderEpoch(0)));
    assert_eq!(world.log().log_end(), Offset(1));
}

#[test]
fn epochs_end_where_the_next_one_begins_and_survive_a_restart() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    world.epoch = 3;
    world.fill(&[&[3]]);
    for _ in 0..2 {
        let end = |epoch| world.log.as_ref().unwrap().epoch_end_offset(LeaderEpoch(epoch));
        let end = |epoch| end(epoch).map(|end| (end.epoch.0, end.end_offset.0));
        assert_eq!(
            [end(0), end(2), end(3), end(4)],
            [Some((0, 2)), Some((0, 2)), Some((3, 3)), None]
        );
        world.kill_and_start();
    }
    let text = world.disk.read_file(&world.file("leader-epoch-checkpoint"), 1000).unwrap();
    assert_eq!(text, b"0\n2\n0 0\n3 2\n");
}

#[test]
fn deleted_records_stay_deleted_whatever_happens() {
    let mut world = World::new(small());
    world.fill(&[&[1, 1], &[2, 2]]);
    assert_eq!(world.log().advance_log_start(at(3)).unwrap(), Offset(3));
    assert_eq!(world.log().advance_log_start(at(1)).unwrap(), Offset(3), "it never goes back");
    for power_loss in [false, true] {
        if power_loss {
            world.log().flush().unwrap();
        }
        world.crash(if power_loss { env_sim::Crash::PowerLoss } else { env_sim::Crash::Kill });
        world.start();
        assert_eq!((world.log().log_start(), world.log().log_end()), (Offset(3), Offset(4)));
    }
    // The start may lie inside a batch; the batch is still there, whole.
    assert_eq!(world.reader().read(at(3), 100, at(4), true).unwrap().base_offset, Offset(2));
}

#[test]
fn segments_wholly_below_the_log_start_are_renamed_and_then_removed() {
    let mut world = World::new(LogConfig { segment_bytes: 250, ..small() });
    (0..20).for_each(|time| _ = world.fill(&[&[time]]));
    let before = world.files(".log");
    world.log().advance_log_start(at(8)).unwrap();
    assert!(world.files(".log").len() < before.len());
    let deleted = world.log().take_deleted();
    assert_eq!(world.files(".deleted").len(), deleted.len());
    assert!(deleted.len() >= 3);
    world.dir().remove_files(&deleted).unwrap();
    assert!(world.files(".deleted").is_empty());
    assert_eq!(offsets(&world.batches())[0], (8, 8));
    // Snapshots of what is gone are gone, too.
    let snapshots = world.files(".snapshot");
    assert!(snapshots.iter().all(|name| *name > format!("{:020}", 0)), "{snapshots:?}");
}

#[test]
fn a_retention_plan_carried_out_leaves_a_log_that_begins_with_a_segment() {
    let mut world =
        World::new(LogConfig { segment_bytes: 250, retention_ms: Some(100), ..small() });
    (0..20).for_each(|time| _ = world.fill(&[&[time]]));
    let facts = world.log().segment_facts().unwrap();
    let config = world.config.clone();
    let plan = |now| retention::plan(&facts, at(0), at(20), WallTime(now), &config);
    assert_eq!(plan(50), None);
    let some = plan(110).unwrap();
    assert!(!some.roll_first && some.log_start > at(0) && some.log_start <= at(10));
    let all = plan(1000).unwrap();
    assert_eq!((all.log_start, all.roll_first), (Offset(20), true));
    world.log().roll(NOW).unwrap();
    world.log().advance_log_start(all.log_start).unwrap();
    assert_eq!(world.files(".log"), [format!("{:020}.log", 20)]);
    world.kill_and_start();
    assert_eq!((world.log().log_start(), world.log().log_end()), (Offset(20), Offset(20)));
    assert_eq!(world.fill(&[&[1]]), [20]);
    // No entry is needed where the first segment says it all.
    world.log().advance_log_start(at(21)).unwrap();
    world.log().roll(NOW).unwrap();
    world.fill(&[&[2]]);
    world.log().advance_log_start(at(21)).unwrap();
    world.stop();
    let starts = Path::new("/data/log-start-offset-checkpoint");
    assert_eq!(world.disk.read_file(starts, 100).unwrap(), b"0\n0\n");
}

#[test]
fn a_follower_can_start_over_at_a_later_offset() {
    let mut world = World::new(small());
    world.append(from_producer(1, 0, 0, 3)).unwrap();
    world.log().reset_to(at(500), NOW).unwrap();
    assert_eq!((world.log().log_start(), world.log().log_end()), (Offset(500), Offset(500)));
    assert!(world.log().producers().is_empty());
    assert_eq!(world.log().latest_epoch(), None);
    assert_eq!(world.fill(&[&[1]]), [500]);
    world.kill_and_start();
    assert_eq!(offsets(&world.batches()), [(500, 500)]);
}

#[test]
fn a_follower_that_begins_inside_a_batch_still_starts_there_after_a_crash() {
    for crash in [env_sim::Crash::Kill, env_sim::Crash::PowerLoss] {
        let mut leader = World::new(small());
        leader.fill(&[&[0; 38], &[1; 7], &[2]]);
        let batches = replicated(&leader.batches()[1..]);
        let mut world = World::new(small());
        world.log().reset_to(at(41), NOW).unwrap();
        world.log().append_as_follower(batches, NOW).unwrap();
        assert_eq!((world.log().log_start(), world.log().log_end()), (Offset(41), Offset(46)));
        world.log().flush().unwrap();
        world.crash(crash);
        world.start();
        assert_eq!((world.log().log_start(), world.log().log_end()), (Offset(41), Offset(46)));
        assert_eq!(offsets(&world.batches()), [(38, 44), (45, 45)], "the batch is there, whole");
    }
}

#[test]
fn rolling_an_empty_segment_does_nothing() {
    let mut world = World::new(small());
    assert!(!world.log().roll(NOW).unwrap());
    world.fill(&[&[1]]);
    assert!(world.log().roll(NOW).unwrap());
    assert!(!world.log().roll(NOW).unwrap());
    assert_eq!(world.files(".log").len(), 2);
    assert_eq!(world.log().flush_due(), Some(Offset(1)));
    world.log().flush().unwrap();
    assert_eq!((world.log().flush_due(), world.log().recovery_point()), (None, Offset(1)));
}
