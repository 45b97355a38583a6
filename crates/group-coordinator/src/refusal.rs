//! Answers for when no shard may answer: it loads, it failed, it is led elsewhere, or no partition
//! can be found for the group.

use protocol::Str;
use protocol::messages::delete_groups_response::DeletableGroupResult;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use protocol::messages::{
    HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupResponse,
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteResponse, SyncGroupResponse,
};
use types::ErrorCode;

use crate::reply;

pub fn join_group(request: &JoinGroupRequest, error: ErrorCode) -> JoinGroupResponse {
    reply::join_error_for(&request.member_id, error)
}

pub fn sync_group(error: ErrorCode) -> SyncGroupResponse {
    reply::sync_error(error)
}

/// A member of a group that still loads is told that all is well: it has a full session timeout
/// from the end of loading anyway. Source: Kafka `GroupCoordinatorService.heartbeat`.
pub fn heartbeat(error: ErrorCode) -> HeartbeatResponse {
    match error {
        ErrorCode::CoordinatorLoadInProgress => reply::heartbeat(ErrorCode::None),
        error => reply::heartbeat(error),
    }
}

pub fn leave_group(error: ErrorCode) -> LeaveGroupResponse {
    LeaveGroupResponse { error_code: error.code(), ..LeaveGroupResponse::default() }
}

pub fn commit_offsets(request: &OffsetCommitRequest, error: ErrorCode) -> OffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: error.code(),
            })
            .collect(),
    });
    OffsetCommitResponse { topics: topics.collect(), ..OffsetCommitResponse::default() }
}

/// No topics, so that nobody reads "no offset" out of it.
pub fn fetch_offsets(
    request: &OffsetFetchRequestGroup,
    error: ErrorCode,
) -> OffsetFetchResponseGroup {
    OffsetFetchResponseGroup {
        group_id: request.group_id.clone(),
        error_code: error.code(),
        ..OffsetFetchResponseGroup::default()
    }
}

pub fn delete_offsets(error: ErrorCode) -> OffsetDeleteResponse {
    OffsetDeleteResponse { error_code: error.code(), ..OffsetDeleteResponse::default() }
}

pub fn delete_groups(group_ids: &[Str], error: ErrorCode) -> Vec<DeletableGroupResult> {
    let result = |id: &Str| DeletableGroupResult { group_id: id.clone(), error_code: error.code() };
    group_ids.iter().map(result).collect()
}

pub fn describe_groups(group_ids: &[Str], error: ErrorCode) -> Vec<DescribedGroup> {
    let result = |id: &Str| DescribedGroup {
        group_id: id.clone(),
        error_code: error.code(),
        ..DescribedGroup::default()
    };
    group_ids.iter().map(result).collect()
}
