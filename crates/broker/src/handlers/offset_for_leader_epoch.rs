//! OffsetForLeaderEpoch (key 23), versions 2–4.
//! Where a leader epoch ended, so that a client notices a truncated log (KIP-101, KIP-320).
//! Differs from Kafka: nothing known.

use env::Disk;
use protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition,
};
use protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};
use types::{ErrorCode, LeaderEpoch, Offset};

use crate::fetch_reader::check_epoch;
use crate::leader_hints::why_not_here;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::partitions::{Partition, PartitionTable};
use crate::request::RequestContext;

pub fn handle<D: Disk>(
    _ctx: &RequestContext,
    request: OffsetForLeaderEpochRequest,
    reply: Reply<OffsetForLeaderEpochResponse>,
    partitions: &PartitionTable<D>,
    metadata: &MetadataCache,
) {
    let image = metadata.image();
    let topics = request.topics.into_iter().map(|topic| {
        let answer = |asked: &OffsetForLeaderPartition| {
            let found = partitions.find(&topic.topic, asked.partition);
            let found = found.map_err(|e| why_not_here(&image, &topic.topic, asked.partition, e));
            let answer = found.and_then(|partition| look_up(&partition, asked));
            let (epoch, end) = answer.unwrap_or((LeaderEpoch::NONE, Offset::NONE));
            EpochEndOffset {
                error_code: answer.err().unwrap_or_default().code(),
                partition: asked.partition,
                leader_epoch: epoch.0,
                end_offset: end.0,
            }
        };
        let partitions = topic.partitions.iter().map(answer).collect();
        OffsetForLeaderTopicResult { topic: topic.topic.clone(), partitions }
    });
    reply.send(OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() });
}

fn look_up<D: Disk>(
    partition: &Partition<D>,
    asked: &OffsetForLeaderPartition,
) -> Result<(LeaderEpoch, Offset), ErrorCode> {
    partition.check_leads()?;
    check_epoch(asked.current_leader_epoch, partition.leader_epoch())?;
    let found = partition.epoch_end(LeaderEpoch(asked.leader_epoch));
    Ok(found.map_or((LeaderEpoch::NONE, Offset::NONE), |end| (end.epoch, end.end_offset)))
}
