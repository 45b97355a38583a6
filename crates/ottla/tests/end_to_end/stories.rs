//! Whole stories through the JSON that programs read.

use serde_json::{Value, json};

use crate::node::{Node, text};

#[test]
fn a_record_comes_back_as_it_was_written() {
    let node = Node::start();
    let headers = json!([{ "key": "h", "value": "1" }]);
    let written = [
        json!({ "key": "k", "value": "v", "headers": headers, "timestamp": 5 }),
        json!({ "key": null, "value": null, "headers": [], "timestamp": 6 }),
        json!({ "key": "", "value": { "base64": "/wAQ" }, "headers": [], "timestamp": 7 }),
        json!({ "key": "ключ", "value": "\u{1f600}\nline two", "headers": [], "timestamp": 8 }),
    ];
    let input: String = written.iter().map(|record| format!("{record}\n")).collect();
    node.ok(&["topic", "create", "t"], "");
    let produced = node.json(&["produce", "t", "-f", "json", "-p", "0"], &input);
    assert_eq!(produced["records"], 4);
    let read = node.ok(&["consume", "t", "--from", "beginning", "--exit", "-o", "json"], "");
    let read: Vec<Value> = read.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read.len(), 4);
    for (offset, (written, read)) in written.iter().zip(&read).enumerate() {
        assert_eq!(read["offset"], offset);
        for field in ["key", "value", "headers", "timestamp"] {
            assert_eq!(read[field], written[field], "{field} of record {offset}");
        }
    }
}

#[test]
fn every_codec_is_read_back() {
    let node = Node::start();
    node.ok(&["topic", "create", "t"], "");
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        node.ok(&["produce", "t", "-z", codec], &format!("{}\n", codec.repeat(1000)));
    }
    let read = node.ok(&["consume", "t", "--from", "beginning", "-n", "5"], "");
    let names: Vec<String> =
        read.lines().map(|line| line[..line.len() / 1000].to_owned()).collect();
    assert_eq!(names, ["none", "gzip", "snappy", "lz4", "zstd"]);
}

#[test]
fn many_records_arrive_once_and_in_order() {
    let node = Node::start();
    node.ok(&["topic", "create", "t"], "");
    let input: String = (0..50_000).map(|n| format!("{n}\n")).collect();
    let produced = node.json(&["produce", "t"], &input);
    assert_eq!(produced["records"], 50_000);
    assert_eq!(produced["partitions"][0]["last_offset"], 49_999);
    let read = node.ok(&["consume", "t", "--from", "beginning", "--exit"], "");
    assert_eq!(read, input);
}

#[test]
fn equal_keys_go_to_one_partition() {
    let node = Node::start();
    node.ok(&["topic", "create", "t", "-p", "8"], "");
    let produced = node.json(&["produce", "t", "-k", "same"], "1\n2\n3\n");
    assert_eq!(produced["partitions"].as_array().map(Vec::len), Some(1));
    // murmur2("same") of the Java client, positive, modulo 8.
    let expected = client::partition_for_key(b"same", 8);
    assert_eq!(produced["partitions"][0]["partition"], expected);
}

#[test]
fn a_group_goes_on_where_it_stopped_and_can_be_moved() {
    let node = Node::start();
    node.ok(&["topic", "create", "t"], "");
    node.ok(&["produce", "t"], "a\nb\nc\n");
    let in_group =
        |count: &str| node.ok(&["consume", "t", "-g", "g", "--from", "beginning", "-n", count], "");
    assert_eq!(in_group("2"), "a\nb\n");
    let described = node.json(&["group", "describe", "g"], "");
    assert_eq!(described["state"], "Empty");
    assert_eq!(described["lag"], 1);
    assert_eq!(in_group("1"), "c\n");

    let preview = node.json(&["group", "seek", "g", "--to", "start"], "");
    assert_eq!((&preview["executed"], &preview["partitions"][0]["to"]), (&json!(false), &json!(0)));
    assert_eq!(node.json(&["group", "describe", "g"], "")["lag"], 0, "a preview changes nothing");
    node.ok(&["group", "seek", "g", "--to", "start", "--execute"], "");
    assert_eq!(in_group("3"), "a\nb\nc\n");

    node.ok(&["group", "delete", "g"], "");
    assert_eq!(node.run(&["group", "describe", "g"], "").status.code(), Some(4));
}

