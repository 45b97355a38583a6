//! Brokers and controllers that have registered.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use protocol::metadata_records::{
    BrokerRegistrationChangeRecord, RegisterBrokerRecord, RegisterControllerRecord,
    UnregisterBrokerRecord,
};
use types::{BrokerEpoch, BrokerId, Uuid};

use crate::{PartitionImage, ReplayError};

/// How bytes on a listener are protected. Source: Kafka `SecurityProtocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i16)]
pub enum SecurityProtocol {
    Plaintext = 0,
    Ssl = 1,
    SaslPlaintext = 2,
    SaslSsl = 3,
}

impl SecurityProtocol {
    pub fn from_code(code: i16) -> Option<SecurityProtocol> {
        use SecurityProtocol::*;
        [Plaintext, Ssl, SaslPlaintext, SaslSsl].into_iter().find(|p| p.code() == code)
    }

    pub fn code(self) -> i16 {
        self as i16
    }

    pub fn name(self) -> &'static str {
        match self {
            SecurityProtocol::Plaintext => "PLAINTEXT",
            SecurityProtocol::Ssl => "SSL",
            SecurityProtocol::SaslPlaintext => "SASL_PLAINTEXT",
            SecurityProtocol::SaslSsl => "SASL_SSL",
        }
    }
}

/// Where a node can be reached by clients of one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name.
    pub name: Arc<str>,
    pub host: Arc<str>,
    pub port: u16,
    /// The wire's number; see [`SecurityProtocol`].
    pub security_protocol: i16,
}

/// The levels of a feature that a node can work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureRange {
    pub min: i16,
    pub max: i16,
}

impl FeatureRange {
    pub fn contains(self, level: i16) -> bool {
        (self.min..=self.max).contains(&level)
    }
}

/// `5`, or `5-7`, as Kafka's error messages spell a range.
impl fmt::Display for FeatureRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.min == self.max {
            true => self.min.fmt(f),
            false => write!(f, "{}-{}", self.min, self.max),
        }
    }
}

/// Directory ids below stand for "not assigned", "lost" and the like. Source: Kafka `DirectoryId`.
pub const RESERVED_DIRECTORIES: u128 = 100;
/// In a directory of which nothing is known but that it is offline.
const LOST: u128 = 1;

/// One registered broker.
#[doc(alias = "BrokerRegistration")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerImage {
    pub id: BrokerId,
    pub epoch: BrokerEpoch,
    /// Random at every start of the process.
    pub incarnation: Uuid,
    /// In the order in which the broker named them.
    pub endpoints: Vec<Endpoint>,
    pub features: BTreeMap<Arc<str>, FeatureRange>,
    pub rack: Option<Arc<str>>,
    /// Out of service: it leads nothing, is in sync nowhere and is hidden from clients.
    pub fenced: bool,
    pub in_controlled_shutdown: bool,
    pub log_dirs: Vec<Uuid>,
}

impl BrokerImage {
    /// May lead partitions and be in sync.
    pub fn is_active(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }

    /// Whether a replica that is assigned to `directory` can be reached. A broker that has never
    /// named its directories has them all. Source: Kafka `DirectoryId.isOnline`.
    pub fn has_online_dir(&self, directory: Uuid) -> bool {
        match u128::from_be_bytes(directory.0) {
            LOST => false,
            0..RESERVED_DIRECTORIES => true,
            _ => self.log_dirs.is_empty() || self.log_dirs.contains(&directory),
        }
    }

    pub fn endpoint(&self, listener: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| &*endpoint.name == listener)
    }
}

/// One registered controller.
#[doc(alias = "ControllerRegistration")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerImage {
    pub id: i32,
    pub incarnation: Uuid,
    pub endpoints: Vec<Endpoint>,
    pub features: BTreeMap<Arc<str>, FeatureRange>,
}

/// All nodes that have registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterImage {
    brokers: Arc<BTreeMap<BrokerId, Arc<BrokerImage>>>,
    controllers: Arc<BTreeMap<i32, Arc<ControllerImage>>>,
}

impl ClusterImage {
    pub fn broker(&self, id: BrokerId) -> Option<&Arc<BrokerImage>> {
        self.brokers.get(&id)
    }

    /// In id order, fenced ones too.
    pub fn brokers(&self) -> impl Iterator<Item = &Arc<BrokerImage>> {
        self.brokers.values()
    }

    /// What clients see, in id order.
    pub fn unfenced_brokers(&self) -> impl Iterator<Item = &Arc<BrokerImage>> {
        self.brokers.values().filter(|broker| !broker.fenced)
    }

    /// Whether `id` may lead partitions and be in sync.
    pub fn is_active(&self, id: BrokerId) -> bool {
        self.broker(id).is_some_and(|broker| broker.is_active())
    }

    /// Replicas that cannot be reached: their broker is out of service, or their log directory is.
    /// Source: Kafka `KRaftMetadataCache.getOfflineReplicas`.
    pub fn offline_replicas(&self, partition: &PartitionImage) -> Vec<BrokerId> {
        let is_offline = |id: &&BrokerId| {
            let broker = self.broker(**id).filter(|broker| !broker.fenced);
            !broker.is_some_and(|broker| broker.has_online_dir(partition.directory_of(**id)))
        };
        partition.replicas.iter().filter(is_offline).copied().collect()
    }

