use std::sync::Arc;

use metadata::BrokerImage;
use types::{BrokerId, ErrorCode};

use crate::ApiError;

/// Chooses brokers for the replicas of new partitions.
///
/// Leaders go round the brokers from a random start; the other replicas follow at a distance that
/// grows with every round, so that what one broker leads is followed by all others alike. While
/// some rack has no replica of a partition, none gets a second one. A fenced broker gets a replica
/// only if the others do not suffice, and never leads.
///
/// Source: the goals of Kafka `StripedReplicaPlacer` and `AdminUtils`.
#[doc(alias = "ReplicaPlacer")]
#[derive(Debug)]
pub(crate) struct Placer {
    /// Unfenced brokers, neighbours in different racks where possible.
    usable: Vec<(BrokerId, Option<Arc<str>>)>,
    fenced: Vec<BrokerId>,
}

impl Placer {
    pub(crate) fn new<'a>(brokers: impl Iterator<Item = &'a Arc<BrokerImage>>) -> Placer {
        let brokers = brokers.filter(|broker| !broker.in_controlled_shutdown);
        let (fenced, usable): (Vec<_>, Vec<_>) = brokers.partition(|broker| broker.fenced);
        Placer {
            usable: interleave_racks(&usable),
            fenced: fenced.iter().map(|broker| broker.id).collect(),
        }
    }

    /// The replicas of `partitions` partitions, preferred leader first.
    ///
    /// # Errors
    /// `INVALID_REPLICATION_FACTOR`: fewer brokers than replicas, or none in service.
    pub(crate) fn place(
        &self,
        partitions: usize,
        replicas: i16,
        seed: u64,
    ) -> Result<Vec<Vec<BrokerId>>, ApiError> {
        let registered = self.usable.len() + self.fenced.len();
        let refused = |why: String| {
            let what = format!("Unable to replicate the partition {replicas} time(s): {why}");
            Err(ApiError::new(ErrorCode::InvalidReplicationFactor, what))
        };
        if self.usable.is_empty() {
            return refused("All brokers are currently fenced.".to_owned());
        }
        let wanted = usize::try_from(replicas).unwrap_or(0).max(1);
        if wanted > registered {
            return refused(format!(
                "The target replication factor of {replicas} cannot be reached because only \
                 {registered} broker(s) are registered."
            ));
        }
        let (start, shift) = (seed as u32 as usize, (seed >> 32) as usize);
        Ok((0..partitions).map(|p| self.place_one(wanted, start + p, shift + start + p)).collect())
    }

    fn place_one(&self, wanted: usize, start: usize, shift: usize) -> Vec<BrokerId> {
        let brokers = self.usable.len();
        let first = start % brokers;
        let mut chosen = vec![first];
        // Over all rounds every other broker comes next in turn.
        let round = shift / brokers;
        let followers =
            (0..brokers - 1).map(|i| (first + 1 + (round + i) % (brokers - 1)) % brokers);
        let followers: Vec<_> = followers.collect();
        for only_new_racks in [true, false] {
            for &candidate in &followers {
                let rack_taken = || {
                    let rack = &self.usable[candidate].1;
                    rack.is_some() && chosen.iter().any(|&at| self.usable[at].1 == *rack)
                };
                if chosen.len() == wanted {
                    break;
                }
                let unfit = chosen.contains(&candidate) || (only_new_racks && rack_taken());
                if !unfit {
                    chosen.push(candidate);
                }
            }
        }
        let mut replicas: Vec<_> = chosen.iter().map(|&at| self.usable[at].0).collect();
        let fenced = self.fenced.len();
        let missing = wanted - replicas.len();
        replicas.extend((0..missing).map(|i| self.fenced[(start + i) % fenced]));
        replicas
    }
}

