//! Two nodes that lead one after the other, and the gate in front of what each of them applies.
//!
//! The engine here keeps two promises, that a batch lands at the offset it was decided for, and
//! that a leader which lost one starts anew; and no other. It takes batches of a reign that is
//! over, and gives every node whatever was taken in any order and any number of times.

use bytes::Bytes;
use consensus::{CommittedBatch, Epoch, Gate, GateVerdict};
use stateright::{Model, Property};
use types::{Offset, WallTime};

const NODES: usize = 2;

/// How large the world is.
#[derive(Clone, Copy, Debug)]
pub struct GateBounds {
    /// In a reign, the one that begins it included.
    pub batches: u8,
    pub reigns: i32,
}

/// That of the check, and that of a campaign.
pub const SMALL: GateBounds = GateBounds { batches: 3, reigns: 2 };
pub const LARGE: GateBounds = GateBounds { batches: 3, reigns: 3 };

/// What could be wrong with the gate, or with who stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateDefect {
    /// A batch of a reign that is over passes.
    EpochsUnchecked,
    /// A batch passes wherever it was to land.
    OffsetsUnchecked,
    /// A client hears that it is done when it is proposed.
    RepliesBeforeCommit,
    /// A client hears that it is done when its batch comes back, whether it passes or not.
    RepliesToWhatIsDropped,
}

