use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use consensus::{
    CommittedBatch, ConsensusEngine, ControlBatch, EngineEvent, Epoch, LogMark, MetadataLog,
    NodeId, OutboundMessage, RaftEngine, RaftOptions, RaftTiming, Voter, VoterEndpoint, VoterKey,
};
use env_sim::{Crash, SimDisk, SimRng};
use metadata::{MetadataImage, MetadataLoader, Provenance};
use protocol::metadata_records::FeatureLevelRecord;
use storage::{LogDir, LogSettings};
use types::{LeaderEpoch, MonoTime, Offset, TopicPartition, Uuid, WallTime};

use super::{StoredMetadataLog, control};
use crate::metadata_snapshot::{self, SnapshotId};

const NOW: WallTime = WallTime(1_700_000_000_000);
const MS: u64 = 1_000_000;

type Log = StoredMetadataLog<SimDisk>;

fn open(disk: &SimDisk) -> Option<(LogDir<SimDisk>, Log)> {
    let disk = disk.for_process();
    let dir = LogDir::open(disk.clone(), Path::new("/d")).ok()?;
    let settings = LogSettings { config: Arc::default(), now: NOW, jitter_seed: 0 };
    let partition = TopicPartition::new("__cluster_metadata", 0);
    let log = match dir.find(&partition).ok()? {
        Some(found) => dir.open_log(&found, settings).ok()?.0,
        None => dir.create_log(&partition, Uuid::METADATA_TOPIC, settings).ok()?,
    };
    Some((dir, StoredMetadataLog::new(log, disk)))
}

