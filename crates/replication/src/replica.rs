use types::{BrokerId, LeaderEpoch, MonoTime, Offset, PartitionEpoch};

use crate::{LeaderRules, LogEnds, PartitionFollower, PartitionLeader, PartitionState};

/// This broker's part in a partition, as the metadata deals it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: BrokerId,
    rules: LeaderRules,
    role: Role,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
// One a partition, and partitions are by their owners: a box would save nothing.
#[allow(clippy::large_enum_variant)]
pub enum Role {
    Leader(PartitionLeader),
    Follower(PartitionFollower),
}

/// What a message of the metadata made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// It is older than what is known.
    Stale,
    /// The same reign; the in-sync set or the assignment may have changed.
    SameReign,
    /// Leads from here on. The log's epochs must say so before anything is appended.
    Elected,
    /// Follows another, or waits for a leader. Whoever waits for an acknowledgement is to be told
    /// NOT_LEADER_OR_FOLLOWER: what they wrote may be cut.
    Follows,
}

impl Replica {
    /// A replica over a log that is known to be committed up to `high_watermark`.
    pub fn new(
        me: BrokerId,
        state: &PartitionState,
        log: LogEnds,
        high_watermark: Offset,
        rules: LeaderRules,
        now: MonoTime,
    ) -> Replica {
        // What a crash left of the log may be less than what was known of it.
        let high_watermark = high_watermark.min(log.log_end);
        let role = role_in(me, state, log, high_watermark, rules, now);
        Replica { me, rules, role }
    }

    /// Whether other brokers hold the partition, too.
    pub fn has_others(&self) -> bool {
        self.leader().is_none_or(PartitionLeader::has_others)
    }

    pub fn role(&self) -> &Role {
        &self.role
    }

    pub fn leader(&self) -> Option<&PartitionLeader> {
        match &self.role {
            Role::Leader(leader) => Some(leader),
            Role::Follower(_) => None,
        }
    }

    pub fn leader_mut(&mut self) -> Option<&mut PartitionLeader> {
        match &mut self.role {
            Role::Leader(leader) => Some(leader),
            Role::Follower(_) => None,
        }
    }

    pub fn follower(&self) -> Option<&PartitionFollower> {
        match &self.role {
            Role::Leader(_) => None,
            Role::Follower(follower) => Some(follower),
        }
    }

    pub fn follower_mut(&mut self) -> Option<&mut PartitionFollower> {
        match &mut self.role {
            Role::Leader(_) => None,
            Role::Follower(follower) => Some(follower),
        }
    }

    /// Who leads: this broker or another; `None` while nobody does.
    pub fn current_leader(&self) -> Option<BrokerId> {
        match &self.role {
            Role::Leader(_) => Some(self.me),
            Role::Follower(follower) => follower.leader(),
        }
    }

    pub fn leader_epoch(&self) -> LeaderEpoch {
        match &self.role {
            Role::Leader(leader) => leader.leader_epoch(),
            Role::Follower(follower) => follower.leader_epoch(),
        }
    }

    pub fn partition_epoch(&self) -> PartitionEpoch {
        match &self.role {
            Role::Leader(leader) => leader.partition_epoch(),
            Role::Follower(follower) => follower.partition_epoch(),
        }
    }

    pub fn high_watermark(&self) -> Offset {
        match &self.role {
            Role::Leader(leader) => leader.high_watermark(),
            Role::Follower(follower) => follower.high_watermark(),
        }
    }

    pub fn set_rules(&mut self, rules: LeaderRules) {
        self.rules = rules;
        match &mut self.role {
            Role::Leader(leader) => leader.set_rules(rules),
            Role::Follower(follower) => follower.set_durability(rules.gate.durability),
        }
    }

    /// The metadata says so. Messages may come late and in any order; an older one changes nothing.
    pub fn handle_partition_state(
        &mut self,
        state: &PartitionState,
        log: LogEnds,
        now: MonoTime,
    ) -> RoleChange {
        let is_older = state.leader_epoch < self.leader_epoch()
            || state.partition_epoch < self.partition_epoch();
        if is_older {
            return RoleChange::Stale;
        }
        if state.leader_epoch == self.leader_epoch() {
            match &mut self.role {
                Role::Leader(leader) => leader.handle_partition_state(state),
                Role::Follower(follower) => follower.handle_partition_state(state),
            }
            return RoleChange::SameReign;
        }
        self.role = role_in(self.me, state, log, self.high_watermark(), self.rules, now);
        match self.role {
            Role::Leader(_) => RoleChange::Elected,
            Role::Follower(_) => RoleChange::Follows,
        }
    }
}

fn role_in(
    me: BrokerId,
    state: &PartitionState,
    log: LogEnds,
    high_watermark: Offset,
    rules: LeaderRules,
    now: MonoTime,
) -> Role {
    // A reign older than the last record's is past, whoever still speaks of it: what it would write
    // now would deny the reigns between.
    let is_past = state.leader_epoch < log.last_epoch;
    if state.leader == Some(me) && !is_past {
        Role::Leader(PartitionLeader::elected(me, state, log, high_watermark, rules, now))
    } else {
        let durability = rules.gate.durability;
        let leader = state.leader.filter(|leader| *leader != me);
        let state = PartitionState { leader, ..state.clone() };
        Role::Follower(PartitionFollower::of(&state, high_watermark, durability))
    }
}