    /// In id order.
    pub fn controllers(&self) -> impl Iterator<Item = &Arc<ControllerImage>> {
        self.controllers.values()
    }

    /// This image with `delta` in it.
    pub fn apply(&self, delta: &ClusterDelta) -> ClusterImage {
        let mut image = self.clone();
        if !delta.brokers.is_empty() {
            let brokers = Arc::make_mut(&mut image.brokers);
            for (id, broker) in &delta.brokers {
                match broker {
                    Some(broker) => brokers.insert(*id, Arc::clone(broker)),
                    None => brokers.remove(id),
                };
            }
        }
        if !delta.controllers.is_empty() {
            let added = delta.controllers.iter().map(|(id, image)| (*id, Arc::clone(image)));
            Arc::make_mut(&mut image.controllers).extend(added);
        }
        image
    }
}

/// Nodes that some records registered, changed or (`None`) removed.
#[derive(Clone, Debug, Default)]
pub struct ClusterDelta {
    brokers: BTreeMap<BrokerId, Option<Arc<BrokerImage>>>,
    controllers: BTreeMap<i32, Arc<ControllerImage>>,
}

impl ClusterDelta {
    pub fn brokers(&self) -> &BTreeMap<BrokerId, Option<Arc<BrokerImage>>> {
        &self.brokers
    }

    pub fn is_empty(&self) -> bool {
        self.brokers.is_empty() && self.controllers.is_empty()
    }

    pub(crate) fn register(&mut self, record: &RegisterBrokerRecord) {
        let id = BrokerId(record.broker_id);
        let endpoint = |e: &protocol::metadata_records::register_broker_record::BrokerEndpoint| {
            endpoint(&e.name, &e.host, e.port, e.security_protocol)
        };
        let features = record.features.iter();
        let broker = BrokerImage {
            id,
            epoch: BrokerEpoch(record.broker_epoch),
            incarnation: record.incarnation_id,
            endpoints: record.end_points.iter().map(endpoint).collect(),
            features: features
                .map(|f| range(&f.name, f.min_supported_version, f.max_supported_version))
                .collect(),
            rack: record.rack.as_ref().map(|rack| (&**rack).into()),
            fenced: record.fenced,
            in_controlled_shutdown: record.in_controlled_shutdown,
            log_dirs: record.log_dirs.clone(),
        };
        self.brokers.insert(id, Some(Arc::new(broker)));
    }

    pub(crate) fn register_controller(&mut self, record: &RegisterControllerRecord) {
        let id = record.controller_id;
        type Named = protocol::metadata_records::register_controller_record::ControllerEndpoint;
        let endpoint = |e: &Named| endpoint(&e.name, &e.host, e.port, e.security_protocol);
        let features = record.features.iter();
        let controller = ControllerImage {
            id,
            incarnation: record.incarnation_id,
            endpoints: record.end_points.iter().map(endpoint).collect(),
            features: features
                .map(|f| range(&f.name, f.min_supported_version, f.max_supported_version))
                .collect(),
        };
        self.controllers.insert(id, Arc::new(controller));
    }

    pub(crate) fn unregister(
        &mut self,
        base: &ClusterImage,
        record: &UnregisterBrokerRecord,
    ) -> Result<(), ReplayError> {
        self.broker_mut(base, record.broker_id, record.broker_epoch)?;
        self.brokers.insert(BrokerId(record.broker_id), None);
        Ok(())
    }

    pub(crate) fn change(
        &mut self,
        base: &ClusterImage,
        record: &BrokerRegistrationChangeRecord,
    ) -> Result<(), ReplayError> {
        let broker = self.broker_mut(base, record.broker_id, record.broker_epoch)?;
        match record.fenced {
            -1 => broker.fenced = false,
            1 => broker.fenced = true,
            _ => {}
        }
        if record.in_controlled_shutdown == 1 {
            broker.in_controlled_shutdown = true;
        }
        if !record.log_dirs.is_empty() {
            broker.log_dirs.clone_from(&record.log_dirs);
        }
        Ok(())
    }

    /// The record types of before 3.3-IV2.
    pub(crate) fn set_fenced(
        &mut self,
        base: &ClusterImage,
        id: i32,
        epoch: i64,
        fenced: bool,
    ) -> Result<(), ReplayError> {
        self.broker_mut(base, id, epoch)?.fenced = fenced;
        Ok(())
    }

    fn broker_mut(
        &mut self,
        base: &ClusterImage,
        broker: i32,
        found: i64,
    ) -> Result<&mut BrokerImage, ReplayError> {
        let id = BrokerId(broker);
        let slot = self.brokers.entry(id).or_insert_with(|| base.broker(id).cloned());
        let Some(image) = slot else {
            return Err(ReplayError::NoSuchBroker(broker));
        };
        let current = image.epoch.0;
        if current != found {
            return Err(ReplayError::StaleBrokerEpoch { broker, current, found });
        }
        Ok(Arc::make_mut(image))
    }
}

fn endpoint(name: &str, host: &str, port: u16, security_protocol: i16) -> Endpoint {
    Endpoint { name: name.into(), host: host.into(), port, security_protocol }
}

fn range(name: &str, min: i16, max: i16) -> (Arc<str>, FeatureRange) {
    (name.into(), FeatureRange { min, max })
}
