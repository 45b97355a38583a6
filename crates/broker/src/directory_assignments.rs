use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use metadata::BrokerEpoch;
use protocol::messages::AssignReplicasToDirsRequest;
use protocol::messages::assign_replicas_to_dirs_request::{
    DirectoryData, PartitionData, TopicData,
};
use types::{BrokerId, Uuid};

/// In which log directory replicas are, as far as the controller was not told. Source: KIP-858.
#[doc(alias = "AssignmentsManager")]
#[derive(Debug, Default)]
pub struct DirectoryAssignments {
    untold: Mutex<BTreeMap<(Uuid, i32), Uuid>>,
}

impl DirectoryAssignments {
    pub fn add(&self, topic: Uuid, partition: i32, directory: Uuid) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.insert((topic, partition), directory);
    }

    /// All of it, as a broker tells its controller. If that fails, the next start tells it again.
    pub fn take(&self, id: BrokerId, epoch: BrokerEpoch) -> Option<AssignReplicasToDirsRequest> {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = std::mem::take(&mut *untold);
        if untold.is_empty() {
            return None;
        }
        let mut directories: BTreeMap<Uuid, BTreeMap<Uuid, Vec<PartitionData>>> = BTreeMap::new();
        for ((topic, partition_index), directory) in untold {
            let topics = directories.entry(directory).or_default();
            topics.entry(topic).or_default().push(PartitionData { partition_index });
        }
        let topic = |(topic_id, partitions)| TopicData { topic_id, partitions };
        let directory = |(id, topics): (Uuid, BTreeMap<_, _>)| DirectoryData {
            id,
            topics: topics.into_iter().map(topic).collect(),
        };
        Some(AssignReplicasToDirsRequest {
            broker_id: id.0,
            broker_epoch: epoch.0,
            directories: directories.into_iter().map(directory).collect(),
        })
    }
}
