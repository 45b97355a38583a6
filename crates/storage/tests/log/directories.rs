use crate::support::*;
use env::{Disk, DiskFile, OpenMode};
use env_sim::{Crash, SimDisk};
use std::path::Path;
use std::sync::Arc;
use storage::file_names::DirKind;
use storage::{LogDir, LogSettings, MetaProperties, NotClean, StorageError};
use types::{BrokerId, LeaderEpoch, Offset, TopicPartition, Uuid};

fn open(disk: &SimDisk) -> LogDir<SimDisk> {
    LogDir::open(disk.clone(), Path::new(DATA)).unwrap()
}

fn settings() -> LogSettings {
    LogSettings { config: Arc::new(small()), now: NOW, jitter_seed: 0 }
}

fn marker(disk: &SimDisk) -> bool {
    disk.exists(&Path::new(DATA).join(".kafka_cleanshutdown"))
}

#[test]
fn a_directory_is_one_process_s_at_a_time() {
    let disk = SimDisk::new(0);
    let held = open(&disk);
    match LogDir::open(disk.clone(), Path::new(DATA)) {
        Err(StorageError::Io { kind, .. }) => assert_eq!(kind, std::io::ErrorKind::WouldBlock),
        _ => panic!("the directory is locked"),
    }
    drop(held);
    open(&disk);
}

#[test]
fn a_formatted_directory_knows_whose_it_is() {
    let disk = SimDisk::new(0);
    let mut dir = open(&disk);
    assert_eq!(dir.properties(), None);
    let mine = MetaProperties {
        cluster_id: Some("cluster".into()),
        node_id: Some(BrokerId(4)),
        directory_id: Some(Uuid::from_random([9; 16])),
    };
    dir.format(mine.clone()).unwrap();
    drop(dir);
    assert_eq!(open(&disk).properties(), Some(&mine));
    disk.open(&Path::new(DATA).join("meta.properties"), OpenMode::Truncate).unwrap();
    assert!(matches!(LogDir::open(disk, Path::new(DATA)), Err(StorageError::Corrupt { .. })));
}

#[test]
fn the_marker_of_a_clean_stop_tells_the_broker_epoch_and_is_used_up_by_the_next_start() {
    let disk = SimDisk::new(0);
    let dir = open(&disk);
    assert!(!dir.was_clean());
    dir.finish_loading().unwrap();
    dir.close(42).unwrap().unwrap();
    assert!(marker(&disk));
    let dir = open(&disk);
    assert!(dir.was_clean() && !marker(&disk));
    assert_eq!(dir.clean_shutdown_epoch(), Some(42));
}

#[test]
fn a_directory_that_never_finished_loading_is_not_marked_clean() {
    let disk = SimDisk::new(0);
    assert_eq!(open(&disk).close(1).unwrap(), Err(NotClean::NotLoaded));
    assert!(!marker(&disk));
}

#[test]
fn a_log_that_was_not_closed_keeps_the_directory_from_being_marked_clean() {
    let mut world = World::new(small());
    world.fill(&[&[1]]);
    world.log = None;
    let closed = world.dir.take().unwrap().close(1).unwrap();
    assert_eq!(closed, Err(NotClean::LogsOpen(vec![partition()])));
    assert!(!marker(&world.disk));
}

#[test]
fn partitions_are_found_with_their_topic_ids_and_a_torn_one_has_none() {
    let disk = SimDisk::new(0);
    let dir = open(&disk);
    for topic in ["a", "b", "c"] {
        dir.create_log(&TopicPartition::new(topic, 1), topic_id(), settings()).unwrap();
    }
    let metadata = |topic: &str| Path::new(DATA).join(format!("{topic}-1/partition.metadata"));
    disk.open(&metadata("b"), OpenMode::Truncate).unwrap();
    disk.remove_file(&metadata("c")).unwrap();
    disk.create_dir_all(&Path::new(DATA).join("remote-log-index-cache")).unwrap();
    let found: Vec<_> =
        dir.partitions().unwrap().into_iter().map(|f| (f.partition, f.topic_id)).collect();
    let partition = |topic| TopicPartition::new(topic, 1);
    assert_eq!(
        found,
        [(partition("a"), Some(topic_id())), (partition("b"), None), (partition("c"), None)]
    );
}

