//! What goes wrong.

use types::{BrokerId, Offset};

use crate::message::{Alarm, NodeId};
use crate::stage::Happening;
use crate::world::World;

/// How often what happened.
#[derive(Clone, Debug, Default)]
pub struct Met {
    pub crashes: u64,
    pub power_losses: u64,
    pub power_losses_of_all: u64,
    pub pauses: u64,
    pub cuts: u64,
    pub wipes: u64,
    pub rots: u64,
    pub leader_moves: u64,
    pub reassignments: u64,
    pub moves_completed: u64,
    pub removals: u64,
    pub elections: u64,
    pub fenced: u64,
    pub fenced_fetches: u64,
    pub isr_changes: u64,
    pub unanswered: u64,
    pub divergences: u64,
    pub truncations: u64,
    pub acked: u64,
    /// The last replica with everything came back without it.
    pub last_lost: u64,
    /// Stretches acknowledged since anybody looked.
    pub acks: Vec<(Offset, Offset)>,
}

impl Met {
    pub fn faults(&self) -> u64 {
        self.crashes
            + self.power_losses
            + self.pauses
            + self.cuts
            + self.wipes
            + self.rots
            + self.leader_moves
            + self.reassignments
    }

    /// Each kind of event with its count, for the report.
    pub fn named(&self) -> [(&'static str, u64); 19] {
        [
            ("crashes", self.crashes),
            ("power losses", self.power_losses),
            ("of all at once", self.power_losses_of_all),
            ("pauses", self.pauses),
            ("cuts", self.cuts),
            ("wiped disks", self.wipes),
            ("rotten disks", self.rots),
            ("leaders moved", self.leader_moves),
            ("reassignments", self.reassignments),
            ("of them completed", self.moves_completed),
            ("replicas removed", self.removals),
            ("elections", self.elections),
            ("brokers fenced", self.fenced),
            ("fetches fenced", self.fenced_fetches),
            ("changes in sync", self.isr_changes),
            ("changes unanswered", self.unanswered),
            ("divergences", self.divergences),
            ("truncations", self.truncations),
            ("records acknowledged", self.acked),
        ]
    }

    pub fn add(&mut self, other: &Met) {
        self.crashes += other.crashes;
        self.power_losses += other.power_losses;
        self.power_losses_of_all += other.power_losses_of_all;
        self.pauses += other.pauses;
        self.cuts += other.cuts;
        self.wipes += other.wipes;
        self.rots += other.rots;
        self.leader_moves += other.leader_moves;
        self.reassignments += other.reassignments;
        self.moves_completed += other.moves_completed;
        self.removals += other.removals;
        self.elections += other.elections;
        self.fenced += other.fenced;
        self.fenced_fetches += other.fenced_fetches;
        self.isr_changes += other.isr_changes;
        self.unanswered += other.unanswered;
        self.divergences += other.divergences;
        self.truncations += other.truncations;
        self.acked += other.acked;
        self.last_lost += other.last_lost;
    }
}

impl World {
    pub(crate) fn fault(&mut self) {
        let brokers = self.stage.weather.brokers;
        let broker = 1 + self.stage.chance.below(brokers as u64) as NodeId;
        let kinds = if self.stage.weather.reassigns { 14 } else { 12 };
        match self.stage.chance.below(kinds) {
            0 | 1 => self.crash(broker),
            2 | 3 => self.lose_power(broker),
            4 => {
                self.stage.met.power_losses_of_all += 1;
                (1..=brokers).for_each(|broker| self.lose_power(broker));
            }
            5 | 6 => {
                self.stage.met.pauses += 1;
                let pause = self.stage.chance.millis(10, 5_000);
                self.brokers[broker - 1].paused_until = self.stage.now.plus(pause);
            }
            7..=9 => self.cut(broker),
            10 => {
                self.stage.met.leader_moves += 1;
                self.controller.move_leader(&mut self.stage);
            }
            11 => self.damage(broker),
            _ => self.reassign(),
        }
        let (least, most) = self.stage.weather.fault_every_ms;
        let after = self.stage.chance.millis(least, most);
        self.stage.schedule(self.stage.now.plus(after), 0, Happening::Fault);
    }

    fn crash(&mut self, broker: NodeId) {
        if self.brokers[broker - 1].stop() {
            self.stage.met.crashes += 1;
        }
        self.restart_later(broker);
    }

    fn lose_power(&mut self, broker: NodeId) {
        self.stage.met.power_losses += 1;
        let here = &mut self.brokers[broker - 1];
        here.stop();
        here.disk.lose_power(&mut self.stage.chance);
        self.restart_later(broker);
    }

    fn restart_later(&mut self, broker: NodeId) {
        let after = self.stage.chance.millis(50, 4_000);
        self.stage.ring(after, broker, 0, Alarm::Start);
    }

    fn cut(&mut self, broker: NodeId) {
        self.stage.met.cuts += 1;
        let other = match self.stage.chance.below(self.stage.weather.brokers as u64 + 1) as NodeId {
            other if other == broker => 0,
            other => other,
        };
        let one_way = self.stage.chance.one_in(2);
        let pairs =
            if one_way { vec![(broker, other)] } else { vec![(broker, other), (other, broker)] };
        let fault = self.cuts.len();
        self.stage.cut.extend(pairs.iter().copied());
        self.cuts.push(pairs);
        let after = self.stage.chance.millis(50, 6_000);
        self.stage.schedule(self.stage.now.plus(after), 0, Happening::Mends { fault });
    }

    /// Other replicas, two or three, in any order.
    fn reassign(&mut self) {
        let mut target: Vec<BrokerId> =
            (1..=self.stage.weather.brokers as i32).map(BrokerId).collect();
        for at in (1..target.len()).rev() {
            target.swap(at, self.stage.chance.below(at as u64 + 1) as usize);
        }
        target.truncate(2 + self.stage.chance.below(2) as usize);
        self.controller.reassign(target, &mut self.stage);
    }

    /// A disk that loses what it had is survived if the others hold everything, what it has vouched
    /// for and is not committed yet included.
    fn damage(&mut self, broker: NodeId) {
        let vouched = &self.brokers[broker - 1].disk.records;
        let needed = self.stage.committed.len().max(vouched.len());
        let (isr, replicas) = (&self.controller.state.isr, &self.controller.state.replicas);
        let holds = |id: NodeId| replicas.contains(&BrokerId(id as i32));
        let others = self.brokers.iter().filter(|other| other.id != broker && holds(other.id));
        let spare = replicas.len() > self.stage.weather.min_insync_replicas;
        let safe = spare
            && others.into_iter().all(|other| {
                let is_member = isr.iter().any(|member| member.0 as NodeId == other.id);
                let agrees = other.disk.records.starts_with(vouched);
                agrees && other.disk.durable >= needed && is_member && !other.disk.is_damaged
            });
        if !safe || !holds(broker) || self.stage.weather.min_insync_replicas < 2 {
            return;
        }
        let wipes = self.stage.chance.one_in(2);
        let here = &mut self.brokers[broker - 1];
        here.stop();
        match wipes {
            true => {
                self.stage.met.wipes += 1;
                here.disk.wipe();
            }
            false => {
                self.stage.met.rots += 1;
                here.disk.rot(&mut self.stage.chance);
            }
        }
        self.restart_later(broker);
    }
}
