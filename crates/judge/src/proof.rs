//! Whether the run did what it was to do: one that did nothing proves nothing.

use std::collections::BTreeMap;

use crate::limits;
use crate::node::lives;
use crate::round::Round;

/// How much of everything there is.
pub fn seen(round: &Round) -> BTreeMap<&'static str, usize> {
    let lives = lives(round);
    let idle = lives.iter().filter(|life| life.first_ack.is_none()).count();
    let mut seen = BTreeMap::from([
        ("listings", round.listings.len()),
        ("lives", lives.len()),
        ("lives without acks", idle),
    ]);
    for topic in round.topics.values() {
        for (what, count) in [
            ("acks", topic.acks.len()),
            ("reads", topic.reads.len()),
            ("records", topic.read_back.len()),
            ("commits", topic.commits.iter().filter(|commit| commit.answered != 0).count()),
            ("committed", topic.committed.len()),
            ("owners", topic.owners.len()),
            ("trims", topic.trims.iter().filter(|(_, acked, ..)| *acked != 0).count()),
            ("batches", topic.batches.values().map(Vec::len).sum()),
        ] {
            *seen.entry(what).or_default() += count;
        }
    }
    seen
}

/// What is missing, in words.
pub fn missing(round: &Round) -> Vec<String> {
    let mut missing = Vec::new();
    if round.said.len() != 1 {
        missing.push(format!("{} lines say what the round is about", round.said.len()));
    }
    missing.extend(unquiet(round));
    for (name, topic) in &round.topics {
        let partitions = topic.described.as_ref().map_or(0, |(_, partitions)| *partitions);
        let unread = (0..partitions as i32).filter(|p| !topic.spans.contains_key(p));
        missing.extend(unread.map(|p| format!("{name}: partition {p} was not read back")));
        let asked = topic.commits.iter().map(|commit| (commit.group.to_string(), commit.partition));
        let all = topic.groups.iter().flat_map(|group| {
            (0..partitions as i32).map(|p| (group.to_string(), p)).collect::<Vec<_>>()
        });
        let mut groups: Vec<_> = asked.chain(all).collect();
        groups.sort_unstable();
        groups.dedup();
        let untold = groups.iter().filter(|place| !topic.committed_at_end.contains_key(*place));
        missing.extend(untold.map(|(group, p)| {
            format!("{name}: what {group} has of partition {p} was not asked for at the end")
        }));
        let acked = topic.trims.iter().filter(|(_, acked, ..)| *acked != 0).count();
        if acked == 0 && topic.trims.len() >= limits::TRIMS_MIN {
            let asked = topic.trims.len();
            missing.push(format!("{name}: none of {asked} deletions of records was acknowledged"));
        }
    }
    if round.listing_at_end.is_none() {
        missing.push("topics were not asked for at the end".to_owned());
    }
    if round.is_cluster() && round.brokers.len() < round.replicas() {
        missing.push(format!("the logs of {} brokers were looked at", round.brokers.len()));
    }
    let seen = seen(round);
    let (lives, idle) = (seen["lives"], seen["lives without acks"]);
    for what in ["acks", "reads", "commits", "committed", "listings"] {
        let count = seen.get(what).copied().unwrap_or(0);
        if count * 2 <= lives {
            missing.push(format!("{count} {what} in {lives} lives"));
        }
    }
    if idle * 4 > lives {
        missing.push(format!("{idle} of {lives} times it was up without an acknowledgement"));
    }
    missing
}

/// Without a time from which on nothing goes wrong nobody owes that all is served again.
fn unquiet(round: &Round) -> Option<String> {
    let faults = round.faults.iter().map(|(at, _)| at);
    let last = faults.chain(&round.ups).max().copied().unwrap_or(0);
    match round.healed[..] {
        [healed] if healed < last => Some("a fault came after the last one".to_owned()),
        [_] => None,
        _ => Some(format!("{} lines say when the last fault was over", round.healed.len())),
    }
}