#[test]
fn a_deleted_log_is_renamed_then_removed_and_one_of_its_name_starts_from_nothing() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2], &[3]]);
    world.log().advance_log_start(at(2)).unwrap();
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    let reader = world.reader();
    let log = world.log.take().unwrap();
    let moved = world.dir().delete_log(log, [7; 16]).unwrap();
    let refused = reader.read(at(2), 100, at(3), true).unwrap_err();
    assert_eq!(refused.error_code().name(), "NOT_LEADER_OR_FOLLOWER");
    assert!(!world.dir().is_offline(), "a deleted log is no disk error");
    assert_eq!(moved, Path::new(DATA).join(format!("orders-0.{}-delete", "07".repeat(16))));
    assert_eq!(world.dir().partitions().unwrap()[0].kind, DirKind::Deleted);
    let fresh = world.dir().create_log(&partition(), topic_id(), settings()).unwrap();
    assert_eq!(
        (fresh.log_start(), fresh.log_end(), fresh.recovery_point()),
        (Offset(0), Offset(0), Offset(0))
    );
    world.dir().remove_dir(&moved).unwrap();
    assert_eq!(world.dir().partitions().unwrap().len(), 1);
}

#[test]
fn what_a_crash_left_in_checkpoints_of_a_deleted_log_is_not_said_of_one_of_its_name() {
    let disk = SimDisk::new(0);
    drop(open(&disk));
    for name in ["recovery-point-offset-checkpoint", "log-start-offset-checkpoint"] {
        let path = Path::new(DATA).join(name);
        disk.replace_file(&path, b"0\n1\norders 0 7\n").unwrap();
    }
    let dir = open(&disk);
    let mut log = dir.create_log(&partition(), topic_id(), settings()).unwrap();
    assert_eq!((log.log_start(), log.log_end()), (Offset(0), Offset(0)));
    let world = World::new(small());
    (0..9).for_each(|time| _ = log.append(batch(&[time]), world.context()).unwrap());
    disk.crash(Crash::Kill);
    let dir = open(&disk);
    let (log, report) = dir.open_log(&dir.partitions().unwrap()[0], settings()).unwrap();
    let all = 9 * batch(&[1]).size_bytes() as u64;
    assert_eq!((log.log_end(), report.scanned_bytes), (Offset(9), all));
}

/// Whoever asked a leader without them would be cut, or never cease to ask (KAFKA-15608).
#[test]
fn a_log_that_moved_to_another_directory_knows_where_its_epochs_end() {
    let mut world = World::new(small());
    for epoch in [3, 6] {
        world.epoch = epoch;
        world.fill(&[&[1], &[2]]);
    }
    let there = LogDir::open(world.disk.clone(), Path::new("/elsewhere")).unwrap();
    let mut copy = there.create_copy(&world.reader(), topic_id(), [7; 16], settings()).unwrap();
    copy.append_as_follower(replicated(&world.batches()), NOW).unwrap();
    let moved = there.promote_copy(copy, world.log(), settings()).unwrap();
    for epoch in [3, 5, 6].map(LeaderEpoch) {
        let known = world.log().epoch_end_offset(epoch);
        assert!(known.is_some());
        assert_eq!(moved.epoch_end_offset(epoch), known);
    }
}

#[test]
fn a_log_is_not_made_where_something_is() {
    let mut world = World::new(small());
    world.fill(&[&[1]]);
    let refused = world.dir().create_log(&partition(), topic_id(), settings());
    assert!(matches!(refused, Err(StorageError::Io { .. })));
    assert!(!world.dir().is_offline(), "the disk is well");
    assert_eq!(world.fill(&[&[2]]), [1]);
}

#[test]
fn a_log_that_is_opened_a_second_time_is_not_taken_for_clean() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    world.stop();
    world.start();
    world.fill(&[&[3]]);
    world.log = None;
    let found = world.dir().partitions().unwrap().remove(0);
    let (log, report) = world.dir().open_log(&found, settings()).unwrap();
    assert_eq!((report.scanned_segments, log.log_end()), (1, Offset(3)));
}

#[test]
fn a_stray_directory_is_set_aside_with_all_it_holds() {
    let mut world = World::new(small());
    world.fill(&[&[1]]);
    world.stop();
    let dir = open(&world.disk);
    let found = dir.partitions().unwrap().remove(0);
    let moved = dir.set_aside(&found, [1; 16]).unwrap();
    assert!(world.disk.exists(&moved.join("00000000000000000000.log")));
    assert_eq!(dir.partitions().unwrap()[0].kind, DirKind::Stray);
}

