//! A directory is looked through: what is sound is called so, each kind of damage is named where it
//! is.

use crate::kafka_directories::{copy, directories};
use crate::support::{DATA, NOW, World, batch, small};
use env::{Disk, DiskFile, OpenMode};
use env_sim::{Crash, SimDisk};
use std::path::Path;
use storage::MetaProperties;
use storage::verify::{Finding, Severity, VerifyObserver, VerifyOptions, VerifyTotals, verify};
use types::Offset;

#[derive(Default)]
pub struct Seen {
    pub findings: Vec<Finding>,
    done: u64,
    total: u64,
}

impl VerifyObserver for Seen {
    fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn progress(&mut self, done: u64, total: u64) {
        assert!(self.done <= done && done <= total, "{} {done} {total}", self.done);
        (self.done, self.total) = (done, total);
    }
}

fn look(disk: &SimDisk, path: &str) -> (VerifyTotals, Vec<Finding>) {
    let mut seen = Seen::default();
    let options = VerifyOptions::default();
    let totals = verify(disk, Path::new(path), options, &mut seen).expect("it can be read");
    assert_eq!((seen.done, seen.total), (totals.bytes, totals.bytes), "all was looked at");
    (totals, seen.findings)
}

/// Code and severity of each finding, in order.
fn codes(findings: &[Finding]) -> Vec<(&'static str, Severity)> {
    findings.iter().map(|finding| (finding.code, finding.severity)).collect()
}

#[test]
fn kafkas_own_directories_are_sound_whole_and_one_by_one() {
    for from in directories() {
        let disk = SimDisk::new(0);
        copy(&disk, &from, Path::new("/d"));
        let (totals, findings) = look(&disk, "/d");
        assert!(totals.is_sound(), "{}: {findings:#?}", from.display());
        assert!(totals.partitions >= 3 && totals.batches > 10, "{totals:?}");
        for entry in disk.read_dir(Path::new("/d")).unwrap().iter().filter(|e| e.is_dir) {
            if entry.name == "expectations" {
                continue;
            }
            let (one, findings) = look(&disk, &format!("/d/{}", entry.name));
            assert!(one.is_sound() && one.partitions == 1, "{}: {findings:#?}", entry.name);
        }
    }
}

/// Several segments, epochs and snapshots. Closed, or left by a process that was killed.
fn filled(is_clean: bool) -> World {
    let mut world = World::new(small());
    let properties = MetaProperties::decode("version=1\ncluster.id=c\nnode.id=1\n").unwrap();
    world.dir.as_mut().unwrap().format(properties).unwrap();
    for epoch in 0..3 {
        world.epoch = epoch;
        for time in 0..20 {
            world.append(batch(&[i64::from(epoch) * 1000 + time, 7])).unwrap();
        }
    }
    match is_clean {
        true => world.stop(),
        false => {
            world.dir().checkpoint_recovery_points().unwrap();
            world.crash(Crash::Kill);
        }
    }
    world
}

/// The names of the log's files with this ending, oldest first.
fn names(world: &World, ending: &str) -> Vec<String> {
    let entries = world.disk.read_dir(&world.file("")).unwrap();
    let named = entries.into_iter().map(|entry| entry.name).filter(|name| name.ends_with(ending));
    named.collect()
}

fn change(disk: &SimDisk, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = disk.read_file(path, 1 << 20).unwrap();
    change(&mut bytes);
    disk.open(path, OpenMode::Truncate).unwrap().write_at(&bytes, 0).unwrap();
}

#[test]
fn what_we_wrote_is_sound_after_a_good_end_and_after_a_bad_one() {
    for is_clean in [true, false] {
        let world = filled(is_clean);
        let (totals, findings) = look(&world.disk, DATA);
        assert_eq!(findings, [], "clean: {is_clean}");
        assert_eq!(totals.batches, 60);
        assert!(totals.segments > 3);
    }
}

#[test]
fn an_active_segment_without_batches_lacks_nothing() {
    for is_clean in [true, false] {
        let mut world = World::new(small());
        let properties = MetaProperties::decode("version=1\ncluster.id=c\nnode.id=1\n").unwrap();
        world.dir.as_mut().unwrap().format(properties).unwrap();
        world.append(batch(&[1, 2])).unwrap();
        world.log().roll(NOW).unwrap();
        world.log().advance_log_start(Offset(2)).unwrap();
        match is_clean {
            true => world.stop(),
            false => world.crash(Crash::Kill),
        }
        let (totals, findings) = look(&world.disk, DATA);
        assert!(totals.is_sound(), "clean: {is_clean}: {findings:#?}");
        assert_eq!((totals.segments, totals.batches), (1, 0));
    }
}

