use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use env::{Background, Clock, Env, Lane};
use metadata::{BrokerEpoch, MetadataImage};
use protocol::messages::broker_heartbeat_response::BrokerHeartbeatResponse;
use protocol::messages::broker_registration_response::BrokerRegistrationResponse;
use protocol::messages::{BrokerHeartbeatRequest, BrokerRegistrationRequest};
use types::{ErrorCode, MonoTime, Offset, Uuid};

use super::lease::Lease;
use super::to_controller::Patience;
use crate::metadata_publisher::MetadataPublisher;
use crate::node::Node;
use crate::peers::Channel;
use crate::removals::LaneOf;
use crate::timers::{Expire, TimerId};

/// What this broker is to the controller, from its registration to its end.
///
/// ```text
/// Alone                                 no controller but that of this process, nobody to tell
/// Registering → CatchingUp              the controller has given it an epoch
/// CatchingUp  → Ready                   its metadata holds its registration, its logs are open
/// Ready       → Running                 the controller has unfenced it
/// any         → Leaving → Gone          it hands over what it leads, then it may stop
/// ```
///
/// Whoever registers learns an epoch: the offset of the record. When the metadata here goes that
/// far, it holds everything that was committed before, so that logs can be opened by it.
///
/// Each heartbeat that finds the broker in service is a lease from when it was sent: nobody has
/// been given what this broker leads until the lease ends. See [`Lease`].
#[doc(alias = "BrokerLifecycleManager")]
pub struct Lifecycle<E: Env> {
    node: OnceLock<Weak<Node<E>>>,
    lane: LaneOf<E>,
    lease: Arc<Lease>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Alone,
    Registering,
    CatchingUp,
    Ready,
    Running,
    Leaving,
    Gone,
}

struct State {
    phase: Phase,
    epoch: BrokerEpoch,
    offline_dirs: BTreeSet<Uuid>,
    is_opening: bool,
    is_asking: bool,
    /// Something has changed since the last heartbeat left.
    is_due: bool,
    /// The first heartbeat in a row that no controller answered.
    unheard_since: Option<MonoTime>,
    next: Option<TimerId>,
    watchers: Vec<Waker>,
}

impl<E: Env> Lifecycle<E> {
    pub fn new(env: &E, lease: Arc<Lease>) -> Lifecycle<E> {
        Lifecycle {
            node: OnceLock::new(),
            lane: env.background().lane("broker-lifecycle"),
            lease,
            state: Mutex::new(State {
                phase: Phase::Alone,
                epoch: BrokerEpoch::NONE,
                offline_dirs: BTreeSet::new(),
                is_opening: false,
                is_asking: false,
                is_due: false,
                unheard_since: None,
                next: None,
                watchers: Vec::new(),
            }),
        }
    }

    /// Before anything else.
    pub fn attach(&self, node: &Arc<Node<E>>) {
        _ = self.node.set(Arc::downgrade(node));
    }

    /// Asks the controller for a place in the cluster.
    pub fn join(&self, request: BrokerRegistrationRequest) {
        let Some(node) = self.node() else { return };
        self.lock().phase = Phase::Registering;
        self.lease.end();
        let patience = node.settings.config.membership.registration_timeout();
        let give_up = node.env().clock().mono().plus(patience);
        Arc::new(Registering { node: Arc::downgrade(&node), request, give_up }).ask();
    }

    /// Goes on as a broker that is registered and in service, with heartbeats.
    pub fn resume(&self, epoch: BrokerEpoch) {
        {
            let mut state = self.lock();
            (state.phase, state.epoch) = (Phase::Running, epoch);
        }
        self.beat();
    }

    /// Metadata of the cluster was published here.
    pub fn handle_image(&self, image: &MetadataImage) {
        let opens = {
            let mut state = self.lock();
            let registered_at = Offset(state.epoch.0);
            let opens = state.phase == Phase::CatchingUp
                && !state.is_opening
                && image.provenance.last_offset >= registered_at;
            state.is_opening |= opens;
            opens
        };
        if opens {
            self.open_logs();
        }
    }

    /// A log directory is out of use; the controller hears of it with the next heartbeat.
    pub fn note_offline_dirs(&self, ids: &[Uuid]) {
        self.lock().offline_dirs.extend(ids.iter().copied());
        self.beat();
    }

