//! Why partitions are not being compacted.

use std::collections::BTreeMap;

use protocol::messages::DescribeCompactionRequest;
use protocol::messages::describe_compaction_request::TopicRequest;
use protocol::{ApiKey, Str};

use crate::error::ClientError;
use crate::offsets::Place;
use crate::routing::Client;

/// What becomes of a partition's old records.
#[derive(Clone, Debug, PartialEq)]
pub struct Compaction {
    /// One word, for programs: `compacting`, `due`, `not-dirty-enough`, `active-segment`, …
    pub state: String,
    /// The same for people.
    pub reason: String,
    pub dirty_ratio: Option<f64>,
    pub producer_id: Option<i64>,
    pub offset: Option<i64>,
}

impl Client {
    /// Asks the leaders of partitions that were refreshed. Those whose leader is no Ottla, or does
    /// not answer for them, are left out.
    ///
    /// # Errors
    /// A leader cannot be reached.
    pub fn describe_compaction(
        &mut self,
        places: &[Place],
    ) -> Result<BTreeMap<Place, Compaction>, ClientError> {
        let places = places.iter().map(|(topic, partition)| (topic.as_str(), *partition));
        let mut told = BTreeMap::new();
        for (leader, owned) in self.by_leader(places)? {
            let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
            for (topic, partition) in owned {
                topics.entry(topic).or_default().push(partition);
            }
            let topic = |(name, partition_indexes)| TopicRequest {
                name: Str::from(name),
                partition_indexes,
            };
            let request =
                DescribeCompactionRequest { topics: topics.into_iter().map(topic).collect() };
            let answer = self.on_broker(leader, |connection| {
                match connection.supports(ApiKey::DescribeCompaction) {
                    true => connection.call(&request).map(Some),
                    false => Ok(None),
                }
            })?;
            for topic in answer.into_iter().flat_map(|answer| answer.topics) {
                for one in topic.partitions.into_iter().filter(|one| one.error_code == 0) {
                    let place = (topic.name.to_string(), one.partition_index);
                    told.insert(
                        place,
                        Compaction {
                            state: one.state.to_string(),
                            reason: one.reason.to_string(),
                            dirty_ratio: Some(one.dirty_ratio).filter(|ratio| *ratio >= 0.0),
                            producer_id: Some(one.producer_id).filter(|id| *id >= 0),
                            offset: Some(one.offset).filter(|offset| *offset >= 0),
                        },
                    );
                }
            }
        }
        Ok(told)
    }
}
