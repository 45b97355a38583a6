use std::panic::{AssertUnwindSafe, catch_unwind};

use replication::{Durability, GateRules, LeaderRules, LogEnds, PartitionLeader, Replica};
use stateright::{Model, Property};
use std::time::Duration;
use types::{BrokerId, MonoTime, Offset};

use crate::replicas::decider::{Command, Decider, Metadata};
use crate::replicas::defect::Defect;
use crate::replicas::world::{Alter, Broker, Disk, Process, Spent, World};
use crate::replicas::{BROKERS, checks};

/// Things happen here; `EARLY` is after every backoff and before any lag is too long, `LATE` after.
pub const EARLY: MonoTime = MonoTime(1_000_000_000);
pub const LATE: MonoTime = MonoTime(100_000_000_000);
pub const NOW: MonoTime = MonoTime(0);
const LAG_MAX: Duration = Duration::from_secs(10);

/// How large the world is.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// That producers write.
    pub records: u8,
    /// Kills, losses of power and clean stops together.
    pub crashes: u8,
    /// Disks that are replaced while the others hold everything.
    pub wipes: u8,
    /// Brokers in good health that are taken out of service.
    pub suspicions: u8,
    /// Changes of the in-sync set that leaders ask for.
    pub alters: u8,
    /// Of which so many go unanswered.
    pub doubts: u8,
    /// Reigns after the first.
    pub reigns: u8,
    /// Whether the controller gives leadership back to the first replica.
    pub balances: bool,
    /// Whether the second replica leads at first, as after a move of the leader.
    pub second_leads: bool,
    /// Whether answers to fetches take their time, and syncs of followers do.
    pub slow: bool,
    pub min_insync_replicas: usize,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Produce(usize),
    Sync(usize),
    Fetch(usize),
    Hear(usize),
    Propose {
        broker: usize,
        late: bool,
    },
    Carry(usize),
    Doubt(usize),
    Learn(usize),
    /// Metadata from before comes again.
    LearnAgain(usize),
    Fence(usize),
    Unfence(usize),
    Balance,
    Kill(usize),
    LosePower(usize),
    Stop(usize),
    Wipe(usize),
    Start(usize),
}

/// Kafka's replication, as the machines of `replication` and the controller do it.
#[derive(Debug)]
pub struct ReplicasModel {
    pub bounds: Bounds,
    pub defect: Option<Defect>,
    pub decider: Decider,
    first: Metadata,
}

impl ReplicasModel {
    pub fn new(bounds: Bounds, defect: Option<Defect>) -> ReplicasModel {
        let (decider, mut first) = Decider::new(bounds.min_insync_replicas);
        if bounds.second_leads {
            first = decider.second_leads(first);
        }
        ReplicasModel { bounds, defect, decider, first }
    }

    pub fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    pub fn rules(&self) -> LeaderRules {
        let ignored = self.has(Defect::MinIsrIgnored);
        LeaderRules {
            gate: GateRules { durability: Durability::Fsync, flush_messages: i64::MAX },
            min_insync_replicas: if ignored { 1 } else { self.bounds.min_insync_replicas },
            lag_time_max: LAG_MAX,
        }
    }

    /// The process of `broker` as it knows the metadata now.
    pub fn process(&self, broker: usize, metadata: Metadata, disk: &mut Disk) -> Process {
        let (me, state) = (BrokerId(broker as i32), metadata.partition_state());
        let known = disk.checkpoint.min(disk.log_end());
        let told = self.as_told(disk.ends(), known);
        let mut replica = Replica::new(me, &state, told, known, self.rules(), NOW);
        if let Some(leader) = replica.leader_mut() {
            tell_the_rest(leader, disk.ends());
            begin_reign(disk, &metadata);
        }
        Process {
            seen: metadata,
            seen_before: None,
            has_compared: false,
            replica,
            altering: None,
            answer: None,
            shown: Offset::ZERO,
        }
    }

