//! How commands fail: the exit code, and four parts that a person can act on.

use crate::node::{Node, run, text};

/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:1";

#[test]
fn an_address_where_nobody_listens_is_named_with_what_to_do() {
    let output = run(NOWHERE, &["topic", "list"], "");
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for part in
        ["error: connect to 127.0.0.1:1", "why: connection refused", "try: ", "code: UNREACHABLE"]
    {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
}

#[test]
fn errors_are_json_where_results_are() {
    let output = run(NOWHERE, &["topic", "list", "-o", "json"], "");
    let told: serde_json::Value = serde_json::from_slice(&output.stderr).expect("JSON on stderr");
    assert_eq!(told["error"]["code"], "UNREACHABLE");
    assert_eq!(told["error"]["what"], "connect to 127.0.0.1:1");
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_flags_exit_with_2() {
    for arguments in [&["topic", "list", "--bogus"][..], &["nonsense"], &["topic", "create"]] {
        assert_eq!(run(NOWHERE, arguments, "").status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn exit_codes_tell_kinds_of_failure_apart() {
    let node = Node::start();
    for (arguments, code) in [
        (&["topic", "describe", "nope"][..], 4),
        (&["group", "describe", "nope"], 4),
        (&["consume", "nope", "-n", "1"], 4),
        (&["topic", "create", "bad name"], 1),
        (&["config", "set", "topic", "nope", "retention.ms=1"], 4),
        (&["config", "explain", "retention.mss"], 4),
    ] {
        let output = node.run(arguments, "");
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.starts_with("error: ") && told.contains("\n  code: "), "{told}");
    }
}

#[test]
fn help_is_there_without_a_cluster() {
    for arguments in [&["--help"][..], &["topic", "--help"], &["consume", "--help"], &["--version"]]
    {
        let output = run(NOWHERE, arguments, "");
        assert!(output.status.success() && !output.stdout.is_empty(), "{arguments:?}");
    }
    let output = run(NOWHERE, &["kafka-topics", "--help"], "");
    assert!(text(&output.stderr).contains("--under-replicated-partitions"));
}
