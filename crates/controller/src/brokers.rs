use std::collections::BTreeSet;
use std::sync::Arc;

use metadata::{
    BrokerEpoch, BrokerImage, METADATA_VERSION_FEATURE, MetadataVersion, RESERVED_DIRECTORIES,
};
use protocol::messages::broker_registration_request::BrokerRegistrationRequest;
use protocol::metadata_records::RegisterBrokerRecord;
use protocol::metadata_records::register_broker_record::{BrokerEndpoint, BrokerFeature};
use types::{BrokerId, ErrorCode, Uuid};

use crate::{ApiError, Controller, ControllerResult};

impl Controller {
    /// Registers a broker that has started, fenced: [`unfence_broker`](Self::unfence_broker) puts
    /// it into service. Its epoch is the offset at which its record will be, so nothing else may
    /// be in flight.
    ///
    /// A new incarnation that cannot name the epoch before (it was killed) loses its leaderships,
    /// so that whatever it writes next is told apart from what it may have lost. After a clean
    /// stop it keeps those that nobody else can take.
    ///
    /// # Errors
    /// The message explains the code; the wire carries the code only.
    /// - `INCONSISTENT_CLUSTER_ID`: the broker belongs to another cluster
    /// - `DUPLICATE_BROKER_REGISTRATION`: another process with that id is alive
    /// - `INVALID_REGISTRATION`: no, reserved, doubled or foreign log directories
    /// - `UNSUPPORTED_VERSION`: it cannot work at a finalized feature level
    ///
    /// Source: Kafka `ClusterControlManager.registerBroker`.
    pub fn register_broker(
        &self,
        request: &BrokerRegistrationRequest,
    ) -> ControllerResult<Result<BrokerEpoch, ApiError>> {
        if let Err(error) = self.check_registration(request) {
            return ControllerResult::reply_only(Err(error));
        }
        let id = BrokerId(request.broker_id);
        let existing = self.broker(id);
        let amends = existing.filter(|broker| broker.incarnation == request.incarnation_id);
        let mut records = Vec::new();
        let stopped_cleanly =
            existing.is_some_and(|broker| broker.epoch.0 == request.previous_broker_epoch);
        if amends.is_none() {
            records = match stopped_cleanly {
                true => self.leave_to_others(id),
                false => self.lose_seats(id),
            };
        }
        // The registration comes first: its offset is known only there.
        let next = self.view().provenance.last_offset.plus(1);
        let epoch = amends.map_or(BrokerEpoch(next.0), |broker| broker.epoch);
        records.insert(0, registration(request, epoch, amends).into());
        ControllerResult { records, atomic: true, reply: Ok(epoch) }
    }

    pub(crate) fn check_broker_epoch(
        &self,
        id: BrokerId,
        epoch: BrokerEpoch,
    ) -> Result<&Arc<BrokerImage>, ApiError> {
        let Some(broker) = self.broker(id) else {
            let message = format!("No broker registration found for broker id {id}");
            return Err(ApiError::new(ErrorCode::StaleBrokerEpoch, message));
        };
        match broker.epoch == epoch {
            true => Ok(broker),
            false => {
                let message =
                    format!("Expected broker epoch {}, but got broker epoch {epoch}", broker.epoch);
                Err(ApiError::new(ErrorCode::StaleBrokerEpoch, message))
            }
        }
    }

    fn check_registration(&self, request: &BrokerRegistrationRequest) -> Result<(), ApiError> {
        let cluster_id = self.cluster_id.to_string();
        if *request.cluster_id != *cluster_id {
            let message = format!(
                "Expected cluster ID {cluster_id}, but got cluster ID {}",
                request.cluster_id
            );
            return Err(ApiError::new(ErrorCode::InconsistentClusterId, message));
        }
        let id = BrokerId(request.broker_id);
        let other = self.broker(id).filter(|b| b.incarnation != request.incarnation_id);
        if other.is_some_and(|other| self.liveness.is_live(other)) {
            let message = format!("Another broker is registered with broker id {id}.");
            return Err(ApiError::new(ErrorCode::DuplicateBrokerRegistration, message));
        }
        if request.is_migrating_zk_broker {
            let message = "Controller does not support registering ZK brokers.";
            return Err(ApiError::new(ErrorCode::BrokerIdNotRegistered, message));
        }
        if self.view().features.metadata_version() >= MetadataVersion::DIRECTORIES {
            self.check_directories(request)?;
        }
        self.check_features(request)
    }

    fn check_directories(&self, request: &BrokerRegistrationRequest) -> Result<(), ApiError> {
        let refused = |message: String| Err(ApiError::new(ErrorCode::InvalidRegistration, message));
        let directories = &request.log_dirs;
        if directories.is_empty() {
            return refused("No directories specified in request".to_owned());
        }
        if directories.iter().any(|id| u128::from_be_bytes(id.0) < RESERVED_DIRECTORIES) {
            return refused("Reserved directory ID in request".to_owned());
        }
        let distinct: BTreeSet<&Uuid> = directories.iter().collect();
        if distinct.len() != directories.len() {
            return refused("Duplicate directory ID in request".to_owned());
        }
        let others = self.view().cluster.brokers().filter(|b| b.id.0 != request.broker_id);
        for other in others {
            if let Some(shared) = other.log_dirs.iter().find(|id| distinct.contains(id)) {
                return refused(format!(
                    "Broker {} is already registered with directory {shared}",
                    other.id
                ));
            }
        }
        Ok(())
    }

    fn check_features(&self, request: &BrokerRegistrationRequest) -> Result<(), ApiError> {
        for (name, level) in self.view().features.iter() {
            let feature = request.features.iter().find(|feature| *feature.name == *name);
            // A broker that says nothing knows the oldest metadata.version and no other feature.
            let silent = i16::from(name == METADATA_VERSION_FEATURE);
            let (min, max) = feature.map_or((silent, silent), |feature| {
                (feature.min_supported_version, feature.max_supported_version)
            });
            if !(min..=max).contains(&level) {
                let message = format!(
                    "Unable to register because the broker does not support finalized version \
                     {level} of {name}. The broker wants a version between {min} and {max}, \
                     inclusive."
                );
                return Err(ApiError::new(ErrorCode::UnsupportedVersion, message));
            }
        }
        Ok(())
    }
}

fn registration(
    request: &BrokerRegistrationRequest,
    epoch: BrokerEpoch,
    amends: Option<&Arc<BrokerImage>>,
) -> RegisterBrokerRecord {
    let endpoints = request.listeners.iter().map(|listener| BrokerEndpoint {
        name: listener.name.clone(),
        host: listener.host.clone(),
        port: listener.port,
        security_protocol: listener.security_protocol,
    });
    let features = request.features.iter().map(|feature| BrokerFeature {
        name: feature.name.clone(),
        min_supported_version: feature.min_supported_version,
        max_supported_version: feature.max_supported_version,
    });
    RegisterBrokerRecord {
        broker_id: request.broker_id,
        is_migrating_zk_broker: false,
        incarnation_id: request.incarnation_id,
        broker_epoch: epoch.0,
        end_points: endpoints.collect(),
        features: features.collect(),
        rack: request.rack.clone(),
        fenced: amends.is_none_or(|broker| broker.fenced),
        in_controlled_shutdown: amends.is_some_and(|broker| broker.in_controlled_shutdown),
        log_dirs: request.log_dirs.clone(),
    }
}
