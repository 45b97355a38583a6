use std::time::Duration;

use types::{BrokerEpoch, BrokerId, LeaderEpoch, MonoTime, Offset, PartitionEpoch};

use crate::isr::InSyncSet;
use crate::remote_replica::RemoteReplica;
use crate::{AckGate, GateRules, InSync, IsrOutcome, IsrProposal, LogEnds, PartitionState};
use crate::{ReplicaView, preferred_read_replica};

/// What the configuration says of a partition that is led here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaderRules {
    pub gate: GateRules,
    /// `min.insync.replicas`. Where a partition has fewer replicas, all of them are enough.
    pub min_insync_replicas: usize,
    /// `replica.lag.time.max.ms`.
    pub lag_time_max: Duration,
}

/// A fetch of a follower whose log agrees with the leader's up to `offset`: below it the follower
/// holds everything, **on disk** where the topic's durability asks for that. A follower of such a
/// topic does not fetch from an offset before it is durable there (ADR 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerFetch {
    pub replica: BrokerId,
    /// [`BrokerEpoch::NONE`] from those who do not know it.
    pub broker_epoch: BrokerEpoch,
    pub offset: Offset,
    pub log_start: Offset,
}

/// A partition that is led here: who holds how much of it, who counts, and what is therefore
/// acknowledged.
///
/// **Invariant:** a record below the high watermark is held by every member of the committed
/// in-sync set and of the one that may be on its way, and there are at least `min.insync.replicas`.
/// **Source:** Kafka `Partition`; KIP-497, KIP-903, KIP-966.
#[doc(alias = "cluster.Partition")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionLeader {
    me: BrokerId,
    leader_epoch: LeaderEpoch,
    /// Where the log ended when this reign began. Below it may be records of which this leader
    /// does not know yet that they are committed.
    epoch_start: Offset,
    /// Records below were deleted on request: whoever joins the in-sync set has heard of it.
    deleted_below: Offset,
    replicas: Vec<BrokerId>,
    /// Everybody but this broker, in the order of `replicas`.
    others: Vec<RemoteReplica>,
    in_sync: InSyncSet,
    gate: AckGate,
    rules: LeaderRules,
}

impl PartitionLeader {
    /// The leader that `state` names, over a log that is known to be committed up to
    /// `high_watermark`.
    pub fn elected(
        me: BrokerId,
        state: &PartitionState,
        log: LogEnds,
        high_watermark: Offset,
        rules: LeaderRules,
        now: MonoTime,
    ) -> PartitionLeader {
        let high_watermark = high_watermark.min(log.log_end);
        let mut leader = PartitionLeader {
            me,
            leader_epoch: state.leader_epoch,
            epoch_start: log.log_end,
            deleted_below: log.log_start,
            replicas: Vec::new(),
            others: Vec::new(),
            in_sync: InSyncSet::new(&state.isr, state.partition_epoch),
            gate: AckGate::at(high_watermark, log.durable, log.log_end, rules.gate),
            rules,
        };
        leader.assign(state, Some(now));
        leader.count();
        leader
    }

    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    pub fn partition_epoch(&self) -> PartitionEpoch {
        self.in_sync.partition_epoch()
    }

    pub fn high_watermark(&self) -> Offset {
        self.gate.position()
    }

    pub fn log_end(&self) -> Offset {
        self.gate.log_end()
    }

    /// What acks=1 waits for; see [`AckGate::vouched_here`].
    pub fn vouched_here(&self) -> Offset {
        self.gate.vouched_here()
    }

    pub fn wants_sync(&self) -> bool {
        self.gate.wants_sync()
    }

    /// The in-sync set as the controller has committed it.
    pub fn isr(&self) -> &[BrokerId] {
        self.in_sync.committed()
    }

    /// Whether the end of the log may be told as such: a leader that has not caught up with what
    /// was committed before it would seem to go back (KIP-207, OFFSET_NOT_AVAILABLE).
    pub fn knows_latest_offset(&self) -> bool {
        self.high_watermark() >= self.epoch_start
    }

    /// Fewer members than `min.insync.replicas`: acks=all is refused with NOT_ENOUGH_REPLICAS, and
    /// who waits is told NOT_ENOUGH_REPLICAS_AFTER_APPEND.
    pub fn is_under_min_isr(&self) -> bool {
        let enough = self.rules.min_insync_replicas.min(self.replicas.len());
        self.isr().len() < enough
    }

