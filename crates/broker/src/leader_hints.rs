//! Who leads, told to clients that asked another broker. Source: KIP-951; Kafka
//! `KafkaApis.getCurrentLeader`, `ReplicaManager.getPartitionOrError`.

use std::sync::Arc;

use env::Disk;
use metadata::MetadataImage;
use protocol::Str;
use types::{BrokerId, ErrorCode, LeaderEpoch};

use crate::partitions::Partition;

/// What a broker knows of leaders and where they are reached.
///
/// Its answer may be what brings a client away from here: the broker that the client asks for
/// metadata may know less than this one.
#[derive(Clone, Debug)]
pub struct LeaderHints {
    image: Arc<MetadataImage>,
    /// The client's: what is told are its addresses.
    listener: Arc<str>,
}

/// A leader, or the epoch in which there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaderHint {
    pub leader: Option<BrokerId>,
    pub leader_epoch: LeaderEpoch,
}

impl LeaderHint {
    /// For those whom `broker` turns away. Cut off from its peers it leads as far as it knows, and
    /// who is told so asks it again, and again. Told that nobody leads librdkafka warns of it.
    pub fn other_than(self, broker: BrokerId) -> Option<LeaderHint> {
        (self.leader != Some(broker)).then_some(self)
    }
}

/// Where a leader is.
pub struct LeaderAddress {
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
}

impl LeaderHints {
    pub fn new(image: Arc<MetadataImage>, listener: &Arc<str>) -> LeaderHints {
        LeaderHints { image, listener: Arc::clone(listener) }
    }

    /// By the replica, if there is one here: it hears of a reign before the image is published.
    pub fn of<D: Disk>(
        &self,
        topic: &str,
        index: i32,
        here: Option<&Partition<D>>,
    ) -> Option<LeaderHint> {
        let known = || {
            let partition = self.image.topics.by_name(topic)?.partition(index)?;
            let (leader, leader_epoch) = (partition.leader, partition.leader_epoch);
            Some(LeaderHint { leader, leader_epoch })
        };
        here.map(Partition::current_leader).or_else(known)
    }

    /// Where clients of this listener reach a broker in service.
    pub fn address_of(&self, broker: BrokerId) -> Option<LeaderAddress> {
        let broker = self.image.cluster.broker(broker).filter(|broker| !broker.fenced)?;
        let endpoint = broker.endpoint(&self.listener)?;
        Some(LeaderAddress {
            host: (&*endpoint.host).into(),
            port: i32::from(endpoint.port),
            rack: broker.rack.as_deref().map(Into::into),
        })
    }
}

/// Why a partition is not here: there is none of that name, or others have it.
pub fn why_not_here(image: &MetadataImage, topic: &str, index: i32, error: ErrorCode) -> ErrorCode {
    let is_known = || image.topics.by_name(topic).and_then(|t| t.partition(index)).is_some();
    match error {
        ErrorCode::UnknownTopicOrPartition if is_known() => ErrorCode::NotLeaderOrFollower,
        other => other,
    }
}
