//! What goes wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use env::Env;
use env_sim::Crash;
use types::MonoTime;

use super::machine::Machine;
use super::{CLIENTS, Cluster, Due, MACHINES};
use crate::world::{Faults, Lie};

/// Mutations of a disk until a process dies in the middle of one, at most.
const DIES_WITHIN: u64 = 200;
/// The place of that fault among all; the others come before it.
const CONTROLLER_SLEEPS: u64 = 10;

impl Cluster {
    /// From now on things go wrong.
    pub(super) fn begin_faults(&mut self, faults: Faults) {
        self.faults = Some(faults);
        self.lie = faults.lie;
        match faults.lie {
            Some(Lie::SyncsAreIgnored) => {
                self.machines.iter().for_each(|machine| machine.env.disk().ignore_syncs());
            }
            Some(Lie::LogWriteIsDropped) => {
                let id = 1 + self.rng.below(MACHINES as u64) as usize;
                self.machine(id).env.disk().ignore_writes("events-", ".log", 1);
            }
            Some(Lie::CommitsAreDropped | Lie::ProduceIsRepeated | Lie::WokenAreConfirmed)
            | None => {}
        }
        self.schedule_fault();
    }

    /// Nothing goes wrong any more, and everything is started again.
    pub(super) fn end_faults(&mut self) {
        self.faults = None;
        self.cuts.clear();
        self.queue.retain(|_, due| !matches!(due, Due::Fault | Due::Start { .. }));
        for id in 1..=MACHINES {
            self.machine_mut(id).frozen_until = MonoTime(0);
            self.machine(id).env.disk().die_after(u64::MAX);
            self.start(id);
            self.look_after(id);
        }
    }

    fn schedule_fault(&mut self) {
        let after = 200 + self.rng.below(2_500);
        self.schedule(after, Due::Fault);
    }

    pub(super) fn strike(&mut self) {
        let Some(faults) = self.faults else { return };
        self.schedule_fault();
        let id = 1 + self.rng.below(MACHINES as u64) as usize;
        // A lie about who wakes is told to nobody while nobody sleeps.
        let sleeps = faults.lie == Some(Lie::WokenAreConfirmed) && self.rng.one_in(2);
        match if sleeps { CONTROLLER_SLEEPS } else { self.rng.below(CONTROLLER_SLEEPS + 1) } {
            0 => self.machine(id).env.disk().die_after(1 + self.rng.below(DIES_WITHIN)),
            1 if faults.power => self.black_out(),
            2 if faults.power => self.crash_and_restart(id, Crash::PowerLoss),
            1..=3 => self.crash_and_restart(id, Crash::Kill),
            4 => self.shut_down(id),
            5 => self.freeze(id),
            6 | 7 => self.cut(id),
            8 => self.cut_one_way(id),
            CONTROLLER_SLEEPS => self.freeze_controller(),
            _ => {
                if let Some(link) = self.random_link() {
                    self.met.cuts += 1;
                    self.end_server_side(link);
                }
            }
        }
    }

    fn black_out(&mut self) {
        self.met.blackouts += 1;
        for id in 1..=MACHINES {
            self.crash_and_restart(id, Crash::PowerLoss);
        }
    }

    fn crash_and_restart(&mut self, id: usize, kind: Crash) {
        if self.machine(id).node.is_some() {
            self.crash(id, kind);
            self.start_soon(id);
        }
    }

    /// The process is gone, or dying; soon another one starts.
    pub(super) fn die(&mut self, id: usize) {
        self.met.deaths += 1;
        let power = self.faults.is_some_and(|faults| faults.power) && self.rng.one_in(3);
        self.crash(id, if power { Crash::PowerLoss } else { Crash::Kill });
        self.start_soon(id);
    }

