//! One broker, its clients, a network and faults, on one seeded queue of events.

mod faults;
mod links;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use broker::{Connection, ConnectionInfo, Node};
use config::{BrokerConfig, Sources};
use env::{Clock, Env};
use env_sim::{SimEnv, SimRng};
use protocol::Request;
use types::MonoTime;

pub use self::faults::{Faults, Lie, Met};
use self::links::Link;
use crate::actors::Actor;
use crate::trace::Trace;
use crate::wire::Wire;
use history::History;

const LISTENER: &str = "PLAINTEXT";
const RECONNECT_MS: u64 = 50;
/// How long a disk takes over what is left to other hands, at most.
const BACKGROUND_MS_MAX: u64 = 4;
/// So few that segments are closed and opened again all the time.
const OPEN_FILES_MAX: usize = 16;
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

struct Client {
    actor: Box<dyn Actor>,
    wire: Wire,
    link: Option<u64>,
}

pub struct World {
    env: SimEnv,
    /// The machine as the running process has it.
    process: SimEnv,
    rng: SimRng,
    config: Arc<BrokerConfig>,
    /// Acknowledged means on disk in this run; else, in the page cache.
    is_durable: bool,
    node: Option<Arc<Node<SimEnv>>>,
    queue: BTreeMap<(MonoTime, u64), Due>,
    scheduled: u64,
    links: BTreeMap<u64, Link>,
    links_made: u64,
    clients: Vec<Client>,
    faults: Option<Faults>,
    /// A lie that is still to be told.
    lie: Option<Lie>,
    /// What happened how often: a run without faults proves nothing.
    pub met: Met,
    /// What the broker did that none may do, whatever comes after.
    pub complaints: Vec<String>,
    pub history: History,
    pub trace: Trace,
}

impl World {
    pub fn new(seed: u64, faults: Faults) -> World {
        let is_durable = faults.is_durable(seed);
        let durability = if is_durable { "fsync" } else { "page-cache" };
        let mut overrides: Vec<String> = [
            "node.id=1",
            "process.roles=broker,controller",
            "listeners=PLAINTEXT://sim:9092",
            "log.dirs=/data",
            "offsets.topic.num.partitions=2",
            "offsets.topic.replication.factor=1",
            "group.initial.rebalance.delay.ms=100",
            "group.min.session.timeout.ms=1000",
            "auto.create.topics.enable=false",
            // Indexes that fill up, checkpoints and retention that happen within a run.
            "log.index.size.max.bytes=4096",
            "log.flush.offset.checkpoint.interval.ms=3000",
            "log.retention.check.interval.ms=5000",
        ]
        .map(str::to_owned)
        .to_vec();
        overrides.push(format!("log.durability={durability}"));
        let sources = Sources { overrides: &overrides, ..Sources::default() };
        let loaded = config::load(sources).expect("the simulator's own configuration");
        let env = SimEnv::new(seed);
        env.disk().set_open_files_max(OPEN_FILES_MAX);
        env.background().set_latency_max(Duration::from_millis(BACKGROUND_MS_MAX));
        World {
            process: env.for_process(),
            env,
            rng: SimRng::new(seed),
            config: Arc::new(loaded.config),
            is_durable,
            node: None,
            queue: BTreeMap::new(),
            scheduled: 0,
            links: BTreeMap::new(),
            links_made: 0,
            clients: Vec::new(),
            faults: None,
            lie: None,
            met: Met::default(),
            complaints: Vec::new(),
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
        let job = self.process.background().next_due();
        let soonest = queued.into_iter().chain(timer).chain(job).min();
        let Some(at) = soonest.filter(|at| *at <= end) else {
            return false;
        };
        self.env.clock().set(at);
        if job.is_some_and(|job| job <= at) {
            self.process.background().run_one();
        } else if timer.is_some_and(|timer| timer <= at) {
            if let Some(node) = &self.node {
                node.timers().expire(at);
            }
        } else if let Some((_, due)) = self.queue.pop_first() {
            self.handle(due);
        }
        if self.node.is_some() && self.env.disk().is_dead() {
            // It died in the middle of this step; what it wanted to say stays unsaid.
            self.die();
        }
        self.collect_responses();
        true
    }

    fn handle(&mut self, due: Due) {
        match due {
            Due::ToNode { link, bytes } => self.deliver_to_node(link, &bytes),
            Due::ToActor { link, bytes } => self.deliver_to_actor(link, &bytes),
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
    /// One request on a connection of its own, as a tool would send it; time passes until its
    /// answer.
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
