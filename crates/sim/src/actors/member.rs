//! A member of a consumer group: joins, takes its share, commits, leaves and comes back.

use env::Clock;
use protocol::ApiKey;
use protocol::messages::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use protocol::messages::join_group_response::JoinGroupResponse;
use protocol::messages::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_commit_response::OffsetCommitResponse;
use protocol::messages::offset_fetch_request::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::offset_fetch_response::OffsetFetchResponse;
use protocol::messages::sync_group_request::{SyncGroupRequest, SyncGroupRequestAssignment};
use protocol::messages::sync_group_response::SyncGroupResponse;
use types::{ErrorCode, Uuid};

use super::{Actor, Io};
use crate::wire::Answer;
use history::Event;

const PROTOCOL: &str = "range";
/// Short, so that a group soon forgets the members that a crash left behind.
const SESSION_MS: i32 = 2_000;
const PROTOCOL_TYPE: &str = "consumer";

pub struct Member {
    group: String,
    topic_id: Uuid,
    partitions: i32,
    member_id: String,
    generation: i32,
    /// Partitions of the present generation.
    share: Vec<i32>,
    /// What it committed last, for all partitions: the time, so that of two commits of a group the
    /// later one is the higher, whoever made it.
    progress: i64,
    committing: Option<Vec<i32>>,
    /// How much had happened when it asked where to resume.
    asked: usize,
    /// It joins under another id each time.
    is_stranger: bool,
    /// It was told to join under the id that it has.
    is_invited: bool,
    stopped: bool,
}

impl Member {
    pub fn new(group: &str, topic_id: Uuid, partitions: i32) -> Member {
        Member {
            group: group.to_owned(),
            topic_id,
            partitions,
            member_id: String::new(),
            generation: -1,
            share: Vec::new(),
            progress: 0,
            committing: None,
            asked: 0,
            is_stranger: false,
            is_invited: false,
            stopped: false,
        }
    }

    /// Joins under another id each time. A coordinator that was deposed and has not heard of it
    /// tells a member that it knows its share again, and writes nothing for that; to take another
    /// one in it has to.
    pub fn as_a_stranger(self) -> Member {
        Member { is_stranger: true, ..self }
    }

