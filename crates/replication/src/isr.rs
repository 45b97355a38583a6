use types::{BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, MonoTime, PartitionEpoch};

use crate::limits::ISR_RETRY_BACKOFF;

/// The in-sync set that a leader asks the controller for.
#[doc(alias = "AlterPartition")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IsrProposal {
    pub leader_epoch: LeaderEpoch,
    /// The controller refuses it if the partition has changed since.
    pub partition_epoch: PartitionEpoch,
    /// With the life of each member that the leader has seen, so that a broker which restarted
    /// without its data meanwhile is not let in (KIP-903). [`BrokerEpoch::NONE`] if it has not
    /// fetched yet.
    pub isr: Vec<(BrokerId, BrokerEpoch)>,
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IsrOutcome {
    /// The partition as the controller has it.
    Committed {
        leader_epoch: LeaderEpoch,
        partition_epoch: PartitionEpoch,
        isr: Vec<BrokerId>,
    },
    Refused(ErrorCode),
    /// No answer, or a connection that broke: it may have happened, it may happen yet.
    Unanswered,
}

/// The in-sync set as the controller has committed it, and the one change that is on its way.
///
/// **Invariant:** while a change is open, [`counts`](Self::counts) is true of the members of both
/// sets, because either may be the committed one. What is committed under the high watermark is
/// therefore held by whichever set a next leader is chosen from.
/// **Source:** KIP-497; Kafka `PartitionState.maximalIsr`, `PendingPartitionChange`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InSyncSet {
    committed: Vec<BrokerId>,
    partition_epoch: PartitionEpoch,
    change: Option<Change>,
    not_before: MonoTime,
    /// An answer has told that a member is out, and the metadata has not yet.
    shrank_unseen: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Change {
    proposal: IsrProposal,
    /// Whoever was ever proposed at this partition epoch.
    proposed: Vec<BrokerId>,
    standing: Standing,
    /// An attempt went unanswered: it may be carried out yet, whatever a later one is told.
    in_doubt: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Standing {
    Due,
    InFlight,
    /// The metadata has moved on, and will be heard of.
    AwaitsMetadata,
}

impl InSyncSet {
    pub(crate) fn new(isr: &[BrokerId], partition_epoch: PartitionEpoch) -> InSyncSet {
        let not_before = MonoTime::default();
        InSyncSet {
            committed: isr.to_vec(),
            partition_epoch,
            change: None,
            not_before,
            shrank_unseen: false,
        }
    }

    pub(crate) fn committed(&self) -> &[BrokerId] {
        &self.committed
    }

    pub(crate) fn partition_epoch(&self) -> PartitionEpoch {
        self.partition_epoch
    }

    /// Whether the high watermark waits for `broker`: the maximal in-sync set.
    pub(crate) fn counts(&self, broker: BrokerId) -> bool {
        let proposed = self.change.as_ref().map_or(&[][..], |change| &change.proposed);
        self.committed.contains(&broker) || proposed.contains(&broker)
    }

    /// Whether another change may be made up now.
    pub(crate) fn is_settled(&self, now: MonoTime) -> bool {
        self.change.is_none() && self.not_before <= now
    }

    /// When there is something to do again.
    pub(crate) fn next_attempt(&self) -> Option<MonoTime> {
        match &self.change {
            Some(change) if change.standing != Standing::Due => None,
            _ => Some(self.not_before),
        }
    }

    /// From now on `isr` may be what is committed.
    pub(crate) fn propose(&mut self, leader_epoch: LeaderEpoch, isr: Vec<(BrokerId, BrokerEpoch)>) {
        let proposed = isr.iter().map(|(broker, _)| *broker).collect();
        let partition_epoch = self.partition_epoch;
        let proposal = IsrProposal { leader_epoch, partition_epoch, isr };
        let standing = Standing::Due;
        self.change = Some(Change { proposal, proposed, standing, in_doubt: false });
    }

    /// The proposal that is to be sent now.
    pub(crate) fn poll_proposal(&mut self, now: MonoTime) -> Option<IsrProposal> {
        let change = self.change.as_mut().filter(|change| change.standing == Standing::Due)?;
        if now < self.not_before {
            return None;
        }
        change.standing = Standing::InFlight;
        Some(change.proposal.clone())
    }

    /// An answer to the proposal made at `asked`. Answers to others are late, and ignored.
    pub(crate) fn handle_refused(&mut self, asked: PartitionEpoch, code: ErrorCode, now: MonoTime) {
        let committed = &self.committed;
        let Some(change) = self.change.as_mut().filter(|c| c.proposal.partition_epoch == asked)
        else {
            return;
        };
        self.not_before = now.plus(ISR_RETRY_BACKOFF);
        match code {
            ErrorCode::IneligibleReplica if !change.in_doubt => self.change = None,
            // An earlier attempt may be carried out yet and let the replica in. A set that is
            // committed after it closes that door: the committed one, proposed again.
            ErrorCode::IneligibleReplica => {
                change.proposal.isr.retain(|(broker, _)| committed.contains(broker));
                change.standing = Standing::Due;
            }
            ErrorCode::FencedLeaderEpoch
            | ErrorCode::InvalidUpdateVersion
            | ErrorCode::InvalidRequest
            | ErrorCode::NewLeaderElected
            | ErrorCode::UnknownTopicId
            | ErrorCode::UnknownTopicOrPartition => change.standing = Standing::AwaitsMetadata,
            _ => change.standing = Standing::Due,
        }
    }

    pub(crate) fn handle_unanswered(&mut self, asked: PartitionEpoch, now: MonoTime) {
        let change = self.change.as_mut().filter(|c| c.proposal.partition_epoch == asked);
        let Some(change) = change else { return };
        change.in_doubt = true;
        if change.standing == Standing::InFlight {
            change.standing = Standing::Due;
            self.not_before = now.plus(ISR_RETRY_BACKOFF);
        }
    }

    /// The answer to the proposal made at `asked`: this is what is committed.
    pub(crate) fn handle_answered(
        &mut self,
        asked: PartitionEpoch,
        isr: &[BrokerId],
        partition_epoch: PartitionEpoch,
    ) {
        if partition_epoch == asked && asked == self.partition_epoch {
            // Nothing had to be changed.
            self.change = None;
        }
        let is_news = partition_epoch > self.partition_epoch;
        self.shrank_unseen |= is_news && self.committed.iter().any(|member| !isr.contains(member));
        self.handle_committed(isr, partition_epoch);
    }

    /// The metadata has come as far as this set, or farther.
    pub(crate) fn handle_metadata(&mut self, isr: &[BrokerId], partition_epoch: PartitionEpoch) {
        self.shrank_unseen = false;
        self.handle_committed(isr, partition_epoch);
    }

    /// Whether the set is smaller than the metadata here says, so that what else the metadata says
    /// may not be what the controller has judged it by.
    pub(crate) fn shrank_unseen(&self) -> bool {
        self.shrank_unseen
    }

    /// The controller has committed `isr`. The same epoch again says nothing: a change that was
    /// made at it may be on its way still.
    fn handle_committed(&mut self, isr: &[BrokerId], partition_epoch: PartitionEpoch) {
        if partition_epoch <= self.partition_epoch {
            return;
        }
        self.committed = isr.to_vec();
        self.partition_epoch = partition_epoch;
        self.change = None;
    }
}