#[test]
fn a_changed_byte_in_a_batch_is_found_at_its_place_and_the_rest_is_looked_at_too() {
    let world = filled(true);
    let logs = names(&world, ".log");
    let path = world.file(&logs[1]);
    change(&world.disk, &path, |bytes| bytes[70] ^= 1);
    let (totals, findings) = look(&world.disk, DATA);
    assert_eq!(codes(&findings), [("BATCH_DAMAGED", Severity::Damage)]);
    assert_eq!((findings[0].position, &findings[0].path), (Some(0), &path));
    let base: i64 = logs[1][..20].parse().unwrap();
    assert_eq!(findings[0].offset, Some(Offset(base)));
    assert_eq!(totals.batches, 60);
}

#[test]
fn a_torn_tail_is_put_right_by_the_next_start_unless_it_was_durable() {
    for is_clean in [true, false] {
        let world = filled(is_clean);
        let path = world.file(names(&world, ".log").last().unwrap());
        change(&world.disk, &path, |bytes| bytes.truncate(bytes.len() - 3));
        let (_, findings) = look(&world.disk, DATA);
        let torn = findings.iter().find(|finding| finding.code == "NO_BATCH").expect("found");
        let expected = if is_clean { Severity::Damage } else { Severity::Repair };
        assert_eq!(torn.severity, expected, "{findings:#?}");
        let is_beyond = findings.iter().any(|finding| finding.code == "BEYOND_LOG_END");
        assert_eq!(is_beyond, is_clean, "the recovery point was the end: {findings:#?}");
    }
}

#[test]
fn a_missing_segment_is_a_hole_and_its_indexes_are_orphans() {
    let world = filled(true);
    let logs = names(&world, ".log");
    world.disk.remove_file(&world.file(&logs[2])).unwrap();
    let (_, findings) = look(&world.disk, DATA);
    let expected = [
        ("ORPHAN_INDEX", Severity::Repair),
        ("ORPHAN_INDEX", Severity::Repair),
        ("HOLE", Severity::Damage),
    ];
    assert_eq!(codes(&findings), expected, "{findings:#?}");
    assert_eq!(findings[2].path, world.file(&logs[3]));
}

#[test]
fn a_batch_with_another_offset_or_an_older_epoch_is_out_of_place() {
    // Neither is covered by the checksum.
    for (at, value, code) in [(7, 0xff, "BATCH_MISPLACED"), (15, 0, "EPOCH_WENT_BACK")] {
        let world = filled(true);
        let path = world.file(names(&world, ".log").last().unwrap());
        change(&world.disk, &path, |bytes| bytes[at] = value);
        let (_, findings) = look(&world.disk, DATA);
        assert!(codes(&findings).contains(&(code, Severity::Damage)), "{code}: {findings:#?}");
    }
}

#[test]
fn indexes_that_lead_astray_are_found_by_entry() {
    for (ending, width) in [(".index", 8), (".timeindex", 12)] {
        let world = filled(true);
        let all = names(&world, ending);
        let name = all.iter().find(|name| {
            world.disk.read_file(&world.file(name), 1 << 20).unwrap().len() > 2 * width
        });
        let path = world.file(name.expect("an index with entries"));
        let wrong = |found: &[Finding], code: &str, position: usize| {
            assert_eq!(codes(found), [(code, Severity::Damage)], "{ending}: {found:#?}");
            assert_eq!((found[0].position, &found[0].path), (Some(position as u64), &path));
        };
        let sound = world.disk.read_file(&path, 1 << 20).unwrap();
        change(&world.disk, &path, |bytes| bytes[2 * width - 1] ^= 2);
        wrong(&look(&world.disk, DATA).1, "INDEX_LEADS_ASTRAY", width);
        change(&world.disk, &path, |bytes| {
            *bytes = sound.clone();
            bytes.copy_within(..width, width);
        });
        wrong(&look(&world.disk, DATA).1, "INDEX_DAMAGED", width);
        change(&world.disk, &path, |bytes| {
            *bytes = sound.clone();
            bytes.push(1);
        });
        wrong(&look(&world.disk, DATA).1, "INDEX_DAMAGED", sound.len());
        world.disk.remove_file(&path).unwrap();
        let missing = look(&world.disk, DATA).1;
        assert_eq!(codes(&missing), [("INDEX_MISSING", Severity::Repair)]);
    }
}

#[test]
fn files_beside_the_segments_are_held_against_the_batches() {
    let cases: [(&str, &str, &str); 6] = [
        ("leader-epoch-checkpoint", "0\n2\n0 0\n2 40\n", "EPOCH_DIFFERS"),
        ("leader-epoch-checkpoint", "0\n2\n0 0\n0 40\n", "EPOCHS_CROSSED"),
        ("leader-epoch-checkpoint", "0\n9\n", "EPOCHS_MALFORMED"),
        ("leader-epoch-checkpoint", "0\n4\n0 0\n1 40\n2 80\n9 999\n", "EPOCHS_BEYOND_LOG_END"),
        ("partition.metadata", "version: 0\n", "PARTITION_METADATA"),
        ("00000000000000000120.snapshot", "no snapshot", "SNAPSHOT_DAMAGED"),
    ];
    for (name, content, code) in cases {
        let world = filled(true);
        change(&world.disk, &world.file(name), |bytes| *bytes = content.into());
        let (totals, findings) = look(&world.disk, DATA);
        let named = findings.iter().any(|finding| finding.code == code);
        assert!(named && !totals.is_sound(), "{name} {content:?}: {findings:#?}");
    }
}

