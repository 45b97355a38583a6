//! A broker around the machine: its disk, its process, and what it does between events.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use replication::{
    Durability, FetchFrom, GateRules, LeaderRules, LogEnds, PartitionState, Replica, RoleChange,
};
use types::{BrokerEpoch, BrokerId, MonoTime, Offset, PartitionEpoch};

use crate::defect::Defect;
use crate::disk::Disk;
use crate::message::{Alarm, CONTROLLER, Image, Message, NodeId, Produced};
use crate::stage::Stage;

const TICK: Duration = Duration::from_millis(200);

pub struct Broker {
    pub id: NodeId,
    pub disk: Disk,
    pub process: Option<Process>,
    /// Counts processes; what an earlier one had set going means nothing.
    pub life: u64,
    pub paused_until: MonoTime,
    /// Whether everything that the last life promised is there.
    pub kept_everything: bool,
}

/// What a crash takes.
pub struct Process {
    pub epoch: Option<BrokerEpoch>,
    pub image: Option<Rc<Image>>,
    pub replica: Option<Replica>,
    pub waiting: VecDeque<Waiting>,
    pub parked: Vec<Parked>,
    pub fetching: Option<(u64, FetchFrom)>,
    pub next_id: u64,
    pub is_syncing: bool,
    /// Counts the cuts of the log: a sync that began before one says nothing of what came after.
    pub cuts: u64,
    pub altering: Option<(PartitionEpoch, u64)>,
    /// The replica was removed by the metadata of this partition epoch.
    pub left_at: Option<PartitionEpoch>,
    pub ticks: u64,
    /// What consumers here may read below.
    pub shown: Offset,
    /// Since the reign began the log has been compared with the leader's.
    pub compared: bool,
    /// It was told that its log diverges, and did nothing.
    pub has_dawdled: bool,
}

/// A producer that waits for its records to be committed.
pub struct Waiting {
    pub end: Offset,
    pub base: Offset,
    pub client: NodeId,
    pub first: u64,
    pub count: usize,
}

/// A follower that waits for more.
pub struct Parked {
    pub follower: NodeId,
    pub id: u64,
    pub from: FetchFrom,
}

impl Broker {
    pub fn new(id: NodeId) -> Broker {
        Broker {
            id,
            disk: Disk::default(),
            process: None,
            life: 0,
            paused_until: MonoTime(0),
            kept_everything: false,
        }
    }

    pub fn rules(stage: &Stage) -> LeaderRules {
        let ignored = stage.has(Defect::MinIsrIgnored);
        LeaderRules {
            gate: GateRules { durability: Durability::Fsync, flush_messages: i64::MAX },
            min_insync_replicas: if ignored { 1 } else { stage.weather.min_insync_replicas },
            lag_time_max: stage.weather.lag_time_max,
        }
    }

    pub fn start(&mut self, stage: &mut Stage) {
        if self.process.is_some() {
            return;
        }
        self.life += 1;
        stage.lives[self.id] = self.life;
        self.disk.keeps_empty_epochs = stage.has(Defect::EmptyEpochKept);
        self.disk.recover();
        let known = self.disk.high_watermark_checkpoint.min(self.disk.log_end());
        if stage.has(Defect::HighWatermarkTruncation) {
            self.disk.truncate_to(known);
        }
        if stage.has(Defect::EpochHistoryLost) {
            self.disk.epochs = Default::default();
        }
        self.kept_everything = !self.disk.is_damaged || stage.has(Defect::DamageConcealed);
        if stage.has(Defect::DamageConcealed) {
            self.disk.is_damaged = false;
        }
        self.process = Some(Process {
            epoch: None,
            image: None,
            replica: None,
            waiting: VecDeque::new(),
            parked: Vec::new(),
            fetching: None,
            // Connections are made anew: no answer to an earlier life arrives on them.
            next_id: self.life << 32,
            is_syncing: false,
            cuts: 0,
            altering: None,
            left_at: None,
            ticks: 0,
            shown: Offset::ZERO,
            compared: false,
            has_dawdled: false,
        });
        self.register(stage);
        stage.ring(TICK, self.id, self.life, Alarm::Tick);
    }

