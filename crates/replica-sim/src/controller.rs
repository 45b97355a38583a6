//! A controller that never fails, is reached over the network, and is right by being simple.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use replication::{IsrOutcome, IsrProposal, PartitionState};
use types::{BrokerEpoch, BrokerId, ErrorCode, LeaderEpoch, MonoTime, PartitionEpoch};

use crate::defect::Defect;
use crate::message::{Alarm, BROKERS, CONTROLLER, Image, Message, NodeId};
use crate::stage::Stage;

mod moving;

const SESSION: Duration = Duration::from_millis(1_500);
const CHECK: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug)]
struct Registered {
    epoch: BrokerEpoch,
    incarnation: u64,
    fenced: bool,
    heard_at: MonoTime,
}

pub struct Controller {
    pub state: PartitionState,
    /// Hold everything that is committed although they are not in sync (KIP-966).
    eligible: Vec<BrokerId>,
    /// Where the replicas are to be, while they are on their way.
    target: Option<Vec<BrokerId>>,
    brokers: BTreeMap<BrokerId, Registered>,
    version: u64,
    next_broker_epoch: i64,
    min_insync_replicas: usize,
    /// Whoever serves may lead ([`Defect::UncleanElection`]).
    elects_anybody: bool,
}

impl Controller {
    pub fn new(min_insync_replicas: usize, elects_anybody: bool) -> Controller {
        let replicas: Vec<BrokerId> = (1..=BROKERS as i32).map(BrokerId).collect();
        Controller {
            state: PartitionState {
                leader: None,
                leader_epoch: LeaderEpoch(0),
                partition_epoch: PartitionEpoch(0),
                isr: replicas.clone(),
                replicas,
                recovering: false,
            },
            eligible: Vec::new(),
            target: None,
            brokers: BTreeMap::new(),
            version: 1,
            next_broker_epoch: 1,
            min_insync_replicas,
            elects_anybody,
        }
    }

    pub fn begin(&self, stage: &mut Stage) {
        stage.ring(CHECK, CONTROLLER, 0, Alarm::Sessions);
    }

    pub fn handle(&mut self, from: NodeId, message: Message, stage: &mut Stage) {
        let broker = BrokerId(from as i32);
        match message {
            Message::Register { incarnation, kept_everything } => {
                self.register(broker, incarnation, kept_everything, stage);
                let epoch = self.brokers[&broker].epoch;
                stage.send(CONTROLLER, from, Message::Registered { incarnation, epoch });
            }
            Message::Heartbeat { epoch, seen_version } => {
                self.hear(broker, epoch, seen_version, stage);
            }
            Message::AlterPartition { broker_epoch, proposal } => {
                let asked = proposal.partition_epoch;
                let outcome = match self.alter(broker, broker_epoch, &proposal, stage) {
                    Ok(()) => IsrOutcome::Committed {
                        leader_epoch: self.state.leader_epoch,
                        partition_epoch: self.state.partition_epoch,
                        isr: self.state.isr.clone(),
                    },
                    Err(code) => IsrOutcome::Refused(code),
                };
                stage.send(CONTROLLER, from, Message::Altered { asked, outcome });
            }
            _ => {}
        }
    }

    /// A broker that is not heard of is out of service.
    pub fn check_sessions(&mut self, stage: &mut Stage) {
        let now = stage.now;
        let is_silent = |b: &Registered| !b.fenced && now.since(b.heard_at) > SESSION;
        let silent = self.brokers.iter().find(|(_, b)| is_silent(b)).map(|(id, _)| *id);
        if let Some(broker) = silent {
            stage.met.fenced += 1;
            self.fence(broker);
            self.publish(stage);
        }
        stage.ring(CHECK, CONTROLLER, 0, Alarm::Sessions);
    }

    /// Another leader, though nothing is wrong with this one.
    pub fn move_leader(&mut self, stage: &mut Stage) {
        let choices: Vec<BrokerId> =
            self.state.isr.iter().copied().filter(|b| self.serves(*b)).collect();
        if choices.len() > 1 {
            let next = choices[stage.chance.below(choices.len() as u64) as usize];
            if Some(next) != self.state.leader {
                self.lead(Some(next));
                self.publish(stage);
            }
        }
    }

    fn register(&mut self, broker: BrokerId, incarnation: u64, kept: bool, stage: &mut Stage) {
        let known = self.brokers.get(&broker);
        // A word of an earlier life that comes late is not heard: its connection is gone.
        if known.is_some_and(|known| known.incarnation >= incarnation) {
            return;
        }
        self.next_broker_epoch += 1;
        let epoch = BrokerEpoch(self.next_broker_epoch);
        let heard_at = stage.now;
        self.brokers.insert(broker, Registered { epoch, incarnation, fenced: true, heard_at });
        if !kept {
            self.eligible.retain(|other| *other != broker);
            if self.state.isr.len() > 1 || !self.eligible.is_empty() {
                self.state.isr.retain(|other| *other != broker);
            } else if self.state.isr == [broker] {
                // Nobody else has everything: without an operator the partition stays offline.
                stage.met.last_lost += 1;
            }
        }
        self.fence(broker);
        self.publish(stage);
    }

