use std::time::Duration;

use coordinator::{CoordinatorRecord, Decision, Now, ReplyToken};

use crate::classic::ClassicGroup;
use crate::config::GroupCoordinatorConfig;
use crate::reply::Reply;
use crate::soft::{Deadline, SoftState};
use crate::state::{GroupId, GroupsState, MemberId};

/// One event in progress: hard state to look at, soft state to change, and the decision it becomes.
pub(crate) struct Turn<'a> {
    pub hard: &'a GroupsState,
    pub soft: &'a mut SoftState,
    pub config: &'a GroupCoordinatorConfig,
    pub now: Now,
    pub decision: Decision<Reply>,
}

impl Turn<'_> {
    pub fn answer(&mut self, token: ReplyToken, reply: impl Into<Reply>) {
        self.decision.replies.push((token, reply.into()));
    }

    pub fn answer_if_parked(&mut self, token: Option<ReplyToken>, reply: impl Into<Reply>) {
        if let Some(token) = token {
            self.answer(token, reply);
        }
    }

    pub fn append(&mut self, record: CoordinatorRecord) {
        self.decision.records.push(record);
    }

    pub fn knows_group(&self, group: &str) -> bool {
        self.soft.groups.contains_key(group) || self.hard.group(group).is_some()
    }

    /// Takes a group that exists out of the soft state; [`keep`](Self::keep) puts it back.
    pub fn take_group(&mut self, group: &str) -> Option<Box<ClassicGroup>> {
        if let Some(group) = self.soft.groups.remove(group) {
            return Some(group);
        }
        let metadata = self.hard.group(group)?.metadata.clone().unwrap_or_default();
        Some(Box::new(ClassicGroup::from_log(&GroupId::from(group), &metadata)))
    }

    /// Keeps a group in memory if there is more to it than the log knows.
    pub fn keep(&mut self, group: Box<ClassicGroup>) {
        if !is_in_log(&group, self.hard) {
            self.soft.groups.insert(group.id.clone(), group);
        }
    }

    pub fn schedule(&mut self, deadline: Deadline, after_ms: i32) {
        let after = Duration::from_millis(u64::try_from(after_ms).unwrap_or(0));
        self.soft.timers.schedule(deadline, self.now.mono.plus(after));
    }

    pub fn cancel(&mut self, deadline: &Deadline) {
        self.soft.timers.cancel(deadline);
    }

    /// The member has shown itself: it has another session timeout.
    pub fn renew_session(&mut self, group: &ClassicGroup, member: &str) {
        if let Some(member) = group.member(member) {
            let deadline = Deadline::Session(group.id.clone(), member.id.clone());
            self.schedule(deadline, member.session_timeout_ms);
        }
    }

    pub fn renew_session_of(&mut self, group: &ClassicGroup, member: &MemberId, after_ms: i32) {
        self.schedule(Deadline::Session(group.id.clone(), member.clone()), after_ms);
    }

    pub fn end_session(&mut self, group: &ClassicGroup, member: &MemberId) {
        self.cancel(&Deadline::Session(group.id.clone(), member.clone()));
    }
}

/// Whether all there is to a group can be had from the log when it is needed.
pub(crate) fn is_in_log(group: &ClassicGroup, hard: &GroupsState) -> bool {
    group.is_idle()
        && hard.group(&group.id).is_none_or(|log| match &log.metadata {
            Some(metadata) => *metadata == group.to_log(),
            None => group.protocol_type.is_none(),
        })
}
