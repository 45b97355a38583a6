//! This node as a voter: its messages reach the others, and time reaches its engine.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use config::HostPort;
use consensus::{ANY_VOTER, OutboundMessage, VoterEndpoint};
use env::{Clock, Env, Lane};
use protocol::messages::QuorumMessageRequest;
use protocol::messages::update_raft_voter_request::{
    KRaftVersionFeature, Listener, UpdateRaftVoterRequest,
};
use types::{BrokerId, ErrorCode, MonoTime};

use super::to_controller::Patience;
use crate::limits::{QUORUM_MESSAGE_PATIENCE, UPDATE_VOTER_PATIENCE};
use crate::metadata_log::KRAFT_VERSIONS;
use crate::node::Node;
use crate::peers::{Channel, Link, PeerAddress, PeerFailure};
use crate::timers::Expire;
use crate::voter_endpoints;

const VERSION: i16 = 0;

/// The first message may leave, and time begins to pass.
pub fn start<E: Env>(node: &Arc<Node<E>>) {
    Arc::new(Alarm { node: Arc::downgrade(node) }).ring(node);
}

/// Sends a message to another voter. One that does not arrive is not missed: the engine repeats
/// what it needs.
pub fn send<E: Env>(node: &Arc<Node<E>>, message: OutboundMessage) {
    let OutboundMessage { to, bytes } = message;
    if to == ANY_VOTER {
        let servers = node.settings.config.quorum.addresses();
        let addresses = servers.into_iter().filter(|server| !is_here(node, server));
        addresses.for_each(|server| {
            let address = PeerAddress { host: server.host.as_str().into(), port: server.port };
            send_to(node, address, bytes.clone(), |_, _| {});
        });
        return;
    }
    let quorum = node.controller.quorum();
    let address = voter_endpoints::address_of(to, quorum.as_ref(), &node.settings);
    let Some(address) = address else { return };
    send_to(node, address, bytes, move |node, failure| {
        if failure == Some(PeerFailure::Refused) {
            node.controller.note_process_gone(BrokerId(to.0));
        }
        node.controller.handle_unreachable(to);
    });
}

fn is_here<E: Env>(node: &Node<E>, server: &HostPort) -> bool {
    node.voter_endpoints.iter().any(|own| own.host == server.host && own.port == server.port)
}

/// `lost` is called if it is known not to have arrived.
fn send_to<E: Env>(
    node: &Arc<Node<E>>,
    address: PeerAddress,
    bytes: Bytes,
    lost: impl FnOnce(&Arc<Node<E>>, Option<PeerFailure>) + Send + 'static,
) {
    let deadline = node.env().clock().mono().plus(QUORUM_MESSAGE_PATIENCE);
    let cluster_id = node.settings.cluster_id.to_string().into();
    let link = Link { address, channel: Channel::Quorum };
    let request = QuorumMessageRequest { cluster_id, message: bytes };
    let this = Arc::downgrade(node);
    node.peers.ask(link, VERSION, &request, deadline, move |answer| {
        let Some(node) = this.upgrade() else { return };
        match answer {
            Ok(answer) if answer.error_code == ErrorCode::None.code() => {}
            answer => lost(&node, answer.err()),
        }
    });
}

/// A voter that listens elsewhere than the quorum knows says so to whoever leads. Source: KIP-853,
/// `UpdateRaftVoter`.
pub fn tell_where_we_listen<E: Env>(node: &Arc<Node<E>>) {
    let directory = node.log_store.metadata_directory();
    let id = node.broker_id().0;
    let Some(quorum) = node.controller.quorum() else { return };
    let own = quorum.voters.iter().find(|voter| voter.id.0 == id);
    let is_elsewhere =
        own.is_some_and(|own| own.directory == directory && own.endpoints != node.voter_endpoints);
    let is_static = !node.settings.config.quorum.voters.is_empty();
    if !is_elsewhere || is_static || node.voter_endpoints.is_empty() {
        return;
    }
    let listener = |at: &VoterEndpoint| Listener {
        name: at.listener.as_str().into(),
        host: at.host.as_str().into(),
        port: at.port,
    };
    let (min, max) = KRAFT_VERSIONS;
    let request = UpdateRaftVoterRequest {
        cluster_id: Some(node.settings.cluster_id.to_string().into()),
        current_leader_epoch: quorum.leader_epoch.0,
        voter_id: id,
        voter_directory_id: directory,
        listeners: node.voter_endpoints.iter().map(listener).collect(),
        kraft_version_feature: KRaftVersionFeature {
            min_supported_version: min,
            max_supported_version: max,
        },
    };
    let patience = Patience { attempt: UPDATE_VOTER_PATIENCE, total: UPDATE_VOTER_PATIENCE };
    node.to_controller.ask(Channel::Controller, request, patience, |answer| {
        let code = answer.map_or_else(ErrorCode::code, |answer| answer.error_code);
        if code != ErrorCode::None.code() {
            log::warn!(
                target: "kafka.raft.KafkaRaftClient",
                "the quorum was not told where this voter listens: error {code}"
            );
        }
    });
}

/// The engine's next moment.
struct Alarm<E: Env> {
    node: Weak<Node<E>>,
}

impl<E: Env> Alarm<E> {
    fn rest(self: Arc<Self>, node: &Node<E>, at: MonoTime) {
        let soonest = node.env().clock().mono().plus(Duration::from_millis(1));
        node.timers.register(at.max(soonest), self);
    }

    /// The engine may wait for the disk.
    fn ring(self: Arc<Self>, node: &Node<E>) {
        node.controller.lane().run(Box::new(move || {
            let Some(node) = self.node.upgrade() else { return };
            if let Some(next) = node.controller.handle_time() {
                self.rest(&node, next);
            }
        }));
    }
}

impl<E: Env> Expire for Alarm<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        if let Some(node) = self.node.upgrade() {
            self.ring(&node);
        }
    }
}
