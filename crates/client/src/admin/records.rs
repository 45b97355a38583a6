//! Deleting records from the front of partitions.

use std::collections::BTreeMap;

use protocol::Str;
use protocol::messages::DeleteRecordsRequest;
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};

use crate::error::ClientError;
use crate::metadata::TopicsWanted;
use crate::offsets::Place;
use crate::routing::Client;

/// How long the leader may wait for its followers.
const TIMEOUT_MS: i32 = 30_000;

impl Client {
    /// Deletes records below the given offsets; -1 means all. Answers with each first offset left.
    pub fn delete_records(
        &mut self,
        below: &BTreeMap<Place, i64>,
    ) -> Result<BTreeMap<Place, Result<i64, ClientError>>, ClientError> {
        let mut names: Vec<String> = below.keys().map(|(topic, _)| topic.clone()).collect();
        names.dedup();
        self.refresh(TopicsWanted::Named(names))?;
        let (known, unknown): (Vec<&Place>, Vec<&Place>) = below
            .keys()
            .partition(|(topic, partition)| self.cluster().partition(topic, *partition).is_ok());
        let mut results: BTreeMap<Place, Result<i64, ClientError>> = BTreeMap::new();
        for (topic, partition) in unknown {
            let error = self.cluster().partition(topic, *partition).map(|_| 0);
            results.insert((topic.clone(), *partition), error);
        }
        let known: Vec<Place> = known.into_iter().cloned().collect();
        let answered = self.with_retries(|client| {
            let places = known.iter().map(|(topic, partition)| (topic.as_str(), *partition));
            let mut results = BTreeMap::new();
            for (leader, owned) in client.by_leader(places)? {
                let request = request(&owned, below);
                for topic in client.call_broker(leader, &request)?.topics {
                    for partition in topic.partitions {
                        let place = (topic.name.to_string(), partition.partition_index);
                        let result = match partition.error_code {
                            0 => Ok(partition.low_watermark),
                            code => {
                                let what = format!("delete records of {}-{}", place.0, place.1);
                                Err(ClientError::broker(what, code, None))
                            }
                        };
                        results.insert(place, result);
                    }
                }
            }
            Ok(results)
        })?;
        results.extend(answered);
        Ok(results)
    }
}

fn request(owned: &[(&str, i32)], below: &BTreeMap<Place, i64>) -> DeleteRecordsRequest {
    let mut topics: BTreeMap<&str, Vec<DeleteRecordsPartition>> = BTreeMap::new();
    for (topic, index) in owned {
        if let Some(offset) = below.get(&((*topic).to_owned(), *index)) {
            let partition = DeleteRecordsPartition { partition_index: *index, offset: *offset };
            topics.entry(topic).or_default().push(partition);
        }
    }
    let topics = topics
        .into_iter()
        .map(|(name, partitions)| DeleteRecordsTopic { name: Str::from(name), partitions });
    DeleteRecordsRequest { topics: topics.collect(), timeout_ms: TIMEOUT_MS }
}
