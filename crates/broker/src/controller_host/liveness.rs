//! Which brokers the controller hears of.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use controller::Controller;
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
    /// Says whether there was one in service.
    pub fn note_process_gone(&self, id: BrokerId) -> bool {
        let mut state = self.lock();
        let image = state.controller.image();
        let broker = image.cluster.broker(id).filter(|broker| !broker.fenced);
        if let Some(broker) = broker {
            state.controller.handle_broker_gone(id, broker.epoch);
        }
        broker.is_some()
    }

    /// Takes brokers out of service that have been silent for too long, one after another. `done`
    /// is told when to look again; `None` if somebody else is to look.
    pub fn fence_silent_brokers(
        self: &Arc<Self>,
        done: impl FnOnce(Option<MonoTime>) + Send + 'static,
    ) {
        let stale = {
            let mut state = self.lock();
            let stale = state.controller.poll_stale_broker(self.env.clock().mono());
            let Some(stale) = stale.filter(|_| state.leads()) else {
                let deadline = state.controller.poll_stale_deadline();
                drop(state);
                return done(deadline);
            };
            stale
        };
        let this = Arc::clone(self);
        let (id, epoch) = stale;
        // When its turn comes, it may have been heard of.
        self.submit(
            move |c| c.fence_silent_broker(id, epoch),
            move |fenced| {
                if fenced == Ok(true) {
                    log::warn!(
                        target: "kafka.controller.BrokerHeartbeatManager",
                        "broker {id} is fenced: it has not been heard of for too long"
                    );
                }
                match fenced {
                    Ok(true) => this.fence_silent_brokers(done),
                    Ok(false) | Err(_) => done(this.ask(Controller::poll_stale_deadline)),
                }
            },
        );
    }
}
