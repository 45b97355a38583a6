use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use consensus::{
    CommittedBatch, ConsensusEngine, EngineEvent, Epoch, Gate, GateVerdict, LogMark, MetadataLog,
    NodeId, RaftEngine, RaftOptions, RaftTiming, SNAPSHOT_END, Voter, VoterEndpoint, VoterKey,
};
use types::{MonoTime, Offset, Uuid, WallTime};

use super::disk::Disk;
use super::history::History;

pub const BIRTH: WallTime = WallTime(1_700_000_000_000);

/// A voter and its host: what a controller does with its engine.
pub struct Node {
    pub key: VoterKey,
    pub disk: Disk,
    pub engine: Option<RaftEngine<Disk>>,
    pub gate: Gate,
    pub delivered: usize,
    pub epoch: Epoch,
    pub reign: Option<(Epoch, Offset)>,
    /// Who leads, and where that one listens, as far as it was known when the host was told.
    pub follows: Option<(NodeId, Vec<VoterEndpoint>)>,
    /// Base offsets of own proposals whose fate is open, by reign.
    pub pending: BTreeMap<Offset, Epoch>,
    /// Nothing runs here until then; messages wait.
    pub paused_until: u64,
    pub waiting: VecDeque<Bytes>,
    pub down_until: Option<u64>,
    /// The host was told to stop.
    pub is_fatal: Option<String>,
    high_watermark: Offset,
    /// A snapshot is written after so many batches, and the log trimmed to the one before; never
    /// if 0.
    pub snapshot_every: usize,
    /// How long a snapshot is, in bytes.
    pub snapshot_bytes: usize,
    since_snapshot: usize,
    older: Option<LogMark>,
    written: BTreeSet<LogMark>,
    /// Snapshots of other voters that it went on from.
    pub installs: u64,
    pub trims: u64,
}

impl Node {
    pub fn new(key: VoterKey, disk: Disk) -> Node {
        Node {
            key,
            disk,
            engine: None,
            gate: Gate::new(Epoch::NONE, Offset::ZERO),
            delivered: 0,
            epoch: Epoch::NONE,
            reign: None,
            follows: None,
            pending: BTreeMap::new(),
            paused_until: 0,
            waiting: VecDeque::new(),
            down_until: None,
            is_fatal: None,
            high_watermark: Offset::ZERO,
            snapshot_every: 0,
            snapshot_bytes: 100,
            since_snapshot: 0,
            older: None,
            written: BTreeSet::new(),
            installs: 0,
            trims: 0,
        }
    }

    pub fn start(&mut self, voters: Vec<Voter>, seed: u64, now: u64) {
        let (timing, endpoints) = (RaftTiming::default(), endpoints(self.key.id));
        let options = RaftOptions { voter: self.key, voters, endpoints, timing, seed };
        let wall = WallTime(BIRTH.0 + (now / 1_000_000) as i64);
        let opened = RaftEngine::open(options, self.disk.clone(), wall, MonoTime(now));
        match opened {
            Ok(engine) => self.engine = Some(engine),
            Err(error) => self.is_fatal = Some(error.to_string()),
        }
        self.gate = Gate::new(Epoch::NONE, Offset::ZERO);
        (self.delivered, self.epoch, self.reign) = (0, Epoch::NONE, None);
        (self.down_until, self.high_watermark) = (None, Offset::ZERO);
        (self.since_snapshot, self.older) = (0, None);
    }

    /// The process is gone; the disk is what it is.
    pub fn stop(&mut self) {
        self.engine = None;
        self.reign = None;
        self.pending.clear();
        self.waiting.clear();
    }

    /// Takes in one event. Returns what it committed of its own.
    pub fn handle(&mut self, event: EngineEvent, history: &mut History) -> Option<(Offset, bool)> {
        let id = self.key.id;
        match event {
            EngineEvent::Leader { epoch, next } => {
                if epoch < self.epoch || next != self.gate.next() {
                    history.violate(format!("{id} leads {epoch} from {next}, in the wrong order"));
                }
                (self.epoch, self.reign) = (epoch, Some((epoch, next)));
                history.note_leader(id, epoch, next);
            }
            EngineEvent::Follow { epoch, leader } => {
                self.follows = leader.map(|leader| (leader, self.endpoints_known_of(leader)));
                self.epoch = self.epoch.max(epoch);
                self.reign = None;
                self.pending.clear();
            }
            EngineEvent::Fatal(error) => self.is_fatal = Some(error.to_string()),
            EngineEvent::Installed(mark) => self.install(mark, history),
            EngineEvent::Committed(batch) => {
                if self.gate.admit(&batch) == GateVerdict::Drop {
                    history.violate(format!("{id}: the gate dropped {}", batch.base_offset));
                    return None;
                }
                let is_ours = self.pending.remove(&batch.base_offset);
                if self.reign.is_some_and(|(epoch, _)| epoch != batch.epoch) {
                    history.violate(format!("{id}: a batch of {} inside its reign", batch.epoch));
                }
                history.note_commit(id, self.delivered, &batch);
                self.delivered += 1;
                let is_acked = is_ours == Some(batch.epoch) && self.reign.is_some();
                if is_acked {
                    history.note_ack(&batch);
                }
                self.since_snapshot += 1;
                if self.since_snapshot == self.snapshot_every {
                    self.write_snapshot();
                }
                return Some((batch.base_offset, is_acked));
            }
        }
        None
    }