    /// Ready once requests of clients can be served.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_phase(cx, |phase| phase == Phase::Alone || phase >= Phase::Ready)
    }

    /// Ready once the controller has put this broker into service.
    pub fn poll_running(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_phase(cx, |phase| phase == Phase::Alone || phase >= Phase::Running)
    }

    /// Hands over what is led here: others serve it before this broker stops.
    pub fn begin_leaving(&self) {
        let now_gone = {
            let mut state = self.lock();
            let serves = matches!(state.phase, Phase::Ready | Phase::Running);
            state.phase = if serves { Phase::Leaving } else { Phase::Gone };
            !serves
        };
        match now_gone {
            true => self.wake(),
            false => self.beat(),
        }
    }

    /// Ready once the controller says that this broker may stop.
    pub fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_phase(cx, |phase| phase == Phase::Gone)
    }

    fn poll_phase(&self, cx: &mut Context<'_>, is_it: impl Fn(Phase) -> bool) -> Poll<()> {
        let mut state = self.lock();
        if is_it(state.phase) {
            return Poll::Ready(());
        }
        state.watchers.push(cx.waker().clone());
        Poll::Pending
    }

    fn handle_registered(&self, epoch: BrokerEpoch) {
        let Some(node) = self.node() else { return };
        {
            let mut state = self.lock();
            if state.phase != Phase::Registering {
                return;
            }
            (state.phase, state.epoch) = (Phase::CatchingUp, epoch);
        }
        let id = node.broker_id();
        log::info!(
            target: "kafka.server.BrokerLifecycleManager",
            "[BrokerLifecycleManager id={id}] Successfully registered broker {id} with broker \
             epoch {epoch}"
        );
        self.beat();
        self.handle_image(&node.image());
    }

    fn open_logs(&self) {
        let Some(node) = self.node() else { return };
        self.lane.run(Box::new(move || {
            let publisher = MetadataPublisher { node: Arc::downgrade(&node) };
            if let Err(error) = publisher.open_and_follow(&node) {
                return node.halt.because(error.to_string());
            }
            {
                let mut state = node.lifecycle.lock();
                if state.phase == Phase::CatchingUp {
                    state.phase = Phase::Ready;
                }
            }
            node.lifecycle.wake();
            node.lifecycle.beat();
        }));
    }

    /// Sends a heartbeat at once, or as soon as the last one is answered.
    fn beat(&self) {
        let Some(node) = self.node() else { return };
        let request = {
            let mut state = self.lock();
            if matches!(state.phase, Phase::Alone | Phase::Registering | Phase::Gone) {
                return;
            }
            if state.is_asking {
                state.is_due = true;
                return;
            }
            (state.is_asking, state.is_due) = (true, false);
            if let Some(timer) = state.next.take() {
                node.timers.cancel(timer);
            }
            BrokerHeartbeatRequest {
                broker_id: node.broker_id().0,
                broker_epoch: state.epoch.0,
                current_metadata_offset: node.image().provenance.last_offset.0,
                want_fence: state.phase == Phase::CatchingUp,
                want_shut_down: state.phase == Phase::Leaving,
                offline_log_dirs: state.offline_dirs.iter().copied().collect(),
            }
        };
        let membership = &node.settings.config.membership;
        let attempt = membership.session_timeout() / 2;
        let attempt = attempt.max(membership.heartbeat_interval());
        let patience = Patience { attempt, total: Duration::ZERO };
        let weak = Arc::downgrade(&node);
        let sent_at = node.env().clock().mono();
        node.to_controller.ask(Channel::Heartbeat, request, patience, move |response| {
            if let Some(node) = weak.upgrade() {
                node.lifecycle.handle_heartbeat(&node, sent_at, response);
            }
        });
    }

    fn handle_heartbeat(
        &self,
        node: &Arc<Node<E>>,
        sent_at: MonoTime,
        response: Result<BrokerHeartbeatResponse, ErrorCode>,
    ) {
        let quorum = &node.settings.config.quorum;
        let now = node.env().clock().mono();
        let mut state = self.lock();
        state.is_asking = false;
        let mut pause = node.settings.config.membership.heartbeat_interval();
        if response.is_ok() {
            state.unheard_since = None;
        }
        match response {
            Ok(response) if response.error_code == ErrorCode::None.code() => {
                if !response.is_fenced {
                    self.lease.renew(sent_at, node.settings.config.membership.session_timeout());
                }
                match state.phase {
                    Phase::Ready if !response.is_fenced => state.phase = Phase::Running,
                    Phase::Leaving if response.should_shut_down => state.phase = Phase::Gone,
                    _ => {}
                }
            }
            Ok(response) => {
                let error = ErrorCode::from_code(response.error_code);
                let error = error.unwrap_or(ErrorCode::UnknownServerError);
                log::warn!(
                    target: "kafka.server.BrokerLifecycleManager",
                    "the controller answers a heartbeat with {error}"
                );
            }
            Err(_) => {
                pause = pause.min(quorum.retry_backoff.max(Duration::from_millis(1)));
                let unheard_since = *state.unheard_since.get_or_insert(now);
                let patience = node.settings.config.membership.session_timeout() * 2;
                if state.phase == Phase::Leaving && now.since(unheard_since) >= patience {
                    // The whole cluster stops, or has no majority: nobody can take over.
                    log::warn!(
                        target: "kafka.server.BrokerLifecycleManager",
                        "no controller answers: stopping without handing over what is led here"
                    );
                    state.phase = Phase::Gone;
                }
            }
        }
        if state.is_due {
            pause = Duration::ZERO;
        }
        if state.phase != Phase::Gone {
            let due = now.plus(pause);
            state.next = Some(node.timers.register(due, Arc::new(Beat(Arc::downgrade(node)))));
        }
        drop(state);
        self.wake();
    }

    fn wake(&self) {
        let watchers = std::mem::take(&mut self.lock().watchers);
        watchers.into_iter().for_each(Waker::wake);
    }

    fn node(&self) -> Option<Arc<Node<E>>> {
        self.node.get().and_then(Weak::upgrade)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time for a heartbeat.
struct Beat<E: Env>(Weak<Node<E>>);

impl<E: Env> Expire for Beat<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        if let Some(node) = self.0.upgrade() {
            node.lifecycle.lock().next = None;
            node.lifecycle.beat();
        }
    }
}

