//! This node as a voter: its messages reach the others, and time reaches its engine.

use std::sync::{Arc, Weak};
use std::time::Duration;

use consensus::{NodeId, OutboundMessage};
use env::{Background, Clock, Env, Lane};
use protocol::messages::QuorumMessageRequest;
use types::{BrokerId, MonoTime};

use crate::limits::QUORUM_MESSAGE_PATIENCE;
use crate::node::Node;
use crate::peers::{Channel, Link, PeerAddress, PeerFailure};
use crate::removals::LaneOf;
use crate::timers::Expire;

const VERSION: i16 = 0;

/// The first message may leave, and time begins to pass.
pub fn start<E: Env>(node: &Arc<Node<E>>) {
    let lane = node.env().background().lane("quorum");
    node.controller.begin();
    Arc::new(Alarm { node: Arc::downgrade(node), lane }).rest(node, MonoTime::default());
}

/// Sends messages to other voters. Those that do not arrive are not missed: the engine repeats what
/// it needs.
pub fn send<E: Env>(node: &Arc<Node<E>>, messages: Vec<OutboundMessage>) {
    let deadline = node.env().clock().mono().plus(QUORUM_MESSAGE_PATIENCE);
    let cluster_id = node.settings.cluster_id.to_string();
    for OutboundMessage { to, bytes } in messages {
        let Some(address) = address_of(node, to) else { continue };
        let link = Link { address, channel: Channel::Quorum };
        let request =
            QuorumMessageRequest { cluster_id: cluster_id.as_str().into(), message: bytes };
        let this = Arc::downgrade(node);
        node.peers.ask(link, VERSION, &request, deadline, move |answer| {
            let (Err(failure), Some(node)) = (answer, this.upgrade()) else { return };
            if failure == PeerFailure::Refused {
                node.controller.note_process_gone(BrokerId(to.0));
            }
            node.controller.handle_unreachable(to);
        });
    }
}

fn address_of<E: Env>(node: &Node<E>, voter: NodeId) -> Option<PeerAddress> {
    let voters = &node.settings.config.quorum.voters;
    let voter = voters.iter().find(|known| known.id.0 == voter.0)?;
    Some(PeerAddress { host: voter.address.host.as_str().into(), port: voter.address.port })
}

/// The engine's next moment.
struct Alarm<E: Env> {
    node: Weak<Node<E>>,
    lane: LaneOf<E>,
}

impl<E: Env> Alarm<E> {
    fn rest(self: Arc<Self>, node: &Node<E>, at: MonoTime) {
        let soonest = node.env().clock().mono().plus(Duration::from_millis(1));
        node.timers.register(at.max(soonest), self);
    }
}

impl<E: Env> Expire for Alarm<E> {
    /// The engine may wait for the disk.
    fn expire(self: Arc<Self>, _now: MonoTime) {
        let lane = self.lane.clone();
        lane.run(Box::new(move || {
            let Some(node) = self.node.upgrade() else { return };
            if let Some(next) = node.controller.handle_time() {
                self.rest(&node, next);
            }
        }));
    }
}
