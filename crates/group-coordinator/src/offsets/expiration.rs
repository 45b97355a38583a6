//! Offsets that nobody will ask for any more expire. KIP-211, KIP-496.
//!
//! | group | its offsets expire, after `offsets.retention.minutes` from |
//! |---|---|
//! | `Empty`, had members once | when it became empty, or the commit if that is not known |
//! | `Stable` consumer group | the commit, for topics that no member reads any more |
//! | without a protocol type (offsets only) | the commit |
//! | any other | never |
//!
//! An offset whose commit named its own expiry goes by that instead of the retention.

use types::WallTime;

use crate::classic::{CONSUMER_PROTOCOL_TYPE, ClassicGroup, ClassicGroupState as State};
use crate::limits;
use crate::records;
use crate::soft::{Deadline, Undo};
use crate::state::{CommittedOffset, GroupId, GroupLog};
use crate::turn::Turn;

/// From when the retention of a group's offsets counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RetentionStart {
    EmptySince(WallTime),
    Commit,
    /// The group holds on to them.
    Never,
}

impl Turn<'_> {
    /// One turn of the walk through all groups; the next is due at once until the walk ends.
    pub fn expire_offsets(&mut self) {
        self.decision.atomic = false;
        self.soft.undo = Some(Undo::Expiration);
        let hard = self.hard;
        let start = self.soft.expiration_cursor.take();
        let mut done: Option<GroupId> = start.clone();
        let groups = hard.groups_after(start.as_deref());
        for (looked_at, (group, log)) in groups.enumerate() {
            let has_time = looked_at < limits::GROUPS_PER_EXPIRATION_TURN_MAX;
            if !(has_time && self.expire_group(group, log)) {
                self.soft.expiration_cursor = done;
                self.soft.timers.schedule(Deadline::Expiration, self.now.mono);
                return;
            }
            done = Some(group.clone());
        }
        self.schedule_expiration();
    }

    pub fn schedule_expiration(&mut self) {
        self.soft.expiration_cursor = None;
        let next = self.now.mono.plus(self.config.offsets_retention_check_interval);
        self.soft.timers.schedule(Deadline::Expiration, next);
    }

    /// Whether all of the group was looked at: the turn's tombstones may run out before.
    fn expire_group(&mut self, group: &GroupId, log: &GroupLog) -> bool {
        let start = self.retention_start(group, log);
        let mut keeps_any = false;
        for (topic, partitions) in &log.offsets {
            let live = self.soft.groups.get(group);
            let subscribed = live.is_some_and(|group| group.is_subscribed_to(topic));
            for (partition, offset) in partitions {
                let held = subscribed || log.has_pending_offset(topic, *partition);
                if held || !self.is_expired(start, offset) {
                    keeps_any = true;
                } else if self.decision.records.len() >= limits::TOMBSTONES_PER_TURN_MAX {
                    return false;
                } else {
                    self.append(records::offset_tombstone(group, topic, *partition));
                }
            }
        }
        if !keeps_any && log.pending.is_empty() && self.has_nobody(group) {
            self.append(records::group_tombstone(group));
        }
        true
    }

    /// Nobody is in the group or about to be. (Kafka forgets ids that were just handed out.)
    fn has_nobody(&self, group: &str) -> bool {
        self.soft.groups.get(group).is_none_or(|group| group.is_idle())
    }

    /// Source: Kafka `ClassicGroup.offsetExpirationCondition`.
    fn retention_start(&self, group: &str, log: &GroupLog) -> RetentionStart {
        match self.soft.groups.get(group) {
            Some(group) => retention_start_in_memory(group),
            None => match &log.metadata {
                Some(metadata) if metadata.protocol_type.is_some() => {
                    metadata.since.map_or(RetentionStart::Commit, RetentionStart::EmptySince)
                }
                _ => RetentionStart::Commit,
            },
        }
    }

    fn is_expired(&self, start: RetentionStart, offset: &CommittedOffset) -> bool {
        let start = match start {
            RetentionStart::Never => return false,
            RetentionStart::EmptySince(since) => since,
            RetentionStart::Commit => offset.committed_at,
        };
        match offset.expires_at {
            Some(expires_at) => self.now.wall >= expires_at,
            None => {
                let age_ms = self.now.wall.0.saturating_sub(start.0);
                u128::try_from(age_ms)
                    .is_ok_and(|age_ms| age_ms >= self.config.offsets_retention.as_millis())
            }
        }
    }
}

fn retention_start_in_memory(group: &ClassicGroup) -> RetentionStart {
    match (group.protocol_type.as_deref(), group.state) {
        (None, _) => RetentionStart::Commit,
        (Some(_), State::Empty) => {
            group.since.map_or(RetentionStart::Commit, RetentionStart::EmptySince)
        }
        (Some(CONSUMER_PROTOCOL_TYPE), State::Stable) if group.subscribed_topics.is_some() => {
            RetentionStart::Commit
        }
        _ => RetentionStart::Never,
    }
}
