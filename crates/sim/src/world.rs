//! One broker, its clients, a network and faults, on one seeded queue of events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use broker::{Connection, ConnectionInfo, Endpoint, Node, NodeOptions};
use config::{BrokerConfig, Sources};
use env::{Clock, Env};
use env_sim::Crash;
use protocol::{Message, Request};
use types::MonoTime;

use crate::actors::{Actor, Io};
use crate::history::{Event as Happened, History};
use crate::trace::Trace;
use crate::wire::Wire;
use env_sim::{SimEnv, SimRng};

const LISTENER: &str = "PLAINTEXT";
const DELAY_MS_MAX: u64 = 5;
const RECONNECT_MS: u64 = 50;
/// Room for an admin call: more than any timeout in the broker.
const CALL_MS_MAX: u64 = 60_000;

/// What is due at some time.
enum Due {
    ToNode { link: u64, bytes: Vec<u8> },
    ToActor { link: u64, bytes: Vec<u8> },
    Connect { actor: usize },
    Wake { actor: usize, link: u64 },
    Start,
    Fault,
}

/// A connection and what is on its way to the client.
struct Link {
    actor: usize,
    connection: Connection<SimEnv>,
    arrives: MonoTime,
    departs: MonoTime,
}

struct Client {
    actor: Box<dyn Actor>,
    wire: Wire,
    link: Option<u64>,
}

/// Faults a run may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Whether the power may fail, and not only the process.
    pub power: bool,
}

pub struct World {
    env: SimEnv,
    rng: SimRng,
    config: Arc<BrokerConfig>,
    node: Option<Arc<Node<SimEnv>>>,
    queue: BTreeMap<(MonoTime, u64), Due>,
    scheduled: u64,
    links: BTreeMap<u64, Link>,
    links_made: u64,
    clients: Vec<Client>,
    faults: Option<Faults>,
    pub history: History,
    pub trace: Trace,
}

impl World {
    pub fn new(seed: u64) -> World {
        let overrides: Vec<String> = [
            "node.id=1",
            "process.roles=broker,controller",
            "listeners=PLAINTEXT://sim:9092",
            "log.dirs=/data",
            "offsets.topic.num.partitions=2",
            "offsets.topic.replication.factor=1",
            "group.initial.rebalance.delay.ms=100",
            "auto.create.topics.enable=false",
        ]
        .map(str::to_owned)
        .to_vec();
        let sources = Sources { overrides: &overrides, ..Sources::default() };
        let loaded = config::load(sources).expect("the simulator's own configuration");
        World {
            env: SimEnv::new(seed),
            rng: SimRng::new(seed),
            config: Arc::new(loaded.config),
            node: None,
            queue: BTreeMap::new(),
            scheduled: 0,
            links: BTreeMap::new(),
            links_made: 0,
            clients: Vec::new(),
            faults: None,
            history: History::default(),
            trace: Trace::default(),
        }
    }

    pub fn now(&self) -> MonoTime {
        self.env.clock().mono()
    }

    pub fn add(&mut self, actor: Box<dyn Actor>) {
        self.clients.push(Client { actor, wire: Wire::default(), link: None });
        self.schedule(1, Due::Connect { actor: self.clients.len() - 1 });
    }

    /// From now on things go wrong.
    pub fn begin_faults(&mut self, faults: Faults) {
        self.faults = Some(faults);
        self.schedule_fault();
    }

    /// Nothing goes wrong any more; a dead broker is started again.
    pub fn end_faults(&mut self) {
        self.faults = None;
        self.queue.retain(|_, due| !matches!(due, Due::Fault | Due::Start));
        if self.node.is_some() && self.env.disk().mutations() != u64::MAX {
            // A disk that was told to die must not do so later.
            self.crash(Crash::Kill);
        }
        self.start();
    }

    pub fn stop_actors(&mut self) {
        self.clients.iter_mut().for_each(|client| client.actor.stop());
    }

    pub fn all_done(&self) -> bool {
        self.clients.iter().all(|client| client.actor.is_done())
    }

    /// Lets `ms` simulated milliseconds pass.
    pub fn run_for(&mut self, ms: u64) {
        let end = self.now().plus(Duration::from_millis(ms));
        while self.step(end) {}
        self.env.clock().set(end);
    }

