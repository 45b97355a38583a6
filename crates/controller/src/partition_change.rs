use metadata::{LEADER_UNCHANGED, NO_LEADER, PartitionImage, RECOVERED, RECOVERING};
use protocol::metadata_records::PartitionChangeRecord;
use types::{BrokerId, Uuid};

use crate::Controller;
use crate::topic_rules::TopicRules;

/// Who may become leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Election {
    /// The leader stays if it can; otherwise the first replica that is in sync.
    Online,
    /// The first replica of the assignment, if it is in sync; otherwise as `Online`.
    Preferred,
    /// Any replica that is in service, even one that lost committed records.
    Unclean,
}

/// A change of one partition in the making.
///
/// Whatever is changed, a reassignment that thereby becomes complete is completed, and the
/// partition gets a leader if it can have one. Source: Kafka `PartitionChangeBuilder`.
#[doc(alias = "PartitionChangeBuilder")]
#[derive(Debug)]
pub(crate) struct PartitionChange<'a> {
    controller: &'a Controller,
    rules: TopicRules,
    index: i32,
    before: &'a PartitionImage,
    election: Election,
    /// A broker that must not lead although it is in service: it has just stopped.
    leaving: Option<BrokerId>,
    /// A broker that may lead although the image still shows it fenced: it comes into service.
    arriving: Option<BrokerId>,
    /// A broker that may have lost records which it had.
    lossy: Option<BrokerId>,
    /// The leader has caught up with what an unclean election left.
    recovered: bool,
    /// Where a replica is found to be.
    found_in: Option<(BrokerId, Uuid)>,
    replicas: Vec<BrokerId>,
    isr: Vec<BrokerId>,
    adding: Vec<BrokerId>,
    removing: Vec<BrokerId>,
    elr: Vec<BrokerId>,
}

