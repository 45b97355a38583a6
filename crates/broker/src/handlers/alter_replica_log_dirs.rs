//! AlterReplicaLogDirs (key 34), versions 1–2.
//! Moves replicas between log directories of this broker, while they are used. Naming the directory
//! that a replica is in ends a move. v2 flexible.
//! Differs from Kafka: a directory named for a replica that is not here is not remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use env::Env;
use protocol::Str;
use protocol::messages::alter_replica_log_dirs_request::AlterReplicaLogDirsRequest;
use protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsResponse,
};
use types::{ErrorCode, TopicPartition};

use crate::log_store::{DirIndex, LogStore};
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::partitions::{Partition, PartitionTable};
use crate::replica_moves::ReplicaMoves;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AlterReplicaLogDirsRequest,
    reply: Reply<AlterReplicaLogDirsResponse>,
    partitions: &PartitionTable<E::Disk>,
    metadata: &MetadataCache,
    log_store: &LogStore<E>,
    moves: &ReplicaMoves<E>,
) {
    let alter = |path: &str, id: &TopicPartition| {
        let (target, partition) = check(path, id, partitions, metadata, log_store)?;
        if moves.target(id) == Some(target) {
            return Ok(());
        }
        if partition.dir() == target {
            moves.cancel(id);
            return Ok(());
        }
        moves.begin(&partition, target).map_err(|error| {
            log::warn!(
                target: "kafka.server.ReplicaManager",
                "cannot move {id} to {path}: {error}"
            );
            error.error_code()
        })
    };
    let mut topics: BTreeMap<Str, Vec<AlterReplicaLogDirPartitionResult>> = BTreeMap::new();
    for dir in &request.dirs {
        for topic in &dir.topics {
            for index in &topic.partitions {
                let id = TopicPartition::new(&*topic.name, *index);
                let moved = alter(&dir.path, &id);
                let result = AlterReplicaLogDirPartitionResult {
                    partition_index: *index,
                    error_code: moved.err().unwrap_or_default().code(),
                };
                topics.entry(topic.name.clone()).or_default().push(result);
            }
        }
    }
    let result =
        |(topic_name, partitions)| AlterReplicaLogDirTopicResult { topic_name, partitions };
    let results = topics.into_iter().map(result).collect();
    reply.send(AlterReplicaLogDirsResponse { results, ..Default::default() });
}

/// Where a replica is to go, and the partition that it is one of.
type Checked<E> = (DirIndex, Arc<Partition<<E as Env>::Disk>>);

/// The order of the checks is Kafka's. Source: Kafka `ReplicaManager.alterReplicaLogDirs`.
fn check<E: Env>(
    path: &str,
    id: &TopicPartition,
    partitions: &PartitionTable<E::Disk>,
    metadata: &MetadataCache,
    log_store: &LogStore<E>,
) -> Result<Checked<E>, ErrorCode> {
    if !storage::can_move(id) {
        return Err(ErrorCode::InvalidTopicException);
    }
    let target = log_store.index_of(path)?;
    match partitions.find(&id.topic, id.partition) {
        Err(ErrorCode::UnknownTopicOrPartition) => {
            let image = metadata.image();
            let topic = image.topics.by_name(&id.topic);
            let is_known = topic.is_some_and(|topic| topic.partition(id.partition).is_some());
            Err(match is_known {
                true => ErrorCode::ReplicaNotAvailable,
                false => ErrorCode::UnknownTopicOrPartition,
            })
        }
        found => Ok((target, found?)),
    }
}
