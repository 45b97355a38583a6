//! The judge is shown a true history, and the same one with a lie in it: each must be found, and
//! what nothing promised must not.

mod history;

use history::{HEALED_MS, Lines, true_history};
use judge::Verdict;

type Lie = fn(&mut Lines);

const KEPT: &str = "acknowledged records are kept";
const SAME: &str = "an offset always holds the same record";
const AGAIN: &str = "all is served once the faults are over";
const PROVEN: &str = "the run did what it was to do";

/// What is done, and which promise must be said to be broken.
const LIES: &[(&str, &str, Lie)] = &[
    ("a record is gone from the middle", KEPT, |h| h.drop("read * final shared 0 8")),
    ("there is a hole", "offsets are dense", |h| h.drop("read * final shared 0 8")),
    ("an end is torn off", KEPT, |h| torn_off(h)),
    ("a record that was read is torn off", SAME, |h| torn_off(h)),
    ("a log ends on every replica before what was acknowledged", KEPT, |h| {
        torn_off(h);
        h.drop("replica * shared 0 38");
    }),
    ("a record is there twice", "writes once", |h| {
        h.change("read * final shared 0 12", 7, "5");
    }),
    ("two records change places", "stay in order", |h| {
        h.change("read * final shared 0 10", 7, "6");
        h.change("read * final shared 0 12", 7, "5");
    }),
    ("a record lies before one that was acknowledged when it was sent", "lies after it", |h| {
        h.change("read * final shared 0 10", 6, "b");
        h.change("read * final shared 0 11", 6, "a");
    }),
    ("another record is at an acknowledged offset", KEPT, |h| {
        h.change("read * final shared 0 8", 6, "b");
    }),
    ("an acknowledgement has another offset", KEPT, |h| {
        h.change("ack * a 19 shared 0", 6, "40");
    }),
    ("an acknowledgement without an offset is of what is gone", KEPT, |h| {
        h.change("ack * b 19 shared 0", 6, "-1");
        torn_off(h);
    }),
    ("one offset is acknowledged twice", KEPT, |h| h.change("ack * a 1 trimmed 0", 6, "2")),
    ("the last value of a key is gone", KEPT, |h| h.drop("read * final latest 0 7")),
    ("a record is there that nobody sent", "no record comes from nowhere", |h| {
        h.change("sent b shared 0", 4, "19");
    }),
    ("bytes are others", "no record comes from nowhere", |h| {
        h.change("read * final shared 0 8", 9, "garbled");
    }),
    ("a record is of another partition", "no record comes from nowhere", |h| {
        h.change("read * final shared 0 8", 9, "misplaced");
    }),
    ("a reader is shown other bytes", "no record comes from nowhere", |h| {
        h.change("read * r shared 0 8", 9, "garbled");
    }),
    ("a reader is shown what is above the high watermark and goes", SAME, |h| {
        h.add("sent a weak 0 1");
        h.add("read 7000ms r weak 0 4 a 0 - ok");
    }),
    ("a reader is shown another record", SAME, |h| h.change("read * r shared 0 8", 7, "5")),
    ("a reader is not shown a record", "every record once", |h| h.drop("read * r shared 0 8")),
    ("a reader's place is gone", "every record once", |h| {
        h.add("reset 7000ms r shared 0 range");
    }),
    ("a sequence is refused", "numbers are taken", |h| h.add("fatal 7000ms a OUT_OF_ORDER")),
    ("a commit goes back", "committed offsets are kept", |h| {
        h.change("committed * * g shared 0 20", 6, "15");
    }),
    ("a commit is gone", "committed offsets are kept", |h| {
        h.change("committed * * g shared 0 20", 6, "-1");
    }),
    ("a commit is gone at the end", "committed offsets are kept", |h| {
        h.change("commit-end * g shared 0", 5, "35");
    }),
    ("a group is told what nobody committed", "committed offset comes from nowhere", |h| {
        h.change("committed * * g shared 0 20", 6, "22");
    }),
    ("two members own a partition", "one reader in a group", |h| {
        h.add("owner 5000ms g member-1 shared 0");
    }),
    ("a topic is gone", "topics stay", |h| {
        h.change("topics 20000000000", 3, "shared=2,weak=1,latest=1,trimmed=1");
    }),
    ("a topic has fewer partitions", "topics stay", |h| {
        h.change("topics 20000000000", 3, "shared=2,weak=1,latest=1,trimmed=1,brief=2");
    }),
    ("a deleted topic is back", "topics stay", |h| {
        h.change("topics 40000000000", 3, "shared=2,weak=1,latest=1,trimmed=1,brief=3");
    }),
    ("a topic is gone at the end", "topics stay", |h| {
        h.change("topics-end *", 2, "shared=2,weak=1,latest=1");
    }),
    ("a log start goes back", "starts where it was asked to", |h| h.change("start *", 4, "2")),
    ("a log start runs ahead", "starts where it was asked to", |h| {
        h.change("span * final trimmed 0", 5, "6");
    }),
    ("a replica has another batch", "replicas hold the same log", |h| {
        h.change("replica 2 shared 0 8", 7, "1");
    }),
    ("a replica has a batch of another reign", "replicas hold the same log", |h| {
        h.change("replica 2 shared 0 8", 6, "2");
    }),
    ("a replica ends early", "replicas hold the same log", |h| h.drop("replica 2 shared 0 38")),
    ("a replica has nothing", "replicas hold the same log", |h| h.drop("replica 2 weak 0")),
    ("it is up and stays idle", "serves soon", |h| {
        h.add("up 70000ms");
        h.add("fail 90000ms b 20 shared 0 error 70001ms");
    }),
    ("a partition takes no write after the faults", AGAIN, |h| h.drop("ack * last 0 trimmed")),
    ("a partition gives nothing after the faults", AGAIN, |h| h.drop("read * n trimmed")),
    ("a partition gives what its readers had before, and no more", AGAIN, |h| {
        h.change("ack * last 0 latest", 8, "4000000000");
    }),
    ("a write comes too late after the faults", AGAIN, |h| {
        h.change("ack * last 0 trimmed", 1, &late_ns(1));
    }),
    ("a record comes too late after the faults", AGAIN, |h| {
        h.change("read * n trimmed", 1, &late_ns(1));
    }),
    ("a group commits no more after the faults", AGAIN, |h| of_a_group_after(h, u64::MAX)),
    ("a group's commits are not answered after the faults", AGAIN, |h| {
        for end in (25..=40).step_by(5) {
            h.change(&format!("commit * * g shared 1 {end}"), 2, "0");
        }
    }),
    ("a group commits too late after the faults", AGAIN, |h| of_a_group_after(h, 1)),
    ("nothing is written, read or committed after the faults", AGAIN, |h| {
        ["ack * last", "read * n"].iter().for_each(|lines| h.drop(lines));
    }),
    ("nobody says that the faults are over", PROVEN, |h| h.drop("healed")),
    ("nobody says that the faults are over, and so none owes it", AGAIN, |h| h.drop("healed")),
    ("a fault comes after the last one", PROVEN, |h| {
        h.add("fault 7000ms kill");
        h.add("up 7001ms");
    }),
    ("a group is not asked for at all", PROVEN, |h| {
        ["commit", "committed", "commit-end"].iter().for_each(|line| h.drop(line));
    }),
    ("no deletion of records is acknowledged", PROVEN, |h| {
        (0..10).for_each(|i| h.add(&format!("trim {}ms 0 trimmed 0 4", 2_500 + i)));
        h.change("trim 2300000000", 2, "0");
    }),
    ("a partition is not read back", PROVEN, |h| h.drop("span * final shared 1")),
    ("a group is not asked for at the end", PROVEN, |h| h.drop("commit-end * g shared 1")),
    ("topics are not asked for at the end", PROVEN, |h| h.drop("topics-end")),
    ("a broker's logs are not looked at", PROVEN, |h| h.drop("replica 2")),
    ("nothing was acknowledged", PROVEN, |h| h.drop("ack")),
    ("it is not said what the round is about", PROVEN, |h| h.drop("round")),
    ("it is up without an acknowledgement", PROVEN, |h| {
        h.change("healed", 1, "50010000000");
        (0..3).for_each(|ms| h.add(&format!("up {}ms", 50_000 + ms)));
    }),
];

