//! Tells the controller that this broker is here, where it listens, and that it may serve.

use std::time::Duration;

use env::Env;
use metadata::BrokerEpoch;
use protocol::messages::broker_registration_request::{
    BrokerRegistrationRequest, Feature, Listener,
};

use crate::cluster::Patience;
use crate::node::{Endpoint, Node, OpenError};
use crate::peers::Channel;

/// Gives up features that an Apache Kafka node had finalized here and that are not served.
///
/// # Errors
/// The metadata log cannot be written.
pub fn give_up_unserved_features<E: Env>(node: &Node<E>) -> Result<(), OpenError> {
    let given_up = node.controller.submit_alone(|c| c.give_up_unserved_features());
    let given_up = given_up.map_err(|error| OpenError::Registration(error.to_string()))?;
    for (feature, level) in given_up {
        log::warn!(
            target: "kafka.server.KafkaServer",
            "{feature} was at level {level} and is not served here; it is at level 0 now"
        );
    }
    Ok(())
}

/// What a new incarnation of this broker says of itself.
pub fn request<E: Env>(node: &Node<E>, endpoints: &[Endpoint]) -> BrokerRegistrationRequest {
    let settings = &node.settings;
    let (log_dirs, previous_broker_epoch) = node.log_store.registration();
    let listener = |endpoint: &Endpoint| Listener {
        name: endpoint.listener.as_str().into(),
        host: endpoint.host.as_str().into(),
        port: endpoint.port,
        security_protocol: 0,
    };
    let features = controller::SUPPORTED_FEATURES.iter().map(|(name, range)| Feature {
        name: (*name).into(),
        min_supported_version: range.min,
        max_supported_version: range.max,
    });
    BrokerRegistrationRequest {
        broker_id: node.broker_id().0,
        cluster_id: settings.cluster_id.to_string().into(),
        incarnation_id: settings.random_id(),
        listeners: endpoints.iter().map(listener).collect(),
        features: features.collect(),
        rack: settings.config.node.rack.as_deref().map(Into::into),
        log_dirs,
        previous_broker_epoch,
        ..Default::default()
    }
}

/// Registers with the controller of this process and puts the broker into service.
///
/// # Errors
/// The controller refuses it.
pub fn register<E: Env>(node: &Node<E>, endpoints: &[Endpoint]) -> Result<BrokerEpoch, OpenError> {
    let request = request(node, endpoints);
    let refused = |why: String| OpenError::Registration(why);
    let registered = node.controller.submit_alone(move |c| c.register_broker(&request));
    let epoch = registered
        .map_err(|error| refused(error.to_string()))?
        .map_err(|error| refused(format!("{error:?}")))?;
    let id = node.broker_id();
    let unfenced = node.controller.submit_alone(move |c| c.unfence_broker(id, epoch));
    unfenced
        .map_err(|error| refused(error.to_string()))?
        .map_err(|error| refused(format!("{error:?}")))?;
    Ok(epoch)
}

/// Another attempt comes with the next replica, directory or start.
const TELLING_PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(5), total: Duration::from_secs(60) };

/// Tells the controller which directories replicas were found in, where it thinks otherwise.
pub fn tell_directories<E: Env>(node: &Node<E>) {
    let (id, epoch) = (node.broker_id(), node.broker_epoch());
    let Some(request) = node.assignments.take(id, epoch) else { return };
    node.to_controller.ask(Channel::Controller, request, TELLING_PATIENCE, |told| {
        if let Err(error) = told {
            log::error!(
                target: "kafka.server.AssignmentsManager",
                "the controller does not know where replicas are: {error}; the next start tells it"
            );
        }
    });
}
