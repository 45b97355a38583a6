use std::sync::{Arc, Weak};
use std::time::Duration;

use env::{Clock, Env};
use protocol::messages::{
    AlterPartitionRequest, AlterPartitionResponse, FetchRequest, FetchResponse,
};
use types::BrokerId;

use super::to_controller::Patience;
use crate::limits::{ALTER_PARTITION_PATIENCE, LEADER_ANSWERS_WITHIN, REPLICA_FETCH_PATIENCE};
use crate::node::Node;
use crate::peers::{Channel, Link, PeerAddress, PeerFailure};
use crate::replicas::{Answered, NoAnswer, ReplicationLinks};

/// Fetches of a broker name topics by id and itself by its epoch.
const FETCH_VERSION: i16 = 17;
const FETCHER: u16 = 0;

/// The way of replicas to other brokers and to the controller.
pub struct PeerReplicationLinks<E: Env> {
    pub node: Weak<Node<E>>,
}

impl<E: Env> PeerReplicationLinks<E> {
    fn address_of(node: &Node<E>, broker: BrokerId) -> Option<PeerAddress> {
        let image = node.image();
        let listener = &node.settings.config.node.inter_broker_listener;
        let endpoint = image.cluster.broker(broker)?.endpoint(listener)?;
        Some(PeerAddress { host: Arc::clone(&endpoint.host), port: endpoint.port })
    }
}

impl<E: Env> ReplicationLinks for PeerReplicationLinks<E> {
    fn fetch(&self, leader: BrokerId, request: FetchRequest, answered: Answered<FetchResponse>) {
        let node = self.node.upgrade();
        let Some((node, address)) =
            node.and_then(|node| Self::address_of(&node, leader).map(|address| (node, address)))
        else {
            return answered(Err(NoAnswer));
        };
        let wait = Duration::from_millis(request.max_wait_ms.max(0) as u64);
        let now = node.env().clock().mono();
        let deadline = now.plus(wait + REPLICA_FETCH_PATIENCE);
        node.lost_leaders.note_asked(leader, now.plus(wait + LEADER_ANSWERS_WITHIN));
        let link = Link { address, channel: Channel::Fetcher(FETCHER) };
        let asker = self.node.clone();
        node.peers.ask(link, FETCH_VERSION, &request, deadline, move |answer| {
            if let Some(node) = asker.upgrade() {
                note(&node, leader, answer.as_ref().err());
            }
            answered(answer.map_err(|_| NoAnswer));
        });
    }

    fn alter_partition(
        &self,
        request: AlterPartitionRequest,
        answered: Answered<AlterPartitionResponse>,
    ) {
        let Some(node) = self.node.upgrade() else { return answered(Err(NoAnswer)) };
        let patience = Patience { attempt: ALTER_PARTITION_PATIENCE, total: Duration::ZERO };
        node.to_controller.ask(Channel::Controller, request, patience, move |answer| {
            answered(answer.map_err(|_| NoAnswer));
        });
    }
}

/// What a fetch tells of the process of a leader.
fn note<E: Env>(node: &Node<E>, leader: BrokerId, failure: Option<&PeerFailure>) {
    let now = node.env().clock().mono();
    match failure {
        None => node.lost_leaders.note_heard(leader, now),
        Some(PeerFailure::Disconnected | PeerFailure::Refused) => {
            node.lost_leaders.note_lost(leader, now);
        }
        // It may be busy, or this node is; it owes an answer still.
        Some(PeerFailure::TimedOut | PeerFailure::Unreadable(_) | PeerFailure::Busy) => {}
    }
}
