//! DeleteRecords (key 21), versions 0–2.
//! Moves the log start forward; −1 means up to the high watermark. The rest of a batch that
//! straddles the new start stays on disk and is skipped by clients. Answers once all live replicas
//! start there, so that records do not come back with another leader.
//! Differs from Kafka: a copy on its way to another log directory is not waited for. It takes the
//! log start along when it takes the log's place.

use std::sync::Arc;
use std::time::Duration;

use env::Env;
use protocol::messages::delete_records_request::DeleteRecordsRequest;
use protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsResponse, DeleteRecordsTopicResult,
};
use types::{BrokerId, ErrorCode, Offset};

use crate::deletion_wait::{Deleting, DeletionWait, fill};
use crate::internal_topics::is_internal;
use crate::leader_hints::why_not_here;
use crate::log_store::LogStore;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::partitions::{Partition, PartitionTable};
use crate::request::RequestContext;
use crate::timers::Timers;

const HIGH_WATERMARK: i64 = -1;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: DeleteRecordsRequest,
    reply: Reply<DeleteRecordsResponse>,
    partitions: &PartitionTable<E::Disk>,
    metadata: &Arc<MetadataCache>,
    log_store: &LogStore<E>,
    timers: &Arc<Timers>,
) {
    let image = metadata.image();
    let is_live = |id: BrokerId| image.cluster.broker(id).is_some_and(|broker| !broker.fenced);
    let (mut response, mut pending) = (DeleteRecordsResponse::default(), Vec::new());
    for (t, topic) in request.topics.into_iter().enumerate() {
        let mut results = Vec::with_capacity(topic.partitions.len());
        for (p, asked) in topic.partitions.iter().enumerate() {
            let deleted = if is_internal(&topic.name) {
                Err(ErrorCode::InvalidTopicException)
            } else if image.topics.by_name(&topic.name).is_none() {
                Err(ErrorCode::UnknownTopicOrPartition)
            } else {
                let found = partitions.find(&topic.name, asked.partition_index);
                let found =
                    found.map_err(|e| why_not_here(&image, &topic.name, asked.partition_index, e));
                found.and_then(|p| delete_before(ctx, p, asked.offset, log_store))
            };
            let low = deleted.as_ref().map_err(|why| *why);
            let low = low.and_then(|(partition, _)| partition.low_watermark(is_live));
            let partition_index = asked.partition_index;
            let mut result = DeleteRecordsPartitionResult { partition_index, ..Default::default() };
            fill(&mut result, low);
            results.push(result);
            if let (Ok((partition, before)), Ok(low)) = (deleted, low)
                && low < before
            {
                pending.push(Deleting { place: (t, p), partition, before });
            }
        }
        let topic = DeleteRecordsTopicResult { name: topic.name, partitions: results };
        response.topics.push(topic);
    }
    if pending.is_empty() {
        return reply.send(response);
    }
    let deadline = ctx.now.plus(Duration::from_millis(request.timeout_ms.max(0) as u64));
    DeletionWait::park(Arc::clone(metadata), (timers, deadline), pending, response, reply);
}

type Deleted<E> = (Arc<Partition<<E as Env>::Disk>>, Offset);

/// On this leader; returns up to where.
fn delete_before<E: Env>(
    ctx: &RequestContext,
    partition: Arc<Partition<E::Disk>>,
    asked: i64,
    log_store: &LogStore<E>,
) -> Result<Deleted<E>, ErrorCode> {
    partition.check_leads()?;
    if partition.settings().delete_records_refused {
        return Err(ErrorCode::PolicyViolation);
    }
    let high_watermark = partition.high_watermark();
    let before = if asked == HIGH_WATERMARK { high_watermark } else { Offset(asked) };
    if before < Offset::ZERO || before > high_watermark {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    partition.delete_before(before, ctx.wall, |log| {
        log_store.remove_let_go(partition.dir(), log);
    })?;
    Ok((partition, before))
}
