//! What goes wrong, and what the world does about it.

use std::sync::Arc;

use broker::{Connection, ConnectionInfo, Endpoint, Node, NodeOptions};
use env::Env;
use env_sim::Crash;
use protocol::ApiKey;

use super::{Due, LISTENER, RECONNECT_MS, World};
use history::Event;

/// Mutations of the disk until a process dies in the middle of one, at most.
const DIES_WITHIN: u64 = 200;

/// Faults a run may meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Whether the power may fail, and not only the process.
    pub power: bool,
    /// A defect of the world that a run must find: the proof that it could.
    pub lie: Option<Lie>,
}

/// A defect that no broker can make good. A run in which one is told must end badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The disk acknowledges a write to a topic's log and does not do it.
    LogWriteIsDropped,
    /// The disk acknowledges writes to the offsets topic and does not do them.
    CommitsAreDropped,
    /// The disk acknowledges syncs and saves nothing; then the power fails.
    SyncsAreIgnored,
    /// The network delivers a produce request twice.
    ProduceIsRepeated,
    /// A controller that wakes is told in the voters' names that it leads still: as if it did not
    /// ask them. Of several nodes.
    WokenAreConfirmed,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    pub kills: u64,
    /// Deaths in the middle of a mutation of the disk.
    pub deaths: u64,
    pub deaths_at_start: u64,
    pub power_losses: u64,
    pub shutdowns: u64,
    /// Connections.
    pub cuts: u64,
    /// Among several machines: all of them without power at once.
    pub blackouts: u64,
    pub freezes: u64,
    /// Of whoever led the voters, until others did.
    pub sleeping_controllers: u64,
    /// A machine apart from others, both ways.
    pub isolations: u64,
    /// A machine that is heard and does not hear, or the other way round.
    pub one_way_isolations: u64,
}

impl std::ops::AddAssign for Met {
    fn add_assign(&mut self, other: Met) {
        self.kills += other.kills;
        self.deaths += other.deaths;
        self.deaths_at_start += other.deaths_at_start;
        self.power_losses += other.power_losses;
        self.shutdowns += other.shutdowns;
        self.cuts += other.cuts;
        self.blackouts += other.blackouts;
        self.freezes += other.freezes;
        self.sleeping_controllers += other.sleeping_controllers;
        self.isolations += other.isolations;
        self.one_way_isolations += other.one_way_isolations;
    }
}

impl Faults {
    /// What acknowledgements promise in a run: most are about the disk. A node that promises that
    /// reads back what it wrote, so a write that was dropped is found out before any checker looks.
    pub fn is_durable(self, seed: u64) -> bool {
        match self.lie {
            Some(Lie::LogWriteIsDropped | Lie::CommitsAreDropped) => false,
            Some(Lie::SyncsAreIgnored) => true,
            _ => !seed.is_multiple_of(4),
        }
    }
}

impl Lie {
    pub const ALL: [(&str, Lie); 5] = [
        ("log-write-dropped", Lie::LogWriteIsDropped),
        ("commits-dropped", Lie::CommitsAreDropped),
        ("syncs-ignored", Lie::SyncsAreIgnored),
        ("produce-repeated", Lie::ProduceIsRepeated),
        ("woken-confirmed", Lie::WokenAreConfirmed),
    ];
}

impl Drop for World {
    /// A node and those who wait in it hold each other; the end of its process frees all.
    fn drop(&mut self) {
        self.env.disk().crash(Crash::Kill);
        self.process.background().forget();
        self.free_node();
    }
}

impl World {
    /// From now on things go wrong.
    pub fn begin_faults(&mut self, faults: Faults) {
        self.faults = Some(faults);
        self.lie = faults.lie;
        match faults.lie {
            Some(Lie::LogWriteIsDropped) => self.env.disk().ignore_writes("events-", ".log", 1),
            Some(Lie::CommitsAreDropped) => {
                self.env.disk().ignore_writes("__consumer_offsets-", ".log", u64::MAX);
            }
            Some(Lie::SyncsAreIgnored) => self.env.disk().ignore_syncs(),
            Some(Lie::ProduceIsRepeated | Lie::WokenAreConfirmed) | None => {}
        }
        self.schedule_fault();
    }

    /// Nothing goes wrong any more, after one last crash; the broker is started again.
    pub fn end_faults(&mut self) {
        let power = self.power_fails() && self.rng.one_in(2);
        self.faults = None;
        self.queue.retain(|_, due| !matches!(due, Due::Fault | Due::Start));
        self.crash(if power { Crash::PowerLoss } else { Crash::Kill });
        self.start();
    }

    /// The node stops for good.
    pub fn end(&mut self) {
        self.end_process(Crash::Kill);
    }