#[test]
fn the_files_at_the_root_are_held_against_the_logs() {
    let cases: [(&str, &str, &str, Severity); 6] = [
        ("meta.properties", "version=7\n", "META_PROPERTIES", Severity::Damage),
        ("log-start-offset-checkpoint", "torn", "CHECKPOINT_MALFORMED", Severity::Damage),
        ("recovery-point-offset-checkpoint", "0\n1\nt 0 999\n", "BEYOND_LOG_END", Severity::Damage),
        ("replication-offset-checkpoint", "0\n1\nt 0 121\n", "BEYOND_LOG_END", Severity::Damage),
        ("replication-offset-checkpoint", "0\n1\nt 0 120\n", "", Severity::Note),
        ("replication-offset-checkpoint", "0\n1\ngone 3 5\n", "STALE", Severity::Note),
    ];
    for (name, content, code, severity) in cases {
        let world = filled(true);
        let content = content.replace("t 0", &format!("{} 0", crate::support::partition().topic));
        change_root(&world, name, &content);
        let (_, findings) = look(&world.disk, DATA);
        let expected: &[_] = if code.is_empty() { &[] } else { &[(code, severity)] };
        assert_eq!(codes(&findings), expected, "{name} {content:?}: {findings:#?}");
    }
}

fn change_root(world: &World, name: &str, content: &str) {
    let path = Path::new(DATA).join(name);
    world.disk.open(&path, OpenMode::Truncate).unwrap().write_at(content.as_bytes(), 0).unwrap();
}

#[test]
fn what_a_crash_left_is_noted_and_no_fault() {
    let world = filled(true);
    for name in ["00000000000000000000.log.deleted", "00000000000000000000.log.swap", "x.tmp"] {
        world.disk.open(&world.file(name), OpenMode::Create).unwrap();
    }
    let (totals, findings) = look(&world.disk, DATA);
    assert_eq!(codes(&findings), [("LEFTOVER", Severity::Note); 3]);
    assert!(totals.is_sound());
}

#[test]
fn while_a_process_writes_the_end_of_a_log_is_no_finding() {
    let world = filled(false);
    let path = world.file(names(&world, ".log").last().unwrap());
    change(&world.disk, &path, |bytes| bytes.truncate(bytes.len() - 3));
    let live = VerifyOptions { is_live: true };
    let mut seen = Seen::default();
    let totals = verify(&world.disk, Path::new(DATA), live, &mut seen).unwrap();
    assert_eq!((seen.findings, totals.is_sound()), (vec![], true));
}

#[test]
fn a_file_full_of_faults_is_cut_short_and_all_are_counted() {
    let world = filled(true);
    let path = world.file(names(&world, ".log").first().unwrap());
    change(&world.disk, &path, |bytes| bytes.clear());
    let mut epochs = String::from("0\n100\n");
    (0..100).for_each(|number| epochs.push_str(&format!("{} 1\n", 200 - number)));
    change(&world.disk, &world.file("leader-epoch-checkpoint"), |b| *b = epochs.into());
    let (totals, findings) = look(&world.disk, DATA);
    assert!(totals.untold > 50, "{totals:?}");
    let told = findings.len() as u64;
    assert_eq!(totals.damages + totals.repairs + totals.notes, told + totals.untold);
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let mut seen = Seen::default();
    let missing = verify(&SimDisk::new(0), Path::new("/no"), VerifyOptions::default(), &mut seen);
    assert!(missing.is_err());
}

#[test]
fn what_a_start_has_set_aside_lacks_a_topic_id_rightly_and_its_records_are_looked_at_still() {
    let world = filled(true);
    change(&world.disk, &world.file("partition.metadata"), |bytes| bytes.clear());
    let stray = Path::new(DATA).join(format!("orders-0.{}-stray", "0".repeat(32)));
    world.disk.rename(&Path::new(DATA).join("orders-0"), &stray).unwrap();
    for path in [Path::new(DATA), stray.as_path()] {
        let (totals, findings) = look(&world.disk, path.to_str().unwrap());
        assert!(totals.is_sound(), "{findings:#?}");
        assert!(
            codes(&findings).contains(&("PARTITION_METADATA", Severity::Note)),
            "{findings:#?}"
        );
    }
    change(&world.disk, &stray.join("00000000000000000000.log"), |bytes| bytes[80] ^= 1);
    assert!(!look(&world.disk, DATA).0.is_sound());
}