    /// Returns whether there was a process.
    pub fn stop(&mut self) -> bool {
        self.process.take().is_some()
    }

    fn register(&self, stage: &mut Stage) {
        let (incarnation, kept_everything) = (self.life, self.kept_everything);
        stage.send(self.id, CONTROLLER, Message::Register { incarnation, kept_everything });
    }

    pub fn handle(&mut self, from: NodeId, message: Message, stage: &mut Stage) {
        let life = self.life;
        let Some(process) = &mut self.process else { return };
        match message {
            Message::Registered { incarnation, epoch } if incarnation == life => {
                process.epoch = Some(epoch);
                // Not before: it would be forgotten by whoever crashes without being heard.
                self.disk.is_damaged = false;
                self.beat(stage);
            }
            Message::Metadata(image) => self.learn(image, stage),
            Message::Fetch { id, broker_epoch, from: asked } => {
                self.serve_fetch(from, id, broker_epoch, asked, stage);
            }
            Message::Fetched { id, answer, records } => self.follow(id, &answer, records, stage),
            Message::Altered { asked, outcome } => self.hear_altered(asked, &outcome, stage),
            Message::Produce { tags } => self.produce(from, tags, stage),
            Message::Read { from: offset } => self.read(from, offset, stage),
            _ => {}
        }
        self.settle(stage);
    }

    pub fn ring(&mut self, life: u64, alarm: Alarm, stage: &mut Stage) {
        if let Alarm::Start = alarm {
            return self.start(stage);
        }
        if life != self.life || self.process.is_none() {
            return;
        }
        match alarm {
            Alarm::Tick => self.tick(stage),
            Alarm::Synced { up_to, cuts } => self.synced(up_to, cuts),
            Alarm::FetchTimeout { id } => self.fetch_timed_out(id, stage),
            Alarm::AlterTimeout { asked, attempt } => self.alter_timed_out(asked, attempt, stage),
            Alarm::ParkedTimeout { id } => self.answer_parked(Some(id), stage),
            _ => {}
        }
        self.settle(stage);
    }

    fn tick(&mut self, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        process.ticks += 1;
        let (ticks, is_registered) = (process.ticks, process.epoch.is_some());
        if let (Some(replica), true) = (&process.replica, ticks.is_multiple_of(10)) {
            self.disk.high_watermark_checkpoint = replica.high_watermark();
        }
        match is_registered {
            true => self.beat(stage),
            false if ticks.is_multiple_of(5) => self.register(stage),
            false => {}
        }
        stage.ring(TICK, self.id, self.life, Alarm::Tick);
    }

    fn beat(&mut self, stage: &mut Stage) {
        let Some(process) = &self.process else { return };
        let Some(epoch) = process.epoch else { return };
        let seen_version = process.image.as_ref().map_or(0, |image| image.version);
        stage.send(self.id, CONTROLLER, Message::Heartbeat { epoch, seen_version });
    }

    fn learn(&mut self, image: Rc<Image>, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        let me = BrokerId(self.id as i32);
        if process.epoch.is_none() || image.registered.get(&me).copied() != process.epoch {
            // What it says of an earlier life is nothing to act on: that one may have had more.
            return;
        }
        let state = image.state.clone();
        if process.image.as_ref().is_none_or(|known| known.version < image.version) {
            process.image = Some(image);
            self.beat(stage);
        }
        // The machine is told whatever comes, however late.
        self.take_role(&state, stage);
    }

