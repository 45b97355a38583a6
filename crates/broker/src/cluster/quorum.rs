//! This node as a voter: its messages reach the others, and time reaches its engine.

use std::sync::{Arc, Weak};
use std::time::Duration;

use consensus::{NodeId, OutboundMessage};
use env::{Clock, Env, Lane};
use protocol::messages::QuorumMessageRequest;
use types::{BrokerId, ErrorCode, MonoTime};

use crate::limits::QUORUM_MESSAGE_PATIENCE;
use crate::node::Node;
use crate::peers::{Channel, Link, PeerAddress, PeerFailure};
use crate::timers::Expire;

const VERSION: i16 = 0;

/// The first message may leave, and time begins to pass.
pub fn start<E: Env>(node: &Arc<Node<E>>) {
    Arc::new(Alarm { node: Arc::downgrade(node) }).ring(node);
}

/// Sends a message to another voter. One that does not arrive is not missed: the engine repeats
/// what it needs.
pub fn send<E: Env>(node: &Arc<Node<E>>, message: OutboundMessage) {
    let OutboundMessage { to, bytes } = message;
    let Some(address) = address_of(node, to) else { return };
    let deadline = node.env().clock().mono().plus(QUORUM_MESSAGE_PATIENCE);
    let cluster_id = node.settings.cluster_id.to_string().into();
    let link = Link { address, channel: Channel::Quorum };
    let request = QuorumMessageRequest { cluster_id, message: bytes };
    let this = Arc::downgrade(node);
    node.peers.ask(link, VERSION, &request, deadline, move |answer| {
        let Some(node) = this.upgrade() else { return };
        match answer {
            Ok(answer) if answer.error_code == ErrorCode::None.code() => return,
            Err(PeerFailure::Refused) => node.controller.note_process_gone(BrokerId(to.0)),
            Ok(_) | Err(_) => {}
        }
        node.controller.handle_unreachable(to);
    });
}

fn address_of<E: Env>(node: &Node<E>, voter: NodeId) -> Option<PeerAddress> {
    let voters = &node.settings.config.quorum.voters;
    let voter = voters.iter().find(|known| known.id.0 == voter.0)?;
    Some(PeerAddress { host: voter.address.host.as_str().into(), port: voter.address.port })
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
