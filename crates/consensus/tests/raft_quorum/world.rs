use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use bytes::Bytes;
use consensus::{ANY_VOTER, ConsensusEngine, EngineEvent, Epoch, NodeId, OutboundMessage, Voter};
use types::{MonoTime, WallTime};

use super::chance::Chance;
use super::disk::{Defect, Disk};
use super::history::History;
use super::node::{BIRTH, Node, key, keyed, named};

pub const MS: u64 = 1_000_000;
/// A lease of 400 ms, looked at once a lease, and messages that were on their way.
const DEAF_LEADS_MAX: u64 = 1_500 * MS;

/// How bad this world is. Drawn from the seed, unless a test says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub voters: i32,
    pub loss_per_mille: u64,
    pub double_per_mille: u64,
    pub delay_max: u64,
    /// A power loss between two steps of a voter.
    pub crash_per_mille: u64,
    /// Between two of the larger faults.
    pub fault_every: u64,
    /// Batches between two snapshots.
    pub snapshot_every: usize,
}

impl Weather {
    pub fn of_seed(seed: u64) -> Weather {
        let mut chance = Chance::new(seed ^ 0xbad);
        Weather {
            voters: if chance.hits(600) { 3 } else { 5 },
            loss_per_mille: [0, 5, 50, 200][chance.below(4) as usize],
            double_per_mille: [0, 20, 200][chance.below(3) as usize],
            delay_max: [1, 5, 40, 300][chance.below(4) as usize] * MS,
            crash_per_mille: [0, 0, 1, 4][chance.below(4) as usize],
            fault_every: [400, 1000, 3000][chance.below(3) as usize] * MS,
            snapshot_every: [0, 0, 5, 20][chance.below(4) as usize],
        }
    }

    pub fn calm(voters: i32) -> Weather {
        let (loss_per_mille, double_per_mille, crash_per_mille) = (0, 0, 0);
        let (delay_max, fault_every) = (MS, u64::MAX);
        Weather {
            voters,
            loss_per_mille,
            double_per_mille,
            delay_max,
            crash_per_mille,
            fault_every,
            snapshot_every: 0,
        }
    }
}

/// What happened how often: a check that never met a fault proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub messages: u64,
    pub acks: u64,
    pub power_losses: u64,
    pub disk_stops: u64,
    pub cuts: u64,
    pub one_way_cuts: u64,
    pub pauses: u64,
    pub resignations: u64,
    pub unsynced_lost: u64,
    pub trace: u64,
    pub installs: u64,
    pub trims: u64,
}

type InFlight = Reverse<(u64, u64, usize, Bytes)>;

pub struct World {
    pub nodes: Vec<Node>,
    pub history: History,
    pub counts: Counts,
    pub now: u64,
    pub weather: Weather,
    pub seed: u64,
    chance: Chance,
    defect: Option<Defect>,
    in_flight: BinaryHeap<InFlight>,
    sent: u64,
    /// Nothing goes from the first to the second.
    pub cut: BTreeSet<(usize, usize)>,
    heal_at: u64,
    /// Who hears nobody, and since when.
    deaf: Option<(usize, u64)>,
    next_fault: u64,
    pub next_client: u64,
    proposals: u64,
    index_of: BTreeMap<NodeId, usize>,
    /// The voters are named with their directories, and may change.
    is_dynamic: bool,
    /// The voters change: who must keep what is not to be said from outside.
    pub is_changing: bool,
}

impl World {
    pub fn new(seed: u64, weather: Weather, defect: Option<Defect>) -> World {
        World::of(seed, weather, defect, false)
    }

    fn of(seed: u64, weather: Weather, defect: Option<Defect>, is_dynamic: bool) -> World {
        let nodes: Vec<_> =
            (1..=weather.voters).map(|id| Node::new(key(id), Disk::new(defect))).collect();
        let index_of = nodes.iter().enumerate().map(|(at, node)| (node.key.id, at)).collect();
        let mut world = World {
            nodes,
            history: History::default(),
            counts: Counts::default(),
            now: 0,
            weather,
            seed,
            chance: Chance::new(seed),
            defect,
            in_flight: BinaryHeap::new(),
            sent: 0,
            cut: BTreeSet::new(),
            heal_at: u64::MAX,
            deaf: None,
            next_fault: weather.fault_every,
            next_client: 0,
            proposals: 0,
            index_of,
            is_dynamic,
            is_changing: false,
        };
        for at in 0..world.nodes.len() {
            world.nodes[at].snapshot_every = weather.snapshot_every;
            world.start(at);
        }
        world
    }

    /// Adds a node that knows no voters yet.
    pub fn join(&mut self, node: Node) -> usize {
        let at = self.nodes.len();
        self.index_of.insert(node.key.id, at);
        self.nodes.push(node);
        self.nodes[at].snapshot_every = self.nodes[0].snapshot_every;
        self.nodes[at].start(Vec::new(), self.seed, self.now);
        self.drain(at);
        at
    }