    /// Starts the broker, if it is not running.
    ///
    /// # Panics
    /// If it does not start although its disk works: nothing that happens here excuses that.
    pub fn start(&mut self) {
        if self.node.is_some() {
            return;
        }
        let endpoint =
            Endpoint { listener: LISTENER.to_owned(), host: "sim".to_owned(), port: 9092 };
        let options = NodeOptions {
            config: Arc::clone(&self.config),
            endpoints: vec![endpoint],
            controller_endpoints: Vec::new(),
        };
        self.process = self.env.for_process();
        match Node::open(self.process.clone(), options) {
            Ok(node) => {
                self.trace.note(self.now(), "started", &[]);
                self.node = Some(node);
            }
            Err(error) => {
                assert!(self.env.disk().is_dead(), "the broker does not start: {error}");
                self.met.deaths_at_start += 1;
                self.die();
            }
        }
    }

    /// The process is gone, or dying; soon another one starts.
    pub(super) fn die(&mut self) {
        self.met.deaths += 1;
        let power = self.power_fails() && self.rng.one_in(3);
        self.crash_and_restart(if power { Crash::PowerLoss } else { Crash::Kill });
    }

    fn power_fails(&self) -> bool {
        self.faults.is_some_and(|faults| faults.power)
    }

    fn crash(&mut self, kind: Crash) {
        if kind == Crash::PowerLoss && !self.is_durable {
            self.history.note(Event::PowerLost);
        }
        self.end_process(kind);
    }

    fn end_process(&mut self, kind: Crash) {
        self.trace.note(self.now(), "crash", &self.env.disk().mutations().to_be_bytes());
        match kind {
            Crash::Kill => self.met.kills += 1,
            Crash::PowerLoss => self.met.power_losses += 1,
        }
        let links: Vec<u64> = self.links.keys().copied().collect();
        links.into_iter().for_each(|link| self.cut(link));
        self.env.disk().crash(kind);
        self.process.background().forget();
        self.free_node();
    }

    /// Its disk is dead and nobody hears it: this only frees the memory.
    fn free_node(&mut self) {
        let Some(node) = self.node.take() else { return };
        node.shutdown();
        self.process.background().run_due();
        self.process.background().forget();
        let timers = Arc::clone(node.timers());
        drop(node);
        let holders = Arc::strong_count(&timers) - 1;
        if holders > 0 {
            self.complaints.push(format!("{holders} waiters outlive a node that was shut down"));
        }
    }

    fn schedule_fault(&mut self) {
        let after = 200 + self.rng.below(3_000);
        self.schedule(after, Due::Fault);
    }

    pub(super) fn strike(&mut self) {
        let Some(faults) = self.faults else { return };
        self.schedule_fault();
        match self.rng.below(6) {
            // This may strike while the broker starts, too.
            0 => self.env.disk().die_after(1 + self.rng.below(DIES_WITHIN)),
            _ if self.node.is_none() => {}
            1 if faults.power => self.crash_and_restart(Crash::PowerLoss),
            1 | 2 => self.crash_and_restart(Crash::Kill),
            3 => self.shut_down(faults.power && self.rng.one_in(2)),
            _ => {
                let links: Vec<u64> = self.links.keys().copied().collect();
                if let Some(link) = links.get(self.rng.below(links.len().max(1) as u64) as usize) {
                    self.met.cuts += 1;
                    self.cut(*link);
                }
            }
        }
    }

    fn crash_and_restart(&mut self, kind: Crash) {
        self.crash(kind);
        self.start_soon();
    }

    fn start_soon(&mut self) {
        let after = RECONNECT_MS + self.rng.below(500);
        self.schedule(after, Due::Start);
    }

    /// After a clean shutdown even the loss of power loses nothing.
    fn shut_down(&mut self, then_power_fails: bool) {
        if let Some(node) = &self.node {
            node.shutdown();
        }
        if self.env.disk().is_dead() {
            return self.die();
        }
        self.met.shutdowns += 1;
        self.end_process(if then_power_fails { Crash::PowerLoss } else { Crash::Kill });
        self.start_soon();
    }

    /// The second delivery comes over a connection whose answers nobody reads.
    pub(super) fn tell_lie_about(&mut self, request: &[u8]) {
        let key = request.get(4..6).map(|key| i16::from_be_bytes([key[0], key[1]]));
        let is_produce = key == Some(ApiKey::Produce as i16);
        if self.lie != Some(Lie::ProduceIsRepeated) || !is_produce || !self.rng.one_in(4) {
            return;
        }
        let Some(node) = &self.node else { return };
        let peer = ([127, 0, 0, 1], 2).into();
        let info = ConnectionInfo { peer, listener: LISTENER.into() };
        let mut connection = Connection::new(Arc::clone(node), info);
        connection.read_buffer().extend_from_slice(request);
        _ = connection.handle_input();
    }
}