/// A registration that is asked for until it is granted, refused for good, or given up.
struct Registering<E: Env> {
    node: Weak<Node<E>>,
    request: BrokerRegistrationRequest,
    give_up: MonoTime,
}

impl<E: Env> Registering<E> {
    fn ask(self: Arc<Self>) {
        let Some(node) = self.node.upgrade() else { return };
        let quorum = &node.settings.config.quorum;
        let total = self.give_up.since(node.env().clock().mono());
        let patience = Patience { attempt: quorum.request_timeout, total };
        let request = self.request.clone();
        node.to_controller.ask(Channel::Heartbeat, request, patience, move |response| {
            self.handle(response);
        });
    }

    fn handle(self: Arc<Self>, response: Result<BrokerRegistrationResponse, ErrorCode>) {
        let Some(node) = self.node.upgrade() else { return };
        let error = match response {
            Ok(response) => match ErrorCode::from_code(response.error_code) {
                Some(ErrorCode::None) => {
                    return node.lifecycle.handle_registered(BrokerEpoch(response.broker_epoch));
                }
                error => error.unwrap_or(ErrorCode::UnknownServerError),
            },
            Err(error) => error,
        };
        let now = node.env().clock().mono();
        // The incarnation before this one may not have been missed yet.
        let will_pass =
            matches!(error, ErrorCode::DuplicateBrokerRegistration | ErrorCode::NotController);
        if will_pass && now < self.give_up {
            let pause = node.settings.config.membership.heartbeat_interval();
            node.timers.register(now.plus(pause), self);
            return;
        }
        node.halt.because(format!(
            "the node does not become a broker of its cluster · the controller answers {error} to \
             its registration · check node.id, the cluster id in meta.properties, and \
             controller.quorum.voters or controller.quorum.bootstrap.servers · \
             REGISTRATION_REFUSED"
        ));
    }
}

impl<E: Env> Expire for Registering<E> {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        self.ask();
    }
}
