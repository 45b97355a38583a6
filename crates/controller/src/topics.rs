//! Topics come, grow and go.

mod create;
mod create_partitions;
mod delete;

use std::sync::Arc;

use metadata::{MetadataRecord, TopicsImage};
use protocol::metadata_records::PartitionRecord;
use types::{BrokerId, ErrorCode, Uuid};

use crate::limits::TOPIC_ID_DRAWS_MAX;
use crate::{ApiError, Controller};

/// Where topic ids come from: random ones in production, seeded ones in a simulation.
pub type TopicIds<'a> = dyn FnMut() -> Uuid + 'a;

/// An id that no topic has and that a command line does not take for a flag.
///
/// # Panics
/// If the source yields nothing else for a hundred times: then it is not random.
fn draw_id(ids: &mut TopicIds<'_>, taken: &TopicsImage) -> Uuid {
    let unfit = |id: &Uuid| {
        id.is_zero()
            || *id == Uuid::METADATA_TOPIC
            || id.to_string().starts_with('-')
            || taken.by_id(*id).is_some()
    };
    let mut id = ids();
    for _ in 1..TOPIC_ID_DRAWS_MAX {
        if !unfit(&id) {
            break;
        }
        id = ids();
    }
    assert!(!unfit(&id), "the source of topic ids is not random");
    id
}

/// A number that is as random as the id.
fn seed_of(id: Uuid) -> u64 {
    u64::from_be_bytes([8, 9, 10, 11, 12, 13, 14, 15].map(|at: usize| id.0[at]))
}

impl Controller {
    /// The record of a new partition, led by the first replica that is in service.
    ///
    /// `None` if none is.
    fn new_partition(
        &self,
        topic_id: Uuid,
        partition_id: i32,
        replicas: &[BrokerId],
    ) -> Option<MetadataRecord> {
        let active = replicas.iter().filter(|id| self.view().cluster.is_active(**id));
        let isr: Vec<i32> = active.map(|id| id.0).collect();
        let leader = *isr.first()?;
        let record = PartitionRecord {
            partition_id,
            topic_id,
            replicas: replicas.iter().map(|id| id.0).collect(),
            isr,
            leader,
            leader_epoch: 0,
            partition_epoch: 0,
            directories: replicas.iter().map(|id| self.default_directory(*id)).collect(),
            ..PartitionRecord::default()
        };
        Some(record.into())
    }

    /// Checks replicas that a person chose. `replication_factor` is that of the partitions before.
    pub(crate) fn check_assignment(
        &self,
        replicas: &[i32],
        replication_factor: Option<usize>,
    ) -> Result<Vec<BrokerId>, ApiError> {
        let refused = |why: String| {
            let message = format!("The manual partition assignment includes {why}");
            Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message))
        };
        if replicas.is_empty() {
            return refused("an empty replica list.".to_owned());
        }
        let mut sorted = replicas.to_vec();
        sorted.sort_unstable();
        for (at, id) in sorted.iter().enumerate() {
            if self.broker(BrokerId(*id)).is_none() {
                return refused(format!("broker {id}, but no such broker is registered."));
            }
            if at > 0 && sorted[at - 1] == *id {
                return refused(format!("the broker {id} more than once."));
            }
        }
        match replication_factor {
            Some(before) if before != replicas.len() => refused(format!(
                "a partition with {} replica(s), but this is not consistent with previous \
                 partitions, which have {before} replica(s).",
                replicas.len()
            )),
            _ => Ok(replicas.iter().copied().map(BrokerId).collect()),
        }
    }

    fn placer(&self) -> crate::placement::Placer {
        crate::placement::Placer::new(self.view().cluster.brokers().map(|b: &Arc<_>| b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(ids: &[Uuid]) -> Uuid {
        let mut ids = ids.iter().copied();
        draw_id(&mut || ids.next().expect("enough ids"), &TopicsImage::default())
    }

    #[test]
    fn ids_that_are_reserved_or_look_like_a_flag_are_drawn_again() {
        let good = Uuid([7; 16]);
        // `-` is 62 of 64: the first six bits of 0xf8.
        let flag = Uuid([0xf8; 16]);
        assert!(flag.to_string().starts_with('-'));
        assert_eq!(drawn(&[Uuid::ZERO, Uuid::METADATA_TOPIC, flag, good]), good);
    }

    #[test]
    #[should_panic(expected = "not random")]
    fn a_source_that_yields_nothing_else_is_a_defect() {
        draw_id(&mut || Uuid::ZERO, &TopicsImage::default());
    }
}
