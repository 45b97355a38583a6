//! One run: set up, let things go wrong, heal, let it settle, judge.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use history::{Event, FinalState, ReplicaRecord, Verdict, judge};
use replication::Replica;
use types::{BrokerId, MonoTime, Offset};

use crate::broker::Broker;
use crate::defect::Defect;
use crate::faults::Met;
use crate::message::Tag;
use crate::world::World;

const PARTITION: i32 = 0;
const HEALING: Duration = Duration::from_secs(20);
const SETTLING: Duration = Duration::from_secs(8);

/// What a seed led to.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub broken: Vec<String>,
    pub met: Met,
    pub simulated: Duration,
    pub events: u64,
    /// Equal for equal seeds.
    pub trace: u64,
}

/// What is asked of a run beside its seed.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// How long things go wrong.
    pub chaos: Duration,
    /// Whether the set of replicas changes meanwhile, among more brokers.
    pub reassigns: bool,
    pub defect: Option<Defect>,
}

impl Course {
    /// Whether the set of replicas changes in a campaign: in one seed of three.
    pub fn reassigns_by(seed: u64) -> bool {
        seed.is_multiple_of(3)
    }
}

/// Runs `seed`. A panic anywhere in it is a broken promise like others.
pub fn run(seed: u64, course: Course) -> Outcome {
    let mut world = World::new(seed, course.defect, course.reassigns);
    let course = AssertUnwindSafe(|| live(&mut world, course.chaos));
    if let Err(panic) = catch_unwind(course) {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        world.stage.broken.push(format!("panic: {}", text.unwrap_or_default()));
    }
    let stage = world.stage;
    Outcome {
        broken: stage.broken,
        met: stage.met,
        simulated: Duration::from_nanos(stage.now.0),
        events: stage.events,
        trace: stage.trace,
    }
}

fn live(world: &mut World, chaos: Duration) {
    world.begin();
    let end = MonoTime(0).plus(chaos);
    world.run_until(end);
    if !world.stage.broken.is_empty() {
        return;
    }
    world.heal();
    world.run_until(end.plus(HEALING));
    world.stage.note(Event::Healed);
    world.run_until(end.plus(HEALING + SETTLING));
    world.clients.iter_mut().for_each(|client| client.stop());
    world.run_until(end.plus(HEALING + 2 * SETTLING));
    if world.stage.broken.is_empty() {
        check_converged(world);
    }
    if world.stage.broken.is_empty() {
        let end = final_state(world);
        match judge(&world.stage.history, &end, 1) {
            Verdict::Valid => {}
            Verdict::Violated(broken) => world.stage.broken.extend(broken),
            Verdict::Unknown(why) => world.stage.broken.push(why),
        }
    }
}

/// Without faults all replicas are in sync and hold the same.
fn check_converged(world: &mut World) {
    let state = &world.controller.state;
    let mut open = Vec::new();
    let is_moving = world.controller.is_moving();
    if state.isr.len() < state.replicas.len() || state.leader.is_none() || is_moving {
        open.push(format!("not settled: {state:?}"));
    }
    let holds = |broker: &Broker| state.replicas.contains(&BrokerId(broker.id as i32));
    for broker in &world.brokers {
        if !holds(broker) {
            let (id, end) = (broker.id, broker.disk.log_end());
            if end > Offset::ZERO {
                open.push(format!("not settled: broker {id} keeps a log that left it"));
            }
            continue;
        }
        let replica = broker.process.as_ref().and_then(|process| process.replica.as_ref());
        let known = replica.map(Replica::high_watermark);
        if known != Some(broker.disk.log_end()) {
            let (id, end) = (broker.id, broker.disk.log_end());
            open.push(format!("not settled: broker {id} commits {known:?} of {end}"));
        }
    }
    open.into_iter().for_each(|what| world.stage.broken(what));
}

fn final_state(world: &World) -> FinalState<Tag> {
    let mut end = FinalState::default();
    let leader = world.controller.state.leader.map_or(0, |leader| leader.0 as usize - 1);
    let log = &world.brokers[leader].disk.records;
    let numbered = (0_i64..).zip(log.iter().map(|record| record.tag));
    end.records.insert(PARTITION, numbered.collect());
    end.bounds.insert(PARTITION, (0, log.len() as i64));
    let replicas = &world.controller.state.replicas;
    let holders = world.brokers.iter().filter(|b| replicas.contains(&BrokerId(b.id as i32)));
    for broker in holders {
        let records = (0_i64..).zip(&broker.disk.records).map(|(offset, record)| ReplicaRecord {
            offset,
            leader_epoch: record.epoch.0,
            value: record.tag,
        });
        end.replicas.insert((PARTITION, broker.id as i32), records.collect());
    }
    end
}
