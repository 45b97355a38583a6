use std::sync::Arc;

use protocol::metadata_records::{PartitionChangeRecord, PartitionRecord};
use types::{BrokerId, LeaderEpoch, Uuid};

/// `leader` in a record: nobody leads.
pub const NO_LEADER: i32 = -1;
/// `leader` in a change record: whoever led leads on.
pub const LEADER_UNCHANGED: i32 = -2;
/// `leader_recovery_state` of a partition whose leader has all that was committed.
/// Source: Kafka `LeaderRecoveryState`, KIP-704.
pub const RECOVERED: i8 = 0;
/// `leader_recovery_state` of a partition whose leader was not in sync when it was elected.
pub const RECOVERING: i8 = 1;

/// One partition as of an image.
#[doc(alias = "PartitionRegistration")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionImage {
    /// `None` while no replica may lead.
    pub leader: Option<BrokerId>,
    pub leader_epoch: LeaderEpoch,
    /// Counts every change, whatever it changes.
    pub partition_epoch: i32,
    /// The leader was elected unclean and has not caught up with itself. Source: KIP-704.
    pub recovering: bool,
    /// In order of preference: the first is the preferred leader.
    pub replicas: Arc<[BrokerId]>,
    /// **Invariant:** a subset of `replicas`.
    pub isr: Arc<[BrokerId]>,
    /// The log directory of each replica, in the order of `replicas`; empty if none was told.
    pub directories: Arc<[Uuid]>,
    rare: Option<Box<Rare>>,
}

/// What most partitions never have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rare {
    elr: Vec<BrokerId>,
    last_known_elr: Vec<BrokerId>,
    adding: Vec<BrokerId>,
    removing: Vec<BrokerId>,
}

impl PartitionImage {
    pub(crate) fn from_record(record: &PartitionRecord) -> PartitionImage {
        let replicas = broker_ids(&record.replicas);
        let isr = shared_if_equal(&record.isr, &replicas);
        let rare = Rare {
            elr: brokers(record.eligible_leader_replicas.as_deref()),
            last_known_elr: brokers(record.last_known_elr.as_deref()),
            adding: brokers(Some(&record.adding_replicas)),
            removing: brokers(Some(&record.removing_replicas)),
        };
        PartitionImage {
            leader: leader(record.leader),
            leader_epoch: LeaderEpoch(record.leader_epoch),
            partition_epoch: record.partition_epoch,
            recovering: record.leader_recovery_state == RECOVERING,
            replicas,
            isr,
            directories: record.directories.as_slice().into(),
            rare: rare.boxed(),
        }
    }

    /// Uses the lists of another partition where they are equal: with few brokers most
    /// partitions of a topic have the same.
    pub(crate) fn share_lists(&mut self, other: &PartitionImage) {
        for (own, others) in [(&mut self.replicas, &other.replicas), (&mut self.isr, &other.isr)] {
            if *own == *others {
                *own = Arc::clone(others);
            }
        }
        if self.directories == other.directories {
            self.directories = Arc::clone(&other.directories);
        }
    }

    /// This partition after `change`.
    #[doc(alias = "merge")]
    pub fn changed(&self, change: &PartitionChangeRecord) -> PartitionImage {
        let mut next = self.clone();
        next.partition_epoch = next.partition_epoch.wrapping_add(1);
        if change.leader != LEADER_UNCHANGED {
            next.leader = leader(change.leader);
            next.leader_epoch = LeaderEpoch(next.leader_epoch.0.wrapping_add(1));
        }
        if change.leader_recovery_state >= 0 {
            next.recovering = change.leader_recovery_state == RECOVERING;
        }
        if let Some(replicas) = &change.replicas {
            next.replicas = broker_ids(replicas);
        }
        if let Some(isr) = &change.isr {
            next.isr = shared_if_equal(isr, &next.replicas);
        }
        if let Some(directories) = &change.directories {
            next.directories = directories.as_slice().into();
        }
        let mut rare = next.rare.take().map_or_else(Rare::default, |rare| *rare);
        let replace = |list: &mut Vec<BrokerId>, with: &Option<Vec<i32>>| {
            if let Some(with) = with {
                *list = brokers(Some(with));
            }
        };
        replace(&mut rare.elr, &change.eligible_leader_replicas);
        replace(&mut rare.last_known_elr, &change.last_known_elr);
        replace(&mut rare.adding, &change.adding_replicas);
        replace(&mut rare.removing, &change.removing_replicas);
        next.rare = rare.boxed();
        next
    }

    /// This partition without eligible leader replicas, if it had any.
    pub(crate) fn without_elr(&self) -> Option<PartitionImage> {
        if self.elr().is_empty() && self.last_known_elr().is_empty() {
            return None;
        }
        let mut rare = self.rare.as_deref().cloned().unwrap_or_default();
        rare.elr.clear();
        rare.last_known_elr.clear();
        Some(PartitionImage { rare: rare.boxed(), ..self.clone() })
    }

