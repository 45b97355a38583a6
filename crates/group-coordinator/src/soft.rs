//! Soft state: what is lost with the process, and what becomes of it at the edges of a shard's
//! life.

use std::collections::BTreeMap;

use coordinator::{Decision, ReplyToken, Timers, error_for_failed_append};
use types::ErrorCode;

use crate::classic::{ClassicGroup, Member};
use crate::reply::{Reply, join_error_for, sync_error};
use crate::state::{GroupId, GroupsState, MemberId};
use crate::turn::{Turn, is_in_log};

/// Who waits, until when, and rounds that have not ended.
///
/// **Invariant:** a group that is not in `groups` is `Empty` if the log knows it, else it is not
/// there at all.
#[derive(Debug, Default)]
pub(crate) struct SoftState {
    pub groups: BTreeMap<GroupId, Box<ClassicGroup>>,
    pub timers: Timers<Deadline>,
    /// How to take back what the last decision assumed of its records.
    pub undo: Option<Undo>,
    /// The last group that the walk for expired offsets has done; `None` between walks.
    pub expiration_cursor: Option<GroupId>,
}

/// What a deadline is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    /// The member shows itself, or leaves.
    Session(GroupId, MemberId),
    /// The round goes on with those who have joined.
    Join(GroupId),
    /// Members that have not sent their SyncGroup leave.
    Sync(GroupId),
    /// Offsets are looked through for expired ones.
    Expiration,
}

/// What was assumed of records that may still fail to be appended.
#[derive(Debug)]
pub(crate) enum Undo {
    /// The group was made for the request.
    NewGroup(GroupId),
    /// The group became `Stable` with the leader's assignment.
    Assignment(GroupId),
    /// A static member came back under a new id.
    StaticMember { group: GroupId, new: MemberId, old: Box<Member> },
    /// Expired offsets were about to be deleted.
    Expiration,
}

impl SoftState {
    /// A record of `group` has become hard state: what it says need not be kept here.
    pub fn group_was_written(&mut self, group: &GroupId, is_deleted: bool, hard: &GroupsState) {
        let Some(live) = self.groups.get(group) else { return };
        if is_deleted {
            for member in live.pending_members.iter().chain(live.members().map(|m| &m.id)) {
                self.timers.cancel(&Deadline::Session(group.clone(), member.clone()));
            }
            self.timers.cancel(&Deadline::Join(group.clone()));
            self.timers.cancel(&Deadline::Sync(group.clone()));
            self.groups.remove(group);
        } else if is_in_log(live, hard) {
            self.groups.remove(group);
        }
    }

    /// Every parked request is sent to the new coordinator.
    pub fn into_not_coordinator(self) -> Decision<Reply> {
        let mut decision = Decision::nothing();
        for group in self.groups.into_values() {
            decision.replies.extend(parked(&group, ErrorCode::NotCoordinator));
        }
        decision
    }

    pub fn check(&self, hard: &GroupsState) {
        for (id, group) in &self.groups {
            assert_eq!(*id, group.id);
            group.check();
            for member in group.members() {
                let session = Deadline::Session(id.clone(), member.id.clone());
                let watched = self.timers.deadline(&session).is_some();
                assert!(watched || member.is_excused_from_heartbeats(), "{} of {id}", member.id);
            }
        }
        for (id, log) in hard.groups() {
            let members = log.metadata.as_ref().map_or(0, |metadata| metadata.members.len());
            assert!(members == 0 || self.groups.contains_key(id), "{id} is loaded with members");
        }
    }
}

fn parked(group: &ClassicGroup, error: ErrorCode) -> Vec<(ReplyToken, Reply)> {
    let mut replies = Vec::new();
    for member in group.members() {
        let join = |token| (token, join_error_for(&member.id, error).into());
        replies.extend(member.parked_join.map(join));
        replies.extend(member.parked_sync.map(|token| (token, sync_error(error).into())));
    }
    replies
}

impl Turn<'_> {
    /// The log was read: members have a fresh session timeout to show themselves.
    ///
    /// A group above a `group.max.size` that was lowered begins a round, in which the last to
    /// rejoin find no place. Source: Kafka `GroupMetadataManager.onLoaded`.
    pub fn finish_loading(&mut self) {
        let hard = self.hard;
        for (id, log) in hard.groups() {
            let Some(metadata) = &log.metadata else { continue };
            if metadata.members.is_empty() {
                continue;
            }
            let mut group = Box::new(ClassicGroup::from_log(id, metadata));
            for member in metadata.members.keys() {
                self.renew_session(&group, member);
            }
            if group.size() > self.config.group_size_max {
                self.prepare_rebalance(&mut group);
            }
            self.keep(group);
        }
        self.schedule_expiration();
    }

    pub fn handle_timeout(&mut self) {
        match self.soft.timers.pop_due(self.now.mono) {
            Some(Deadline::Session(group, member)) => self.expire_session(&group, &member),
            Some(Deadline::Join(group)) => self.expire_join(&group),
            Some(Deadline::Sync(group)) => self.expire_sync(&group),
            Some(Deadline::Expiration) => self.expire_offsets(),
            None => {}
        }
    }

    /// The records of `failed` did not reach the log.
    pub fn take_back(&mut self, undo: Option<Undo>, failed: Decision<Reply>, error: ErrorCode) {
        let error = error_for_failed_append(error);
        for (token, reply) in failed.replies {
            self.answer(token, reply.into_error(error));
        }
        match undo {
            Some(Undo::NewGroup(id)) => self.forget_group(&id, error),
            Some(Undo::Assignment(id)) => {
                if let Some(mut group) = self.soft.groups.remove(&id) {
                    self.restore_assignment(&mut group);
                    self.keep(group);
                }
            }
            Some(Undo::StaticMember { group, new, old }) => {
                if let Some(mut group) = self.soft.groups.remove(&group) {
                    self.restore_static_member(&mut group, &new, *old);
                    self.keep(group);
                }
            }
            Some(Undo::Expiration) => self.schedule_expiration(),
            None => {}
        }
    }

    /// A group that the log never heard of is gone, with all who wait in it.
    fn forget_group(&mut self, id: &GroupId, error: ErrorCode) {
        if let Some(group) = self.soft.groups.get(id) {
            let replies = parked(group, error);
            self.decision.replies.extend(replies);
        }
        self.soft.group_was_written(id, true, self.hard);
    }
}
