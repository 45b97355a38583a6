//! Which brokers the controller hears of.

use std::net::SocketAddr;
use std::sync::PoisonError;

use env::{Clock, Env};
use metadata::BrokerEpoch;
use protocol::messages::BrokerHeartbeatRequest;
use types::{BrokerId, MonoTime};

use super::ControllerHost;

impl<E: Env> ControllerHost<E> {
    /// A broker lives, and speaks over this connection.
    pub fn note_heartbeat(&self, peer: SocketAddr, request: &BrokerHeartbeatRequest) {
        let (id, epoch) = (BrokerId(request.broker_id), BrokerEpoch(request.broker_epoch));
        let mut heard_over = self.heard_over.lock().unwrap_or_else(PoisonError::into_inner);
        // The end of a connection that it has left says nothing of it.
        heard_over.retain(|at, (other, _)| *at == peer || *other != id);
        heard_over.insert(peer, (id, epoch));
        drop(heard_over);
        let now = self.env.clock().mono();
        self.lock().controller.handle_broker_heartbeat(request, now);
    }

    /// A connection to this controller has ended.
    pub fn note_connection_end(&self, peer: SocketAddr) {
        let mut heard_over = self.heard_over.lock().unwrap_or_else(PoisonError::into_inner);
        let broker = heard_over.remove(&peer);
        drop(heard_over);
        if let Some((id, epoch)) = broker {
            let now = self.env.clock().mono();
            self.lock().controller.handle_broker_connection_lost(id, epoch, now);
        }
    }

    /// Nobody listens where this node does when it runs: a broker in that process is gone, too.
    pub fn note_process_gone(&self, id: BrokerId) {
        let mut state = self.lock();
        let image = state.controller.image();
        if let Some(broker) = image.cluster.broker(id).filter(|broker| !broker.fenced) {
            state.controller.handle_broker_gone(id, broker.epoch);
        }
    }

    /// Takes brokers out of service that have been silent for too long. Returns when to look again;
    /// `None` if somebody else is to look.
    pub fn fence_silent_brokers(&self) -> Option<MonoTime> {
        loop {
            let now = self.env.clock().mono();
            let stale = self.lock().controller.poll_stale_broker(now);
            let Some((id, epoch)) = stale.filter(|_| self.is_active()) else { break };
            log::warn!(
                target: "kafka.controller.BrokerHeartbeatManager",
                "fencing broker {id}: it has not been heard of for too long"
            );
            if self.submit(|c| c.fence_broker(id, epoch)).is_err() {
                break;
            }
        }
        self.lock().controller.poll_stale_deadline()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use config::Sources;
    use env_sim::SimEnv;
    use protocol::{Message, frame};
    use storage::{LogDir, MetaProperties};
    use types::Uuid;

    use super::*;
    use crate::api::Caller;
    use crate::cluster;
    use crate::node::{Node, NodeOptions};
    use crate::request::Door;

    /// One of three voters; the others do not run.
    fn voter(env: &SimEnv) -> Arc<Node<SimEnv>> {
        let mut dir = LogDir::open(env.disk().clone(), Path::new("/data")).expect("a new disk");
        let properties = MetaProperties {
            cluster_id: Some(Uuid([5; 16]).to_string()),
            node_id: Some(BrokerId(1)),
            directory_id: Some(Uuid([6; 16])),
        };
        dir.format(properties).expect("a new disk");
        drop(dir);
        let properties = [
            "node.id=1",
            "process.roles=controller",
            "log.dirs=/data",
            "listeners=CONTROLLER://a:9093",
            "controller.listener.names=CONTROLLER",
            "controller.quorum.voters=1@a:9093,2@b:9093,3@c:9093",
        ];
        let properties = properties.map(str::to_owned);
        let sources = Sources { overrides: &properties, ..Sources::default() };
        let config = config::load(sources).expect("the test's own configuration").config;
        let options = NodeOptions { config: Arc::new(config), endpoints: Vec::new() };
        Node::open(env.clone(), options).unwrap_or_else(|error| panic!("no start: {error}"))
    }

    #[test]
    fn a_heartbeat_is_heard_before_the_decisions_ahead_of_its_answer_are_made() {
        let env = SimEnv::new(7);
        let node = voter(&env);
        let request =
            BrokerHeartbeatRequest { broker_id: 4, broker_epoch: 9, ..Default::default() };
        let version = *BrokerHeartbeatRequest::VERSIONS.end();
        let framed = frame::request(&request, version, 1, None).expect("encodes").concat();
        let framed = bytes::Bytes::from(framed).slice(frame::PREFIX_BYTES..);
        let caller = Caller::here(&node.settings.config, Door::Controllers);
        cluster::serve_frame(&node, &caller, framed, |_| {});
        // No lane has run.
        let heard = node.controller.heard_over.lock().expect("not poisoned").clone();
        assert_eq!(heard.get(&caller.peer()), Some(&(BrokerId(4), BrokerEpoch(9))));
    }
}
