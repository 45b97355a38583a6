//! `--generate`: spreads topics over brokers. Source of the arithmetic: Kafka `AdminUtils`, KIP-36.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use client::Client;
use env::{Env, Rng};
use env_os::OsEnv;

use super::assignment::{Assignment, duplicates, read_topics, written};
use super::{Parsed, ReassignError, dirs, file_text};

/// A broker and its rack, if racks count.
type Candidate = (i32, Option<String>);

pub fn run(parsed: &Parsed, client: &mut Client) -> Result<(), ReassignError> {
    let brokers = broker_list(parsed.value("broker-list").unwrap_or_default())?;
    let topics = read_topics(&file_text(parsed, "topics-to-move-json-file")?)?;
    let current = dirs::assignment_of(client, &topics)?;
    let heeds_racks = !parsed.has("disable-rack-aware");
    let known = client.cluster().brokers.values().filter(|b| brokers.contains(&b.id));
    let candidates: Vec<Candidate> =
        known.map(|b| (b.id, b.rack.clone().filter(|_| heeds_racks))).collect();
    let with_rack = candidates.iter().filter(|(_, rack)| rack.is_some()).count();
    if heeds_racks && with_rack != 0 && with_rack != candidates.len() {
        return Err(ReassignError::Failed(
            "Not all brokers have rack information. Add --disable-rack-aware in command line to \
             make replica assignment without rack information."
                .to_owned(),
        ));
    }
    let proposed = propose(&current, &candidates, &OsEnv::new())?;
    let known_dirs = dirs::known(client, &current);
    let mut out = io::stdout().lock();
    writeln!(out, "Current partition replica assignment\n{}\n", written(&current, &known_dirs))?;
    let text = written(&proposed, &BTreeMap::new());
    writeln!(out, "Proposed partition reassignment configuration\n{text}")?;
    Ok(())
}

fn broker_list(text: &str) -> Result<Vec<i32>, ReassignError> {
    let number = |word: &str| {
        let told = || ReassignError::Failed(format!("For input string: \"{word}\""));
        word.parse::<i32>().map_err(|_| told())
    };
    let brokers = text.split(',').map(number).collect::<Result<Vec<i32>, _>>()?;
    let twice = duplicates(brokers.iter().copied());
    match twice.is_empty() {
        true => Ok(brokers),
        false => {
            let twice: Vec<i32> = twice.into_iter().collect();
            let sentence = format!("Broker list contains duplicate entries: {twice:?}");
            Err(ReassignError::Failed(sentence))
        }
    }
}

/// Every topic is spread by itself; each keeps the replication factor of its first partition.
fn propose(
    current: &Assignment,
    candidates: &[Candidate],
    env: &OsEnv,
) -> Result<Assignment, ReassignError> {
    let mut topics: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for ((topic, _), replicas) in current {
        topics.entry(topic).or_default().push(replicas.len());
    }
    let mut proposed = Assignment::new();
    for (topic, factors) in topics {
        let factor = factors.first().copied().unwrap_or(0);
        if factor > candidates.len() {
            return Err(ReassignError::Failed(format!(
                "The target replication factor of {factor} cannot be reached because only {} \
                 broker(s) are registered.",
                candidates.len()
            )));
        }
        let any = |count: usize| (env.rng().next_u64() % count.max(1) as u64) as usize;
        let begin = Begin { start: any(candidates.len()), shift: any(candidates.len()) };
        let spread = spread(candidates, factors.len(), factor, begin);
        let places = (0..).map(|partition| (topic.to_owned(), partition));
        proposed.extend(places.zip(spread));
    }
    Ok(proposed)
}

/// Where the first leader is, and how far from it the first follower.
#[derive(Clone, Copy)]
struct Begin {
    start: usize,
    shift: usize,
}

/// Leaders go round; followers stand ever further from their leader, on other racks first.
fn spread(
    candidates: &[Candidate],
    partitions: usize,
    factor: usize,
    begin: Begin,
) -> Vec<Vec<i32>> {
    let ring = by_rack_in_turn(candidates);
    let racks: BTreeSet<Option<&str>> = ring.iter().map(|(_, rack)| rack.as_deref()).collect();
    // Without racks every broker is its own.
    let stride = if racks.contains(&None) { 1 } else { racks.len() };
    let mut shift = begin.shift;
    let mut all = Vec::with_capacity(partitions);
    for partition in 0..partitions {
        if partition > 0 && partition % ring.len() == 0 {
            shift += 1;
        }
        let first = (partition + begin.start) % ring.len();
        let mut chosen: Vec<&Candidate> = vec![&ring[first]];
        let mut step = 0;
        while chosen.len() < factor {
            let distance = (shift * stride + step) % (ring.len() - 1);
            let next = &ring[(first + 1 + distance) % ring.len()];
            let used: BTreeSet<Option<&str>> = chosen.iter().map(|(_, r)| r.as_deref()).collect();
            let is_elsewhere = !used.contains(&next.1.as_deref()) || used.len() == racks.len();
            if is_elsewhere && !chosen.iter().any(|(id, _)| *id == next.0) {
                chosen.push(next);
            }
            step += 1;
        }
        all.push(chosen.into_iter().map(|(id, _)| *id).collect());
    }
    all
}

/// One broker of each rack, then the next of each.
#[doc(alias = "getRackAlternatedBrokerList")]
fn by_rack_in_turn(candidates: &[Candidate]) -> Vec<Candidate> {
    let mut racks: BTreeMap<Option<&str>, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        racks.entry(candidate.1.as_deref()).or_default().push(candidate);
    }
    let longest = racks.values().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|at| racks.values().filter_map(move |rack| rack.get(at)));
    turns.map(|candidate| (*candidate).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(ids: &[i32]) -> Vec<Candidate> {
        ids.iter().map(|id| (*id, None)).collect()
    }

    #[test]
    fn leaders_go_round_and_followers_stand_further_off_with_each_round() {
        let spread = spread(&plain(&[1, 2, 3]), 6, 2, Begin { start: 0, shift: 0 });
        assert_eq!(spread, [[1, 2], [2, 3], [3, 1], [1, 3], [2, 1], [3, 2]]);
    }

    #[test]
    fn replicas_of_a_partition_are_on_different_racks() {
        let rack = |id: i32, rack: &str| (id, Some(rack.to_owned()));
        let brokers = [rack(1, "a"), rack(2, "a"), rack(3, "b"), rack(4, "b")];
        let rack_of = |id: i32| brokers.iter().find(|b| b.0 == id).and_then(|b| b.1.clone());
        for shift in 0..4 {
            for replicas in spread(&brokers, 8, 2, Begin { start: shift, shift }) {
                assert_ne!(rack_of(replicas[0]), rack_of(replicas[1]), "{replicas:?}");
            }
        }
        let all = spread(&brokers, 4, 4, Begin { start: 0, shift: 0 });
        assert!(all.iter().all(|replicas| duplicates(replicas.iter()).is_empty()), "{all:?}");
    }

    #[test]
    fn one_broker_is_enough_for_one_replica() {
        assert_eq!(spread(&plain(&[7]), 2, 1, Begin { start: 0, shift: 0 }), [[7], [7]]);
    }
}