    /// Does what is due next, if that is not after `end`.
    fn step(&mut self, end: MonoTime) -> bool {
        let queued = self.queue.first_key_value().map(|(key, _)| key.0);
        let timer = self.node.as_ref().and_then(|node| node.timers().next_deadline());
        let Some(at) = queued.into_iter().chain(timer).min().filter(|at| *at <= end) else {
            return false;
        };
        self.env.clock().set(at);
        if timer.is_some_and(|timer| timer <= at) {
            if let Some(node) = &self.node {
                node.timers().expire(at);
            }
        } else if let Some((_, due)) = self.queue.pop_first() {
            self.handle(due);
        }
        self.collect_responses();
        true
    }

    fn handle(&mut self, due: Due) {
        match due {
            Due::ToNode { link, bytes } => self.deliver_to_node(link, &bytes),
            Due::ToActor { link, bytes } => {
                let Some(actor) = self.links.get(&link).map(|link| link.actor) else { return };
                self.trace.note(self.now(), "response", &bytes);
                let answers = self.clients[actor].wire.receive(&bytes);
                for answer in answers {
                    self.act(actor, |actor, io| actor.answered(answer, io));
                }
            }
            Due::Connect { actor } => self.connect(actor),
            Due::Wake { actor, link } => {
                if self.clients[actor].link == Some(link) {
                    self.act(actor, |actor, io| actor.woken(io));
                }
            }
            Due::Start => self.start(),
            Due::Fault => self.strike(),
        }
    }

    fn deliver_to_node(&mut self, number: u64, bytes: &[u8]) {
        self.trace.note(self.env.clock().mono(), "request", bytes);
        let Some(link) = self.links.get_mut(&number) else { return };
        link.connection.read_buffer().extend_from_slice(bytes);
        if link.connection.handle_input().is_err() {
            self.cut(number);
        }
    }

    fn collect_responses(&mut self) {
        let numbers: Vec<u64> = self.links.keys().copied().collect();
        for number in numbers {
            let Some(link) = self.links.get(&number) else { continue };
            let responses = link.connection.responses();
            match responses.poll_ready(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => {}
                Poll::Ready(None) => self.cut(number),
                Poll::Ready(Some(chunks)) => {
                    let at = self.arrival(number, false);
                    self.schedule_at(at, Due::ToActor { link: number, bytes: chunks.concat() });
                }
            }
        }
    }

    /// When bytes sent now arrive: later than everything before them on the same connection.
    fn arrival(&mut self, number: u64, to_node: bool) -> MonoTime {
        let delay = Duration::from_micros(1 + self.rng.below(DELAY_MS_MAX * 1000));
        let earliest = self.env.clock().mono().plus(delay);
        let Some(link) = self.links.get_mut(&number) else { return earliest };
        let last = if to_node { &mut link.arrives } else { &mut link.departs };
        *last = earliest.max(*last);
        *last
    }

