//! DescribeLogDirs (key 35), versions 1–4.
//! The log directories, what is in them and on its way into them, and how full they are.
//! v4 total and usable bytes.
//! Differs from Kafka: nothing known.

use std::collections::{BTreeMap, BTreeSet};

use env::Env;
use protocol::messages::describe_log_dirs_request::DescribeLogDirsRequest;
use protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResponse, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use types::ErrorCode;

use crate::log_store::{DirFacts, LogStore};
use crate::network::Reply;
use crate::partitions::PartitionTable;
use crate::replica_moves::ReplicaMoves;
use crate::request::RequestContext;

const UNKNOWN_BYTES: i64 = -1;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: DescribeLogDirsRequest,
    reply: Reply<DescribeLogDirsResponse>,
    partitions: &PartitionTable<E::Disk>,
    log_store: &LogStore<E>,
    moves: &ReplicaMoves<E>,
) {
    let asked: Option<BTreeSet<(&str, i32)>> = request.topics.as_ref().map(|topics| {
        let named = topics.iter().flat_map(|t| t.partitions.iter().map(|p| (&*t.topic, *p)));
        named.collect()
    });
    let (all, moves) = (partitions.all(), moves.all());
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let describe = |dir: DirFacts| {
        if dir.is_offline {
            return DescribeLogDirsResult {
                error_code: ErrorCode::KafkaStorageError.code(),
                log_dir: dir.path.into(),
                total_bytes: UNKNOWN_BYTES,
                usable_bytes: UNKNOWN_BYTES,
                ..Default::default()
            };
        }
        let mut topics: BTreeMap<&str, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
        for partition in all.iter().filter(|partition| partition.dir() == dir.index) {
            let (topic, index) = (&*partition.id.topic, partition.id.partition);
            if asked.as_ref().is_some_and(|asked| !asked.contains(&(topic, index))) {
                continue;
            }
            topics.entry(topic).or_default().push(DescribeLogDirsPartition {
                partition_index: index,
                partition_size: partition.reader().size_bytes().map_or(0, |bytes| bytes as i64),
                ..Default::default()
            });
        }
        for future in moves.iter().filter(|future| future.target == dir.index) {
            let (topic, index) = (&*future.partition.topic, future.partition.partition);
            if asked.as_ref().is_none_or(|asked| asked.contains(&(topic, index))) {
                topics.entry(topic).or_default().push(DescribeLogDirsPartition {
                    partition_index: index,
                    partition_size: bytes(future.bytes),
                    offset_lag: future.lag,
                    is_future_key: true,
                });
            }
        }
        let topic = |(name, partitions): (&str, Vec<_>)| DescribeLogDirsTopic {
            name: name.into(),
            partitions,
        };
        DescribeLogDirsResult {
            error_code: ErrorCode::None.code(),
            log_dir: dir.path.into(),
            topics: topics.into_iter().map(topic).collect(),
            total_bytes: dir.space.map_or(UNKNOWN_BYTES, |(total, _)| bytes(total)),
            usable_bytes: dir.space.map_or(UNKNOWN_BYTES, |(_, usable)| bytes(usable)),
        }
    };
    let results = log_store.describe().into_iter().map(describe).collect();
    reply.send(DescribeLogDirsResponse { results, ..Default::default() });
}