    pub fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// Ignored unless it is of this reign.
    pub fn handle_partition_state(&mut self, state: &PartitionState) {
        let is_stale = state.partition_epoch < self.partition_epoch();
        if state.leader_epoch != self.leader_epoch || is_stale {
            return;
        }
        self.in_sync.handle_metadata(&state.isr, state.partition_epoch);
        self.assign(state, None);
        self.count();
    }

    /// The log ends at `log_end` now.
    pub fn handle_append(&mut self, log_end: Offset) {
        self.gate.handle_append(log_end);
    }

    /// A client deletes the records below `offset`.
    pub fn handle_records_deleted(&mut self, offset: Offset) {
        self.deleted_below = self.deleted_below.max(offset);
    }

    /// Where the log starts on all of the replicas that live; `log_start` is where it does here.
    /// [`Offset::NONE`] until each of them has fetched under this leader. Source: Kafka
    /// `Partition.lowWatermarkIfLeader`.
    pub fn low_watermark(&self, log_start: Offset, is_live: impl Fn(BrokerId) -> bool) -> Offset {
        let live = self.others.iter().filter(|other| is_live(other.id));
        live.map(|other| other.log_start).fold(log_start, Offset::min)
    }

    /// Everything below `offset` survives power loss here.
    pub fn handle_durable(&mut self, offset: Offset) {
        self.gate.handle_durable(offset);
    }

    pub fn set_rules(&mut self, rules: LeaderRules) {
        self.rules = rules;
        self.gate.set_rules(rules.gate);
        self.count();
    }

    /// A fetch of this reign whose log does not diverge. False if it does not count: the replica is
    /// not one of this partition's, or the fetch comes from an earlier life of its broker.
    pub fn handle_fetch(&mut self, fetch: &FollowerFetch, now: MonoTime) -> bool {
        let leader_end = self.gate.log_end();
        let Some(other) = self.others.iter_mut().find(|other| other.id == fetch.replica) else {
            return false;
        };
        let is_of_earlier_life = fetch.broker_epoch < other.broker_epoch;
        if is_of_earlier_life || fetch.offset > leader_end {
            return false;
        }
        other.handle_fetch(fetch, leader_end, now);
        self.count();
        true
    }

    /// An answer to the proposal that was made at the partition epoch `asked`.
    pub fn handle_isr_outcome(
        &mut self,
        asked: PartitionEpoch,
        outcome: &IsrOutcome,
        now: MonoTime,
    ) {
        match outcome {
            IsrOutcome::Committed { leader_epoch, partition_epoch, isr } => {
                if *leader_epoch == self.leader_epoch {
                    self.in_sync.handle_answered(asked, isr, *partition_epoch);
                }
            }
            IsrOutcome::Refused(code) => self.in_sync.handle_refused(asked, *code, now),
            IsrOutcome::Unanswered => self.in_sync.handle_unanswered(asked, now),
        }
        self.count();
    }

    /// Moves the high watermark as far as it may go; says where it is if it moved.
    pub fn poll_high_watermark(&mut self) -> Option<Offset> {
        self.gate.poll_opened()
    }

    /// The change of the in-sync set that is to be sent to the controller now. `epoch_of` says the
    /// life of a broker that may join: registered, neither fenced nor shutting down.
    pub fn poll_isr_change(
        &mut self,
        epoch_of: impl Fn(BrokerId) -> Option<BrokerEpoch>,
        now: MonoTime,
    ) -> Option<IsrProposal> {
        if self.in_sync.is_settled(now)
            && let Some(isr) = self.wanted_isr(&epoch_of, now)
        {
            self.in_sync.propose(self.leader_epoch, isr);
            // From here on the high watermark waits for those who may be in.
            self.count();
        }
        self.in_sync.poll_proposal(now)
    }

    /// When [`poll_isr_change`](Self::poll_isr_change) may have something if nothing else happens.
    pub fn poll_timeout(&self) -> Option<MonoTime> {
        let attempt = self.in_sync.next_attempt()?;
        let (end, lag_max) = (self.gate.log_end(), self.rules.lag_time_max);
        let members = self.others.iter().filter(|other| self.isr().contains(&other.id));
        let lags = members.filter_map(|other| other.lags_from(end, lag_max)).min();
        lags.map(|at| at.plus(Duration::from_nanos(1)).max(attempt))
    }