    /// A world without faults in which one voter leads.
    pub fn led(seed: u64, voters: i32) -> (World, usize) {
        let mut world = World::new(seed, Weather::calm(voters), None);
        let leader = world.run_until_led();
        (world, leader)
    }

    /// The same of voters that are named with their directories.
    pub fn led_dynamic(seed: u64, voters: i32) -> (World, usize) {
        let mut world = World::of(seed, Weather::calm(voters), None, true);
        let leader = world.run_until_led();
        (world, leader)
    }

    /// Runs until a voter that can be reached leads in an epoch above all others; says which.
    ///
    /// # Panics
    /// If none does within ten seconds.
    pub fn run_until_led(&mut self) -> usize {
        let end = self.now + 10_000 * MS;
        while self.now < end {
            if let Some(leader) = self.leader() {
                return leader;
            }
            self.run(self.now + 5 * MS);
            assert_eq!(self.history.violations, Vec::<String>::new());
        }
        panic!("nobody leads after ten seconds");
    }

    /// From here on all of them write snapshots of so many bytes, and trim their logs.
    pub fn write_snapshots(&mut self, every: usize, bytes: usize) {
        for node in &mut self.nodes {
            (node.snapshot_every, node.snapshot_bytes) = (every, bytes);
        }
    }

    /// The voter of the newest reign, unless it is cut off.
    pub fn leader(&self) -> Option<usize> {
        let leads = |at: &usize| self.nodes[*at].reign.is_some() && !self.is_cut_off(*at);
        (0..self.nodes.len()).filter(leads).max_by_key(|at| self.nodes[*at].reign)
    }

    fn is_cut_off(&self, at: usize) -> bool {
        let others = self.nodes.len() - 1;
        others > 0 && self.cut.iter().filter(|(from, _)| *from == at).count() == others
    }

    /// Nothing comes to or from there any more.
    pub fn isolate(&mut self, at: usize) {
        for other in (0..self.nodes.len()).filter(|other| *other != at) {
            self.cut.extend([(at, other), (other, at)]);
        }
    }

    /// Power losses only: the node stays down.
    pub fn kill(&mut self, at: usize) {
        self.nodes[at].stop();
        self.nodes[at].disk.lose_power(0);
    }

    pub fn run_for(&mut self, ms: u64) {
        self.run(self.now + ms * MS);
        assert_eq!(self.history.violations, Vec::<String>::new());
    }

    pub fn epoch(&self, at: usize) -> Epoch {
        self.nodes[at].engine.as_ref().expect("it runs").status().leader_epoch
    }

    /// All that ran to the end has delivered the same.
    pub fn check_equal(&mut self) {
        self.next_client = u64::MAX;
        self.run_for(3000);
        let agreed = self.history.agreed.len();
        for node in self.nodes.iter().filter(|node| node.engine.is_some()) {
            assert_eq!(node.delivered, agreed, "node {}", node.key.id);
            assert_eq!(node.gate.dropped(), 0);
        }
        self.history.check_acked();
        assert_eq!(self.history.violations, Vec::<String>::new());
    }

    pub fn voters(&self) -> Vec<Voter> {
        match self.is_dynamic {
            true => keyed(self.weather.voters),
            false => named(self.weather.voters),
        }
    }

    pub fn start(&mut self, at: usize) {
        let (voters, seed, now) = (self.voters(), self.seed, self.now);
        self.nodes[at].start(voters, seed, now);
        self.drain(at);
    }

    /// Runs until `end`, with faults if the weather has them.
    pub fn run(&mut self, end: u64) {
        while self.history.violations.is_empty() {
            let next = self.next_moment();
            if next >= end {
                self.now = end;
                return;
            }
            self.now = next.max(self.now);
            self.step();
        }
    }

    fn next_moment(&self) -> u64 {
        let message = self.in_flight.peek().map_or(u64::MAX, |Reverse((at, ..))| *at);
        let nodes = self.nodes.iter().map(|node| {
            let timer = node.engine.as_ref().and_then(ConsensusEngine::poll_timeout);
            let timer = timer.filter(|_| !self.hears_no_clock(node));
            let timer = timer.map_or(u64::MAX, |at| at.0.max(node.paused_until));
            let back = if node.waiting.is_empty() { u64::MAX } else { node.paused_until };
            timer.min(back).min(node.down_until.unwrap_or(u64::MAX))
        });
        let nodes = nodes.min().unwrap_or(u64::MAX);
        message.min(nodes).min(self.next_client).min(self.next_fault).min(self.heal_at)
    }