    pub(super) fn forgets_where_reigns_begin(&self) -> bool {
        self.has(Defect::JoinsAtHighWatermark) || self.has(Defect::ReignsBeginningForgotten)
    }

    /// Where the log ends, as the machine is told. It begins a reign there, and lets nobody join
    /// below; unless it is told less.
    pub(super) fn as_told(&self, ends: LogEnds, high_watermark: Offset) -> LogEnds {
        match self.forgets_where_reigns_begin() {
            true => {
                let durable = ends.durable.min(high_watermark);
                LogEnds { log_end: high_watermark, durable, ..ends }
            }
            false => ends,
        }
    }

    fn steps_of(&self, world: &World, broker: usize, steps: &mut Vec<Step>) {
        let (spent, bounds) = (&world.spent, &self.bounds);
        let here = &world.brokers[broker];
        let fenced = world.metadata.is_fenced(broker);
        let Some(process) = &here.process else {
            steps.push(Step::Start(broker));
            if !fenced {
                steps.push(Step::Fence(broker));
            }
            return;
        };
        if here.disk.durable < here.disk.records.len() {
            steps.push(Step::Sync(broker));
        }
        if let Some(leader) = process.replica.leader() {
            if spent.records < bounds.records && !leader.is_under_min_isr() {
                steps.push(Step::Produce(broker));
            }
            if process.altering.is_none() && spent.alters < bounds.alters {
                steps.push(Step::Propose { broker, late: false });
                steps.push(Step::Propose { broker, late: true });
            }
        } else {
            steps.push(Step::Fetch(broker));
            if process.answer.is_some() {
                steps.push(Step::Hear(broker));
            }
        }
        if process.altering.is_some() && spent.doubts < bounds.doubts {
            steps.push(Step::Doubt(broker));
        }
        if process.seen != world.metadata {
            steps.push(Step::Learn(broker));
        }
        if process.seen_before.is_some() {
            steps.push(Step::LearnAgain(broker));
        }
        if fenced {
            steps.push(Step::Unfence(broker));
        } else if spent.suspicions < bounds.suspicions {
            steps.push(Step::Fence(broker));
        }
        if spent.crashes < bounds.crashes {
            steps.extend([Step::Kill(broker), Step::LosePower(broker), Step::Stop(broker)]);
        }
        if spent.wipes < bounds.wipes && is_spare(world, broker) {
            steps.push(Step::Wipe(broker));
        }
    }

    fn take(&self, world: &mut World, step: Step) {
        match step {
            Step::Produce(broker) => self.produce(world, broker),
            Step::Sync(broker) => self.sync(world, broker),
            Step::Fetch(follower) => self.fetch(world, follower),
            Step::Hear(follower) => self.hear(world, follower),
            Step::Propose { broker, late } => self.propose(world, broker, late),
            Step::Carry(at) => self.carry(world, at),
            Step::Doubt(broker) => self.doubt(world, broker),
            Step::Learn(broker) => self.learn(world, broker),
            Step::LearnAgain(broker) => self.learn_again(world, broker),
            Step::Fence(broker) => {
                if world.brokers[broker].process.is_some() {
                    world.spent.suspicions += 1;
                }
                world.metadata = self.decider.decide(&world.metadata, Command::Fence(broker)).after;
            }
            Step::Unfence(broker) => {
                let decision = self.decider.decide(&world.metadata, Command::Unfence(broker));
                world.metadata = decision.after;
            }
            Step::Balance => {
                world.metadata = self.decider.decide(&world.metadata, Command::Balance).after;
            }
            Step::Kill(broker) | Step::LosePower(broker) | Step::Stop(broker) => {
                world.spent.crashes += 1;
                crash(world, broker, step);
            }
            Step::Wipe(broker) => {
                world.spent.wipes += 1;
                crash(world, broker, step);
            }
            Step::Start(broker) => self.start(world, broker),
        }
    }

