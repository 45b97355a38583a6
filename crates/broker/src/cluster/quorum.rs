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

use super::controller_tasks::ControllerTasks;
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
    Arc::new(Announcement { node: Arc::downgrade(node) }).expire(node.env().clock().mono());
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
        let is_refused = failure == Some(PeerFailure::Refused);
        if is_refused && node.controller.note_process_gone(BrokerId(to.0)) {
            ControllerTasks::fence_now(node);
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
    if let Some(epoch) = epoch_that_knows_us_elsewhere(node) {
        tell_leader_of(node, epoch);
    }
}

/// The epoch of the quorum, if it knows this voter at other endpoints.
fn epoch_that_knows_us_elsewhere<E: Env>(node: &Node<E>) -> Option<i32> {
    let directory = node.log_store.metadata_directory();
    let quorum = node.controller.quorum()?;
    let own = quorum.voters.iter().find(|voter| voter.id.0 == node.broker_id().0)?;
    let is_elsewhere = own.directory == directory && own.endpoints != node.voter_endpoints;
    let is_static = !node.settings.config.quorum.voters.is_empty();
    let is_told = is_elsewhere && !is_static && !node.voter_endpoints.is_empty();
    is_told.then_some(quorum.leader_epoch.0)
}

fn tell_leader_of<E: Env>(node: &Arc<Node<E>>, epoch: i32) {
    let listener = |at: &VoterEndpoint| Listener {
        name: at.listener.as_str().into(),
        host: at.host.as_str().into(),
        port: at.port,
    };
    let (min, max) = KRAFT_VERSIONS;
    let request = UpdateRaftVoterRequest {
        cluster_id: Some(node.settings.cluster_id.to_string().into()),
        current_leader_epoch: epoch,
        voter_id: node.broker_id().0,
        voter_directory_id: node.log_store.metadata_directory(),
        listeners: node.voter_endpoints.iter().map(listener).collect(),
        kraft_version_feature: KRaftVersionFeature {
            min_supported_version: min,
            max_supported_version: max,
        },
    };
    let patience = Patience { attempt: UPDATE_VOTER_PATIENCE, total: UPDATE_VOTER_PATIENCE };
    let this = Arc::downgrade(node);
    node.to_controller.ask(Channel::Controller, request, patience, move |answer| {
        let fenced = ErrorCode::FencedLeaderEpoch.code();
        let later = answer.as_ref().ok().filter(|answer| answer.error_code == fenced);
        let later = later.map(|answer| answer.current_leader.leader_epoch);
        if let (Some(later), Some(node)) = (later.filter(|later| *later > epoch), this.upgrade()) {
            // There was an election that could not be heard of here.
            return tell_leader_of(&node, later);
        }
        let code = answer.map_or_else(ErrorCode::code, |answer| answer.error_code);
        if code != ErrorCode::None.code() {
            log::warn!(
                target: "kafka.raft.KafkaRaftClient",
                "the quorum was not told where this voter listens: error {code}"
            );
        }
    });
}

/// Tells where this voter listens until the quorum knows it. Whoever leads sends to where it was
/// and is not heard of here, so that no leader can be waited for.
struct Announcement<E: Env> {
    node: Weak<Node<E>>,
}

impl<E: Env> Expire for Announcement<E> {
    fn expire(self: Arc<Self>, now: MonoTime) {
        let Some(node) = self.node.upgrade() else { return };
        if let Some(epoch) = epoch_that_knows_us_elsewhere(&node) {
            node.timers.register(now.plus(UPDATE_VOTER_PATIENCE), self);
            tell_leader_of(&node, epoch);
        }
    }
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