#[test]
fn two_members_share_the_partitions() {
    let node = Node::start();
    node.ok(&["topic", "create", "t", "-p", "4"], "");
    // Each stops after its half; the time is only there to end a test that fails.
    let consume = ["consume", "t", "-g", "g", "--from", "beginning", "-n", "2", "--idle", "60s"];
    let reader = || node.ok(&consume, "");
    let both: Vec<String> = std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(reader), scope.spawn(reader));
        let is_settled = || {
            let described = node.run(&["group", "describe", "g", "-o", "json"], "");
            let described: Value = serde_json::from_slice(&described.stdout).unwrap_or_default();
            let members = described["members"].as_array().cloned().unwrap_or_default();
            described["state"] == "Stable"
                && members.len() == 2
                && members.iter().all(|member| member["partitions"] == 2)
        };
        assert!((0..3000).any(|_| is_settled()), "the group did not settle");
        for partition in ["0", "1", "2", "3"] {
            node.ok(&["produce", "t", "-p", partition], &format!("{partition}\n"));
        }
        [one, two].map(|reader| reader.join().expect("a reader")).to_vec()
    });
    assert!(both.iter().all(|read| read.lines().count() == 2), "not shared: {both:?}");
    let mut all: Vec<&str> = both.iter().flat_map(|read| read.lines()).collect();
    all.sort_unstable();
    assert_eq!(all, ["0", "1", "2", "3"]);
}

#[test]
fn reading_can_begin_at_the_end_at_a_time_and_from_the_back() {
    let node = Node::start();
    node.ok(&["topic", "create", "t"], "");
    let records = [(1000, "a"), (2000, "b"), (3000, "c")];
    let input: String = records
        .iter()
        .map(|(time, value)| format!("{}\n", json!({ "value": value, "timestamp": time })))
        .collect();
    node.ok(&["produce", "t", "-f", "json"], &input);
    let from = |place: &str| node.ok(&["consume", "t", "--from", place, "--exit"], "");
    assert_eq!(from("beginning"), "a\nb\nc\n");
    assert_eq!(from("-1"), "c\n");
    assert_eq!(from("1"), "b\nc\n");
    assert_eq!(from("@1970-01-01T00:00:02Z"), "b\nc\n");
    assert_eq!(from("end"), "");
}

#[test]
fn settings_come_from_where_they_say() {
    let node = Node::start();
    node.ok(&["topic", "create", "t", "-c", "retention.ms=60000"], "");
    let get =
        |name: &str| node.json(&["config", "get", "topic", "t", name], "")["properties"][0].clone();
    assert_eq!(get("retention.ms")["source"], "DYNAMIC_TOPIC_CONFIG");
    assert_eq!(get("segment.bytes")["source"], "DEFAULT_CONFIG");
    assert_eq!(node.ok(&["config", "get", "topic", "t", "retention.ms"], ""), "60000\n");
    node.ok(&["config", "delete", "topic", "t", "retention.ms"], "");
    assert_eq!(get("retention.ms")["value"], "604800000");
    let refused = node.run(&["config", "set", "topic", "t", "retention.ms=soon"], "");
    let told = text(&refused.stderr);
    assert!(told.contains("Invalid value soon for configuration retention.ms"), "{told}");
}

#[test]
fn deleted_records_are_gone_and_a_preview_deletes_nothing() {
    let node = Node::start();
    node.ok(&["topic", "create", "t"], "");
    node.ok(&["produce", "t"], "a\nb\nc\n");
    let delete = ["records", "delete", "t", "--before", "2"];
    assert_eq!(node.json(&delete, "")["partitions"][0]["records"], 2);
    assert_eq!(node.json(&["offsets", "t"], "")["partitions"][0]["start"], 0);
    node.ok(&[&delete[..], &["--execute"]].concat(), "");
    assert_eq!(node.json(&["offsets", "t"], "")["partitions"][0]["start"], 2);
    assert_eq!(node.ok(&["consume", "t", "--from", "beginning", "--exit"], ""), "c\n");
}

#[test]
fn the_cluster_is_healthy_and_says_who_it_is() {
    let node = Node::start();
    node.ok(&["topic", "create", "a", "b", "-p", "2"], "");
    let status = node.json(&["cluster", "status"], "");
    assert_eq!(status["healthy"], true);
    assert_eq!((&status["topics"], &status["partitions"]), (&json!(2), &json!(4)));
    assert_eq!(status["brokers"][0]["leads"], 4);
    assert_eq!(status["brokers"][0]["address"], node.address());
}
