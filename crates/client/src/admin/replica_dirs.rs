//! Which log directory each replica is in, and moving replicas between directories of a broker.

use std::collections::BTreeMap;

use protocol::Str;
use protocol::messages::DescribeLogDirsRequest;
use protocol::messages::alter_replica_log_dirs_request::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};

use crate::error::ClientError;
use crate::offsets::Place;
use crate::routing::Client;

/// One log directory of a broker with what is in it.
#[doc(alias = "LogDirDescription")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDir {
    pub path: String,
    /// Kafka's error code; 0 if the directory works.
    pub error: i16,
    pub replicas: Vec<ReplicaInDir>,
}

/// One replica in a log directory.
#[doc(alias = "ReplicaInfo")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaInDir {
    pub place: Place,
    pub bytes: i64,
    /// How many records a copy on its way is behind.
    pub lag: i64,
    /// Whether it is on its way into this directory.
    pub is_future: bool,
}

impl Client {
    /// The log directories of one broker, with each replica in them.
    pub fn log_dir_replicas(&mut self, broker: i32) -> Result<Vec<LogDir>, ClientError> {
        let answer = self.call_broker(broker, &DescribeLogDirsRequest { topics: None })?;
        if answer.error_code != 0 {
            let what = format!("describe the log directories of broker {broker}");
            return Err(ClientError::broker(what, answer.error_code, None));
        }
        let dirs = answer.results.into_iter().map(|dir| {
            let replicas = dir.topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(|partition| ReplicaInDir {
                    place: (topic.name.to_string(), partition.partition_index),
                    bytes: partition.partition_size,
                    lag: partition.offset_lag,
                    is_future: partition.is_future_key,
                })
            });
            let mut replicas: Vec<ReplicaInDir> = replicas.collect();
            replicas.sort_by(|a, b| (&a.place, a.is_future).cmp(&(&b.place, b.is_future)));
            LogDir { path: dir.log_dir.to_string(), error: dir.error_code, replicas }
        });
        Ok(dirs.collect())
    }

    /// Lets one broker move its replicas of these partitions into these directories.
    pub fn move_between_dirs(
        &mut self,
        broker: i32,
        targets: &BTreeMap<Place, String>,
    ) -> Result<BTreeMap<Place, Result<(), ClientError>>, ClientError> {
        let mut dirs: BTreeMap<&str, BTreeMap<&str, Vec<i32>>> = BTreeMap::new();
        for ((topic, partition), path) in targets {
            dirs.entry(path).or_default().entry(topic).or_default().push(*partition);
        }
        let topic = |(name, partitions): (&str, Vec<i32>)| AlterReplicaLogDirTopic {
            name: Str::from(name),
            partitions,
        };
        let dirs = dirs.into_iter().map(|(path, topics)| AlterReplicaLogDir {
            path: Str::from(path),
            topics: topics.into_iter().map(topic).collect(),
        });
        let request = AlterReplicaLogDirsRequest { dirs: dirs.collect() };
        let answer = self.call_broker(broker, &request)?;
        let results = answer.results.iter().flat_map(|topic| {
            topic.partitions.iter().map(|partition| {
                let place = (topic.topic_name.to_string(), partition.partition_index);
                let what = format!("move {}-{} on broker {broker}", place.0, place.1);
                match partition.error_code {
                    0 => (place, Ok(())),
                    code => (place, Err(ClientError::broker(what, code, None))),
                }
            })
        });
        Ok(results.collect())
    }
}
