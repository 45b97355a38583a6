use coordinator::{CoordinatorShard, Decision, LoadedRecord, Now, Replayed, ReplyToken};
use protocol::Str;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::list_groups_response::ListedGroup;
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest,
    OffsetDeleteRequest, SyncGroupRequest,
};
use types::{ErrorCode, MonoTime, ProducerId, TopicPartition};

use crate::classic::JoinFacts;
use crate::config::GroupCoordinatorConfig;
use crate::groups::{self, DescribeFacts, ListFilter};
use crate::offsets::{OffsetCommitFacts, fetch_offsets};
use crate::records::{self, GroupRecord, Unreadable};
use crate::reply::Reply;
use crate::soft::SoftState;
use crate::state::GroupsState;
use crate::turn::Turn;

/// Who sent a request, as DescribeGroups shows it.
#[derive(Clone, Copy, Debug)]
pub struct ClientInfo<'a> {
    pub client_id: &'a str,
    /// As Java prints an address: `/127.0.0.1`.
    pub host: &'a str,
}

/// The groups of one partition of `__consumer_offsets`: who is in them, and how far they have read.
///
/// The order of calls is that of [`CoordinatorShard`]. Request methods take a token; it comes back
/// with its answer in the returned [`Decision`] or, if the request is parked, in that of a later
/// event.
///
/// **Invariant:** hard state (`state`) is a function of the log; requests see it by `&` only.
/// **Invariant:** a parked request has a deadline: its member's session, the round's, or the
/// generation's.
///
/// Source: Kafka `GroupCoordinatorShard`, `GroupMetadataManager`, `OffsetMetadataManager`.
#[derive(Debug)]
pub struct GroupCoordinatorShard {
    config: GroupCoordinatorConfig,
    state: GroupsState,
    soft: SoftState,
    /// Records of the last decision that have been neither replayed nor given up.
    unsettled: usize,
}

impl GroupCoordinatorShard {
    pub fn new(config: GroupCoordinatorConfig) -> GroupCoordinatorShard {
        GroupCoordinatorShard {
            config,
            state: GroupsState::default(),
            soft: SoftState::default(),
            unsettled: 0,
        }
    }

    /// What the log says.
    pub fn state(&self) -> &GroupsState {
        &self.state
    }

    /// Later decisions follow `config`. Deadlines that run keep theirs.
    pub fn set_config(&mut self, config: GroupCoordinatorConfig) {
        self.config = config;
    }

    pub fn join_group(
        &mut self,
        now: Now,
        client: ClientInfo<'_>,
        facts: JoinFacts,
        request: &JoinGroupRequest,
        token: ReplyToken,
    ) -> Decision<Reply> {
        self.turn(now, |turn| turn.join_group(&client, &facts, request, token))
    }

    pub fn sync_group(
        &mut self,
        now: Now,
        request: &SyncGroupRequest,
        token: ReplyToken,
    ) -> Decision<Reply> {
        self.turn(now, |turn| turn.sync_group(request, token))
    }

    pub fn heartbeat(
        &mut self,
        now: Now,
        request: &HeartbeatRequest,
        token: ReplyToken,
    ) -> Decision<Reply> {
        self.turn(now, |turn| turn.heartbeat(request, token))
    }

    /// `request.members` names who leaves in every version: the handler moves the single member of
    /// versions 0–2 there, and its error back to the top.
    pub fn leave_group(
        &mut self,
        now: Now,
        request: &LeaveGroupRequest,
        token: ReplyToken,
    ) -> Decision<Reply> {
        self.turn(now, |turn| turn.leave_group(request, token))
    }

    /// Topics of the request exist and may be read by the client: the handler has checked, and put
    /// the names beside the ids of v10 and later.
    pub fn commit_offsets(
        &mut self,
        now: Now,
        facts: OffsetCommitFacts,
        request: &OffsetCommitRequest,
        token: ReplyToken,
    ) -> Decision<Reply> {
        self.turn(now, |turn| turn.commit_offsets(facts, request, token))
    }

    /// One group of an OffsetFetch. Versions 0–7 name one group outside of the list; the handler
    /// moves it in and the answer out. From v10 on it puts the topics' names beside their ids.
    pub fn fetch_offsets(
        &self,
        request: &OffsetFetchRequestGroup,
        require_stable: bool,
    ) -> OffsetFetchResponseGroup {
        fetch_offsets(&self.state, request, require_stable)
    }

