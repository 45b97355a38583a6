//! This node tells the active controller that it is a controller, where it listens and what it can
//! work with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use env::{Clock, Env};
use metadata::{MetadataImage, MetadataVersion};
use protocol::messages::ControllerRegistrationRequest;
use protocol::messages::controller_registration_request::{Feature, Listener};
use types::{ErrorCode, MonoTime, Uuid};

use super::to_controller::Patience;
use crate::node::Node;
use crate::peers::Channel;
use crate::timers::Expire;

const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(2), total: Duration::from_secs(30) };
/// Between two registrations that were refused or not answered.
const RETRY: Duration = Duration::from_secs(1);

/// Whether the metadata knows this incarnation of the controller here. It is told until it does.
#[doc(alias = "ControllerRegistrationManager")]
#[derive(Debug, Default)]
pub struct ControllerRegistration {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Drawn with the first attempt.
    incarnation: Option<Uuid>,
    /// An attempt is due, on its way, or was answered and has yet to come back as metadata.
    is_under_way: bool,
}

impl ControllerRegistration {
    /// Metadata of the cluster has come here.
    pub fn handle_image<E: Env>(&self, node: &Arc<Node<E>>, image: &MetadataImage) {
        let may_register =
            node.settings.config.node.is_controller && !node.voter_endpoints.is_empty();
        if !may_register || !takes_registrations(image) {
            return;
        }
        {
            let mut state = self.lock();
            if state.is_under_way || state.is_known_to(node, image) {
                return;
            }
            state.is_under_way = true;
        }
        // Whoever publishes metadata of a lone controller holds what an answer would wait for.
        let now = node.env().clock().mono();
        node.timers.register(now, Arc::new(Attempt { node: Arc::downgrade(node) }));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_known_to<E: Env>(&self, node: &Node<E>, image: &MetadataImage) -> bool {
        let own = image.cluster.controllers().find(|known| known.id == node.broker_id().0);
        own.is_some_and(|own| Some(own.incarnation) == self.incarnation)
    }
}

/// From `metadata.version` 3.7-IV0 on; nothing is finalized in metadata that is empty yet.
fn takes_registrations(image: &MetadataImage) -> bool {
    let level = image.features.metadata_version();
    !image.features.is_empty() && level >= MetadataVersion::CONTROLLER_REGISTRATIONS
}

fn request<E: Env>(node: &Node<E>, incarnation_id: Uuid) -> ControllerRegistrationRequest {
    let listeners = node.voter_endpoints.iter().map(|endpoint| Listener {
        name: endpoint.listener.as_str().into(),
        host: endpoint.host.as_str().into(),
        port: endpoint.port,
        security_protocol: 0,
    });
    let features = controller::SUPPORTED_FEATURES.iter().map(|(name, range)| Feature {
        name: (*name).into(),
        min_supported_version: range.min,
        max_supported_version: range.max,
    });
    ControllerRegistrationRequest {
        controller_id: node.broker_id().0,
        incarnation_id,
        zk_migration_ready: false,
        listeners: listeners.collect(),
        features: features.collect(),
    }
}

struct Attempt<E: Env> {
    node: Weak<Node<E>>,
}

impl<E: Env> Expire for Attempt<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let Some(node) = self.node.upgrade() else { return };
        let incarnation = {
            let mut state = node.controller_registration.lock();
            if state.is_known_to(&node, &node.image()) {
                return;
            }
            *state.incarnation.get_or_insert_with(|| node.settings.random_id())
        };
        let request = request(&node, incarnation);
        node.to_controller.ask(Channel::Controller, request, PATIENCE, move |answer| {
            let code = answer.map_or_else(ErrorCode::code, |answer| answer.error_code);
            let Some(node) = self.node.upgrade().filter(|_| code != ErrorCode::None.code()) else {
                return;
            };
            log::warn!(
                target: "kafka.server.ControllerRegistrationManager",
                "[ControllerRegistrationManager id={}] registration was not taken: error {code}",
                node.broker_id()
            );
            let again = node.env().clock().mono().plus(RETRY);
            node.timers.register(again, self);
        });
    }
}