    fn start(&self, world: &mut World, broker: usize) {
        let here = &mut world.brokers[broker];
        here.life += 1;
        here.is_wiped = false;
        let cleanly = std::mem::take(&mut here.stopped_cleanly);
        let disk = &mut here.disk;
        disk.recover();
        if self.has(Defect::HighWatermarkTruncation) {
            disk.truncate_to(disk.checkpoint.min(disk.log_end()));
        }
        let command = Command::Register { broker, cleanly };
        world.metadata = self.decider.decide(&world.metadata, command).after;
        here.process = Some(self.process(broker, world.metadata, &mut here.disk));
    }
}

/// After [`ReplicasModel::as_told`].
pub fn tell_the_rest(leader: &mut PartitionLeader, ends: LogEnds) {
    leader.handle_append(ends.log_end);
    leader.handle_durable(ends.durable);
}

/// The epoch of a reign begins where the log ends.
pub fn begin_reign(disk: &mut Disk, metadata: &Metadata) {
    let epoch = types::LeaderEpoch(metadata.leader_epoch);
    if disk.epochs.latest().is_none_or(|latest| latest.epoch < epoch) {
        disk.epochs.assign(epoch, disk.log_end());
    }
}

/// A disk that loses what it had is survived if the others hold everything, what it has vouched for
/// and is not committed yet included.
fn is_spare(world: &World, broker: usize) -> bool {
    let vouched = &world.brokers[broker].disk.records;
    (0..BROKERS).filter(|other| *other != broker).all(|other| {
        let disk = &world.brokers[other].disk;
        let is_member = world.metadata.isr().any(|member| member.0 as usize == other);
        is_member && disk.keeps(vouched) && disk.keeps(&world.committed)
    })
}

fn crash(world: &mut World, broker: usize, how: Step) {
    let here = &mut world.brokers[broker];
    let Some(process) = here.process.take() else { return };
    let disk = &mut here.disk;
    here.stopped_cleanly = matches!(how, Step::Stop(_));
    match how {
        Step::LosePower(_) => disk.records.truncate(disk.durable),
        Step::Wipe(_) => {
            *disk = Disk::default();
            here.is_wiped = true;
        }
        _ => {
            disk.durable = disk.records.len();
            disk.checkpoint = process.replica.high_watermark();
        }
    }
    disk.checkpoint = disk.checkpoint.min(disk.log_end());
    // Recovery reads them from the records.
    disk.epochs = Default::default();
    world.alters.retain(|alter| !matches!(alter, Alter::Told { by, .. } if *by == broker));
}

impl Model for ReplicasModel {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let broker = |broker| {
            let keeps_empty_epochs = self.has(Defect::EmptyEpochKept);
            let mut disk = Disk { keeps_empty_epochs, ..Disk::default() };
            let process = Some(self.process(broker, self.first, &mut disk));
            Broker { life: 1, disk, process, stopped_cleanly: false, is_wiped: false }
        };
        vec![World {
            metadata: self.first,
            brokers: std::array::from_fn(broker),
            alters: Vec::new(),
            committed: Vec::new(),
            spent: Spent::default(),
            broken: None,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        (0..BROKERS).for_each(|broker| self.steps_of(world, broker, steps));
        steps.extend((0..world.alters.len()).map(Step::Carry));
        let first = world.metadata.isr().any(|member| member.0 == 0);
        if self.bounds.balances && first && world.metadata.leader != Some(BrokerId(0)) {
            steps.push(Step::Balance);
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        let taken = AssertUnwindSafe(|| {
            self.take(&mut next, step);
            if next.metadata != world.metadata {
                self.tell_followers(&mut next);
            }
        });
        if catch_unwind(taken).is_err() {
            let mut panicked = world.clone();
            panicked.broken("a machine panics");
            return Some(panicked);
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<ReplicasModel>> {
        checks::all()
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.metadata.leader_epoch <= self.first.leader_epoch + i32::from(self.bounds.reigns)
    }
}
