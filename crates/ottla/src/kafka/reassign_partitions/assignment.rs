//! The files of assignments, read and written.

use std::collections::{BTreeMap, BTreeSet};

use client::Place;
use serde::{Deserialize, Serialize};

use super::{ReassignError, commas, name};

/// Where partitions are, or are to be: brokers in the order of preference.
pub type Assignment = BTreeMap<Place, Vec<i32>>;

/// A replica: its partition and its broker.
pub type Replica = (i32, Place);

/// What a reassignment file asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// In the order of the file.
    pub partitions: Vec<(Place, Vec<i32>)>,
    /// Replicas that are to be in certain directories.
    pub dirs: BTreeMap<Replica, String>,
}

/// "Wherever the broker likes".
const ANY: &str = "any";
const VERSION: i32 = 1;

#[derive(Deserialize)]
struct ReassignmentFile {
    #[serde(default = "version_1")]
    version: i32,
    #[serde(default)]
    partitions: Vec<WantedPartition>,
}

#[derive(Deserialize)]
struct WantedPartition {
    topic: String,
    partition: i32,
    replicas: Vec<i32>,
    log_dirs: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TopicsFile {
    #[serde(default = "version_1")]
    version: i32,
    #[serde(default)]
    topics: Vec<WantedTopic>,
}

#[derive(Deserialize)]
struct WantedTopic {
    topic: String,
}

fn version_1() -> i32 {
    VERSION
}

fn check_version(version: i32) -> Result<(), ReassignError> {
    match version {
        VERSION => Ok(()),
        other => Err(failed(format!("Not supported version field value {other}"))),
    }
}

fn failed(sentence: impl Into<String>) -> ReassignError {
    ReassignError::Failed(sentence.into())
}

impl Wanted {
    /// Reads a file that says where partitions are to be.
    pub fn read(text: &str) -> Result<Wanted, ReassignError> {
        let file: ReassignmentFile =
            serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
        check_version(file.version)?;
        let mut wanted = Wanted { partitions: Vec::new(), dirs: BTreeMap::new() };
        for partition in file.partitions {
            let place = (partition.topic, partition.partition);
            let replicas = partition.replicas;
            let dirs = partition.log_dirs.unwrap_or_else(|| vec![ANY.to_owned(); replicas.len()]);
            if dirs.len() != replicas.len() {
                return Err(failed(format!(
                    "Size of replicas list {replicas:?} is different from size of log dirs list \
                     [{}] for partition {}",
                    dirs.join(", "),
                    name(&place)
                )));
            }
            let named = replicas.iter().zip(dirs).filter(|(_, dir)| *dir != ANY);
            wanted.dirs.extend(named.map(|(broker, dir)| ((*broker, place.clone()), dir)));
            wanted.partitions.push((place, replicas));
        }
        Ok(wanted)
    }

    /// Checks what only execution cares about.
    pub fn assignment(&self) -> Result<Assignment, ReassignError> {
        if self.partitions.is_empty() {
            return Err(failed("Partition reassignment list cannot be empty"));
        }
        if self.partitions.iter().any(|(_, replicas)| replicas.is_empty()) {
            return Err(failed("Partition replica list cannot be empty"));
        }
        let twice = duplicates(self.partitions.iter().map(|(place, _)| name(place)));
        if !twice.is_empty() {
            let twice = commas(twice);
            let sentence = "Partition reassignment contains duplicate topic partitions";
            return Err(failed(format!("{sentence}: {twice}")));
        }
        let twice = self.partitions.iter().filter_map(|(place, replicas)| {
            let twice = duplicates(replicas.iter().copied());
            let told =
                || format!("{} contains multiple entries for {}", name(place), commas(twice));
            (!duplicates(replicas.iter().copied()).is_empty()).then(told)
        });
        let twice: Vec<String> = twice.collect();
        if !twice.is_empty() {
            let sentence = "Partition replica lists may not contain duplicate entries";
            return Err(failed(format!("{sentence}: {}", twice.join(". "))));
        }
        Ok(self.partitions.iter().cloned().collect())
    }
}

/// Reads a file that names topics.
pub fn read_topics(text: &str) -> Result<Vec<String>, ReassignError> {
    let file: TopicsFile =
        serde_json::from_str(text).map_err(|_| failed("The input string is not a valid JSON"))?;
    check_version(file.version)?;
    let topics: Vec<String> = file.topics.into_iter().map(|topic| topic.topic).collect();
    let twice = duplicates(topics.iter().cloned());
    match twice.is_empty() {
        true => Ok(topics),
        false => {
            let twice: Vec<String> = twice.into_iter().collect();
            let sentence = "List of topics to reassign contains duplicate entries";
            Err(failed(format!("{sentence}: [{}]", twice.join(", "))))
        }
    }
}

/// Those that are there more than once.
pub fn duplicates<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_unstable();
    let mut twice = BTreeSet::new();
    let mut rest = items.into_iter().peekable();
    while let Some(item) = rest.next() {
        if rest.peek() == Some(&item) {
            twice.insert(item);
        }
    }
    twice
}

