//! OffsetCommit (key 8): a group says how far it has read.

use std::sync::Arc;

use coordinator::ReplyToken;
use protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use types::{ErrorCode, LeaderEpoch, Offset, Uuid, WallTime};

use crate::classic::ClassicGroupState as State;
use crate::limits;
use crate::records;
use crate::state::CommittedOffset;
use crate::turn::Turn;

/// What "the broker's retention" is in a request.
const DEFAULT_RETENTION: i64 = -1;

/// What the version of an OffsetCommit request says beside its fields.
#[derive(Clone, Copy, Debug)]
pub struct OffsetCommitFacts {
    /// The client understands `GROUP_ID_NOT_FOUND` (from v9 on); others hear `ILLEGAL_GENERATION`.
    pub group_id_not_found: bool,
}

impl Turn<'_> {
    pub fn commit_offsets(
        &mut self,
        facts: OffsetCommitFacts,
        request: &OffsetCommitRequest,
        token: ReplyToken,
    ) {
        let refused = self.check_commit(facts, request).err();
        if refused.is_none() {
            self.show_alive(request);
        }
        let expires_at = (request.retention_time_ms != DEFAULT_RETENTION)
            .then(|| WallTime(self.now.wall.0.saturating_add(request.retention_time_ms)));
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let error = refused.or_else(|| self.check_offset(&topic.name, partition).err());
                if error.is_none() {
                    let committed = committed(topic.topic_id, partition, self.now.wall, expires_at);
                    let index = partition.partition_index;
                    self.append(records::offset_commit(
                        &request.group_id,
                        &topic.name,
                        index,
                        &committed,
                    ));
                }
                partitions.push(OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: error.unwrap_or(ErrorCode::None).code(),
                });
            }
            topics.push(OffsetCommitResponseTopic {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions,
            });
        }
        self.answer(token, OffsetCommitResponse { topics, ..OffsetCommitResponse::default() });
    }

    /// Whether the committer may speak for the group.
    ///
    /// A generation below 0 is a consumer that assigns partitions by hand, or an admin tool: it may
    /// store offsets of a group that nobody is in, and makes a group of one that is not there.
    /// Source: Kafka `ClassicGroup.validateOffsetCommit`.
    fn check_commit(
        &self,
        facts: OffsetCommitFacts,
        request: &OffsetCommitRequest,
    ) -> Result<(), ErrorCode> {
        if request.group_id.len() > limits::NAME_BYTES_MAX {
            return Err(ErrorCode::InvalidGroupId);
        }
        let generation = request.generation_id_or_member_epoch;
        let instance_id = request.group_instance_id.as_deref();
        if !self.knows_group(&request.group_id) {
            return match facts.group_id_not_found {
                _ if generation < 0 => Ok(()),
                true => Err(ErrorCode::GroupIdNotFound),
                false => Err(ErrorCode::IllegalGeneration),
            };
        }
        let live = self.soft.groups.get(&*request.group_id);
        let state = live.map_or(State::Empty, |group| group.state);
        if generation < 0 && state == State::Empty {
            return Ok(());
        }
        // A group that is not in memory has no members; and without a member id and a generation
        // nobody speaks for a group that has some.
        let Some(group) = live else { return Err(ErrorCode::UnknownMemberId) };
        if generation < 0 && request.member_id.is_empty() && instance_id.is_none() {
            return Err(ErrorCode::UnknownMemberId);
        }
        group.check_member(&request.member_id, instance_id)?;
        if generation != group.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        match state {
            // It knows of the generation but cannot have an assignment in it.
            State::CompletingRebalance => Err(ErrorCode::RebalanceInProgress),
            State::Empty | State::PreparingRebalance | State::Stable => Ok(()),
        }
    }

    /// A commit of a member is as good as a heartbeat.
    fn show_alive(&mut self, request: &OffsetCommitRequest) {
        if let Some(group) = self.soft.groups.remove(&*request.group_id) {
            if matches!(group.state, State::Stable | State::PreparingRebalance) {
                self.renew_session(&group, &request.member_id);
            }
            self.keep(group);
        }
    }

    fn check_offset(
        &self,
        topic: &str,
        partition: &OffsetCommitRequestPartition,
    ) -> Result<(), ErrorCode> {
        let metadata = partition.committed_metadata.as_deref().unwrap_or("");
        let units = metadata.encode_utf16().count();
        if units > self.config.offset_metadata_units_max || metadata.len() > limits::NAME_BYTES_MAX
        {
            return Err(ErrorCode::OffsetMetadataTooLarge);
        }
        if topic.is_empty() || topic.len() > limits::NAME_BYTES_MAX {
            return Err(ErrorCode::InvalidTopicException);
        }
        Ok(())
    }
}

fn committed(
    topic_id: Uuid,
    partition: &OffsetCommitRequestPartition,
    committed_at: WallTime,
    expires_at: Option<WallTime>,
) -> CommittedOffset {
    CommittedOffset {
        offset: Offset(partition.committed_offset),
        leader_epoch: LeaderEpoch(partition.committed_leader_epoch),
        metadata: Arc::from(partition.committed_metadata.as_deref().unwrap_or("")),
        committed_at,
        expires_at,
        topic_id,
        record_offset: Offset::NONE,
    }
}