    fn take_role(&mut self, state: &PartitionState, stage: &mut Stage) {
        let (me, rules, now) = (BrokerId(self.id as i32), Self::rules(stage), stage.now);
        if !state.replicas.contains(&me) {
            return self.leave(state.partition_epoch, stage);
        }
        let Some(process) = &mut self.process else { return };
        let is_late = process.left_at.is_some_and(|left_at| state.partition_epoch <= left_at);
        if is_late && process.replica.is_none() {
            return;
        }
        let all = self.disk.ends();
        let ends = as_told(all, process.replica.as_ref(), stage);
        let mut state = state.clone();
        let change = match &mut process.replica {
            Some(replica) if stage.has(Defect::StaleMetadata) => {
                let is_other = state.leader_epoch != replica.leader_epoch();
                let high_watermark = replica.high_watermark();
                *replica = Replica::new(me, &state, ends, high_watermark, rules, now);
                if is_other { RoleChange::Elected } else { RoleChange::SameReign }
            }
            Some(replica) => {
                if stage.has(Defect::NoPartitionEpochCheck) {
                    state.partition_epoch = PartitionEpoch(replica.partition_epoch().0 + 1);
                }
                replica.handle_partition_state(&state, ends, now)
            }
            None => {
                let known = self.disk.high_watermark_checkpoint;
                process.replica = Some(Replica::new(me, &state, ends, known, rules, now));
                match state.leader == Some(me) {
                    true => RoleChange::Elected,
                    false => RoleChange::Follows,
                }
            }
        };
        if matches!(change, RoleChange::Stale | RoleChange::SameReign) {
            return;
        }
        process.fetching = None;
        process.compared = false;
        process.has_dawdled = false;
        let leads = process.replica.as_ref().is_some_and(|replica| replica.leader().is_some());
        if !leads {
            self.forget_waiting(stage);
        }
        if leads {
            stage.met.elections += 1;
            self.begin_reign(&state, all);
        }
        self.answer_parked(None, stage);
    }

    /// It is no replica any more: the log goes.
    fn leave(&mut self, partition_epoch: PartitionEpoch, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        let known = process.replica.as_ref().map(Replica::partition_epoch).or(process.left_at);
        let is_late = known.is_some_and(|known| partition_epoch <= known);
        if is_late && !(stage.has(Defect::LateRemoval) && process.replica.is_some()) {
            return;
        }
        stage.met.removals += u64::from(process.replica.is_some());
        process.replica = None;
        process.left_at = Some(partition_epoch);
        process.fetching = None;
        process.altering = None;
        process.is_syncing = false;
        process.cuts += 1;
        process.shown = Offset::ZERO;
        self.disk.empty();
        self.forget_waiting(stage);
        self.answer_parked(None, stage);
    }

    /// What waits here may be cut.
    fn forget_waiting(&mut self, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        for waiting in process.waiting.drain(..) {
            let answer = Message::Produced { first: waiting.first, result: Produced::Unknown };
            stage.send(self.id, waiting.client, answer);
        }
    }

    /// Everything that follows from what has happened.
    fn settle(&mut self, stage: &mut Stage) {
        self.settle_gate(stage);
        self.settle_sync(stage);
        self.settle_isr(stage);
        self.settle_fetch(stage);
    }

    fn settle_sync(&mut self, stage: &mut Stage) {
        let Some(process) = &mut self.process else { return };
        if process.is_syncing || self.disk.durable >= self.disk.records.len() {
            return;
        }
        process.is_syncing = true;
        let (least, most) = stage.weather.sync_us;
        let after = stage.chance.micros(least, most);
        let (up_to, cuts) = (self.disk.records.len(), process.cuts);
        stage.ring(after, self.id, self.life, Alarm::Synced { up_to, cuts });
    }

    fn synced(&mut self, up_to: usize, cuts: u64) {
        let Some(process) = &mut self.process else { return };
        if process.cuts != cuts {
            return;
        }
        process.is_syncing = false;
        self.disk.durable = self.disk.durable.max(up_to.min(self.disk.records.len()));
        let durable = Offset(self.disk.durable as i64);
        if let Some(leader) = process.replica.as_mut().and_then(Replica::leader_mut) {
            leader.handle_durable(durable);
        }
    }
}

/// Where the log ends, as the machine is told. It begins a reign there, and lets nobody join below;
/// unless it is told less.
fn as_told(ends: LogEnds, replica: Option<&Replica>, stage: &Stage) -> LogEnds {
    let known = replica.map_or(Offset::ZERO, Replica::high_watermark);
    match stage.has(Defect::JoinsAtHighWatermark) {
        true => LogEnds { log_end: known, durable: known.min(ends.durable), ..ends },
        false => ends,
    }
}
