use protocol::Str;
use protocol::messages::delete_groups_response::DeletableGroupResult;
use protocol::messages::{
    HeartbeatResponse, JoinGroupResponse, LeaveGroupResponse, OffsetCommitResponse,
    OffsetDeleteResponse, SyncGroupResponse,
};
use types::ErrorCode;

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    JoinGroup(JoinGroupResponse),
    SyncGroup(SyncGroupResponse),
    Heartbeat(HeartbeatResponse),
    LeaveGroup(LeaveGroupResponse),
    OffsetCommit(OffsetCommitResponse),
    OffsetDelete(OffsetDeleteResponse),
    /// One result for each group of the request that lives here.
    DeleteGroups(Vec<DeletableGroupResult>),
}

impl Reply {
    /// The same request refused after all: its records did not make it.
    pub fn into_error(self, error: ErrorCode) -> Reply {
        match self {
            Reply::JoinGroup(_) => Reply::JoinGroup(join_error(error)),
            Reply::SyncGroup(_) => Reply::SyncGroup(sync_error(error)),
            Reply::Heartbeat(_) => Reply::Heartbeat(heartbeat(error)),
            Reply::LeaveGroup(_) => Reply::LeaveGroup(LeaveGroupResponse {
                error_code: error.code(),
                ..LeaveGroupResponse::default()
            }),
            Reply::OffsetCommit(mut commit) => {
                let partitions = commit.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
                partitions.for_each(|partition| partition.error_code = error.code());
                Reply::OffsetCommit(commit)
            }
            Reply::OffsetDelete(_) => Reply::OffsetDelete(OffsetDeleteResponse {
                error_code: error.code(),
                ..OffsetDeleteResponse::default()
            }),
            Reply::DeleteGroups(mut results) => {
                results.iter_mut().for_each(|result| result.error_code = error.code());
                Reply::DeleteGroups(results)
            }
        }
    }
}

pub(crate) fn join_error(error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: error.code(),
        generation_id: -1,
        // Not null: versions before 7 cannot say null.
        protocol_name: Some(Str::from("")),
        ..JoinGroupResponse::default()
    }
}

pub(crate) fn join_error_for(member_id: &str, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse { member_id: Str::from(member_id), ..join_error(error) }
}

pub(crate) fn sync_error(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code: error.code(), ..SyncGroupResponse::default() }
}

pub(crate) fn heartbeat(error: ErrorCode) -> HeartbeatResponse {
    HeartbeatResponse { error_code: error.code(), ..HeartbeatResponse::default() }
}

macro_rules! reply_from {
    ($($variant:ident: $response:ty),+ $(,)?) => {
        $(impl From<$response> for Reply {
            fn from(response: $response) -> Reply {
                Reply::$variant(response)
            }
        })+
    };
}

reply_from! {
    JoinGroup: JoinGroupResponse,
    SyncGroup: SyncGroupResponse,
    Heartbeat: HeartbeatResponse,
    LeaveGroup: LeaveGroupResponse,
    OffsetCommit: OffsetCommitResponse,
    OffsetDelete: OffsetDeleteResponse,
    DeleteGroups: Vec<DeletableGroupResult>,
}
