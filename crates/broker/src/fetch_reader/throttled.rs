//! Partitions that a leader leaves out of what it sends to a follower. Source: KIP-73.

use std::sync::Arc;

use bytes::Bytes;
use env::Disk;
use protocol::messages::fetch_response::PartitionData;
use types::MonoTime;

use super::{AskedBy, FetchReader};
use crate::partitions::Partition;
use crate::replicas::Throttles;

impl<D: Disk> FetchReader<D> {
    /// Consumers are not concerned, nor is anybody where no limit is set.
    pub fn throttled_by(mut self, throttles: &Arc<Throttles>) -> FetchReader<D> {
        let is_follower = matches!(self.asked_by, AskedBy::Follower { .. });
        if is_follower && throttles.leader.is_on() {
            self.throttles = Some(Arc::clone(throttles));
        }
        self
    }

    /// Whether this follower has to wait for what there is of a partition. Whoever is in sync never
    /// has to, or it would not be for long. Source: Kafka `ReplicaManager.shouldLeaderThrottle`.
    pub(super) fn is_held_back(&self, partition: &Partition<D>) -> bool {
        let (Some(throttles), AskedBy::Follower { broker, .. }) = (&self.throttles, &self.asked_by)
        else {
            return false;
        };
        partition.settings().throttled.as_leader
            && throttles.leader.is_exceeded(self.mono)
            && !partition.is_in_sync(*broker)
    }

    /// Those that a fetch waits for: nobody wakes it for one that is held back.
    pub fn partitions(&self) -> Vec<Arc<Partition<D>>> {
        let found = self.found.iter().filter_map(|found| found.partition.as_ref().ok());
        found.filter(|partition| !self.is_held_back(partition)).cloned().collect()
    }

    /// When there may be something of a partition that is held back now.
    pub fn held_back_until(&self) -> Option<MonoTime> {
        let throttles = self.throttles.as_ref()?;
        let partitions = self.found.iter().filter_map(|found| found.partition.as_ref().ok());
        let is_any = partitions.into_iter().any(|partition| self.is_held_back(partition));
        throttles.leader.free_at(self.mono).filter(|_| is_any)
    }

    /// What followers in sync get counts as well, so that the whole keeps to the rate.
    pub(super) fn record_throttled(&self, read: &[PartitionData]) {
        let Some(throttles) = &self.throttles else { return };
        let of_throttled = self.found.iter().zip(read).filter(|(found, _)| {
            let partition = found.partition.as_ref();
            partition.is_ok_and(|partition| partition.settings().throttled.as_leader)
        });
        let bytes = of_throttled.map(|(_, data)| data.records.as_ref().map_or(0, Bytes::len)).sum();
        throttles.leader.record(bytes, self.mono);
    }
}