/// So long after all should be served again, in a cluster.
fn late_ns(ms: u64) -> String {
    ((HEALED_MS + judge::limits::CLUSTER_SERVED_AGAIN_MS + ms) * 1_000_000).to_string()
}

/// What the group commits of partition 1 after the faults comes so late, or never.
fn of_a_group_after(lines: &mut Lines, ms: u64) {
    for end in (25..=40).step_by(5) {
        let place = format!("commit * * g shared 1 {end}");
        match ms {
            u64::MAX => lines.drop(&place),
            _ => lines.change(&place, 2, &late_ns(ms)),
        }
    }
}

fn torn_off(lines: &mut Lines) {
    lines.drop("read * final shared 0 38");
    lines.drop("read * final shared 0 39");
    lines.change("span * final shared 0", 6, "38");
}

fn cluster() -> Lines {
    true_history("default", 3, "kill")
}

#[track_caller]
fn assert_valid(verdict: &Verdict) {
    assert!(verdict.is_valid(), "{}", verdict.words());
}

#[test]
fn a_true_history_is_valid() {
    for fault in ["kill", "cut"] {
        assert_valid(&true_history("default", 3, fault).verdict());
        assert_valid(&true_history("page-cache", 1, fault).verdict());
    }
}

#[test]
fn every_lie_is_found_and_named() {
    for (what, promise, lie) in LIES {
        let mut lines = cluster();
        lie(&mut lines);
        let verdict = lines.verdict();
        assert!(verdict.broken(promise) > 0, "not found: {what}\n{}", verdict.words());
        assert!(verdict.words().contains("a promise is broken"), "{}", verdict.words());
    }
}

