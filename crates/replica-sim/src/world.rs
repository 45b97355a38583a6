use types::MonoTime;

use crate::broker::Broker;
use crate::clients::Client;
use crate::controller::Controller;
use crate::defect::Defect;
use crate::message::{Alarm, CONTROLLER, FIRST_CLIENT, NodeId};
use crate::stage::{Happening, Stage};

pub struct World {
    pub stage: Stage,
    pub controller: Controller,
    pub brokers: Vec<Broker>,
    pub clients: Vec<Client>,
    pub cuts: Vec<Vec<(NodeId, NodeId)>>,
    /// Nothing goes wrong any more.
    pub is_healed: bool,
}

impl World {
    pub fn new(seed: u64, defect: Option<Defect>, reassigns: bool) -> World {
        let stage = Stage::new(seed, defect, reassigns);
        let controller =
            Controller::new(stage.weather.min_insync_replicas, stage.has(Defect::UncleanElection));
        World {
            controller,
            brokers: (1..=stage.weather.brokers).map(Broker::new).collect(),
            clients: Client::all(),
            cuts: Vec::new(),
            is_healed: false,
            stage,
        }
    }

    pub fn begin(&mut self) {
        // A fresh replica is empty and has everything there is.
        for broker in &mut self.brokers {
            broker.start(&mut self.stage);
        }
        for client in &mut self.clients {
            client.go_on(&mut self.stage);
        }
        self.controller.begin(&mut self.stage);
        let first = self.stage.now.plus(self.stage.chance.millis(500, 2_000));
        self.stage.schedule(first, 0, Happening::Fault);
    }

    pub fn run_until(&mut self, end: MonoTime) {
        while let Some((node, happening)) = self.stage.next(end) {
            let reign = self.controller.state.leader_epoch;
            self.step(node, happening);
            if reign != self.controller.state.leader_epoch {
                self.check_elected();
            }
            if !self.stage.met.acks.is_empty() {
                self.check_acks();
            }
            if !self.stage.broken.is_empty() {
                return;
            }
        }
        self.stage.now = self.stage.now.max(end);
    }

    fn step(&mut self, node: NodeId, happening: Happening) {
        match happening {
            Happening::Fault if self.is_healed => {}
            Happening::Fault => self.fault(),
            Happening::Mends { fault } => {
                for pair in std::mem::take(&mut self.cuts[fault]) {
                    let still = self.cuts.iter().flatten().any(|other| *other == pair);
                    if !still {
                        self.stage.cut.remove(&pair);
                    }
                }
            }
            happening if node == CONTROLLER => match happening {
                Happening::Arrives { from, message, .. } => {
                    self.controller.handle(from, message, &mut self.stage);
                }
                Happening::Rings { alarm: Alarm::Sessions, .. } => {
                    self.controller.check_sessions(&mut self.stage);
                }
                _ => {}
            },
            happening if node >= FIRST_CLIENT => {
                let client = &mut self.clients[node - FIRST_CLIENT];
                match happening {
                    Happening::Arrives { message, .. } => client.handle(message, &mut self.stage),
                    Happening::Rings { alarm, .. } => client.ring(&alarm, &mut self.stage),
                    _ => {}
                }
            }
            happening => self.step_broker(node, happening),
        }
    }

    fn step_broker(&mut self, node: NodeId, happening: Happening) {
        let broker = &mut self.brokers[node - 1];
        if broker.paused_until > self.stage.now {
            // It happens to it when it goes on.
            let at = broker.paused_until;
            return self.stage.schedule(at, node, happening);
        }
        match happening {
            Happening::Arrives { life, .. } if life != broker.life => {}
            Happening::Arrives { from, message, .. } => {
                broker.handle(from, message, &mut self.stage);
            }
            Happening::Rings { life, alarm } => broker.ring(life, alarm, &mut self.stage),
            _ => {}
        }
    }

    pub fn heal(&mut self) {
        self.is_healed = true;
        self.stage.cut.clear();
        self.cuts.iter_mut().for_each(Vec::clear);
        self.stage.weather.losses = 0;
        for broker in &mut self.brokers {
            broker.paused_until = self.stage.now;
            broker.start(&mut self.stage);
        }
    }

    /// Whoever is elected holds everything that was ever committed.
    fn check_elected(&mut self) {
        let Some(leader) = self.controller.state.leader else { return };
        let disk = &self.brokers[leader.0 as usize - 1].disk;
        if disk.is_damaged {
            // It says so when it comes back, and leads no more.
            return;
        }
        let log = &disk.records;
        let mut known = self.stage.committed.iter().enumerate();
        let lacks = known.find(|(at, known)| log.get(*at) != Some(*known));
        if let Some((at, lost)) = lacks {
            let ms = self.stage.now.0 / 1_000_000;
            self.stage
                .broken(format!("{ms} ms: broker {leader} is elected without {lost:?} at {at}"));
        }
    }

    /// What is acknowledged is on as many disks as were asked for.
    fn check_acks(&mut self) {
        for (base, end) in std::mem::take(&mut self.stage.met.acks) {
            let (from, to) = (base.0 as usize, end.0 as usize);
            let Some(acked) = self.stage.committed.get(from..to) else { continue };
            let holds = |broker: &&Broker| {
                broker.disk.durable >= to && broker.disk.records.get(from..to) == Some(acked)
            };
            let found = self.brokers.iter().filter(holds).count();
            let asked = self.stage.weather.min_insync_replicas;
            if found < asked {
                self.stage.broken(format!(
                    "{} ms: {base} to {end} was acknowledged, on {found} disks of {asked}",
                    self.stage.now.0 / 1_000_000
                ));
            }
        }
    }
}