    fn join(&mut self, io: &mut Io<'_>) {
        self.share.clear();
        self.committing = None;
        if self.is_stranger && !std::mem::take(&mut self.is_invited) {
            self.member_id.clear();
        }
        if self.stopped {
            return;
        }
        io.send(&JoinGroupRequest {
            group_id: self.group.as_str().into(),
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: SESSION_MS,
            member_id: self.member_id.as_str().into(),
            protocol_type: PROTOCOL_TYPE.into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: PROTOCOL.into(),
                metadata: Default::default(),
            }],
            ..Default::default()
        });
    }

    fn joined(&mut self, response: &JoinGroupResponse, io: &mut Io<'_>) {
        self.member_id = response.member_id.to_string();
        if response.error_code != ErrorCode::None.code() {
            self.is_invited = response.error_code == ErrorCode::MemberIdRequired.code();
            if response.error_code == ErrorCode::UnknownMemberId.code() {
                self.member_id.clear();
            }
            return io.wake_after_ms(50);
        }
        self.generation = response.generation_id;
        let count = response.members.len().max(1);
        let assignment = |(number, member): (
            usize,
            &protocol::messages::join_group_response::JoinGroupResponseMember,
        )| {
            let share = (0..self.partitions).filter(|p| *p as usize % count == number);
            SyncGroupRequestAssignment {
                member_id: member.member_id.clone(),
                assignment: share.map(|p| p as u8).collect::<Vec<_>>().into(),
            }
        };
        let leads = response.leader == response.member_id;
        let assignments = match leads {
            true => response.members.iter().enumerate().map(assignment).collect(),
            false => Vec::new(),
        };
        io.send(&SyncGroupRequest {
            group_id: self.group.as_str().into(),
            generation_id: self.generation,
            member_id: self.member_id.as_str().into(),
            protocol_type: Some(PROTOCOL_TYPE.into()),
            protocol_name: Some(PROTOCOL.into()),
            assignments,
            ..Default::default()
        });
    }

    fn assigned(&mut self, response: &SyncGroupResponse, io: &mut Io<'_>) {
        if response.error_code == 0 {
            self.share = response.assignment.iter().map(|p| i32::from(*p)).collect();
            io.history.note(Event::Assigned {
                group: self.group.clone(),
                generation: self.generation,
                member: self.member_id.clone(),
                partitions: self.share.clone(),
            });
            return self.ask_where_to_resume(io);
        }
        self.is_invited = response.error_code == ErrorCode::RebalanceInProgress.code();
        io.wake_after_ms(20);
    }

    fn ask_where_to_resume(&mut self, io: &mut Io<'_>) {
        self.asked = io.history.events().len();
        let topic = OffsetFetchRequestTopics {
            topic_id: self.topic_id,
            partition_indexes: self.share.clone(),
            ..Default::default()
        };
        io.send(&OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: self.group.as_str().into(),
                topics: Some(vec![topic]),
                member_epoch: -1,
                ..Default::default()
            }],
            ..Default::default()
        });
    }

    fn resumes(&mut self, response: &OffsetFetchResponse, io: &mut Io<'_>) {
        let groups = response.groups.iter().filter(|group| group.error_code == 0);
        let partitions = groups.flat_map(|group| &group.topics).flat_map(|topic| &topic.partitions);
        for partition in partitions.filter(|partition| partition.error_code == 0) {
            io.history.note(Event::Resumed {
                group: self.group.clone(),
                partition: partition.partition_index,
                offset: partition.committed_offset,
                asked: self.asked,
            });
        }
        io.wake_after_ms(20);
    }

    fn leave(&mut self, io: &mut Io<'_>) {
        self.share.clear();
        io.send(&LeaveGroupRequest {
            group_id: self.group.as_str().into(),
            members: vec![MemberIdentity {
                member_id: self.member_id.as_str().into(),
                ..Default::default()
            }],
            ..Default::default()
        });
    }

    fn commit(&mut self, io: &mut Io<'_>) {
        self.progress = (io.clock.mono().0 / 1000) as i64;
        let partition = |p: &i32| OffsetCommitRequestPartition {
            partition_index: *p,
            committed_offset: self.progress,
            committed_leader_epoch: -1,
            committed_metadata: Some("".into()),
        };
        for p in &self.share {
            io.history.note(Event::CommitSent {
                group: self.group.clone(),
                partition: *p,
                offset: self.progress,
            });
        }
        let partitions = self.share.iter().map(partition).collect();
        io.send(&OffsetCommitRequest {
            group_id: self.group.as_str().into(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.member_id.as_str().into(),
            topics: vec![OffsetCommitRequestTopic {
                topic_id: self.topic_id,
                partitions,
                ..Default::default()
            }],
            ..Default::default()
        });
        self.committing = Some(self.share.clone());
    }

    fn committed(&mut self, response: &OffsetCommitResponse, io: &mut Io<'_>) {
        let asked = self.committing.take().unwrap_or_default();
        let mut error = ErrorCode::None.code();
        for answer in response.topics.iter().flat_map(|topic| &topic.partitions) {
            error = error.max(answer.error_code);
            if answer.error_code == 0 && asked.contains(&answer.partition_index) {
                io.history.note(Event::Committed {
                    group: self.group.clone(),
                    partition: answer.partition_index,
                    offset: self.progress,
                });
            }
        }
        if error != 0 {
            if error == ErrorCode::UnknownMemberId.code() {
                self.member_id.clear();
            }
            self.is_invited = error == ErrorCode::RebalanceInProgress.code();
            self.share.clear();
        }
        io.wake_after_ms(20 + io.rng.below(200));
    }
}

impl Actor for Member {
    fn connected(&mut self, io: &mut Io<'_>) {
        self.is_invited = false;
        self.join(io);
    }

    fn answered(&mut self, answer: Answer, io: &mut Io<'_>) {
        match answer.key {
            ApiKey::JoinGroup => self.joined(&answer.to(), io),
            ApiKey::SyncGroup => self.assigned(&answer.to(), io),
            ApiKey::OffsetFetch => self.resumes(&answer.to(), io),
            ApiKey::LeaveGroup => {
                self.member_id.clear();
                io.wake_after_ms(io.rng.below(500));
            }
            ApiKey::OffsetCommit => self.committed(&answer.to(), io),
            other => panic!("a member never asked {other:?}"),
        }
    }

    fn woken(&mut self, io: &mut Io<'_>) {
        if self.committing.is_some() || self.stopped {
            return;
        }
        if self.share.is_empty() {
            self.join(io);
        } else if io.rng.one_in(40) {
            if self.is_stranger {
                return self.leave(io);
            }
            self.join(io);
        } else if io.rng.one_in(60) {
            self.leave(io);
        } else {
            self.commit(io);
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn is_done(&self) -> bool {
        self.committing.is_none()
    }
}