/// The first broker of each rack, then the second of each, and so on.
fn interleave_racks(brokers: &[&Arc<BrokerImage>]) -> Vec<(BrokerId, Option<Arc<str>>)> {
    let mut placed: Vec<(usize, &Arc<BrokerImage>)> = Vec::with_capacity(brokers.len());
    let mut sorted = brokers.to_vec();
    sorted.sort_by(|a, b| (&a.rack, a.id).cmp(&(&b.rack, b.id)));
    for broker in sorted {
        let turn = match placed.last() {
            Some((turn, before)) if before.rack == broker.rack => turn + 1,
            _ => 0,
        };
        placed.push((turn, broker));
    }
    // Stable: within a turn the racks keep their order.
    placed.sort_by_key(|(turn, _)| *turn);
    placed.into_iter().map(|(_, broker)| (broker.id, broker.rack.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use metadata::BrokerEpoch;
    use types::Uuid;

    use super::*;

    fn broker(id: i32, rack: Option<&str>, fenced: bool) -> Arc<BrokerImage> {
        Arc::new(BrokerImage {
            id: BrokerId(id),
            epoch: BrokerEpoch(1),
            incarnation: Uuid::ZERO,
            endpoints: Vec::new(),
            features: BTreeMap::new(),
            rack: rack.map(Into::into),
            fenced,
            in_controlled_shutdown: false,
            log_dirs: Vec::new(),
        })
    }

    fn placer(brokers: &[Arc<BrokerImage>]) -> Placer {
        Placer::new(brokers.iter())
    }

    #[test]
    fn one_broker_gets_everything_once() {
        let placer = placer(&[broker(1, None, false)]);
        assert_eq!(placer.place(3, 1, 99), Ok(vec![vec![BrokerId(1)]; 3]));
        let message = placer.place(1, 3, 0).expect_err("refused").message;
        assert_eq!(
            message.as_deref(),
            Some(
                "Unable to replicate the partition 3 time(s): The target replication factor of 3 \
                 cannot be reached because only 1 broker(s) are registered."
            )
        );
    }

    #[test]
    fn leaders_are_even_and_every_pair_shares_alike() {
        let brokers: Vec<_> = (0..4).map(|id| broker(id, None, false)).collect();
        let placed = placer(&brokers).place(4 * 3 * 5, 2, 7 << 32 | 2).expect("enough brokers");
        let mut pairs: BTreeMap<_, usize> = BTreeMap::new();
        for replicas in &placed {
            *pairs.entry(replicas.clone()).or_default() += 1;
        }
        assert_eq!(pairs.len(), 4 * 3);
        // A start in mid-round may give one pair one more than another.
        let (least, most) = (pairs.values().min().copied(), pairs.values().max().copied());
        assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "{pairs:?}");
    }

    #[test]
    fn replicas_of_a_partition_lie_in_different_racks_while_there_are_any() {
        let racks = [("a", 0), ("a", 1), ("a", 2), ("b", 3), ("b", 4), ("c", 5)];
        let brokers: Vec<_> = racks.iter().map(|(r, id)| broker(*id, Some(r), false)).collect();
        let rack_of = |id: &BrokerId| racks[id.0 as usize].0;
        for seed in 0..50 {
            for replicas in placer(&brokers).place(12, 3, seed << 30 | seed).expect("enough") {
                let racks: BTreeSet<_> = replicas.iter().map(rack_of).collect();
                assert_eq!(racks.len(), 3, "{replicas:?}");
            }
            for replicas in placer(&brokers).place(12, 5, seed).expect("enough") {
                assert_eq!(replicas.iter().collect::<BTreeSet<_>>().len(), 5, "{replicas:?}");
            }
        }
    }

    #[test]
    fn fenced_brokers_come_last_and_never_lead() {
        let placer = placer(&[broker(1, None, true), broker(2, None, false)]);
        for replicas in placer.place(5, 2, 3).expect("two are registered") {
            assert_eq!(replicas, [BrokerId(2), BrokerId(1)]);
        }
        let none = Placer::new([broker(1, None, true)].iter());
        let message = none.place(1, 1, 0).expect_err("refused").message;
        assert_eq!(
            message.as_deref(),
            Some("Unable to replicate the partition 1 time(s): All brokers are currently fenced.")
        );
    }
}