    fn hears_no_clock(&self, node: &Node) -> bool {
        self.defect == Some(Defect::LeadersHearNoClock) && node.reign.is_some()
    }

    /// Who hears nobody for longer than any lease leads no more: others may do so.
    fn check_deaf(&mut self) {
        let Some((at, since)) = self.deaf.take() else { return };
        let node = &self.nodes[at];
        let was_awake = node.paused_until <= since;
        if was_awake && node.reign.is_some() && self.now - since > DEAF_LEADS_MAX {
            let why =
                format!("{} heard nobody for {} ms and leads", node.key.id, DEAF_LEADS_MAX / MS);
            self.history.violate(why);
        }
    }

    fn step(&mut self) {
        let now = self.now;
        if now >= self.heal_at {
            self.check_deaf();
            self.cut.clear();
            self.heal_at = u64::MAX;
        }
        if now >= self.next_fault {
            self.next_fault = now + self.chance.between(1, self.weather.fault_every);
            self.fault();
        }
        for at in 0..self.nodes.len() {
            if self.nodes[at].down_until.is_some_and(|until| now >= until) {
                self.start(at);
            }
            if now < self.nodes[at].paused_until {
                continue;
            }
            while let Some(message) = self.nodes[at].waiting.pop_front() {
                self.receive(at, message);
            }
            let stands_still = self.hears_no_clock(&self.nodes[at]);
            let Some(engine) = &mut self.nodes[at].engine else { continue };
            let is_due = engine.poll_timeout().is_some_and(|at| now >= at.0);
            if is_due && !stands_still {
                engine.handle_timeout(MonoTime(now));
                self.drain(at);
            }
        }
        while let Some(Reverse((due, ..))) = self.in_flight.peek() {
            if *due > now {
                break;
            }
            let Some(Reverse((_, _, at, message))) = self.in_flight.pop() else { break };
            if now < self.nodes[at].paused_until {
                self.nodes[at].waiting.push_back(message);
            } else {
                self.receive(at, message);
            }
        }
        if now >= self.next_client {
            self.next_client = now + self.chance.between(1, 30 * MS);
            self.propose();
        }
    }

    fn receive(&mut self, at: usize, message: Bytes) {
        self.counts.trace = self.counts.trace.rotate_left(7)
            ^ message.iter().fold(self.now, |hash, byte| hash.wrapping_mul(31) ^ u64::from(*byte));
        let Some(engine) = &mut self.nodes[at].engine else { return };
        self.counts.messages += 1;
        // What is refused is as if it had been lost.
        let _ = engine.handle_message(message);
        // Several messages share a sync, as they do when the host is busy.
        if self.chance.hits(700) {
            self.drain(at);
        }
    }

    /// Does what a host does after every call, unless the power goes in the middle.
    pub fn drain(&mut self, at: usize) {
        loop {
            if self.chance.hits(self.weather.crash_per_mille) && self.now < self.next_fault {
                return self.lose_power(at);
            }
            let Some(engine) = &mut self.nodes[at].engine else { return };
            if let Some(message) = engine.poll_message() {
                self.send(at, message);
            } else if let Some(event) = engine.poll_event() {
                self.handle(at, event);
            } else {
                break;
            }
        }
        let engine = self.nodes[at].engine.as_ref();
        if engine.is_some_and(|engine| engine.wants_snapshot()) {
            self.nodes[at].write_snapshot();
        }
        self.nodes[at].check_high_watermark(&mut self.history);
        if self.nodes[at].is_fatal.is_some() {
            self.counts.disk_stops += 1;
            self.lose_power(at);
        }
    }

    fn handle(&mut self, at: usize, event: EngineEvent) {
        if let EngineEvent::Committed(batch) = &event {
            let keeps = |node: &Node| node.disk.log.keeps(batch.base_offset, batch.epoch);
            let members = self.nodes[at].engine.as_ref().map_or(0, |e| e.status().voters.len());
            let voters = self.nodes.iter().filter(|node| keeps(node)).count();
            let is_first = self.nodes[at].delivered >= self.history.agreed.len();
            if is_first && !self.is_changing && voters * 2 <= members {
                let why = format!("{} is delivered and {voters} keep it", batch.base_offset);
                self.history.violate(why);
            }
        }
        if let Some((_, true)) = self.nodes[at].handle(event, &mut self.history) {
            self.counts.acks += 1;
        }
    }