    pub fn delete_offsets(
        &mut self,
        now: Now,
        request: &OffsetDeleteRequest,
        token: ReplyToken,
    ) -> Decision<Reply> {
        self.turn(now, |turn| turn.delete_offsets(request, token))
    }

    /// The groups of a DeleteGroups request that live in this shard.
    pub fn delete_groups(
        &mut self,
        now: Now,
        group_ids: &[Str],
        token: ReplyToken,
    ) -> Decision<Reply> {
        self.turn(now, |turn| turn.delete_groups(group_ids, token))
    }

    /// The groups of a DescribeGroups request that live in this shard.
    pub fn describe_groups(&self, group_ids: &[Str], facts: DescribeFacts) -> Vec<DescribedGroup> {
        let describe = |id: &Str| groups::describe(&self.state, &self.soft, id, facts);
        group_ids.iter().map(describe).collect()
    }

    /// The groups of this shard; the handler asks every shard of the broker.
    pub fn list_groups(&self, filter: &ListFilter) -> Vec<ListedGroup> {
        groups::list(&self.state, &self.soft, filter)
    }

    /// Partitions are gone, because their topic was deleted.
    pub fn partitions_deleted(&mut self, now: Now, deleted: &[TopicPartition]) -> Decision<Reply> {
        self.turn(now, |turn| turn.partitions_deleted(deleted))
    }

    fn turn(&mut self, now: Now, event: impl FnOnce(&mut Turn<'_>)) -> Decision<Reply> {
        assert_eq!(self.unsettled, 0, "the records of the last decision were not settled");
        self.soft.undo = None;
        let mut turn = Turn {
            hard: &self.state,
            soft: &mut self.soft,
            config: &self.config,
            now,
            decision: Decision::nothing(),
        };
        event(&mut turn);
        let decision = turn.decision;
        self.unsettled = decision.records.len();
        decision
    }

    /// Asserts the invariants of every group in memory; for tests.
    ///
    /// # Panics
    /// If one is broken.
    pub fn check(&self) {
        self.soft.check(&self.state);
    }
}

impl CoordinatorShard for GroupCoordinatorShard {
    type Reply = Reply;

    fn replay(&mut self, record: LoadedRecord<'_>) -> Replayed {
        self.unsettled = self.unsettled.saturating_sub(1);
        let decoded = match records::decode(record.record) {
            Ok(decoded) => decoded,
            Err(Unreadable::UnknownKind(key_version)) => return Replayed::Skipped { key_version },
            Err(Unreadable::Malformed) => return Replayed::Malformed,
        };
        let concerns = match &decoded {
            GroupRecord::Metadata { group, value } => Some((group.clone(), value.is_none())),
            GroupRecord::Offset { .. } => None,
        };
        self.state.apply(record.offset, record.transaction, decoded);
        if let Some((group, is_deleted)) = concerns {
            self.soft.group_was_written(&group, is_deleted, &self.state);
        }
        Replayed::Applied
    }

    fn replay_end_transaction(&mut self, transaction: ProducerId, committed: bool) {
        self.state.end_transaction(transaction, committed);
    }

    fn finish_loading(&mut self, now: Now) {
        // Nothing to append: rounds that begin here only wait.
        let decision = self.turn(now, |turn| turn.finish_loading());
        assert!(decision.is_nothing(), "loading decides nothing");
    }

    fn handle_append_failed(
        &mut self,
        now: Now,
        failed: Decision<Reply>,
        error: ErrorCode,
    ) -> Decision<Reply> {
        self.unsettled = 0;
        let undo = self.soft.undo.take();
        self.turn(now, |turn| turn.take_back(undo, failed, error))
    }

    fn poll_timeout(&self) -> Option<MonoTime> {
        self.soft.timers.next()
    }

    fn handle_timeout(&mut self, now: Now) -> Decision<Reply> {
        self.turn(now, |turn| turn.handle_timeout())
    }

    fn unload(&mut self) -> Decision<Reply> {
        self.unsettled = 0;
        std::mem::take(&mut self.soft).into_not_coordinator()
    }
}