fn records(names: &[&'static str]) -> Vec<Bytes> {
    names.iter().map(|name| Bytes::from_static(name.as_bytes())).collect()
}

/// Kafka's own tools and nodes take every such record for version 0, and fail on directories in it.
#[test]
fn a_leader_change_is_of_the_version_that_kafka_reads() {
    let key = VoterKey { id: NodeId(2), directory: Uuid([2; 16]) };
    let change = ControlBatch::LeaderChange { leader: key.id, voters: vec![key] };
    let batch = control::encode(&change, Offset(0), LeaderEpoch(1), NOW);
    let record = batch.records().expect("it reads").next().expect("one").expect("it reads");
    // Version, leader, one voter and its tags, the same voter as one who voted, tags.
    let expected = [0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 2, 0, 2, 0, 0, 0, 2, 0, 0];
    assert_eq!(record.value.as_deref(), Some(&expected[..]));
}

#[test]
fn the_log_gives_back_what_the_quorum_gave_it_after_a_power_loss() {
    let disk = SimDisk::new(1);
    let (dir, mut log) = open(&disk).expect("it opens");
    assert_eq!(log.quorum_state().expect("it reads"), None);
    log.set_quorum_state(b"first").expect("it is written");
    let key = |id| VoterKey { id: NodeId(id), directory: Uuid([id as u8; 16]) };
    let leader = |voters| ControlBatch::LeaderChange { leader: NodeId(2), voters };
    let without = |id| VoterKey { id: NodeId(id), directory: Uuid::ZERO };
    let (given, leader) = (leader(vec![key(1), key(2)]), leader(vec![without(1), without(2)]));
    let endpoint =
        VoterEndpoint { listener: "CONTROLLER".to_owned(), host: "::1".to_owned(), port: 9093 };
    let voter = Voter { key: key(3), endpoints: vec![endpoint] };
    let upgraded = ControlBatch::KRaftVersion { level: 1, voters: vec![voter.clone()] };
    let stated = ControlBatch::KRaftVersion { level: 1, voters: Vec::new() };
    let voters = ControlBatch::Voters(vec![voter]);
    let foreign = ControlBatch::Foreign(vec![
        (Bytes::from_static(&[0, 0, 0, 5]), Bytes::from_static(&[0, 0, 0, 1, 0])),
        (Bytes::from_static(&[0, 0, 0, 99]), Bytes::new()),
    ]);
    let controls = [(0, &given), (1, &voters), (2, &upgraded), (4, &stated), (5, &foreign)];
    for (at, (offset, control)) in controls.into_iter().enumerate() {
        let base = log.append_control(Epoch(at as i32), control, NOW).expect("it is appended");
        assert_eq!(base, Offset(offset));
        assert_eq!(log.log_end(), base.plus(control.offsets() as i64));
    }
    log.append(Epoch(7), &records(&["a", "b"]), NOW).expect("it is appended");
    log.sync().expect("it syncs");
    drop((dir, log));
    disk.crash(Crash::PowerLoss);

    let (_dir, mut log) = open(&disk).expect("it opens again");
    assert_eq!(log.quorum_state().expect("it reads").as_deref(), Some(&b"first"[..]));
    for (base, control) in controls {
        let control = if base == 0 { &leader } else { control };
        let batch = log.read(Offset(base)).expect("it reads").expect("it is there");
        assert_eq!(batch.control.as_ref(), Some(control));
        assert_eq!((batch.appended_at, batch.records.len()), (NOW, 0));
    }
    let batch = log.read(Offset(7)).expect("it reads").expect("it is there");
    assert_eq!((batch.records, batch.epoch), (records(&["a", "b"]), Epoch(7)));
    log.truncate_to(Offset(7), NOW).expect("it is cut");
    assert_eq!((log.log_end(), log.last_epoch()), (Offset(7), Epoch(4)));
    drop((_dir, log));
    disk.crash(Crash::PowerLoss);
    let (_dir, log) = open(&disk).expect("it opens a third time");
    assert_eq!((log.log_end(), log.last_epoch()), (Offset(7), Epoch(4)));
}

#[test]
fn a_quorum_state_is_the_whole_old_or_the_whole_new_one_wherever_the_power_goes() {
    for count in 1..12 {
        let disk = SimDisk::new(count);
        let (dir, mut log) = open(&disk).expect("it opens");
        log.set_quorum_state(b"old").expect("it is written");
        disk.die_after(count);
        let is_written = log.set_quorum_state(b"new").is_ok();
        drop((dir, log));
        disk.crash(Crash::PowerLoss);
        let (_dir, log) = open(&disk).expect("it opens again");
        let state = log.quorum_state().expect("it reads").expect("one is there");
        assert!(state == b"new" || (!is_written && state == b"old"), "at {count}: {state:?}");
    }
}

/// A voter on a disk that loses power in the middle of anything.
struct Member {
    id: i32,
    disk: SimDisk,
    process: Option<(LogDir<SimDisk>, RaftEngine<Log>)>,
    back_at: u64,
    delivered: usize,
    reign: Option<(Epoch, Offset)>,
    /// Its last two snapshots.
    snapshots: [Option<SnapshotId>; 2],
}

struct Quorum {
    members: Vec<Member>,
    chance: SimRng,
    now: u64,
    agreed: Vec<CommittedBatch>,
    acked: Vec<(Offset, Bytes)>,
    proposed: u64,
    losses: u64,
    /// How often a log was trimmed, and a voter went on from a snapshot while it ran.
    trims: u64,
    installs: u64,
}

impl Quorum {
    fn new(seed: u64) -> Quorum {
        let member = |id| Member {
            id,
            disk: SimDisk::new(seed * 8 + id as u64),
            process: None,
            back_at: 0,
            delivered: 0,
            reign: None,
            snapshots: [None; 2],
        };
        Quorum {
            members: (1..=3).map(member).collect(),
            chance: SimRng::new(seed),
            now: 0,
            agreed: Vec::new(),
            acked: Vec::new(),
            proposed: 0,
            losses: 0,
            trims: 0,
            installs: 0,
        }
    }

    fn start(&mut self, at: usize) {
        let member = &mut self.members[at];
        let Some((dir, log)) = open(&member.disk) else { return self.stop(at) };
        let named = |id| VoterKey { id: NodeId(id), directory: Uuid::ZERO };
        let voters = (1..=3).map(|id| Voter { key: named(id), endpoints: Vec::new() }).collect();
        let options = RaftOptions {
            voter: VoterKey { directory: Uuid([member.id as u8; 16]), ..named(member.id) },
            voters,
            endpoints: Vec::new(),
            timing: RaftTiming::default(),
            seed: 1,
        };
        (member.delivered, member.reign, member.snapshots) = (0, None, [None; 2]);
        match RaftEngine::open(options, log, NOW, MonoTime(self.now)) {
            Ok(engine) => member.process = Some((dir, engine)),
            Err(error) => {
                assert!(member.disk.is_dead(), "{error}");
                self.stop(at);
            }
        }
    }

    fn stop(&mut self, at: usize) {
        let member = &mut self.members[at];
        (member.process, member.reign) = (None, None);
        member.disk.crash(Crash::PowerLoss);
        member.back_at = self.now + [200, 200, 2000][self.chance.below(3) as usize] * MS;
        self.losses += 1;
    }

    fn step(&mut self, with_faults: bool) {
        self.now += 20 * MS;
        for at in 0..3 {
            if self.members[at].process.is_none() && self.now >= self.members[at].back_at {
                self.start(at);
            }
            if with_faults && self.chance.one_in(60) {
                self.members[at].disk.die_after(1 + self.chance.below(40));
            }
            let now = MonoTime(self.now);
            if let Some((_, engine)) = &mut self.members[at].process {
                engine.handle_timeout(now);
            }
            self.propose(at);
        }
        loop {
            let messages: Vec<_> = (0..3).flat_map(|at| self.drain(at)).collect();
            if messages.is_empty() {
                break;
            }
            for OutboundMessage { to, bytes } in messages {
                if with_faults && self.chance.one_in(30) {
                    continue;
                }
                if let Some((_, engine)) = &mut self.members[to.0 as usize - 1].process {
                    let _ = engine.handle_message(bytes);
                }
            }
        }
    }

    fn propose(&mut self, at: usize) {
        let member = &mut self.members[at];
        let Some((epoch, next)) = member.reign else { return };
        let Some((_, engine)) = &mut member.process else { return };
        for _ in 0..3 {
            self.proposed += 1;
            let record = Bytes::from(format!("{}", self.proposed));
            let next = member.reign.map_or(next, |(_, next)| next);
            if engine.propose(epoch, next, vec![record], NOW).is_ok() {
                member.reign = Some((epoch, next.plus(1)));
            }
        }
    }

    fn drain(&mut self, at: usize) -> Vec<OutboundMessage> {
        let mut messages = Vec::new();
        loop {
            let member = &mut self.members[at];
            let Some((_, engine)) = &mut member.process else { break };
            if let Some(message) = engine.poll_message() {
                messages.push(message);
                continue;
            }
            match engine.poll_event() {
                None => break,
                Some(EngineEvent::Leader { epoch, next }) => member.reign = Some((epoch, next)),
                Some(EngineEvent::Follow { .. }) => member.reign = None,
                Some(EngineEvent::Fatal(error)) => {
                    assert!(member.disk.is_dead(), "{error}");
                    self.stop(at);
                }
                Some(EngineEvent::Committed(batch)) => self.committed(at, batch),
                Some(EngineEvent::Installed(mark)) => self.installed(at, mark),
            }
        }
        messages
    }

    fn committed(&mut self, at: usize, batch: CommittedBatch) {
        let member = &mut self.members[at];
        match self.agreed.get(member.delivered) {
            Some(agreed) => assert_eq!(*agreed, batch, "voters agree"),
            None => self.agreed.push(batch.clone()),
        }
        member.delivered += 1;
        if member.delivered.is_multiple_of(10) {
            self.trims += u64::from(member.write_snapshot(&batch));
        }
        if member.reign.is_some_and(|(epoch, _)| epoch == batch.epoch) {
            self.acked.extend(batch.records.first().map(|id| (batch.base_offset, id.clone())));
        }
    }
}

impl Quorum {
    fn installed(&mut self, at: usize, mark: LogMark) {
        let member = &mut self.members[at];
        let (_, engine) = member.process.as_ref().expect("it runs");
        let image = engine.log().snapshot(mark).expect("it is whole");
        assert_eq!(SnapshotId::of(&image), mark.into());
        let covers =
            |batch: &CommittedBatch| (batch.next_offset(), batch.epoch) == (mark.end, mark.epoch);
        let last = self.agreed.iter().position(covers).expect("voters agreed up to there");
        self.installs += u64::from(member.delivered > 0);
        member.delivered = last + 1;
    }
}

impl Member {
    /// What a host does after enough batches: a snapshot, and trimming to the one before. Returns
    /// whether it did that.
    fn write_snapshot(&mut self, last: &CommittedBatch) -> bool {
        let Some((_, engine)) = &mut self.process else { return false };
        let name = metadata::METADATA_VERSION_FEATURE.into();
        let feature_level = metadata::MetadataVersion::LATEST.0;
        let record = FeatureLevelRecord { name, feature_level }.into();
        let mut loader = MetadataLoader::new(Arc::new(MetadataImage::empty()));
        let provenance = Provenance {
            last_offset: last.last_offset,
            epoch: last.epoch.0,
            appended_at: last.appended_at,
        };
        let loaded = loader.replay_batch(provenance, &[record]).expect("a feature level");
        let image = loaded.expect("no transaction is open").image;
        let bytes = metadata_snapshot::encode(&image, engine.voters()).expect("it can be said");
        let (id, dir) = (SnapshotId::of(&image), engine.log().reader().dir().to_owned());
        // A dying disk is found dead by the engine.
        if metadata_snapshot::write(&self.disk.for_process(), &dir, id, &bytes).is_err() {
            return false;
        }
        self.snapshots = [self.snapshots[1], Some(id)];
        let Some(older) = self.snapshots[0] else { return false };
        engine.trim(older.mark()).unwrap_or(false)
    }
}

#[test]
fn voters_on_real_logs_agree_and_keep_what_they_acknowledged_through_power_losses() {
    let (mut trims, mut installs) = (0, 0);
    for seed in 0..10 {
        let mut quorum = Quorum::new(seed);
        (0..300).for_each(|_| quorum.step(true));
        for at in 0..3 {
            quorum.stop(at);
        }
        (0..250).for_each(|_| quorum.step(false));
        assert!(quorum.losses > 6 && quorum.acked.len() > 50, "seed {seed}: nothing happened");
        let (end, base) = (quorum.agreed.len(), quorum.agreed[0].base_offset);
        assert_eq!(base, Offset::ZERO);
        for (offset, id) in &quorum.acked {
            let batch = quorum.agreed.iter().find(|batch| batch.base_offset == *offset);
            assert_eq!(batch.and_then(|batch| batch.records.first()), Some(id), "seed {seed}");
        }
        let ends = quorum.members.iter().map(|member| {
            let (_, engine) = member.process.as_ref().expect("it runs");
            (member.delivered, engine.log().log_end())
        });
        let ends: Vec<_> = ends.collect();
        assert!(ends.iter().all(|(delivered, _)| *delivered == end), "seed {seed}: {ends:?}");
        (trims, installs) = (trims + quorum.trims, installs + quorum.installs);
    }
    assert!(trims > 20 && installs > 2, "{trims} trims, {installs} installs");
}

#[test]
fn a_leader_takes_no_proposal_that_might_not_fit() {
    let disk = SimDisk::new(1);
    let (_dir, log) = open(&disk).expect("it opens");
    assert!(log.has_room(1000));
    disk.set_capacity(8 * 1024 * 1024);
    assert!(!log.has_room(1000));
}
