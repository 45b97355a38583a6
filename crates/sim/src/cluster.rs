//! Several whole brokers, their clients, the network between all of them and faults, on one seeded
//! queue of events.
//!
//! Each machine has a disk, hands and chance of its own; they share the time. Whoever is up, the
//! broker of each is the one that is shipped: what nodes say to each other goes through
//! `broker::peers` onto this network, frame for frame.

mod clients;
mod course;
mod faults;
mod hands;
mod machine;
mod network;
mod voters;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::peers;
use env::{Clock, Env};
use env_sim::{SimClock, SimEnv, SimRng};
use types::MonoTime;

use self::clients::Client;
pub use self::course::run;
use self::machine::Machine;
use self::network::Link;
use crate::trace::Trace;
use crate::world::{Faults, Lie, Met};
use history::History;

/// All are brokers and voters.
pub const MACHINES: usize = 3;

/// Where clients are; machines count from one.
const CLIENTS: usize = 0;

/// What is due at some time.
enum Due {
    /// The next piece on its way in one direction.
    Deliver {
        link: u64,
        to_server: bool,
    },
    /// The one who made the connection hears that it has ended.
    SourceHears {
        link: u64,
    },
    /// The one who took it does.
    ServerHears {
        link: u64,
    },
    /// Nobody listens where a machine wanted to connect.
    Refused {
        from: usize,
        life: u64,
        link: peers::Link,
    },
    Connect {
        client: usize,
    },
    Wake {
        client: usize,
        link: u64,
    },
    /// A client has waited for so long after so many answers.
    Patience {
        link: u64,
        answers: u64,
    },
    Start {
        machine: usize,
    },
    Fault,
    /// A cut ends.
    Heal {
        number: u64,
    },
}

/// Where the next event is.
enum Next {
    Job(usize),
    Timer(usize),
    Queue,
}

pub struct Cluster {
    clock: SimClock,
    rng: SimRng,
    machines: Vec<Machine>,
    queue: BTreeMap<(MonoTime, u64), Due>,
    scheduled: u64,
    links: BTreeMap<u64, Link>,
    links_made: u64,
    /// The connection of a machine for each of its links.
    connected: BTreeMap<(usize, peers::Link), u64>,
    /// Nothing comes through from the one to the other.
    cuts: BTreeMap<u64, BTreeSet<(usize, usize)>>,
    clients: Vec<Client>,
    /// The latest term of the voters that anybody was told of, and who leads in it.
    leads: Option<(u64, usize)>,
    faults: Option<Faults>,
    lie: Option<Lie>,
    pub met: Met,
    /// What a broker did that none may do, whatever comes after.
    pub complaints: Vec<String>,
    pub history: History,
    pub trace: Trace,
}

impl Cluster {
    pub fn new(seed: u64, faults: Faults) -> Cluster {
        let first = SimEnv::new(seed);
        let clock = first.clock().clone();
        let machines = (1..=MACHINES).map(|id| {
            let env = first.beside(seed.wrapping_mul(31).wrapping_add(id as u64));
            Machine::new(id, env, faults, !seed.is_multiple_of(2))
        });
        Cluster {
            clock,
            machines: machines.collect(),
            rng: SimRng::new(seed),
            queue: BTreeMap::new(),
            scheduled: 0,
            links: BTreeMap::new(),
            links_made: 0,
            connected: BTreeMap::new(),
            cuts: BTreeMap::new(),
            clients: Vec::new(),
            leads: None,
            faults: None,
            lie: None,
            met: Met::default(),
            complaints: Vec::new(),
            history: History::default(),
            trace: Trace::default(),
        }
    }

    pub fn now(&self) -> MonoTime {
        self.clock.mono()
    }

    fn machine(&self, id: usize) -> &Machine {
        &self.machines[id - 1]
    }

    fn machine_mut(&mut self, id: usize) -> &mut Machine {
        &mut self.machines[id - 1]
    }

    fn is_frozen(&self, host: usize) -> bool {
        host != CLIENTS && self.machine(host).frozen_until > self.now()
    }

    /// Lets `ms` simulated milliseconds pass.
    pub fn run_for(&mut self, ms: u64) {
        let end = self.now().plus(Duration::from_millis(ms));
        while self.step(end) {}
        self.clock.set(end);
    }

    /// Does what is due next, if that is not after `end`.
    fn step(&mut self, end: MonoTime) -> bool {
        let queued = self.queue.first_key_value().map(|(key, _)| (key.0, 2, Next::Queue));
        let others = self.machines.iter().flat_map(|machine| {
            let job = machine.next_job().map(|at| (at, 0, Next::Job(machine.id)));
            let timer = machine.next_timer().map(|at| (at, 1, Next::Timer(machine.id)));
            job.into_iter().chain(timer)
        });
        let soonest = others.chain(queued).min_by_key(|(at, kind, _)| (*at, *kind));
        let Some((at, _, next)) = soonest.filter(|(at, ..)| *at <= end) else { return false };
        self.clock.set(at);
        let touched = match next {
            Next::Job(id) => {
                self.machine(id).run_job();
                Some(id)
            }
            Next::Timer(id) => {
                self.machine(id).expire(at);
                Some(id)
            }
            Next::Queue => {
                let due = self.queue.pop_first();
                due.and_then(|(_, due)| self.handle(due))
            }
        };
        if let Some(id) = touched {
            self.look_after(id);
        }
        true
    }

    /// Takes what a machine has to say after it has done something.
    fn look_after(&mut self, id: usize) {
        if self.machine(id).has_died() {
            // What it wanted to say stays unsaid.
            return self.die(id);
        }
        if let Some(why) = self.machine_mut(id).halted() {
            self.complaints.push(format!("node {id} stops by itself: {why}"));
        }
        self.collect_responses(id);
        self.collect_calls(id);
    }

    /// Returns the machine that may have something to say after that.
    fn handle(&mut self, due: Due) -> Option<usize> {
        match due {
            Due::Deliver { link, to_server } => return self.deliver(link, to_server),
            Due::SourceHears { link } => return self.tell_source(link),
            Due::ServerHears { link } => return self.tell_server(link),
            Due::Refused { from, life, link } => {
                let machine = self.machine(from);
                if machine.life == life
                    && let Some(node) = &machine.node
                {
                    node.peers().handle_refused(&link);
                    return Some(from);
                }
            }
            Due::Connect { client } => self.connect_client(client),
            Due::Wake { client, link } => {
                if self.clients[client].link == Some(link) {
                    self.act(client, |actor, io| actor.woken(io));
                }
            }
            Due::Patience { link, answers } => self.lose_patience(link, answers),
            Due::Start { machine } => {
                self.start(machine);
                return Some(machine);
            }
            Due::Fault => self.strike(),
            Due::Heal { number } => _ = self.cuts.remove(&number),
        }
        None
    }

    fn schedule(&mut self, after_ms: u64, due: Due) {
        let at = self.now().plus(Duration::from_millis(after_ms));
        self.schedule_at(at, due);
    }

    fn schedule_at(&mut self, at: MonoTime, due: Due) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), due);
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cuts.values().any(|cut| cut.contains(&(from, to)))
    }
}
