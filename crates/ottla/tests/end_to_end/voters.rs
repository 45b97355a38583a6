//! Controllers join and leave the quorum of a cluster that works.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::node::{run, text};

fn ids(quorum: &Value, role: &str) -> Vec<u64> {
    let members = quorum[role].as_array().map(Vec::as_slice).unwrap_or_default();
    members.iter().filter_map(|member| member["id"].as_u64()).collect()
}

/// The quorum, once `is_it`.
fn quorum(cluster: &Cluster, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    cluster.wait_for(what, |cluster| {
        cluster.json(&["cluster", "quorum"], "").filter(|quorum| is_it(quorum))
    })
}

/// Asks until it is done: one that has not the log yet is refused.
fn change(cluster: &Cluster, verb: &str, id: u64) {
    let id = id.to_string();
    cluster.wait_for(&format!("{verb} {id}"), |cluster| {
        let output = run(&cluster.all(), &["cluster", "quorum", verb, &id, "--yes"], "");
        let told = text(&output.stderr);
        assert!(output.status.success() || !told.contains("DUPLICATE"), "{told}");
        output.status.success().then_some(())
    });
}

/// What `kafka-metadata-quorum` is refused with.
fn kafkas(cluster: &Cluster, arguments: &[&str], file_of: Option<usize>) -> String {
    let file = file_of.map(|node| cluster.file(node));
    let mut line = vec!["kafka-metadata-quorum"];
    line.extend(file.iter().flat_map(|file| ["--command-config", file]));
    line.extend(arguments);
    let output = run(&cluster.all(), &line, "");
    let told = text(&output.stdout) + &text(&output.stderr);
    let known = [("DuplicateVoter", "DUPLICATE_VOTER"), ("VoterNotFound", "VOTER_NOT_FOUND")];
    let found = known.iter().find(|(kafka, ours)| told.contains(kafka) || told.contains(ours));
    found.map_or(told, |(_, ours)| (*ours).to_owned())
}

#[test]
fn a_controller_is_added_and_the_leader_removed_under_kill_9_and_nothing_is_lost() {
    let mut cluster = Cluster::start_dynamic(3);
    cluster.wait_for("a cluster of three", |cluster| (cluster.brokers()? == 3).then_some(()));
    cluster.create_topic("a topic", &["t", "--replication-factor", "3"]);
    cluster.produce(&["one"]);
    cluster.spawn(4);
    let before = quorum(&cluster, "an observer", |q| ids(q, "observers").contains(&4));
    assert_eq!(ids(&before, "voters"), [1, 2, 3]);
    change(&cluster, "add", 4);
    let four = quorum(&cluster, "four voters", |q| ids(q, "voters") == [1, 2, 3, 4]);
    assert_eq!(kafkas(&cluster, &["add-controller"], Some(4)), "DUPLICATE_VOTER");
    let stranger = ["remove-controller", "-i", "9", "-d", "AAAAAAAAAAAAAAAAAAAABw"];
    assert_eq!(kafkas(&cluster, &stranger, None), "VOTER_NOT_FOUND");
    cluster.produce(&["two"]);
    // What the new voter promised is on its disk.
    cluster.kill(4);
    cluster.produce(&["three"]);
    cluster.spawn(4);
    let leader = four["leader"].as_u64().expect("a leader");
    quorum(&cluster, "the new voter again", |q| {
        let voters = q["voters"].as_array().map(Vec::as_slice).unwrap_or_default();
        voters.iter().all(|voter| voter["log_end"].as_i64() > Some(0))
    });
    change(&cluster, "remove", leader);
    let three = quorum(&cluster, "another leader", |q| {
        !ids(q, "voters").contains(&leader) && q["leader"].as_u64().is_some_and(|l| l != leader)
    });
    assert_eq!(ids(&three, "voters").len(), 3);
    cluster.produce(&["four"]);
    // Two of three must go on: one of them was added, and none is the one that was removed.
    let next = three["leader"].as_u64().expect("a leader");
    cluster.kill(usize::try_from(next).expect("small"));
    cluster.create_topic("a topic after the death of the controller", &["u"]);
    cluster.produce(&["five"]);
    let after = quorum(&cluster, "a leader", |q| q["leader"].as_u64().is_some_and(|l| l != next));
    assert_eq!(ids(&after, "voters"), ids(&three, "voters"));
    cluster.spawn(usize::try_from(next).expect("small"));
    let read = cluster.read(5);
    assert_eq!(read, ["one", "two", "three", "four", "five"], "{}", cluster.logs());
}

#[test]
fn a_standalone_controller_is_joined_by_two_that_go_on_without_it() {
    let mut cluster = Cluster::start_dynamic(1);
    cluster.wait_for("a cluster of three", |cluster| (cluster.brokers()? == 3).then_some(()));
    cluster.create_topic("a topic", &["t", "--replication-factor", "3"]);
    cluster.produce(&["one"]);
    for id in [2, 3] {
        change(&cluster, "add", id);
    }
    quorum(&cluster, "three voters", |q| ids(q, "voters") == [1, 2, 3]);
    cluster.kill(1);
    cluster.create_topic("a topic without the first controller", &["u"]);
    cluster.produce(&["two"]);
    assert_eq!(cluster.read(2), ["one", "two"], "{}", cluster.logs());
}

#[test]
fn a_voter_that_listens_elsewhere_says_so_and_is_found_there_by_all() {
    let mut cluster = Cluster::start_dynamic(3);
    cluster.wait_for("a cluster of three", |cluster| (cluster.brokers()? == 3).then_some(()));
    let leader = quorum(&cluster, "a leader", |q| q["leader"].as_u64().is_some());
    let leader = usize::try_from(leader["leader"].as_u64().expect("a leader")).expect("small");
    let [moved, other] = [leader % 3 + 1, (leader + 1) % 3 + 1];
    cluster.kill(moved);
    let port = cluster.move_controller_listener(moved);
    cluster.spawn(moved);
    let shown = format!("{{\"id\": {moved}, \"directoryId\": ");
    let elsewhere = format!("\"endpoints\": [\"CONTROLLER://127.0.0.1:{port}\"]");
    cluster.wait_for("where it listens", |cluster| {
        let describe = ["kafka-metadata-quorum", "describe", "--status"];
        let told = text(&run(&cluster.all(), &describe, "").stdout);
        let voters = told.lines().find(|line| line.starts_with("CurrentVoters"))?;
        let voter = &voters[voters.find(&shown)?..];
        voter[..voter.find('}')?].contains(&elsewhere).then_some(())
    });
    // Two of three must go on, and one of them is the one that moved.
    cluster.kill(leader);
    cluster.create_topic("a topic with the voter that moved", &["t", "--replication-factor", "2"]);
    // One that was away meanwhile learns of it from the log.
    cluster.spawn(leader);
    cluster.wait_for("all again", |cluster| (cluster.brokers()? == 3).then_some(()));
    cluster.kill(other);
    cluster.create_topic("a topic with those two", &["u", "--replication-factor", "2"]);
}
