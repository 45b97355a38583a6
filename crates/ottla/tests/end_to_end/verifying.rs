//! `ottla log verify`, as a person and a script meet it.

use std::fs;

use serde_json::Value;

use crate::node::{Node, text};

#[test]
fn a_directory_in_use_is_looked_at_with_a_note_and_damage_is_named_where_it_is() {
    let node = Node::start();
    node.ok(&["topic", "create", "t"], "");
    node.ok(&["produce", "t"], "one\ntwo\n");
    let dir = node.data().display().to_string();
    let sound = node.run(&["log", "verify", &dir], "");
    assert_eq!(sound.status.code(), Some(0), "{}{}", text(&sound.stdout), text(&sound.stderr));
    assert!(text(&sound.stdout).starts_with("sound: "), "{}", text(&sound.stdout));
    assert!(text(&sound.stderr).contains("note: a process uses"), "{}", text(&sound.stderr));

    let log = node.data().join("t-0/00000000000000000000.log");
    let mut bytes = fs::read(&log).expect("the segment");
    bytes[65] ^= 1;
    fs::write(&log, &bytes).expect("damage it");
    let damaged = node.run(&["log", "verify", &dir, "-o", "json"], "");
    assert_eq!(damaged.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&damaged.stdout).expect("JSON");
    assert_eq!((&told["sound"], &told["live"]), (&Value::Bool(false), &Value::Bool(true)));
    let finding = &told["findings"][0];
    assert_eq!(finding["code"], "BATCH_DAMAGED", "{told}");
    assert_eq!(finding["file"], "t-0/00000000000000000000.log");
    assert_eq!((&finding["position"], &finding["offset"]), (&0.into(), &0.into()));
    let one = node.run(&["log", "verify", &format!("{dir}/t-0")], "");
    assert_eq!(one.status.code(), Some(1));
    let line = text(&one.stdout);
    assert!(line.contains("00000000000000000000.log at 0, offset 0 · "), "{line}");
    assert!(text(&one.stderr).contains("code: NOT_SOUND"), "{}", text(&one.stderr));
}

#[test]
fn what_cannot_be_read_exits_with_2() {
    let nowhere = tempfile::tempdir().expect("a directory").path().join("nowhere");
    let nowhere = nowhere.display().to_string();
    let output = crate::node::run("", &["log", "verify", &nowhere], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("code: UNREADABLE"), "{}", text(&output.stderr));
}