impl<'a> PartitionChange<'a> {
    pub(crate) fn new(
        controller: &'a Controller,
        rules: TopicRules,
        index: i32,
        before: &'a PartitionImage,
    ) -> PartitionChange<'a> {
        let election = match rules.unclean_elections {
            true => Election::Unclean,
            false => Election::Online,
        };
        PartitionChange {
            controller,
            rules,
            index,
            before,
            election,
            leaving: None,
            arriving: None,
            lossy: None,
            recovered: false,
            found_in: None,
            replicas: before.replicas.to_vec(),
            isr: before.isr.to_vec(),
            adding: before.adding().to_vec(),
            removing: before.removing().to_vec(),
            elr: before.elr().to_vec(),
        }
    }

    pub(crate) fn election(mut self, election: Election) -> PartitionChange<'a> {
        self.election = election;
        self
    }

    /// Whether the election may take a leader that misses committed records.
    pub(crate) fn is_unclean_allowed(&self) -> bool {
        self.election == Election::Unclean
    }

    /// Takes a broker that has stopped out of leadership and out of sync. If nobody else is in
    /// sync, it stays the one that holds everything: as eligible leader where account of those is
    /// kept, otherwise as the only member of the in-sync set.
    pub(crate) fn without(mut self, broker: BrokerId) -> PartitionChange<'a> {
        self.leaving = Some(broker);
        self.isr.retain(|member| *member != broker);
        self
    }

    /// Says that a broker cannot vouch for what it had: it was killed, or is forgotten.
    pub(crate) fn having_lost(mut self, broker: BrokerId) -> PartitionChange<'a> {
        self.lossy = Some(broker);
        self
    }

    /// Says that the leader has recovered from an unclean election.
    pub(crate) fn recovered(mut self, recovered: bool) -> PartitionChange<'a> {
        self.recovered = recovered;
        self
    }

    /// Lets a broker lead that comes into service by the same decision.
    pub(crate) fn arriving(mut self, broker: BrokerId) -> PartitionChange<'a> {
        self.arriving = Some(broker);
        self
    }

    /// Notes the log directory of a replica.
    pub(crate) fn directory(mut self, broker: BrokerId, directory: Uuid) -> PartitionChange<'a> {
        self.found_in = Some((broker, directory));
        self
    }

    pub(crate) fn isr(mut self, isr: Vec<BrokerId>) -> PartitionChange<'a> {
        self.isr = isr;
        self
    }

    pub(crate) fn reassign(
        mut self,
        replicas: Vec<BrokerId>,
        adding: Vec<BrokerId>,
        removing: Vec<BrokerId>,
    ) -> PartitionChange<'a> {
        self.replicas = replicas;
        self.adding = adding;
        self.removing = removing;
        self
    }

    /// The record, or `None` if nothing changes.
    pub(crate) fn build(mut self) -> Option<PartitionChangeRecord> {
        self.complete_reassignment();
        if self.isr.is_empty() && self.rules.min_isr.is_none() {
            self.isr = self.before.isr.to_vec();
        }
        self.count_eligible();
        let unchanged = PartitionChangeRecord {
            partition_id: self.index,
            topic_id: self.rules.topic_id,
            ..PartitionChangeRecord::default()
        };
        let mut record = unchanged.clone();
        let leader = self.elect(&mut record);
        let changed = |now: &[BrokerId], before: &[BrokerId]| (now != before).then(|| ids(now));
        record.isr = changed(&self.isr, &self.before.isr);
        record.eligible_leader_replicas = changed(&self.elr, self.before.elr());
        let last_known = self.last_known(leader);
        record.last_known_elr = changed(&last_known, self.before.last_known_elr());
        record.replicas = changed(&self.replicas, &self.before.replicas);
        record.adding_replicas = changed(&self.adding, self.before.adding());
        record.removing_replicas = changed(&self.removing, self.before.removing());
        let directories = self.directories();
        if record.replicas.is_some() || *directories != *self.before_directories() {
            record.directories = Some(directories);
        }
        let leaves = self.before.replicas.iter().any(|old| !self.replicas.contains(old));
        if record.leader == LEADER_UNCHANGED && leaves {
            // A replica outside the assignment must not be counted in the same epoch again.
            record.leader = id_or_none(self.before.leader);
        }
        (record != unchanged).then_some(record)
    }

    /// Makes the elected replica the leader, and says who that is.
    fn elect(&mut self, record: &mut PartitionChangeRecord) -> Option<BrokerId> {
        if self.recovered && self.before.recovering {
            record.leader_recovery_state = RECOVERED;
        }
        let (leader, unclean) = self.elected();
        if leader == self.before.leader {
            return leader;
        }
        record.leader = id_or_none(leader);
        let elected = leader?;
        if unclean {
            self.isr = vec![elected];
            self.elr.clear();
            if !self.before.recovering {
                record.leader_recovery_state = RECOVERING;
            }
        } else if self.isr.is_empty() {
            // An eligible leader becomes the whole in-sync set.
            self.isr = vec![elected];
            self.elr.retain(|eligible| *eligible != elected);
        }
        if self.rules.min_isr.is_none() {
            self.elr.clear();
        }
        leader
    }

    /// The leader that the partition should have, and whether it may miss committed records.
    fn elected(&self) -> (Option<BrokerId>, bool) {
        let preferred = self.replicas.first().filter(|_| self.election == Election::Preferred);
        let current = self.before.leader.as_ref();
        let mut candidates = preferred.into_iter().chain(current).chain(&self.replicas);
        if let Some(clean) = candidates.find(|candidate| self.holds_everything(**candidate)) {
            return (Some(*clean), false);
        }
        if let Some(last) = self.last_known_leader() {
            return (Some(last), true);
        }
        let mut replicas = self.replicas.iter();
        match replicas.find(|replica| self.is_in_service(**replica)) {
            Some(unclean) if self.election == Election::Unclean => (Some(*unclean), true),
            _ => (None, false),
        }
    }

    fn holds_everything(&self, replica: BrokerId) -> bool {
        let eligible = self.isr.is_empty() && self.elr.contains(&replica);
        (self.isr.contains(&replica) || eligible) && self.is_in_service(replica)
    }

    /// Who led last, if nobody is left that surely holds everything: no other replica can hold
    /// more. It counts as unclean, for it was killed. Source: KIP-966, "balanced" recovery.
    fn last_known_leader(&self) -> Option<BrokerId> {
        let [last] = self.before.last_known_elr() else { return None };
        let nobody_else = self.isr.is_empty() && self.elr.is_empty();
        let may_lead = self.replicas.contains(last) && self.is_in_service(*last);
        (nobody_else && may_lead).then_some(*last)
    }

    /// While too few are in sync for anything to be committed, whoever was in sync when that began
    /// holds everything that is committed. Source: KIP-966.
    fn count_eligible(&mut self) {
        let enough = match self.rules.min_isr {
            Some(min_isr) => min_isr.min(self.replicas.len()),
            // No account is kept; one from before is good until there is a leader.
            None if self.isr.is_empty() => return,
            None => 0,
        };
        if self.isr.len() >= enough {
            self.elr.clear();
            return;
        }
        let joined = self.before.isr.iter().filter(|member| !self.before.elr().contains(member));
        self.elr.extend(joined);
        let (isr, replicas, lossy) = (&self.isr, &self.replicas, self.lossy);
        self.elr.retain(|eligible| {
            !isr.contains(eligible) && replicas.contains(eligible) && lossy != Some(*eligible)
        });
    }

    /// Who led when the last replica fell out of sync; nobody once there is a leader.
    fn last_known(&self, leader: Option<BrokerId>) -> Vec<BrokerId> {
        match (leader, self.before.leader) {
            _ if !self.isr.is_empty() => Vec::new(),
            (None, Some(last)) => vec![last],
            // It had lost its leader before account was kept, and its last member only now.
            _ if self.before.last_known_elr().is_empty() && self.before.isr.len() == 1 => {
                self.before.isr.to_vec()
            }
            _ => self.before.last_known_elr().to_vec(),
        }
    }

    fn is_in_service(&self, replica: BrokerId) -> bool {
        if self.leaving == Some(replica) {
            return false;
        }
        let broker = self.controller.broker(replica);
        broker.is_some_and(|broker| {
            (self.arriving == Some(replica) || broker.is_active())
                && broker.has_online_dir(self.directory_of(replica))
        })
    }

    /// Drops the replicas on their way out once the others hold everything.
    fn complete_reassignment(&mut self) {
        if self.adding.is_empty() && self.removing.is_empty() {
            return;
        }
        let stays = |broker: &&BrokerId| !self.removing.contains(broker);
        let isr: Vec<_> = self.isr.iter().filter(stays).copied().collect();
        let replicas: Vec<_> = self.replicas.iter().filter(stays).copied().collect();
        let complete = !replicas.is_empty() && replicas.iter().all(|broker| isr.contains(broker));
        if complete {
            self.isr = isr;
            self.replicas = replicas;
            self.adding.clear();
            self.removing.clear();
        }
    }

    /// Replicas that stay keep their directory.
    fn directories(&self) -> Vec<Uuid> {
        self.replicas.iter().map(|broker| self.directory_of(*broker)).collect()
    }

    fn before_directories(&self) -> Vec<Uuid> {
        self.before.replicas.iter().map(|broker| self.before.directory_of(*broker)).collect()
    }

    fn directory_of(&self, broker: BrokerId) -> Uuid {
        match self.found_in {
            Some((found, directory)) if found == broker => directory,
            _ if self.before.replicas.contains(&broker) => self.before.directory_of(broker),
            _ => self.controller.default_directory(broker),
        }
    }
}

fn ids(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|broker| broker.0).collect()
}

fn id_or_none(leader: Option<BrokerId>) -> i32 {
    leader.map_or(NO_LEADER, |leader| leader.0)
}