    fn send(&mut self, from: usize, message: OutboundMessage) {
        if message.to == ANY_VOTER {
            let others = self.index_of.keys().copied().collect::<Vec<_>>();
            let others = others.into_iter().filter(|id| *id != self.nodes[from].key.id);
            let bytes = message.bytes;
            for to in others.collect::<Vec<_>>() {
                self.send(from, OutboundMessage { to, bytes: bytes.clone() });
            }
            return;
        }
        let Some(&to) = self.index_of.get(&message.to) else { return };
        if self.cut.contains(&(from, to)) || self.chance.hits(self.weather.loss_per_mille) {
            return;
        }
        let copies = 1 + u64::from(self.chance.hits(self.weather.double_per_mille));
        for _ in 0..copies {
            let due = self.now + self.chance.between(MS / 10, self.weather.delay_max);
            self.sent += 1;
            self.in_flight.push(Reverse((due, self.sent, to, message.bytes.clone())));
        }
    }

    /// A client's command at every node that thinks it leads.
    pub fn propose(&mut self) {
        for at in 0..self.nodes.len() {
            let Some((epoch, next)) = self.nodes[at].reign else { continue };
            if self.now < self.nodes[at].paused_until || self.nodes[at].pending.len() > 20 {
                continue;
            }
            let count = self.chance.between(1, 3);
            let ids = (0..count).map(|_| {
                self.proposals += 1;
                Bytes::from(self.proposals.to_string())
            });
            let ids: Vec<_> = ids.collect();
            let wall = WallTime(BIRTH.0 + (self.now / MS) as i64);
            let Some(engine) = &mut self.nodes[at].engine else { continue };
            if engine.propose(epoch, next, ids, wall).is_ok() {
                let node = &mut self.nodes[at];
                node.pending.insert(next, epoch);
                node.reign = Some((epoch, next.plus(count as i64)));
            }
            if self.chance.hits(500) {
                self.drain(at);
            }
        }
    }

    fn fault(&mut self) {
        let at = self.chance.below(self.nodes.len() as u64) as usize;
        let span = self.chance.between(50, 2500) * MS;
        match self.chance.below(7) {
            0 => self.lose_power(at),
            1 => self.nodes[at].disk.fail_after(self.chance.below(12)),
            2 => {
                self.counts.pauses += 1;
                self.nodes[at].paused_until = self.now + span;
            }
            3 | 4 => self.cut_off(at, span),
            5 => {
                let Some((epoch, _)) = self.nodes[at].reign else { return };
                self.counts.resignations += 1;
                let Some(engine) = &mut self.nodes[at].engine else { return };
                engine.resign(epoch);
                self.drain(at);
            }
            _ => (0..self.nodes.len()).for_each(|at| self.lose_power(at)),
        }
    }

    fn cut_off(&mut self, at: usize, span: u64) {
        let ways = self.chance.below(3);
        self.counts.cuts += 1;
        self.counts.one_way_cuts += u64::from(ways < 2);
        for other in (0..self.nodes.len()).filter(|other| *other != at) {
            if ways != 0 {
                self.cut.insert((at, other));
            }
            if ways != 1 {
                self.cut.insert((other, at));
            }
        }
        self.deaf = (ways != 1).then_some((at, self.now));
        self.heal_at = self.now + span;
    }

    pub fn lose_power(&mut self, at: usize) {
        self.counts.power_losses += 1;
        let node = &mut self.nodes[at];
        node.stop();
        let unsynced = node.disk.log.unsynced();
        let kept = self.chance.below(unsynced as u64 + 1) as usize;
        self.counts.unsynced_lost += (unsynced - kept) as u64;
        node.disk.lose_power(kept);
        if self.defect == Some(Defect::DiskIsReplacedUnderTheSameIdentity) && self.chance.hits(300)
        {
            node.disk = Disk::new(self.defect);
        }
        node.is_fatal = None;
        node.down_until = Some(self.now + self.chance.between(10, 1500) * MS);
    }

    /// The faults are over: all must agree and go on, within `span`.
    pub fn heal(&mut self, span: u64) {
        let Weather { voters, .. } = self.weather;
        self.weather = Weather::calm(voters);
        (self.next_fault, self.heal_at, self.deaf) = (u64::MAX, u64::MAX, None);
        self.cut.clear();
        for node in &mut self.nodes {
            node.paused_until = 0;
            node.disk.lose_power(usize::MAX);
            self.counts.installs += node.installs;
            self.counts.trims += node.trims;
        }
        for at in 0..self.nodes.len() {
            self.nodes[at].stop();
            self.start(at);
        }
        let acked = self.counts.acks;
        self.run(self.now + span);
        self.next_client = u64::MAX;
        self.run(self.now + span);
        if !self.history.violations.is_empty() {
            return;
        }
        if self.counts.acks == acked {
            self.history.violate("nothing commits once all is well".to_owned());
        }
        let agreed = self.history.agreed.len();
        for node in &self.nodes {
            if node.delivered != agreed {
                let (id, delivered) = (node.key.id, node.delivered);
                let why = format!("{id} has {delivered} of {agreed}: {:?}", node.is_fatal);
                self.history.violations.push(why);
            }
        }
        self.history.check_acked();
    }
}