    fn hear(&mut self, broker: BrokerId, epoch: BrokerEpoch, seen: u64, stage: &mut Stage) {
        let (now, version) = (stage.now, self.version);
        let Some(known) = self.brokers.get_mut(&broker).filter(|known| known.epoch == epoch) else {
            return;
        };
        known.heard_at = now;
        if known.fenced && seen == version {
            known.fenced = false;
            self.elect();
            self.publish(stage);
        } else if seen < version {
            stage.send(CONTROLLER, broker.0 as NodeId, Message::Metadata(self.image()));
        }
    }

    fn alter(
        &mut self,
        leader: BrokerId,
        broker_epoch: BrokerEpoch,
        proposal: &IsrProposal,
        stage: &mut Stage,
    ) -> Result<(), ErrorCode> {
        let known = self.brokers.get(&leader).ok_or(ErrorCode::StaleBrokerEpoch)?;
        if known.epoch != broker_epoch {
            return Err(ErrorCode::StaleBrokerEpoch);
        }
        let checks = !stage.has(Defect::NoPartitionEpochCheck);
        if proposal.leader_epoch < self.state.leader_epoch {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if self.state.leader != Some(leader) {
            return Err(ErrorCode::InvalidRequest);
        }
        if checks && proposal.partition_epoch < self.state.partition_epoch {
            return Err(ErrorCode::InvalidUpdateVersion);
        }
        for (member, epoch) in &proposal.isr {
            let Some(registered) = self.brokers.get(member) else {
                return Err(ErrorCode::IneligibleReplica);
            };
            let another = *epoch != BrokerEpoch::NONE && *epoch != registered.epoch;
            let is_wrong = another && !stage.has(Defect::NoBrokerEpochCheck);
            if registered.fenced || is_wrong {
                return Err(ErrorCode::IneligibleReplica);
            }
        }
        stage.met.isr_changes += 1;
        let isr: Vec<BrokerId> = proposal.isr.iter().map(|(member, _)| *member).collect();
        self.leave_in_sync(&isr);
        self.complete_move(stage);
        // Also if nothing changes: whoever says so again shuts out what it said before.
        self.change();
        self.publish(stage);
        Ok(())
    }

    /// From now on `isr` is in sync; who leaves holds what is committed if too few stay.
    fn leave_in_sync(&mut self, isr: &[BrokerId]) {
        let replicas = &self.state.replicas;
        let left = self.state.isr.iter().copied();
        let left = left.filter(|member| !isr.contains(member) && replicas.contains(member));
        self.eligible.extend(left);
        self.state.isr = isr.to_vec();
        if isr.len() >= self.min_insync_replicas {
            self.eligible.clear();
        }
        self.eligible.retain(|broker| !isr.contains(broker));
    }

    fn fence(&mut self, broker: BrokerId) {
        if let Some(known) = self.brokers.get_mut(&broker) {
            known.fenced = true;
        }
        let isr: Vec<BrokerId> =
            self.state.isr.iter().copied().filter(|member| *member != broker).collect();
        if !isr.is_empty() {
            self.leave_in_sync(&isr);
        }
        if self.state.leader == Some(broker) {
            self.lead(None);
        }
        self.elect();
        self.change();
    }

    /// A leader that serves stays; otherwise the first that has everything and is in service.
    fn elect(&mut self) {
        if self.state.leader.is_some_and(|leader| self.serves(leader)) {
            return;
        }
        let in_sync = self
            .state
            .replicas
            .iter()
            .copied()
            .find(|b| self.state.isr.contains(b) && self.serves(*b));
        if in_sync.is_some() {
            return self.lead(in_sync);
        }
        // The last one in sync is gone: those it left behind below the minimum hold everything.
        let mut eligible = self.eligible.iter().copied().find(|b| self.serves(*b));
        if self.elects_anybody {
            eligible = eligible.or(self.state.replicas.iter().copied().find(|b| self.serves(*b)));
        }
        if let Some(next) = eligible {
            let last = std::mem::take(&mut self.state.isr);
            self.eligible.extend(last);
            self.state.isr = vec![next];
            self.eligible.retain(|b| *b != next);
            self.lead(Some(next));
        }
    }

    fn lead(&mut self, leader: Option<BrokerId>) {
        if leader != self.state.leader || leader.is_some() {
            self.state.leader = leader;
            self.state.leader_epoch = LeaderEpoch(self.state.leader_epoch.0 + 1);
            self.change();
        }
    }

    fn change(&mut self) {
        self.state.partition_epoch = PartitionEpoch(self.state.partition_epoch.0 + 1);
    }

    fn serves(&self, broker: BrokerId) -> bool {
        self.brokers.get(&broker).is_some_and(|known| !known.fenced)
    }

    fn image(&self) -> Rc<Image> {
        let live = self.brokers.iter().filter(|(_, b)| !b.fenced).map(|(id, b)| (*id, b.epoch));
        let registered = self.brokers.iter().map(|(id, b)| (*id, b.epoch));
        Rc::new(Image {
            version: self.version,
            state: self.state.clone(),
            live: live.collect(),
            registered: registered.collect(),
        })
    }

    fn publish(&mut self, stage: &mut Stage) {
        self.version += 1;
        let image = self.image();
        for broker in 1..=stage.weather.brokers {
            stage.send(CONTROLLER, broker, Message::Metadata(Rc::clone(&image)));
        }
    }
}
