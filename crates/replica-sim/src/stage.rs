//! What everybody acts on: time, chance, the queue, the network, and the record of what happened.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::Duration;

use history::{Event, History};
use types::{MonoTime, Offset};

use crate::chance::Chance;
use crate::defect::Defect;
use crate::faults::Met;
use crate::message::{Alarm, BROKERS, BROKERS_MAX, FIRST_CLIENT, Message, NodeId, Record, Tag};

/// One thing that will happen to a node.
#[derive(Clone, Debug)]
pub enum Happening {
    Arrives { from: NodeId, life: u64, message: Message },
    Rings { life: u64, alarm: Alarm },
    Fault,
    Mends { fault: usize },
}

/// How rough this world is: drawn from the seed.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub latency_us: (u64, u64),
    pub sync_us: (u64, u64),
    /// One in so many messages is delivered twice; 0: none.
    pub repeats: u64,
    /// One in so many messages between nodes is lost; 0: none.
    pub losses: u64,
    pub fault_every_ms: (u64, u64),
    pub lag_time_max: Duration,
    pub min_insync_replicas: usize,
    pub brokers: usize,
    /// Whether the set of replicas changes.
    pub reassigns: bool,
}

pub struct Stage {
    pub now: MonoTime,
    pub chance: Chance,
    pub weather: Weather,
    pub defect: Option<Defect>,
    pub history: History<Tag>,
    pub met: Met,
    pub events: u64,
    pub trace: u64,
    /// What was ever shown to be committed, in offset order.
    pub committed: Vec<Record>,
    pub broken: Vec<String>,
    /// Ordered pairs of nodes between which nothing passes.
    pub cut: BTreeSet<(NodeId, NodeId)>,
    /// How many processes each broker has had: connections end with the process.
    pub lives: [u64; BROKERS_MAX + 1],
    queue: BinaryHeap<Reverse<(MonoTime, u64, usize)>>,
    happenings: Vec<Option<(NodeId, Happening)>>,
    free: Vec<usize>,
    numbered: u64,
}

impl Stage {
    pub fn new(seed: u64, defect: Option<Defect>, reassigns: bool) -> Stage {
        let mut chance = Chance::new(seed);
        let mut weather = Weather::of(seed, &mut chance);
        if reassigns {
            weather.reassigns = true;
            weather.brokers = 4 + chance.below(BROKERS_MAX as u64 - 3) as usize;
        }
        Stage {
            now: MonoTime(0),
            chance,
            weather,
            defect,
            history: History::default(),
            met: Met::default(),
            events: 0,
            trace: 0xcbf2_9ce4_8422_2325,
            committed: Vec::new(),
            broken: Vec::new(),
            cut: BTreeSet::new(),
            lives: [0; BROKERS_MAX + 1],
            queue: BinaryHeap::new(),
            happenings: Vec::new(),
            free: Vec::new(),
            numbered: 0,
        }
    }

    pub fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    pub fn broken(&mut self, what: String) {
        if self.broken.len() < 20 {
            self.broken.push(what);
        }
    }

    pub fn schedule(&mut self, at: MonoTime, node: NodeId, happening: Happening) {
        self.numbered += 1;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.happenings.push(None);
                self.happenings.len() - 1
            }
        };
        self.happenings[slot] = Some((node, happening));
        self.queue.push(Reverse((at, self.numbered, slot)));
    }

    pub fn ring(&mut self, after: Duration, node: NodeId, life: u64, alarm: Alarm) {
        self.schedule(self.now.plus(after), node, Happening::Rings { life, alarm });
    }

    /// Sends; it may come late, twice, out of order or never.
    pub fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let is_client = from >= FIRST_CLIENT || to >= FIRST_CLIENT;
        let is_lost =
            !is_client && self.weather.losses > 0 && self.chance.one_in(self.weather.losses);
        if is_lost || self.cut.contains(&(from, to)) {
            return;
        }
        // A produce request is no business of the machines that are tried here, and would be a
        // duplicate of the client's making.
        let repeats = !is_client && self.weather.repeats > 0;
        if repeats && self.chance.one_in(self.weather.repeats) {
            self.arrive(from, to, message.clone());
        }
        self.arrive(from, to, message);
    }

    fn arrive(&mut self, from: NodeId, to: NodeId, message: Message) {
        let (least, most) = self.weather.latency_us;
        let mut after = self.chance.micros(least, most);
        if self.chance.one_in(50) {
            after *= 20;
        }
        let life = self.lives.get(to).copied().unwrap_or_default();
        self.schedule(self.now.plus(after), to, Happening::Arrives { from, life, message });
    }

    /// The next thing that happens before `end`.
    pub fn next(&mut self, end: MonoTime) -> Option<(NodeId, Happening)> {
        let Reverse((at, _, _)) = self.queue.peek()?;
        if *at > end {
            return None;
        }
        let Reverse((at, number, slot)) = self.queue.pop()?;
        self.now = at;
        self.events += 1;
        self.free.push(slot);
        let happening = self.happenings[slot].take()?;
        for part in [at.0, number, happening.0 as u64] {
            self.trace = (self.trace ^ part).wrapping_mul(0x0100_0000_01b3);
        }
        Some(happening)
    }

    /// A leader shows its log up to `high_watermark`: what was shown before must be in it.
    pub fn note_committed(&mut self, who: NodeId, log: &[Record], before: Offset, passed: Offset) {
        let shown = log.iter().enumerate().take(passed.0 as usize).skip(before.0 as usize);
        for (offset, &record) in shown {
            match self.committed.get(offset) {
                Some(known) if *known != record => {
                    let (at, now) = (self.now.0 / 1_000_000, record);
                    self.broken(format!(
                        "{at} ms: broker {who} commits {now:?} at {offset}, {known:?} was \
                         committed there",
                        known = self.committed[offset]
                    ));
                    return;
                }
                Some(_) => {}
                None => self.committed.push(record),
            }
        }
    }

    pub fn note(&mut self, event: Event<Tag>) {
        self.history.note(event);
    }
}

impl Weather {
    /// Half of the seeds meet a usual day, the others each one of their own.
    fn of(seed: u64, chance: &mut Chance) -> Weather {
        let usual = Weather {
            latency_us: (100, 2_000),
            sync_us: (200, 5_000),
            repeats: 200,
            losses: 200,
            fault_every_ms: (300, 3_000),
            lag_time_max: Duration::from_millis(1_000),
            min_insync_replicas: 2,
            brokers: BROKERS,
            reassigns: false,
        };
        if seed.is_multiple_of(2) {
            return usual;
        }
        let scale = [1, 5, 20][chance.below(3) as usize];
        let latency_most = 1_000 * scale * (1 + chance.below(5));
        // Less than a few round trips would be no lag: sets would shrink and grow for ever.
        let lag_least = Duration::from_micros(50 * latency_most);
        let lag_time_max = Duration::from_millis([200, 1_000, 5_000][chance.below(3) as usize]);
        Weather {
            latency_us: (50 * scale, latency_most),
            sync_us: (100, [1_000, 20_000, 200_000][chance.below(3) as usize]),
            repeats: [0, 20, 1_000][chance.below(3) as usize],
            losses: [0, 20, 1_000][chance.below(3) as usize],
            fault_every_ms: [(50, 500), (500, 2_000), (2_000, 10_000)][chance.below(3) as usize],
            lag_time_max: lag_time_max.max(lag_least),
            min_insync_replicas: if chance.one_in(4) { 1 } else { 2 },
            ..usual
        }
    }
}
