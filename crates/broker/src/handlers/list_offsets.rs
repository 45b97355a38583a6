//! ListOffsets (key 2), versions 1–11.
//! The offset for a timestamp, or for one of the special ones below.
//! v2 isolation level · v4 leader epoch · v7 max timestamp · v8 earliest local · v9 latest tiered ·
//! v11 earliest pending upload.
//! The epoch returned is that of the offset, never that of today: committing a wrong epoch
//! blocks groups.
//! Nothing is tiered, so −5 and −6 find no offset.
//! Differs from Kafka: a leader that may have been replaced tells nothing, for a log start that it
//! has not heard of would seem to go back (docs/adr/0012, point 8).

use env::Disk;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsRequest};
use protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use types::{ErrorCode, LeaderEpoch, Offset, WallTime};

use crate::cluster::Isolation;
use crate::fetch_reader::check_epoch;
use crate::leader_hints::why_not_here;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::partitions::{Partition, PartitionTable};
use crate::request::RequestContext;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;
const READ_COMMITTED: i8 = 1;
/// The first version whose clients know OFFSET_NOT_AVAILABLE.
const OFFSET_NOT_AVAILABLE_SINCE: i16 = 5;

/// The first version that knows each special timestamp; older requests with it are refused.
const SPECIAL_SINCE: [(i64, i16); 4] =
    [(MAX_TIMESTAMP, 7), (EARLIEST_LOCAL, 8), (LATEST_TIERED, 9), (EARLIEST_PENDING_UPLOAD, 11)];

pub fn handle<D: Disk>(
    ctx: &RequestContext,
    request: ListOffsetsRequest,
    reply: Reply<ListOffsetsResponse>,
    partitions: &PartitionTable<D>,
    metadata: &MetadataCache,
    isolation: &Isolation,
) {
    let is_cut_off = isolation.is_on(ctx.now);
    let image = metadata.image();
    let committed = request.isolation_level == READ_COMMITTED;
    let topics = request.topics.into_iter().map(|topic| {
        let answer = |asked: &ListOffsetsPartition| {
            let found = partitions.find(&topic.name, asked.partition_index);
            let answer = found
                .map_err(|e| why_not_here(&image, &topic.name, asked.partition_index, e))
                .and_then(|partition| match is_cut_off && partition.may_be_led_elsewhere() {
                    true => Err(ErrorCode::NotLeaderOrFollower),
                    false => look_up(ctx.version, &partition, asked, committed),
                })
                .unwrap_or_else(|error| Found { error, ..Found::NOTHING });
            ListOffsetsPartitionResponse {
                partition_index: asked.partition_index,
                error_code: answer.error.code(),
                timestamp: answer.timestamp,
                offset: answer.offset.0,
                leader_epoch: answer.epoch.0,
            }
        };
        let partitions = topic.partitions.iter().map(answer).collect();
        ListOffsetsTopicResponse { name: topic.name.clone(), partitions }
    });
    reply.send(ListOffsetsResponse { topics: topics.collect(), ..Default::default() });
}

struct Found {
    error: ErrorCode,
    timestamp: i64,
    offset: Offset,
    epoch: LeaderEpoch,
}

impl Found {
    const NOTHING: Found = Found {
        error: ErrorCode::None,
        timestamp: -1,
        offset: Offset::NONE,
        epoch: LeaderEpoch::NONE,
    };
}

fn look_up<D: Disk>(
    version: i16,
    partition: &Partition<D>,
    asked: &ListOffsetsPartition,
    committed: bool,
) -> Result<Found, ErrorCode> {
    let special = SPECIAL_SINCE.iter().find(|(timestamp, _)| *timestamp == asked.timestamp);
    if special.is_some_and(|(_, since)| version < *since)
        || asked.timestamp < EARLIEST_PENDING_UPLOAD
    {
        return Err(ErrorCode::UnsupportedVersion);
    }
    partition.check_leads()?;
    check_epoch(asked.current_leader_epoch, partition.leader_epoch())?;
    if asked.timestamp == LATEST && !partition.knows_latest_offset() {
        // A fresh leader would seem to go back (KIP-207).
        return Err(match version >= OFFSET_NOT_AVAILABLE_SINCE {
            true => ErrorCode::OffsetNotAvailable,
            false => ErrorCode::LeaderNotAvailable,
        });
    }
    let log = &partition.reader();
    let visible_end =
        if committed { partition.last_stable_offset() } else { partition.high_watermark() };
    let at = |offset: Offset, epoch| Found { offset, epoch, ..Found::NOTHING };
    match asked.timestamp {
        LATEST => Ok(at(visible_end, partition.leader_epoch())),
        EARLIEST | EARLIEST_LOCAL => {
            let start = log.log_start();
            Ok(at(start, log.leader_epoch_at(start).unwrap_or(partition.leader_epoch())))
        }
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => Ok(Found::NOTHING),
        timestamp => {
            let found = if timestamp == MAX_TIMESTAMP {
                log.max_timestamp()
            } else {
                log.offset_for_timestamp(WallTime(timestamp))
            };
            let found = found.map_err(|error| error.error_code())?;
            let visible = found.filter(|record| record.offset < visible_end);
            Ok(visible.map_or(Found::NOTHING, |record| Found {
                error: ErrorCode::None,
                timestamp: record.timestamp.0,
                offset: record.offset,
                epoch: record.leader_epoch.unwrap_or(LeaderEpoch::NONE),
            }))
        }
    }
}
