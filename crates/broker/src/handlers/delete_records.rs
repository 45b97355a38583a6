//! DeleteRecords (key 21), versions 0–2.
//! Moves the log start forward; −1 means up to the high watermark. The rest of a batch that
//! straddles the new start stays on disk and is skipped by clients.
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::delete_records_request::DeleteRecordsRequest;
use protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsResponse, DeleteRecordsTopicResult,
};
use storage::StorageError;
use types::{ErrorCode, Offset};

use crate::internal_topics::is_internal;
use crate::log_store::LogStore;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::partitions::{Partition, PartitionTable};
use crate::request::RequestContext;

const HIGH_WATERMARK: i64 = -1;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: DeleteRecordsRequest,
    reply: Reply<DeleteRecordsResponse>,
    partitions: &PartitionTable<E::Disk>,
    metadata: &MetadataCache,
    log_store: &LogStore<E>,
) {
    let image = metadata.image();
    let topics = request.topics.into_iter().map(|topic| {
        let results = topic.partitions.iter().map(|asked| {
            let result = if is_internal(&topic.name) {
                Err(ErrorCode::InvalidTopicException)
            } else if image.topics.by_name(&topic.name).is_none() {
                Err(ErrorCode::UnknownTopicOrPartition)
            } else {
                let found = partitions.find(&topic.name, asked.partition_index);
                found.and_then(|p| delete_before(ctx, &p, asked.offset, log_store))
            };
            DeleteRecordsPartitionResult {
                partition_index: asked.partition_index,
                low_watermark: result.map_or(-1, |low| low.0),
                error_code: result.err().unwrap_or_default().code(),
            }
        });
        let partitions = results.collect();
        DeleteRecordsTopicResult { name: topic.name.clone(), partitions }
    });
    reply.send(DeleteRecordsResponse { topics: topics.collect(), ..Default::default() });
}

fn delete_before<E: Env>(
    ctx: &RequestContext,
    partition: &Arc<Partition<E::Disk>>,
    asked: i64,
    log_store: &LogStore<E>,
) -> Result<Offset, ErrorCode> {
    partition.check_leads()?;
    if partition.settings().delete_records_refused {
        return Err(ErrorCode::PolicyViolation);
    }
    let high_watermark = partition.high_watermark();
    let before = if asked == HIGH_WATERMARK { high_watermark } else { Offset(asked) };
    if before < Offset::ZERO || before > high_watermark {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let advanced = partition.with_log(ctx.wall, |log| {
        let log_start = log.advance_log_start(before)?;
        log_store.remove_let_go(partition.dir(), log);
        Ok(log_start)
    });
    match advanced {
        Some(advanced) => advanced.map_err(|error: StorageError| error.error_code()),
        None => Err(ErrorCode::UnknownTopicOrPartition),
    }
}