#[test]
fn a_verdict_says_in_json_what_it_says_in_words() {
    let mut lines = cluster();
    lines.drop("read * final shared 0 8");
    let verdict = lines.verdict();
    let json = verdict.json();
    assert_eq!(json["valid"], false);
    assert_eq!(json["broken"][KEPT], 1);
    let example = json["examples"][KEPT][0].as_str().expect("words");
    assert!(example.starts_with("shared partition 0 offset 8: a:4 was acknowledged"), "{example}");
    assert!(verdict.words().contains(example));
    let promises = json["promises"].as_array().expect("promises");
    assert!(promises.iter().any(|promise| promise == KEPT));
}

/// A cut after the first half, and its end is gone; what is acknowledged there comes later.
fn lost_to_a_cut(durability: &str, fault: &str) -> Lines {
    let mut lines = true_history(durability, 1, fault);
    lines.drop("read * final weak 0 3");
    lines.change("span * final weak 0", 6, "3");
    lines
}

#[test]
fn what_lay_in_a_page_cache_before_a_cut_is_excused_and_counted() {
    let verdict = lost_to_a_cut("page-cache", "cut-stirred").verdict();
    assert_valid(&verdict);
    assert_eq!((verdict.excused(KEPT), verdict.excused(SAME)), (1, 1));
}

#[test]
fn a_kill_takes_nothing_out_of_a_page_cache() {
    let verdict = lost_to_a_cut("page-cache", "kill").verdict();
    assert_eq!((verdict.broken(KEPT), verdict.broken(SAME)), (1, 1));
}

#[test]
fn what_a_clean_stop_synced_is_owed_after_a_cut() {
    let mut lines = lost_to_a_cut("page-cache", "cut");
    lines.add("clean 3000ms");
    assert_eq!(lines.verdict().broken(KEPT), 1);
}

#[test]
fn what_was_acknowledged_after_the_last_cut_is_owed() {
    let mut lines = true_history("page-cache", 1, "cut");
    torn_off(&mut lines);
    let verdict = lines.verdict();
    assert_eq!((verdict.broken(KEPT), verdict.broken(SAME)), (2, 0));
}

#[test]
fn a_cut_takes_what_one_broker_acknowledged_by_itself_and_nothing_else() {
    let verdict = lost_to_a_cut("default", "cut").verdict();
    assert_valid(&verdict);
    let mut lines = true_history("default", 1, "cut");
    torn_off(&mut lines);
    assert_eq!(lines.verdict().broken(KEPT), 2);
}

#[test]
fn in_a_cluster_the_next_leader_need_not_know_of_acks_1_unless_a_consumer_does() {
    let mut lines = cluster();
    lines.drop("read * final weak 0 3");
    lines.change("span * final weak 0", 6, "3");
    let verdict = lines.verdict();
    assert_eq!((verdict.broken(KEPT), verdict.broken(SAME)), (0, 1));
    lines.drop("read * r weak 0 3");
    assert_valid(&lines.verdict());
}

#[test]
fn a_producer_without_numbers_may_be_there_twice() {
    let mut lines = cluster();
    lines.add("read 60000ms final weak 0 4 w 3 - ok");
    lines.change("span * final weak 0", 6, "5");
    (1..=3).for_each(|broker| lines.add(&format!("replica {broker} weak 0 4 4 1 9")));
    let verdict = lines.verdict();
    assert_valid(&verdict);
    assert_eq!(verdict.excused("writes once"), 1);
}

#[test]
fn an_acknowledgement_without_an_offset_is_owed_somewhere() {
    let mut lines = cluster();
    lines.change("ack * b 19 shared 0", 6, "-1");
    assert_valid(&lines.verdict());
}

#[test]
fn a_broker_of_a_cluster_may_not_have_heard_of_a_topic_for_a_while() {
    let late = |replicas| {
        let mut lines = true_history("default", replicas, "kill");
        lines.add("topics 4000ms 4010ms shared=2,weak=1,latest=1,trimmed=1");
        lines.verdict().broken("topics stay")
    };
    assert_eq!((late(3), late(1)), (0, 1));
}

#[test]
fn what_is_no_line_of_a_history_is_refused() {
    for line in [
        "ack 1ms a 0 shared 0 0 -",
        "ack 1ms a 0 shared 0 0 - 1ms more",
        "ack 1ms a 0 shared 0 None - 1ms",
        "lost 1ms",
        "",
        "session 1ms a transactional",
        "span 1ms final shared 0 0 9999999999999",
        "span 1ms final shared 0 9 0",
        "sent a shared 0 9999999999999",
    ] {
        let mut lines = Lines::default();
        lines.add(line);
        assert!(lines.read().is_err(), "{line}");
    }
}