    fn endpoints_known_of(&self, id: NodeId) -> Vec<VoterEndpoint> {
        let status = self.engine.as_ref().expect("it runs").status();
        let voters = status.voters.into_iter().map(|voter| (voter.id, voter.endpoints));
        let told = status.told.into_iter().map(|voter| (voter.key.id, voter.endpoints));
        let known = voters.chain(told).filter(|(known, _)| *known == id);
        known.map(|(_, endpoints)| endpoints).find(|at| !at.is_empty()).unwrap_or_default()
    }

    /// What it knows is how many batches there were.
    fn install(&mut self, mark: LogMark, history: &mut History) {
        self.installs += u64::from(!self.written.contains(&mark));
        let read = self.disk.log.read_snapshot(mark, 0, usize::MAX).expect("memory works");
        let (_, bytes) = read.expect("it is there");
        let known = bytes[..8].try_into().map(u64::from_be_bytes).expect("it begins with that");
        self.gate = Gate::new(mark.epoch, mark.end);
        self.delivered = known as usize;
        let last = self.delivered.checked_sub(1).and_then(|last| history.agreed.get(last));
        let fits =
            |last: &CommittedBatch| (last.next_offset(), last.epoch) == (mark.end, mark.epoch);
        if !last.is_some_and(fits) {
            let id = self.key.id;
            history.violate(format!("{id}: batch {known} does not end at {mark:?}"));
        }
    }

    /// Writes down what it knows, and lets go of what two snapshots have.
    pub fn write_snapshot(&mut self) {
        let mark = LogMark { end: self.gate.next(), epoch: self.gate.last_epoch() };
        if self.older == Some(mark) || self.delivered == 0 {
            return;
        }
        let mut bytes = (self.delivered as u64).to_be_bytes().to_vec();
        bytes.resize(self.snapshot_bytes, 0);
        bytes.extend_from_slice(SNAPSHOT_END);
        self.disk.log.put_snapshot(mark, Bytes::from(bytes));
        self.written.insert(mark);
        self.since_snapshot = 0;
        let Some(older) = self.older.replace(mark) else { return };
        let Some(engine) = &mut self.engine else { return };
        // What fails is told by the engine.
        if engine.trim(older).is_ok_and(|is_trimmed| is_trimmed) {
            self.trims += 1;
            self.disk.log.remove_snapshots_before(older);
        }
    }

    pub fn check_high_watermark(&mut self, history: &mut History) {
        let Some(engine) = &self.engine else { return };
        let status = engine.status();
        if status.high_watermark < self.high_watermark {
            history.violate(format!("{}: the high watermark falls", self.key.id));
        }
        self.high_watermark = status.high_watermark;
    }
}

pub fn key(id: i32) -> VoterKey {
    VoterKey { id: NodeId(id), directory: Uuid([0x40 | id as u8; 16]) }
}

pub fn endpoints(id: NodeId) -> Vec<VoterEndpoint> {
    let (listener, host) = ("CONTROLLER".to_owned(), format!("host-{id}"));
    vec![VoterEndpoint { listener, host, port: 9093 }]
}

/// Voters as the log names them.
pub fn keyed(count: i32) -> Vec<Voter> {
    let voter = |key: VoterKey| Voter { key, endpoints: endpoints(key.id) };
    (1..=count).map(key).map(voter).collect()
}

/// Voters as they stand in `controller.quorum.voters`.
pub fn named(count: i32) -> Vec<Voter> {
    (1..=count)
        .map(|id| VoterKey { id: NodeId(id), directory: Uuid::ZERO })
        .map(|key| Voter { key, endpoints: Vec::new() })
        .collect()
}
