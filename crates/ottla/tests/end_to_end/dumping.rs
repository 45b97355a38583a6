//! `kafka-dump-log` prints what Kafka's tool prints of the same files.

use std::path::{Path, PathBuf};
use std::process::Command;

const LOG: &str = "00000000000000000000.log";
const SNAPSHOT: &str = "00000000000000000000-0000000000.checkpoint";

/// A metadata log that a controller of Kafka's has written.
fn kafkas_log() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of crates");
    crates.join("storage/testdata/logdirs/kafka-4.2/__cluster_metadata-0")
}

/// All record types in all versions. Made by `tests/interop/golden/EveryMetadataRecord.java`.
fn every_record() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end");
    tests.join("golden/every_metadata_record")
}

fn dumped(directory: &Path, files: &[&str], flags: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ottla"))
        .current_dir(directory)
        .args(["kafka-dump-log", "--cluster-metadata-decoder", "--files", &files.join(",")])
        .args(flags)
        .output()
        .expect("run the binary");
    assert!(output.status.success(), "{}", crate::node::text(&output.stderr));
    crate::node::text(&output.stdout)
}

#[track_caller]
fn check_same(ours: &str, kafkas: &str) {
    let mut ours = ours.lines();
    for line in kafkas.lines().filter(|line| !line.starts_with('#')) {
        assert_eq!(ours.next(), Some(line));
    }
    assert_eq!(ours.next(), None);
}

#[test]
fn a_metadata_log_and_its_snapshot_are_told_as_kafka_tells_them() {
    let found = dumped(&kafkas_log(), &[SNAPSHOT, LOG], &[]);
    check_same(&found, include_str!("golden/cluster_metadata.txt"));
}

#[test]
fn every_metadata_record_is_told_as_kafka_tells_it() {
    let found = dumped(&every_record(), &[LOG], &[]);
    check_same(&found, include_str!("golden/every_metadata_record/kafka.txt"));
}

#[test]
fn control_records_leave_an_empty_line_where_their_metadata_is_skipped() {
    let found = dumped(&kafkas_log(), &[LOG], &["--skip-record-metadata"]);
    let lines: Vec<&str> = found.lines().collect();
    assert!(lines[2].starts_with("baseOffset: 0"), "{}", lines[2]);
    assert_eq!(lines[3..6], ["", "", ""]);
    let begin = "| payload: {\"type\":\"BEGIN_TRANSACTION_RECORD\",\"version\":0,\"data\":{\"name\":\
                 \"Bootstrap records\"}}";
    assert_eq!(lines[7], begin);
}
