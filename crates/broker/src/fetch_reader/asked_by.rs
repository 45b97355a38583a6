//! Whoever asks for records, and what its asking says.

use std::collections::BTreeMap;
use std::sync::Arc;

use env::Disk;
use metadata::MetadataImage;
use protocol::Str;
use protocol::messages::fetch_request::FetchRequest;
use replication::FollowerFetch;
use types::{BrokerEpoch, BrokerId, ErrorCode, Offset};

use super::{FetchReader, diverging_epoch};
use crate::fetch_wait::WaitsFor;
use crate::partitions::Partition;
use crate::settings::Settings;

/// Who reads.
pub(super) enum AskedBy {
    /// A consumer, and the rack that it stands in if it says so.
    Consumer { rack: Str },
    /// A follower: it gets what is not committed yet, and what it asks for says how far it is.
    Follower { broker: BrokerId, epoch: BrokerEpoch },
}

/// Where brokers stand; empty unless consumers are sent to followers.
pub(super) type Racks = BTreeMap<BrokerId, Arc<str>>;

pub(super) fn of(request: &FetchRequest) -> AskedBy {
    let state = &request.replica_state;
    let (id, epoch) = match state.replica_id {
        ..0 => (request.replica_id, BrokerEpoch::NONE),
        id => (id, BrokerEpoch(state.replica_epoch)),
    };
    match id {
        ..0 => AskedBy::Consumer { rack: request.rack_id.clone() },
        id => AskedBy::Follower { broker: BrokerId(id), epoch },
    }
}

pub(super) fn racks(request: &FetchRequest, image: &MetadataImage, settings: &Settings) -> Racks {
    if request.rack_id.is_empty() || !settings.config.replication.selects_by_rack {
        return Racks::new();
    }
    let live = image.cluster.brokers().filter(|broker| !broker.fenced);
    live.filter_map(|broker| Some((broker.id, broker.rack.clone()?))).collect()
}

impl<D: Disk> FetchReader<D> {
    /// Who asks; `None` for a consumer.
    pub fn follower(&self) -> Option<BrokerId> {
        match self.asked_by {
            AskedBy::Follower { broker, .. } => Some(broker),
            AskedBy::Consumer { .. } => None,
        }
    }

    /// Whoever is cut off would have consumers wait for records that others take.
    pub fn refuse_what_may_be_led_elsewhere(&mut self) {
        for found in &mut self.found {
            if found.partition.as_ref().is_ok_and(|partition| partition.may_be_led_elsewhere()) {
                found.partition = Err(ErrorCode::NotLeaderOrFollower);
            }
        }
    }

    /// Tells the partitions how far the follower is that asks: below the offset from which it
    /// fetches its log is as ours.
    pub fn note_progress(&self) {
        let AskedBy::Follower { broker, epoch } = self.asked_by else { return };
        for (target, found) in self.context.targets.iter().zip(&self.found) {
            let Ok(partition) = &found.partition else { continue };
            let is_of_now = partition.check_leads().is_ok()
                && target.current_leader_epoch == partition.leader_epoch().0;
            if is_of_now && matches!(diverging_epoch(target, partition), Ok(None)) {
                let fetch = FollowerFetch {
                    replica: broker,
                    broker_epoch: epoch,
                    offset: Offset(target.fetch_offset),
                    log_start: Offset(target.log_start),
                };
                partition.handle_follower_fetch(fetch, self.mono, self.wall);
            }
        }
    }

    /// What makes it worth reading again.
    pub fn waits_for(&self) -> WaitsFor {
        match self.asked_by {
            AskedBy::Consumer { .. } => WaitsFor::Shown,
            AskedBy::Follower { .. } => WaitsFor::Appended,
        }
    }

    /// The bytes that its partitions have got so far, to tell whether more came meanwhile.
    pub fn progress_bytes(&self) -> u64 {
        let partitions = self.found.iter().filter_map(|found| found.partition.as_ref().ok());
        let progress = |partition: &Arc<Partition<D>>| match self.waits_for() {
            WaitsFor::Shown => partition.shown_bytes(),
            WaitsFor::Appended => partition.appended_bytes(),
        };
        partitions.map(progress).sum()
    }

    /// The follower in the consumer's rack, if it should read there (KIP-392).
    pub(super) fn nearer_replica(
        &self,
        partition: &Partition<D>,
        from: Offset,
    ) -> Option<BrokerId> {
        let AskedBy::Consumer { rack } = &self.asked_by else { return None };
        if self.racks.is_empty() {
            return None;
        }
        let rack_of = |broker: BrokerId| self.racks.get(&broker).map(|rack| &**rack);
        partition.read_replica_for(rack, from, rack_of, self.mono)
    }
}