    /// Where a consumer in `client_rack` that asks for `offset` should read instead (KIP-392).
    pub fn read_replica_for<'a>(
        &self,
        client_rack: &str,
        offset: Offset,
        rack_of: impl Fn(BrokerId) -> Option<&'a str>,
        now: MonoTime,
    ) -> Option<BrokerId> {
        let in_sync = self.others.iter().filter(|other| self.isr().contains(&other.id));
        let views = in_sync.filter_map(|other| {
            Some(ReplicaView {
                id: other.id,
                rack: rack_of(other.id)?,
                log_start: other.log_start,
                log_end: other.log_end?,
                since_caught_up: other.since_caught_up(now),
            })
        });
        preferred_read_replica(client_rack, offset, rack_of(self.me), views)
    }

    fn wanted_isr(
        &self,
        epoch_of: &impl Fn(BrokerId) -> Option<BrokerEpoch>,
        now: MonoTime,
    ) -> Option<Vec<(BrokerId, BrokerEpoch)>> {
        let wanted = |other: &&RemoteReplica| match self.isr().contains(&other.id) {
            true => !self.lags(other, now),
            false => self.may_join(other, epoch_of, now),
        };
        let others: Vec<&RemoteReplica> = self.others.iter().filter(wanted).collect();
        let is_member = |other: &&RemoteReplica| self.isr().contains(&other.id);
        let members = self.others.iter().filter(is_member).count();
        if others.len() == members && others.iter().all(is_member) {
            return None;
        }
        let me = (self.me, epoch_of(self.me).unwrap_or(BrokerEpoch::NONE));
        let others = others.into_iter().map(|other| (other.id, other.broker_epoch));
        let mut isr: Vec<_> = std::iter::once(me).chain(others).collect();
        let place = |broker: BrokerId| self.replicas.iter().position(|other| *other == broker);
        isr.sort_by_key(|(broker, _)| place(*broker));
        Some(isr)
    }

    /// It has everything that may be committed: up to the high watermark, and up to where this
    /// reign began, because a fresh leader's high watermark lags (KAFKA-7128). And it keeps up, or
    /// it would have to leave again at once. What a client was told is deleted is not to come back
    /// with it when it leads: Kafka lets in a replica that was away while records were deleted
    /// before it has heard of that.
    fn may_join(
        &self,
        other: &RemoteReplica,
        epoch_of: &impl Fn(BrokerId) -> Option<BrokerEpoch>,
        now: MonoTime,
    ) -> bool {
        let needed = self.high_watermark().max(self.epoch_start);
        let is_live = epoch_of(other.id).is_some_and(|epoch| epoch == other.broker_epoch);
        let has_all = other.log_end.is_some_and(|end| end >= needed);
        is_live && has_all && other.log_start >= self.deleted_below && !self.lags(other, now)
    }

    fn lags(&self, other: &RemoteReplica, now: MonoTime) -> bool {
        other.is_lagging(self.gate.log_end(), now, self.rules.lag_time_max)
    }

    /// Those who stay keep what is known of them.
    fn assign(&mut self, state: &PartitionState, in_sync_since: Option<MonoTime>) {
        let mut before = std::mem::take(&mut self.others);
        for id in state.replicas.iter().filter(|id| **id != self.me) {
            let known = before.iter().position(|other| other.id == *id);
            let since = in_sync_since.filter(|_| state.isr.contains(id));
            let other =
                known.map_or_else(|| RemoteReplica::new(*id, since), |at| before.swap_remove(at));
            self.others.push(other);
        }
        self.replicas = state.replicas.clone();
    }

    /// Tells the gate how far those are who count.
    fn count(&mut self) {
        let counted = self.others.iter().filter(|other| self.in_sync.counts(other.id));
        let in_sync = counted.fold(InSync::Alone, |least, other| match (least, other.log_end) {
            (InSync::Unknown, _) | (_, None) => InSync::Unknown,
            (InSync::Alone, Some(end)) => InSync::UpTo(end),
            (InSync::UpTo(least), Some(end)) => InSync::UpTo(least.min(end)),
        });
        // Whoever left a set that was too small by a `min.insync.replicas` that is not known here
        // yet may be elected as one that has everything (KIP-966). In Kafka it is committed.
        let too_few = self.is_under_min_isr() || self.in_sync.shrank_unseen();
        self.gate.set_in_sync(if too_few { InSync::Unknown } else { in_sync });
    }
}