pub const FINDS: [GateDefect; 4] = [
    GateDefect::EpochsUnchecked,
    GateDefect::OffsetsUnchecked,
    GateDefect::RepliesBeforeCommit,
    GateDefect::RepliesToWhatIsDropped,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GateWorld {
    /// What the engine has taken; each lies at its base offset.
    log: Vec<Batch>,
    nodes: [Node; NODES],
    /// What clients were told is done.
    told: Vec<Value>,
    last_epoch: i32,
}

/// The reign, and the how manieth in it.
type Value = (i32, u8);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Batch {
    base: usize,
    value: Value,
    /// What the state was on which it was decided.
    decided_on: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    last_epoch: Epoch,
    next: Offset,
    applied: Vec<Value>,
    reign: Option<Reign>,
    /// It applied what was decided on another state.
    is_wrong: bool,
}

/// A leader, or who takes itself for one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reign {
    epoch: i32,
    proposed: u8,
    on_its_way: Vec<Batch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateStep {
    Elect(usize),
    Propose(usize),
    /// The engine takes the first batch on its way, if it would land where it is meant to.
    Take(usize),
    Lose(usize),
    /// A node is given a batch, for the first time or again.
    Give {
        node: usize,
        batch: usize,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct GateModel {
    pub bounds: GateBounds,
    pub defect: Option<GateDefect>,
}

impl GateModel {
    fn propose(self, world: &mut GateWorld, node: usize) {
        let Node { applied, reign, .. } = &mut world.nodes[node];
        let Some(reign) = reign else { return };
        let pending = reign.on_its_way.iter().map(|batch| batch.value);
        let taken = world.log.iter().filter(|batch| batch.value.0 == reign.epoch);
        let mut decided_on = applied.clone();
        // What it has proposed counts as done.
        for value in taken.map(|batch| batch.value).chain(pending) {
            if !decided_on.contains(&value) {
                decided_on.push(value);
            }
        }
        let value = (reign.epoch, reign.proposed);
        reign.proposed += 1;
        reign.on_its_way.push(Batch { base: decided_on.len(), value, decided_on });
        if self.defect == Some(GateDefect::RepliesBeforeCommit) {
            world.told.push(value);
        }
    }

    fn give(self, world: &mut GateWorld, node: usize, batch: usize) {
        let batch = &world.log[batch];
        let here = &mut world.nodes[node];
        let mut gate = Gate::new(here.last_epoch, here.next);
        let verdict = gate.admit(&self.as_judged(here, batch));
        let is_own = here.reign.as_ref().is_some_and(|reign| reign.epoch == batch.value.0);
        if verdict == GateVerdict::Apply {
            here.is_wrong |= here.applied != batch.decided_on;
            here.applied.push(batch.value);
            (here.last_epoch, here.next) = (gate.last_epoch(), gate.next());
        }
        let answers = self.defect == Some(GateDefect::RepliesToWhatIsDropped);
        if is_own
            && (verdict == GateVerdict::Apply || answers)
            && !world.told.contains(&batch.value)
        {
            world.told.push(batch.value);
            world.told.sort_unstable();
        }
    }

    fn as_judged(self, node: &Node, batch: &Batch) -> CommittedBatch {
        let mut epoch = Epoch(batch.value.0);
        let mut base_offset = Offset(batch.base as i64);
        match self.defect {
            Some(GateDefect::EpochsUnchecked) => epoch = epoch.max(node.last_epoch),
            Some(GateDefect::OffsetsUnchecked) => base_offset = node.next,
            _ => {}
        }
        CommittedBatch {
            epoch,
            base_offset,
            last_offset: base_offset,
            appended_at: WallTime(0),
            records: vec![Bytes::from_static(b"r")],
            kraft_version: None,
        }
    }
}

impl Model for GateModel {
    type State = GateWorld;
    type Action = GateStep;

    fn init_states(&self) -> Vec<GateWorld> {
        let node = || Node {
            last_epoch: Epoch::NONE,
            next: Offset::ZERO,
            applied: Vec::new(),
            reign: None,
            is_wrong: false,
        };
        let nodes = std::array::from_fn(|_| node());
        vec![GateWorld { log: Vec::new(), nodes, told: Vec::new(), last_epoch: 0 }]
    }

    fn actions(&self, world: &GateWorld, steps: &mut Vec<GateStep>) {
        for (node, here) in world.nodes.iter().enumerate() {
            let has_all = here.next.0 == world.log.len() as i64;
            if has_all && world.last_epoch < self.bounds.reigns {
                steps.push(GateStep::Elect(node));
            }
            if let Some(reign) = &here.reign {
                if reign.proposed < self.bounds.batches {
                    steps.push(GateStep::Propose(node));
                }
                if !reign.on_its_way.is_empty() {
                    steps.extend([GateStep::Take(node), GateStep::Lose(node)]);
                }
            }
            let batches = 0..world.log.len();
            steps.extend(batches.map(|batch| GateStep::Give { node, batch }));
        }
    }

    fn next_state(&self, world: &GateWorld, step: GateStep) -> Option<GateWorld> {
        let mut next = world.clone();
        match step {
            GateStep::Elect(node) => {
                next.last_epoch += 1;
                let epoch = next.last_epoch;
                let reign = Reign { epoch, proposed: 0, on_its_way: Vec::new() };
                next.nodes[node].reign = Some(reign);
            }
            GateStep::Propose(node) => self.propose(&mut next, node),
            GateStep::Take(node) => {
                let batch = next.nodes[node].reign.as_mut()?.on_its_way.remove(0);
                match batch.base == next.log.len() {
                    true => next.log.push(batch),
                    // Nothing that was decided on it may be kept.
                    false => next.nodes[node].reign = None,
                }
            }
            GateStep::Lose(node) => next.nodes[node].reign = None,
            GateStep::Give { node, batch } => self.give(&mut next, node, batch),
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<GateModel>> {
        vec![
            Property::always(
                "what is applied was decided on that state",
                |_, world: &GateWorld| world.nodes.iter().all(|node| !node.is_wrong),
            ),
            Property::always("nodes apply the same", |_, world: &GateWorld| {
                let [a, b] = &world.nodes;
                a.applied.starts_with(&b.applied) || b.applied.starts_with(&a.applied)
            }),
            Property::always("what a client was told is applied", |_, world: &GateWorld| {
                let applied = world.nodes.iter().map(|node| &node.applied);
                let most = applied.max_by_key(|applied| applied.len());
                most.is_some_and(|most| world.told.iter().all(|value| most.contains(value)))
            }),
            Property::always("reigns follow each other", |_, world: &GateWorld| {
                world.nodes.iter().all(|node| node.applied.is_sorted_by_key(|(reign, _)| *reign))
            }),
            Property::sometimes("batches of two reigns are applied", |_, world: &GateWorld| {
                world.nodes.iter().any(|node| {
                    let mut reigns = node.applied.iter().map(|(reign, _)| *reign);
                    let first = reigns.next();
                    reigns.any(|reign| Some(reign) != first)
                })
            }),
            Property::sometimes(
                "the engine takes a batch of a reign that is over",
                |_, world: &GateWorld| !world.log.is_sorted_by_key(|batch| batch.value.0),
            ),
        ]
    }
}