    /// The whole partition as one record: how a snapshot or a creation states it.
    pub fn to_record(&self, topic_id: Uuid, index: i32) -> PartitionRecord {
        let list = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect::<Vec<_>>();
        let optional = |brokers: &[BrokerId]| (!brokers.is_empty()).then(|| list(brokers));
        PartitionRecord {
            partition_id: index,
            topic_id,
            replicas: list(&self.replicas),
            isr: list(&self.isr),
            removing_replicas: list(self.removing()),
            adding_replicas: list(self.adding()),
            leader: self.leader.map_or(NO_LEADER, |leader| leader.0),
            leader_recovery_state: if self.recovering { RECOVERING } else { RECOVERED },
            leader_epoch: self.leader_epoch.0,
            partition_epoch: self.partition_epoch,
            directories: self.directories.to_vec(),
            eligible_leader_replicas: optional(self.elr()),
            last_known_elr: optional(self.last_known_elr()),
        }
    }

    /// The log directory of the replica on `broker`; all zeros if none was told.
    pub fn directory_of(&self, broker: BrokerId) -> Uuid {
        let position = self.replicas.iter().position(|replica| *replica == broker);
        position.and_then(|at| self.directories.get(at)).copied().unwrap_or(Uuid::ZERO)
    }

    /// Replicas out of sync that nevertheless hold everything committed. Source: KIP-966.
    #[doc(alias = "eligible leader replicas")]
    pub fn elr(&self) -> &[BrokerId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.elr)
    }

    pub fn last_known_elr(&self) -> &[BrokerId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.last_known_elr)
    }

    /// Replicas that a reassignment brings.
    pub fn adding(&self) -> &[BrokerId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.adding)
    }

    /// Replicas that a reassignment takes away.
    pub fn removing(&self) -> &[BrokerId] {
        self.rare.as_ref().map_or(&[], |rare| &rare.removing)
    }

    pub fn is_reassigning(&self) -> bool {
        !self.adding().is_empty() || !self.removing().is_empty()
    }

    pub fn preferred_leader(&self) -> Option<BrokerId> {
        self.replicas.first().copied()
    }
}

impl Rare {
    fn boxed(self) -> Option<Box<Rare>> {
        (self != Rare::default()).then(|| Box::new(self))
    }
}

fn leader(id: i32) -> Option<BrokerId> {
    (id != NO_LEADER).then_some(BrokerId(id))
}

fn brokers(ids: Option<&[i32]>) -> Vec<BrokerId> {
    ids.unwrap_or_default().iter().copied().map(BrokerId).collect()
}

fn broker_ids(ids: &[i32]) -> Arc<[BrokerId]> {
    ids.iter().copied().map(BrokerId).collect()
}

/// Nearly always all replicas are in sync: one list then serves as both.
fn shared_if_equal(isr: &[i32], replicas: &Arc<[BrokerId]>) -> Arc<[BrokerId]> {
    match replicas.iter().map(|broker| broker.0).eq(isr.iter().copied()) {
        true => Arc::clone(replicas),
        false => broker_ids(isr),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> PartitionImage {
        PartitionImage::from_record(&PartitionRecord {
            replicas: vec![1, 2, 3],
            isr: vec![1, 2, 3],
            leader: 1,
            leader_epoch: 5,
            partition_epoch: 9,
            ..Default::default()
        })
    }

    #[test]
    fn naming_a_leader_raises_the_leader_epoch_even_if_it_is_the_same_one() {
        let same = partition().changed(&PartitionChangeRecord { leader: 1, ..Default::default() });
        assert_eq!((same.leader, same.leader_epoch), (Some(BrokerId(1)), LeaderEpoch(6)));
        assert_eq!(same.partition_epoch, 10);
        let nobody = same.changed(&PartitionChangeRecord { leader: -1, ..Default::default() });
        assert_eq!((nobody.leader, nobody.leader_epoch), (None, LeaderEpoch(7)));
    }

    #[test]
    fn a_change_of_the_isr_leaves_leader_and_leader_epoch() {
        let change = PartitionChangeRecord { isr: Some(vec![1, 3]), ..Default::default() };
        let next = partition().changed(&change);
        assert_eq!(*next.isr, [BrokerId(1), BrokerId(3)]);
        assert_eq!((next.leader_epoch, next.partition_epoch), (LeaderEpoch(5), 10));
    }

    #[test]
    fn a_reassignment_is_under_way_until_both_lists_are_empty() {
        let adding = PartitionChangeRecord { adding_replicas: Some(vec![4]), ..Default::default() };
        let moving = partition().changed(&adding);
        assert!(moving.is_reassigning());
        let done =
            PartitionChangeRecord { adding_replicas: Some(Vec::new()), ..Default::default() };
        assert!(!moving.changed(&done).is_reassigning());
    }

    #[test]
    fn eligible_leaders_can_be_cleared() {
        let elr =
            PartitionChangeRecord { eligible_leader_replicas: Some(vec![2]), ..Default::default() };
        let with = partition().changed(&elr);
        assert_eq!(with.elr(), [BrokerId(2)]);
        assert_eq!(with.without_elr().expect("had some").elr(), []);
        assert!(partition().without_elr().is_none());
    }
}
