//! Where replicas are: on which brokers, and there in which log directories.

use std::collections::{BTreeMap, BTreeSet};

use client::{Client, ClientError, Place, TopicsWanted};

use super::ReassignError;
use super::assignment::{Assignment, Replica};

/// Where a replica is on its broker, and where it is going there.
#[doc(alias = "ReplicaLogDirInfo")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaDirs {
    pub current: Option<String>,
    pub future: Option<String>,
}

/// The replicas of all partitions of these topics.
pub fn assignment_of(client: &mut Client, topics: &[String]) -> Result<Assignment, ReassignError> {
    let missing = |topic: &str| {
        let sentence = format!("Topic {topic} not found.");
        let unknown = types::ErrorCode::UnknownTopicOrPartition.code();
        ReassignError::from(ClientError::broker("find the topic", unknown, Some(&sentence)))
    };
    let cluster = client.refresh(TopicsWanted::Named(topics.to_vec()))?;
    let mut assignment = Assignment::new();
    for name in topics {
        let topic = cluster.topic(name).map_err(|_| missing(name))?;
        let partitions = topic.partitions.values();
        assignment.extend(partitions.map(|p| ((name.clone(), p.index), p.replicas.clone())));
    }
    Ok(assignment)
}

/// The replicas of these partitions.
pub fn assignment_of_places<'a>(
    client: &mut Client,
    places: impl Iterator<Item = &'a Place> + Clone,
) -> Result<Assignment, ReassignError> {
    let topics: BTreeSet<String> = places.clone().map(|(topic, _)| topic.clone()).collect();
    let topics: Vec<String> = topics.into_iter().collect();
    let mut all = assignment_of(client, &topics)?;
    let missing: Vec<String> =
        places.clone().filter(|place| !all.contains_key(place)).map(super::name).collect();
    if !missing.is_empty() {
        let sentence = format!("Unable to find partition: {}", missing.join(", "));
        let unknown = types::ErrorCode::UnknownTopicOrPartition.code();
        return Err(ClientError::broker("find partitions", unknown, Some(&sentence)).into());
    }
    let wanted: BTreeSet<&Place> = places.collect();
    all.retain(|place, _| wanted.contains(place));
    Ok(all)
}

/// The directory of each replica, as far as its broker tells.
pub fn known(client: &mut Client, assignment: &Assignment) -> BTreeMap<Replica, String> {
    let replicas = assignment
        .iter()
        .flat_map(|(place, brokers)| brokers.iter().map(move |broker| (*broker, place.clone())));
    let found = of_replicas(client, &replicas.collect());
    found.into_iter().filter_map(|(replica, dirs)| Some((replica, dirs.current?))).collect()
}

/// Directories of replicas; one that is missing is in no directory of its broker, or its broker
/// does not tell.
pub fn of_replicas(
    client: &mut Client,
    replicas: &BTreeSet<Replica>,
) -> BTreeMap<Replica, ReplicaDirs> {
    let brokers: BTreeSet<i32> = replicas.iter().map(|(broker, _)| *broker).collect();
    let mut found: BTreeMap<Replica, ReplicaDirs> = BTreeMap::new();
    for broker in brokers {
        let Ok(dirs) = client.log_dir_replicas(broker) else { continue };
        for dir in dirs {
            for held in dir.replicas {
                let replica = (broker, held.place);
                if !replicas.contains(&replica) {
                    continue;
                }
                let entry = found.entry(replica).or_default();
                let side = if held.is_future { &mut entry.future } else { &mut entry.current };
                *side = Some(dir.path.clone());
            }
        }
    }
    found
}