    fn act(&mut self, number: usize, act: impl FnOnce(&mut dyn Actor, &mut Io<'_>)) {
        let Client { actor, wire, link } = &mut self.clients[number];
        let Some(link) = *link else { return };
        let mut io = Io {
            rng: &self.rng,
            history: &mut self.history,
            clock: self.env.clock(),
            wire,
            out: Vec::new(),
            wake_at: None,
            hang_up: false,
        };
        act(actor.as_mut(), &mut io);
        let Io { out, wake_at, hang_up, .. } = io;
        if let Some(at) = wake_at {
            self.schedule_at(at, Due::Wake { actor: number, link });
        }
        if !out.is_empty() {
            self.send_in_pieces(link, &out);
        }
        if hang_up {
            self.cut(link);
        }
    }

    /// A socket cuts where it likes.
    fn send_in_pieces(&mut self, link: u64, bytes: &[u8]) {
        let at = self.rng.below(bytes.len() as u64 + 1) as usize;
        for piece in [&bytes[..at], &bytes[at..]] {
            if !piece.is_empty() {
                let arrival = self.arrival(link, true);
                self.schedule_at(arrival, Due::ToNode { link, bytes: piece.to_vec() });
            }
        }
    }

    fn connect(&mut self, number: usize) {
        let Some(node) = &self.node else {
            return self.schedule(RECONNECT_MS, Due::Connect { actor: number });
        };
        if self.clients[number].link.is_some() {
            return;
        }
        self.links_made += 1;
        let link = self.links_made;
        let info =
            ConnectionInfo { peer: ([127, 0, 0, 1], 40_000).into(), listener: LISTENER.into() };
        let connection = Connection::new(Arc::clone(node), info);
        let now = self.now();
        self.links.insert(link, Link { actor: number, connection, arrives: now, departs: now });
        self.clients[number].wire = Wire::default();
        self.clients[number].link = Some(link);
        self.act(number, |actor, io| actor.connected(io));
    }

    fn cut(&mut self, number: u64) {
        let Some(link) = self.links.remove(&number) else { return };
        self.trace.note(self.now(), "cut", &[]);
        self.clients[link.actor].link = None;
        self.schedule(RECONNECT_MS, Due::Connect { actor: link.actor });
    }

    /// Starts the broker, if it is not running.
    pub fn start(&mut self) {
        if self.node.is_some() {
            return;
        }
        let endpoint =
            Endpoint { listener: LISTENER.to_owned(), host: "sim".to_owned(), port: 9092 };
        let options = NodeOptions { config: Arc::clone(&self.config), endpoints: vec![endpoint] };
        match Node::open(self.env.clone(), options) {
            Ok(node) => {
                self.trace.note(self.now(), "started", &[]);
                self.node = Some(node);
            }
            Err(error) => {
                assert!(self.faults.is_some(), "the broker does not start: {error}");
                // It died while starting.
                self.env.disk().crash(Crash::Kill);
                self.schedule(RECONNECT_MS, Due::Start);
            }
        }
    }

    fn crash(&mut self, kind: Crash) {
        self.trace.note(self.now(), "crash", &[]);
        if matches!(kind, Crash::PowerLoss) {
            self.history.note(Happened::PowerLost);
        }
        let links: Vec<u64> = self.links.keys().copied().collect();
        links.into_iter().for_each(|link| self.cut(link));
        self.node = None;
        self.env.disk().crash(kind);
    }

    fn schedule_fault(&mut self) {
        let after = 200 + self.rng.below(3_000);
        self.schedule(after, Due::Fault);
    }

    fn strike(&mut self) {
        let Some(faults) = self.faults else { return };
        self.schedule_fault();
        if self.node.is_none() {
            return;
        }
        match self.rng.below(6) {
            0 => self.env.disk().die_after(1 + self.rng.below(200)),
            1 if faults.power => self.crash_and_restart(Crash::PowerLoss),
            1 | 2 => self.crash_and_restart(Crash::Kill),
            3 => self.shut_down(),
            _ => {
                let links: Vec<u64> = self.links.keys().copied().collect();
                if let Some(link) = links.get(self.rng.below(links.len().max(1) as u64) as usize) {
                    self.cut(*link);
                }
            }
        }
    }

    fn crash_and_restart(&mut self, kind: Crash) {
        self.crash(kind);
        let after = 1 + self.rng.below(500);
        self.schedule(after, Due::Start);
    }

    fn shut_down(&mut self) {
        if let Some(node) = &self.node {
            node.shutdown();
        }
        self.crash_and_restart(Crash::Kill);
    }

    fn schedule(&mut self, after_ms: u64, due: Due) {
        let at = self.now().plus(Duration::from_millis(after_ms));
        self.schedule_at(at, due);
    }

    fn schedule_at(&mut self, at: MonoTime, due: Due) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), due);
    }
}

impl World {
    /// One request on a connection of its own, as a tool would send it; time passes until its answer.
    ///
    /// # Panics
    /// If no answer comes: without faults the broker answers everything.
    pub fn call<R: Request>(&mut self, request: &R) -> R::Response {
        let node = Arc::clone(self.node.as_ref().expect("a running broker"));
        let info = ConnectionInfo { peer: ([127, 0, 0, 1], 1).into(), listener: LISTENER.into() };
        let mut connection = Connection::new(node, info);
        let mut wire = Wire::default();
        connection.read_buffer().extend_from_slice(&wire.request(request));
        connection.handle_input().expect("a well-formed request");
        let deadline = self.now().plus(Duration::from_millis(CALL_MS_MAX));
        loop {
            let responses = connection.responses();
            match responses.poll_ready(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(chunks)) => {
                    let answers = wire.receive(&chunks.concat());
                    return answers.first().expect("one answer").to();
                }
                Poll::Ready(None) => panic!("{} was refused", R::NAME),
                Poll::Pending => assert!(self.step(deadline), "{} was never answered", R::NAME),
            }
        }
    }
}
