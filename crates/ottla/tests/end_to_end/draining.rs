//! Brokers that are emptied, and drains that are interrupted or taken back.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::node::run;

fn three_nodes() -> Cluster {
    let cluster = Cluster::start(3);
    cluster.wait_for("three brokers", |c| c.brokers().filter(|brokers| *brokers == 3));
    cluster
}

/// The replicas of `t-0`, the preferred leader first.
fn replicas(cluster: &Cluster) -> Option<Vec<u64>> {
    let listed = partition(cluster)?;
    listed["replicas"].as_array()?.iter().map(Value::as_u64).collect()
}

fn partition(cluster: &Cluster) -> Option<Value> {
    let listed = cluster.json(&["partition", "list"], "")?;
    let mut all = listed["partitions"].as_array()?.iter();
    all.find(|p| p["topic"] == "t" && p["partition"] == 0).cloned()
}

fn make_topic(cluster: &Cluster) -> [String; 2] {
    let create = ["topic", "create", "t", "-p", "1", "--replication-factor", "2"];
    assert!(cluster.json(&create, "").is_some(), "{}", cluster.logs());
    cluster.wait_for("two replicas in sync", |c| c.in_sync("t").filter(|count| *count == 2));
    let replicas = cluster.wait_for("the placement", replicas);
    [replicas[0].to_string(), replicas[1].to_string()]
}

fn drain(cluster: &Cluster, broker: &str, more: &[&str]) -> Value {
    let arguments = [&["broker", "drain", broker, "--yes"], more].concat();
    let output = run(&cluster.all(), &[&arguments[..], &["-o", "json"]].concat(), "");
    let told = crate::node::text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}{}", cluster.logs());
    serde_json::from_slice(&output.stdout).expect("what was done")
}

#[test]
fn a_drained_broker_holds_nothing_and_the_kept_placement_is_restored() {
    let cluster = three_nodes();
    let [leader, _] = make_topic(&cluster);
    cluster.produce(&["a", "b"]);
    let before = cluster.wait_for("the placement", replicas);
    let kept = tempfile::tempdir().expect("a directory");
    let file = kept.path().join("before.json").display().to_string();

    let plan = drain(&cluster, &leader, &["--dry-run"]);
    assert_eq!((&plan["safe_to_stop"], &plan["replicas_left"]), (&json!(false), &json!(1)));
    let drained = drain(&cluster, &leader, &["--file", &file]);
    assert_eq!(drained["moves"], plan["moves"]);
    assert_eq!((&drained["safe_to_stop"], &drained["replicas_left"]), (&json!(true), &json!(0)));
    let after = cluster.wait_for("the placement", replicas);
    assert!(after.len() == 2 && !after.contains(&leader.parse().expect("a number")), "{after:?}");
    assert_eq!(cluster.read(2), ["a", "b"]);
    let again = drain(&cluster, &leader, &["--file", &file]);
    assert_eq!((&again["safe_to_stop"], &again["moves"]), (&json!(true), &json!([])));

    let undone = drain(&cluster, &leader, &["--undo", "--file", &file]);
    assert_eq!(undone["taken_back"], json!(["t-0"]));
    cluster.wait_for("the placement before", |c| {
        (replicas(c)? == before && c.in_sync("t")? == 2).then_some(())
    });
    assert_eq!(cluster.read(2), ["a", "b"]);
}

#[test]
fn the_same_drain_again_waits_for_the_moves_that_are_under_way_or_takes_them_back() {
    let mut cluster = three_nodes();
    let [leader, follower] = make_topic(&cluster);
    let node = |id: &str| id.parse::<usize>().expect("a number");
    let third = (1..=3).find(|id| ![node(&leader), node(&follower)].contains(id));
    let third = third.expect("three nodes").to_string();
    // Nothing can be copied while the one replica in sync is away.
    cluster.kill(node(&follower));
    cluster.wait_for("one replica in sync", |c| c.in_sync("t").filter(|count| *count == 1));
    cluster.kill(node(&leader));
    cluster.spawn(node(&follower));
    cluster.wait_for("two brokers", |c| c.brokers().filter(|brokers| *brokers == 2));
    let begin = ["--to", &third, "--no-wait"];
    assert_eq!(drain(&cluster, &follower, &begin)["moves"].as_array().map(Vec::len), Some(1));
    let again = drain(&cluster, &follower, &begin);
    assert_eq!((&again["moves"], &again["replicas_left"]), (&json!([]), &json!(1)));

    assert_eq!(drain(&cluster, &follower, &["--undo"])["taken_back"], json!(["t-0"]));
    cluster.wait_for("no move", |c| (partition(c)?["adding"] == json!([])).then_some(()));
    assert_eq!(drain(&cluster, &follower, &begin)["moves"].as_array().map(Vec::len), Some(1));
    cluster.spawn(node(&leader));
    let drained = drain(&cluster, &follower, &["--to", &third]);
    assert_eq!((&drained["moves"], &drained["replicas_left"]), (&json!([]), &json!(0)));
    let expected = [node(&leader) as u64, node(&third) as u64];
    cluster.wait_for("the placement", |c| (replicas(c)? == expected).then_some(()));
}
