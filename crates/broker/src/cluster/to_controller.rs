use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use env::{Clock, Env};
use protocol::Request;
use protocol::messages::{
    AllocateProducerIdsRequest, AlterPartitionRequest, AssignReplicasToDirsRequest,
    BrokerHeartbeatRequest, BrokerRegistrationRequest, ControllerRegistrationRequest,
    CreateTopicsRequest, EnvelopeRequest, UpdateRaftVoterRequest,
};
use types::{BrokerId, ErrorCode, MonoTime};

use super::controller_finder::ControllerFinder;
use super::loopback;
use crate::auto_creation::UnderWay;
use crate::limits::CONTROLLER_RETRY_MAX;
use crate::node::Node;
use crate::peers::{Channel, Link, PeerAddress, PeerFailure};
use crate::timers::Expire;

/// The way from this broker to the active controller, wherever that is.
///
/// A question goes to one controller after another until the active one has answered. It may be
/// carried out although no answer came back, and is then asked again: whoever asks must be able to
/// live with that.
#[doc(alias = "NodeToControllerChannelManager")]
pub struct ToController<E: Env> {
    node: OnceLock<Weak<Node<E>>>,
    pub finder: ControllerFinder,
    pub creating: UnderWay,
}

/// What a broker asks of the controller.
pub trait ControllerRequest: Request<Response: 'static> + Send + Sync + 'static {
    /// Whether the one that was asked has not even looked at it: it is not the active controller.
    fn is_refused(response: &Self::Response) -> bool;
}

/// How long an answer may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Of one controller.
    pub attempt: Duration,
    /// Of all; nothing is asked twice if this is zero.
    pub total: Duration,
}

impl<E: Env> ToController<E> {
    pub fn new(finder: ControllerFinder) -> ToController<E> {
        ToController { node: OnceLock::new(), finder, creating: UnderWay::default() }
    }

    pub fn node(&self) -> Option<Arc<Node<E>>> {
        self.node.get().and_then(Weak::upgrade)
    }

    /// Before the first question.
    pub fn attach(&self, node: &Arc<Node<E>>) {
        _ = self.node.set(Arc::downgrade(node));
    }

    /// Who leads the quorum in `epoch` is asked from now on; who led before is not waited for.
    pub fn handle_leader(&self, id: BrokerId, epoch: i32, address: Option<PeerAddress>) {
        self.give_up_on(&self.finder.handle_leader(id, epoch, address));
    }

    /// The controller in this process is active: nobody else is waited for.
    pub fn handle_leader_here(&self, epoch: i32) {
        self.give_up_on(&self.finder.handle_leader_here(epoch));
    }

    fn give_up_on(&self, addresses: &[PeerAddress]) {
        let Some(node) = self.node() else { return };
        let channels = [Channel::Heartbeat, Channel::Controller, Channel::Forwarding];
        addresses.iter().for_each(|address| node.peers.give_up_on(address, &channels));
    }

    /// Asks, and asks again. `done` is called once: before this returns if the active controller is
    /// in this process and answers at once.
    ///
    /// # Errors
    /// `done` gets `REQUEST_TIMED_OUT`: nobody knows whether it was carried out.
    pub fn ask<R: ControllerRequest>(
        &self,
        channel: Channel,
        request: R,
        patience: Patience,
        done: impl FnOnce(Result<R::Response, ErrorCode>) + Send + 'static,
    ) {
        let Some(node) = self.node() else {
            return done(Err(ErrorCode::NotController));
        };
        let now = node.env().clock().mono();
        let question = Question {
            node: Arc::downgrade(&node),
            channel,
            request,
            patience,
            give_up: now.plus(patience.total),
            state: Mutex::new(QuestionState {
                pause: node.settings.config.quorum.retry_backoff.max(Duration::from_millis(1)),
                done: Some(Box::new(done)),
            }),
        };
        Arc::new(question).attempt(&node);
    }
}

type Done<R> = Box<dyn FnOnce(Result<<R as Request>::Response, ErrorCode>) + Send>;

struct Question<E: Env, R: ControllerRequest> {
    node: Weak<Node<E>>,
    channel: Channel,
    request: R,
    patience: Patience,
    give_up: MonoTime,
    state: Mutex<QuestionState<R>>,
}

struct QuestionState<R: ControllerRequest> {
    pause: Duration,
    done: Option<Done<R>>,
}

impl<E: Env, R: ControllerRequest> Question<E, R> {
    fn attempt(self: Arc<Self>, node: &Arc<Node<E>>) {
        if node.controller.is_active() {
            let this = Arc::clone(&self);
            return loopback::ask(node, &self.request, move |response| {
                this.handle(None, response.ok_or(PeerFailure::Disconnected));
            });
        }
        let Some(address) = node.to_controller.finder.current() else {
            return self.handle(None, Err(PeerFailure::Disconnected));
        };
        let link = Link { address: address.clone(), channel: self.channel };
        let deadline = node.env().clock().mono().plus(self.patience.attempt);
        let (this, version) = (Arc::clone(&self), *R::VERSIONS.end());
        node.peers.ask(link, version, &self.request, deadline, move |response| {
            this.handle(Some(address), response);
        });
    }

    fn handle(
        self: Arc<Self>,
        asked: Option<PeerAddress>,
        response: Result<R::Response, PeerFailure>,
    ) {
        match response {
            Ok(response) if !R::is_refused(&response) => return self.end(Ok(response)),
            _ => {}
        }
        let Some(node) = self.node.upgrade() else {
            return self.end(Err(ErrorCode::NotController));
        };
        if let Some(asked) = asked {
            node.to_controller.finder.handle_failure(&asked);
        }
        let pause = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let pause = state.pause;
            state.pause = (pause * 2).min(CONTROLLER_RETRY_MAX);
            pause
        };
        let again = node.env().clock().mono().plus(pause);
        if again >= self.give_up {
            return self.end(Err(ErrorCode::RequestTimedOut));
        }
        node.timers.register(again, self);
    }

    fn end(&self, result: Result<R::Response, ErrorCode>) {
        let done = self.state.lock().unwrap_or_else(PoisonError::into_inner).done.take();
        if let Some(done) = done {
            done(result);
        }
    }
}

impl<E: Env, R: ControllerRequest> Expire for Question<E, R> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        match self.node.upgrade() {
            Some(node) => self.attempt(&node),
            None => self.end(Err(ErrorCode::NotController)),
        }
    }
}

macro_rules! refused_by_error_code {
    ($($request:ident),+ $(,)?) => {
        $(impl ControllerRequest for $request {
            fn is_refused(response: &Self::Response) -> bool {
                response.error_code == ErrorCode::NotController.code()
            }
        })+
    };
}

refused_by_error_code!(
    AllocateProducerIdsRequest,
    AlterPartitionRequest,
    AssignReplicasToDirsRequest,
    BrokerHeartbeatRequest,
    BrokerRegistrationRequest,
    ControllerRegistrationRequest,
    EnvelopeRequest,
);

impl ControllerRequest for UpdateRaftVoterRequest {
    fn is_refused(response: &Self::Response) -> bool {
        let later = [ErrorCode::NotLeaderOrFollower, ErrorCode::RequestTimedOut];
        later.iter().any(|error| response.error_code == error.code())
    }
}

impl ControllerRequest for CreateTopicsRequest {
    fn is_refused(response: &Self::Response) -> bool {
        let refused = ErrorCode::NotController.code();
        response.topics.iter().any(|topic| topic.error_code == refused)
    }
}