#[derive(Serialize)]
struct Written<'a> {
    version: i32,
    partitions: Vec<WrittenPartition<'a>>,
}

#[derive(Serialize)]
struct WrittenPartition<'a> {
    topic: &'a str,
    partition: i32,
    replicas: &'a [i32],
    log_dirs: Vec<&'a str>,
}

/// Writes an assignment as the tool can read it again; directories as far as they are known.
#[doc(alias = "formatAsReassignmentJson")]
pub fn written(assignment: &Assignment, dirs: &BTreeMap<Replica, String>) -> String {
    let partitions = assignment.iter().map(|(place, replicas)| WrittenPartition {
        topic: &place.0,
        partition: place.1,
        replicas,
        log_dirs: replicas
            .iter()
            .map(|broker| dirs.get(&(*broker, place.clone())).map_or(ANY, String::as_str))
            .collect(),
    });
    let written = Written { version: VERSION, partitions: partitions.collect() };
    serde_json::to_string(&written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T>(result: Result<T, ReassignError>) -> String {
        match result {
            Err(ReassignError::Failed(sentence)) => sentence,
            _ => panic!("it was accepted, or refused in another form"),
        }
    }

    fn partition(text: &str) -> String {
        format!(r#"{{"version":1,"partitions":[{{"topic":"t","partition":0,{text}}}]}}"#)
    }

    #[test]
    fn directories_are_any_unless_they_are_named() {
        let text = partition(r#""replicas":[1,2],"log_dirs":["any","/d"]"#);
        let wanted = Wanted::read(&text).ok().unwrap();
        let place = ("t".to_owned(), 0);
        assert_eq!(wanted.partitions, [(place.clone(), vec![1, 2])]);
        assert_eq!(wanted.dirs, BTreeMap::from([((2, place), "/d".to_owned())]));
        let assignment = wanted.assignment().ok().unwrap();
        assert_eq!(written(&assignment, &wanted.dirs), partition_written());
    }

    fn partition_written() -> &'static str {
        r#"{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1,2],"log_dirs":["any","/d"]}]}"#
    }

    #[test]
    fn a_file_that_cannot_be_meant_is_refused_in_kafkas_words() {
        let refused = |text: &str| told(Wanted::read(text).and_then(|wanted| wanted.assignment()));
        assert_eq!(
            refused(&partition(r#""replicas":[1,2],"log_dirs":["any"]"#)),
            "Size of replicas list [1, 2] is different from size of log dirs list [any] for \
             partition t-0"
        );
        assert_eq!(
            refused(&partition(r#""replicas":[2,2]"#)),
            "Partition replica lists may not contain duplicate entries: t-0 contains multiple \
             entries for 2"
        );
        assert_eq!(
            refused(&partition(r#""replicas":[]"#)),
            "Partition replica list cannot be empty"
        );
        assert_eq!(refused(r#"{"partitions":[]}"#), "Partition reassignment list cannot be empty");
        assert_eq!(refused(r#"{"version":2}"#), "Not supported version field value 2");
        let twice = r#"{"topic":"t","partition":0,"replicas":[1]}"#;
        assert_eq!(
            refused(&format!(r#"{{"partitions":[{twice},{twice}]}}"#)),
            "Partition reassignment contains duplicate topic partitions: t-0"
        );
    }

    #[test]
    fn topics_stand_once_in_the_file_that_names_them() {
        let topics = read_topics(r#"{"topics":[{"topic":"a"},{"topic":"b"}]}"#).ok().unwrap();
        assert_eq!(topics, ["a", "b"]);
        assert_eq!(
            told(read_topics(r#"{"topics":[{"topic":"a"},{"topic":"a"}]}"#)),
            "List of topics to reassign contains duplicate entries: [a]"
        );
        assert_eq!(told(read_topics("{")), "The input string is not a valid JSON");
    }
}