    pub(super) fn crash(&mut self, id: usize, kind: Crash) {
        match kind {
            Crash::Kill => self.met.kills += 1,
            Crash::PowerLoss => self.met.power_losses += 1,
        }
        let now = self.now();
        let mutations = self.machine(id).env.disk().mutations();
        self.trace.note(now, "crash", &mutations.to_be_bytes());
        self.machine_mut(id).is_off = kind == Crash::PowerLoss;
        self.drop_links_of(id);
        let holders = self.machine_mut(id).end(kind);
        if holders > 0 {
            self.complaints.push(format!("{holders} waiters outlive node {id}"));
        }
    }

    fn start_soon(&mut self, id: usize) {
        let after = 50 + self.rng.below(3_000);
        self.schedule(after, Due::Start { machine: id });
    }

    pub(super) fn start(&mut self, id: usize) {
        if self.machine(id).node.is_some() {
            return;
        }
        let now = self.now();
        self.trace.note(now, "start", &[id as u8]);
        if !self.machine_mut(id).start() {
            self.die(id);
        }
    }

    /// A stop without handing over; all is on its disk then.
    fn shut_down(&mut self, id: usize) {
        let Some(node) = self.machine(id).node.clone() else { return };
        node.shutdown();
        drop(node);
        if self.machine(id).env.disk().is_dead() {
            return self.die(id);
        }
        self.met.shutdowns += 1;
        self.crash_and_restart(id, Crash::Kill);
    }

    fn freeze(&mut self, id: usize) {
        self.met.freezes += 1;
        let ms = 200 + self.rng.below(4_000);
        let until = self.now().plus(Duration::from_millis(ms));
        self.machine_mut(id).frozen_until = until;
    }

    /// Long enough for the others to elect another one and for its broker to be replaced. What they
    /// have to say comes later than its clients do, so that it wakes and believes that it leads.
    fn freeze_controller(&mut self) {
        let Some((_, id)) = self.leads else { return };
        let is_awake = |machine: &Machine| machine.frozen_until <= self.now();
        if !self.machines.iter().all(|machine| machine.node.is_some() && is_awake(machine)) {
            // Nobody would take its place.
            return;
        }
        self.met.sleeping_controllers += 1;
        let asleep_ms = 4_000 + self.rng.below(5_000);
        self.machine_mut(id).frozen_until = self.now().plus(Duration::from_millis(asleep_ms));
        let deaf_ms = asleep_ms + 500 + self.rng.below(2_000);
        let others = (1..=MACHINES).filter(|other| *other != id);
        let both = others.flat_map(|other| [(id, other), (other, id)]);
        self.cut_ways(both.collect(), deaf_ms);
    }

    /// A machine hears nobody and is heard by nobody, or one other only.
    fn cut(&mut self, id: usize) {
        self.met.isolations += 1;
        let others: Vec<usize> = match self.rng.below(3) {
            0 => (CLIENTS..=MACHINES).filter(|other| *other != id).collect(),
            1 => (1..=MACHINES).filter(|other| *other != id).collect(),
            _ => vec![1 + (id + self.rng.below(MACHINES as u64 - 1) as usize) % MACHINES],
        };
        let both = others.iter().flat_map(|other| [(id, *other), (*other, id)]);
        self.cut_for_a_while(both.collect());
    }

    /// It is heard and hears nothing, or the other way round.
    fn cut_one_way(&mut self, id: usize) {
        self.met.one_way_isolations += 1;
        let hears = self.rng.one_in(2);
        let others = (1..=MACHINES).filter(|other| *other != id);
        let way = |other: usize| if hears { (id, other) } else { (other, id) };
        self.cut_for_a_while(others.map(way).collect());
    }

    fn cut_for_a_while(&mut self, ways: BTreeSet<(usize, usize)>) {
        let ms = 200 + self.rng.below(4_000);
        self.cut_ways(ways, ms);
    }

    fn cut_ways(&mut self, ways: BTreeSet<(usize, usize)>, ms: u64) {
        self.scheduled += 1;
        let number = self.scheduled;
        self.cuts.insert(number, ways);
        self.schedule(ms, Due::Heal { number });
    }
}
