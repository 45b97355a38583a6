//! `--verify`: how far moves are; removes the limits when they are done.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use client::{Client, Place, TopicsWanted};

use super::assignment::{Replica, Wanted};
use super::dirs::{self, ReplicaDirs};
use super::execute::replica_name;
use super::{Parsed, ReassignError, commas, file_text, name, throttles};

pub fn run(parsed: &Parsed, client: &mut Client) -> Result<(), ReassignError> {
    let wanted = Wanted::read(&file_text(parsed, "reassignment-json-file")?)?;
    let under_way = client.reassignments(None)?;
    let topics: BTreeSet<&String> = wanted.partitions.iter().map(|((topic, _), _)| topic).collect();
    let topics: Vec<String> = topics.into_iter().cloned().collect();
    let cluster = client.refresh(TopicsWanted::Named(topics))?;
    let mut lines: BTreeMap<&Place, String> = BTreeMap::new();
    for (place, target) in &wanted.partitions {
        let is_going = under_way.contains_key(place);
        let now = cluster.partition(&place.0, place.1).map(|p| p.replicas.clone());
        lines.insert(place, sentence(place, target, is_going, &now.unwrap_or_default()));
    }
    let mut out = io::stdout().lock();
    writeln!(out, "Status of partition reassignment:")?;
    for line in lines.values() {
        writeln!(out, "{line}")?;
    }
    let found = dirs::of_replicas(client, &wanted.dirs.keys().cloned().collect());
    let states: Vec<(String, bool)> = wanted
        .dirs
        .iter()
        .map(|(replica, dir)| dir_sentence(replica, dir, found.get(replica)))
        .collect();
    let told: Vec<&str> = states.iter().map(|(line, _)| line.as_str()).collect();
    // A blank line if there is none, as Kafka's.
    writeln!(out, "{}", told.join("\n"))?;
    let is_done = under_way.is_empty() && states.iter().all(|(_, is_done)| *is_done);
    drop(out);
    if is_done && !parsed.has("preserve-throttles") {
        throttles::clear(client, &wanted.partitions)?;
    }
    Ok(())
}

fn sentence(place: &Place, target: &[i32], is_going: bool, now: &[i32]) -> String {
    let name = name(place);
    match (is_going, now == target) {
        (true, _) => format!("Reassignment of partition {name} is still in progress."),
        (false, true) => format!("Reassignment of partition {name} is completed."),
        (false, false) => format!(
            "There is no active reassignment of partition {name}, but replica set is {} rather \
             than {}.",
            commas(now),
            commas(target)
        ),
    }
}

/// What is said of a replica that is to be in `target`, and whether it needs no waiting for.
#[doc(alias = "LogDirMoveState")]
fn dir_sentence(replica: &Replica, target: &str, dirs: Option<&ReplicaDirs>) -> (String, bool) {
    let (broker, name) = (replica.0, name(&replica.1));
    let Some(dirs) = dirs else {
        let told = format!(
            "Partition {name} is not found in any live log dir on broker {broker}. There is \
             likely an offline log directory on the broker."
        );
        return (told, false);
    };
    let current = dirs.current.as_deref().unwrap_or_default();
    match dirs.future.as_deref() {
        Some(future) if future == target => (
            format!("Reassignment of replica {} is still in progress.", replica_name(replica)),
            false,
        ),
        Some(future) => (
            format!(
                "Partition {name} on broker {broker} is being moved to log dir {future} instead \
                 of {target}."
            ),
            false,
        ),
        None if current == target => (
            format!("Reassignment of replica {} completed successfully.", replica_name(replica)),
            true,
        ),
        None => (
            format!(
                "Partition {name} on broker {broker} is not being moved from log dir {current} \
                 to {target}."
            ),
            true,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_done_when_its_replicas_are_where_they_are_to_be() {
        let place = ("t".to_owned(), 0);
        let told = |is_going, now: &[i32]| sentence(&place, &[1, 2], is_going, now);
        assert_eq!(told(true, &[1, 2]), "Reassignment of partition t-0 is still in progress.");
        assert_eq!(told(false, &[1, 2]), "Reassignment of partition t-0 is completed.");
        assert_eq!(
            told(false, &[2, 1]),
            "There is no active reassignment of partition t-0, but replica set is 2,1 rather than \
             1,2."
        );
    }

    #[test]
    fn a_directory_is_waited_for_only_while_something_is_on_its_way() {
        let replica = (1, ("t".to_owned(), 0));
        let at = |current: &str, future: Option<&str>| ReplicaDirs {
            current: Some(current.to_owned()),
            future: future.map(str::to_owned),
        };
        let told = |dirs: ReplicaDirs| dir_sentence(&replica, "/b", Some(&dirs));
        let done = "Reassignment of replica t-0-1 completed successfully.";
        assert_eq!(told(at("/b", None)), (done.to_owned(), true));
        assert!(!told(at("/a", Some("/b"))).1);
        assert!(!told(at("/a", Some("/c"))).1);
        assert!(told(at("/a", None)).1);
        assert!(!dir_sentence(&replica, "/b", None).1, "its directory may come back");
    }
}
