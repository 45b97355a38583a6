//! Partitions that move no faster than they may.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::node::{run, text};

const RATES: [&str; 2] =
    ["leader.replication.throttled.rate", "follower.replication.throttled.rate"];
const LISTS: [&str; 2] =
    ["leader.replication.throttled.replicas", "follower.replication.throttled.replicas"];

/// What a resource is set to; an empty text where it is not.
fn set(cluster: &Cluster, kind: &str, name: &str, properties: &[&str]) -> Option<Vec<String>> {
    let listed = cluster.json(&[&["config", "get", kind, name], properties].concat(), "")?;
    let all = listed["properties"].as_array()?.clone();
    let value = |wanted: &&str| {
        let found = all.iter().find(|property| property["name"] == **wanted)?;
        let is_set = found["source"] != "DEFAULT_CONFIG";
        Some(if is_set { found["value"].as_str()?.to_owned() } else { String::new() })
    };
    properties.iter().map(value).collect()
}

fn wait_for_set(cluster: &Cluster, kind: &str, name: &str, names: &[&str], expected: &[&str]) {
    cluster.wait_for(&format!("{kind} {name} to have {expected:?}"), |c| {
        set(c, kind, name, names).filter(|found| found == expected)
    });
}

fn moved(cluster: &Cluster, more: &[&str]) -> Value {
    let arguments = [&["partition", "move", "t-0", "-o", "json"], more].concat();
    let output = run(&cluster.all(), &arguments, "");
    let told = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}{}", cluster.logs());
    serde_json::from_slice(&output.stdout).expect("what was done")
}

/// Three nodes of which one has died: it has the one replica of `t-0`. That node and another.
fn cluster_whose_partition_cannot_move_yet() -> (Cluster, usize, String) {
    let mut cluster = Cluster::start(3);
    cluster.wait_for("three brokers", |c| c.brokers().filter(|brokers| *brokers == 3));
    let create = ["topic", "create", "t", "-p", "1", "--replication-factor", "1"];
    assert!(cluster.json(&create, "").is_some(), "{}", cluster.logs());
    cluster.produce(&["a", "b"]);
    let described = cluster.json(&["topic", "describe", "t"], "").expect("a topic");
    let from = described["topics"][0]["partitions"][0]["leader"].as_u64().expect("a leader");
    let from = usize::try_from(from).expect("a node");
    cluster.kill(from);
    cluster.wait_for("two brokers", |c| c.brokers().filter(|brokers| *brokers == 2));
    let to = (1..=3).find(|node| *node != from).expect("another node").to_string();
    (cluster, from, to)
}

#[test]
fn the_throttle_of_a_move_holds_until_it_is_verified_to_be_done() {
    let (mut cluster, from, to) = cluster_whose_partition_cannot_move_yet();
    let begun = moved(&cluster, &["--to", &to, "--throttle", "1000000"]);
    assert_eq!(begun["throttle_bytes_per_second"], json!(1_000_000));
    wait_for_set(&cluster, "topic", "t", &LISTS, &[&format!("0:{from}"), &format!("0:{to}")]);
    wait_for_set(&cluster, "broker", &to, &RATES, &["1000000", "1000000"]);
    // The same move again changes it.
    moved(&cluster, &["--to", &to, "--throttle", "2000000"]);
    wait_for_set(&cluster, "broker", &to, &RATES, &["2000000", "2000000"]);
    let verified = moved(&cluster, &["--verify", "--to", &to]);
    assert_eq!(verified["state"], json!("in_progress"));
    assert_eq!(verified["throttle_removed"], json!(false));
    wait_for_set(&cluster, "broker", &to, &RATES, &["2000000", "2000000"]);

    cluster.spawn(from);
    cluster.wait_for("the move is done", |c| {
        let kept = c.json(&["partition", "move", "t-0", "--verify", "--preserve-throttles"], "")?;
        (kept["state"] == "done" && kept["throttle_removed"] == json!(false)).then_some(())
    });
    wait_for_set(&cluster, "broker", &from.to_string(), &RATES, &["2000000", "2000000"]);
    let verified = moved(&cluster, &["--verify", "--to", &to]);
    let expected = json!({
        "partition": "t-0",
        "state": "done",
        "replicas": [to.parse::<u64>().expect("a number")],
        "throttle_removed": true,
    });
    assert_eq!(verified, expected);
    for broker in [to.clone(), from.to_string()] {
        wait_for_set(&cluster, "broker", &broker, &RATES, &["", ""]);
    }
    wait_for_set(&cluster, "topic", "t", &LISTS, &["", ""]);
    assert_eq!(cluster.read(2), ["a", "b"]);

    let elsewhere = ["partition", "move", "t-0", "--verify", "--to", &from.to_string()];
    let output = run(&cluster.all(), &[&elsewhere[..], &["-o", "json"]].concat(), "");
    let told: Value = serde_json::from_slice(&output.stderr).expect("an error");
    assert_eq!((output.status.code(), &told["error"]["code"]), (Some(1), &json!("NOT_MOVED")));
}

#[test]
fn a_move_that_is_taken_back_or_refused_leaves_no_throttle_behind() {
    let (cluster, _, to) = cluster_whose_partition_cannot_move_yet();
    moved(&cluster, &["--to", &to, "--throttle", "1000000"]);
    wait_for_set(&cluster, "broker", &to, &RATES, &["1000000", "1000000"]);
    assert_eq!(moved(&cluster, &["--cancel"])["throttle_removed"], json!(true));
    wait_for_set(&cluster, "broker", &to, &RATES, &["", ""]);
    wait_for_set(&cluster, "topic", "t", &LISTS, &["", ""]);

    // One broker twice, and one that nobody has heard of.
    for (wanted, code) in [("twice", "INVALID_REPLICA_ASSIGNMENT"), ("99", "BROKER_NOT_FOUND")] {
        let wanted = if wanted == "twice" { format!("{to},{to}") } else { wanted.to_owned() };
        let arguments = ["partition", "move", "t-0", "--to", &wanted, "--throttle", "1"];
        let told = text(&run(&cluster.all(), &arguments, "").stderr);
        assert!(told.contains(&format!("code: {code}")), "{told}");
    }
    wait_for_set(&cluster, "broker", &to, &RATES, &["", ""]);
    wait_for_set(&cluster, "topic", "t", &LISTS, &["", ""]);
}