#[test]
fn a_directory_that_a_crash_left_while_it_was_made_is_unborn_and_one_with_a_batch_is_not() {
    let mut world = World::new(small());
    world.stop();
    let dir = open(&world.disk);
    let found = dir.partitions().unwrap().remove(0);
    assert!(!dir.is_unborn(&found).unwrap(), "its topic is known");
    world.disk.remove_file(&found.path.join("partition.metadata")).unwrap();
    let found = dir.partitions().unwrap().remove(0);
    assert!(dir.is_unborn(&found).unwrap());
    let segment = found.path.join("00000000000000000000.log");
    let file = world.disk.open(&segment, OpenMode::Create).unwrap();
    file.write_at(&[0; 4096], 0).unwrap();
    assert!(dir.is_unborn(&found).unwrap(), "space that is reserved ahead is zeros");
    file.write_at(&[1], 11).unwrap();
    assert!(!dir.is_unborn(&found).unwrap(), "a batch begins with its length");
}

#[test]
fn a_torn_checkpoint_costs_a_longer_scan_and_a_warning_and_an_empty_one_nothing() {
    for (content, warnings) in [("0\n1\norders 0", 1), ("", 0)] {
        let mut world = World::new(small());
        world.fill(&[&[1]]);
        world.log().flush().unwrap();
        world.dir().checkpoint_recovery_points().unwrap();
        world.crash(Crash::Kill);
        let path = Path::new(DATA).join("recovery-point-offset-checkpoint");
        let file = world.disk.open(&path, OpenMode::Truncate).unwrap();
        file.write_at(content.as_bytes(), 0).unwrap();
        world.start();
        assert_eq!(world.dir().warnings().len(), warnings);
        assert_eq!(world.log().log_end(), Offset(1));
    }
}

#[test]
fn high_watermarks_are_kept_by_partition() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2]]);
    let other = TopicPartition::new("other", 3);
    let marks = [(partition(), Offset(2)), (other.clone(), Offset(9))];
    world.dir().checkpoint_high_watermarks(marks).unwrap();
    world.dir().checkpoint_high_watermarks([(partition(), Offset(1))]).unwrap();
    world.kill_and_start();
    assert_eq!(world.dir().high_watermark(&partition()), Some(Offset(1)));
    assert_eq!(world.dir().high_watermark(&other), Some(Offset(9)));
}

#[test]
fn a_recovery_point_never_outlives_a_truncation() {
    let mut world = World::new(small());
    world.fill(&[&[1], &[2], &[3]]);
    world.log().flush().unwrap();
    world.dir().checkpoint_recovery_points().unwrap();
    world.log().truncate_to(at(1), NOW).unwrap();
    world.fill(&[&[4], &[5], &[6], &[7]]);
    let text = world.disk.read_file(&Path::new(DATA).join("recovery-point-offset-checkpoint"), 99);
    assert_eq!(text.unwrap(), b"0\n1\norders 0 1\n");
}

#[test]
fn a_log_cannot_be_made_outside_its_directory() {
    let dir = open(&SimDisk::new(0));
    for topic in ["../x", "a/b", "..", ""] {
        assert!(dir.create_log(&TopicPartition::new(topic, 0), topic_id(), settings()).is_err());
    }
}

#[test]
fn the_same_stories_run_on_the_machine_s_disk() {
    let scratch = tempfile::tempdir().unwrap();
    let disk = env_os::OsDisk;
    let dir = LogDir::open(disk, scratch.path()).unwrap();
    let mut log = dir.create_log(&partition(), topic_id(), settings()).unwrap();
    let context = World::new(small()).context();
    for time in 0..40 {
        log.append(batch(&[time, time]), context).unwrap();
    }
    log.truncate_to(at(70), NOW).unwrap();
    log.advance_log_start(at(30)).unwrap();
    log.flush().unwrap();
    dir.finish_loading().unwrap();
    log.close().unwrap();
    dir.close(1).unwrap().unwrap();
    let dir = LogDir::open(disk, scratch.path()).unwrap();
    assert!(dir.was_clean());
    let (log, report) = dir.open_log(&dir.partitions().unwrap()[0], settings()).unwrap();
    assert_eq!(report, Default::default());
    assert_eq!((log.log_start(), log.log_end()), (Offset(30), Offset(70)));
    let found = log.reader().offset_for_timestamp(types::WallTime(20)).unwrap().unwrap();
    assert_eq!(found.offset, Offset(40));
}
