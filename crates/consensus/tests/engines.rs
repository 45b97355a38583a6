//! The contract of `ConsensusEngine`, held against each engine.

use std::io;

use bytes::Bytes;
use consensus::limits::{PROPOSAL_BYTES_MAX, PROPOSAL_RECORDS_MAX, UNSYNCED_BATCHES_MAX};
use consensus::{
    CommittedBatch, ConsensusEngine, EngineEvent, Epoch, Gate, GateVerdict, MemoryEngine,
    MemoryLog, MemoryQuorum, NodeId, ProposeError, RaftEngine, RaftOptions, RaftTiming,
    SingleVoter, Voter, VoterKey,
};
use types::{MonoTime, Offset, Uuid, WallTime};

const NODE: NodeId = NodeId(1);
const NOW: WallTime = WallTime(1_700_000_000_000);

fn open(log: &MemoryLog) -> SingleVoter<MemoryLog> {
    SingleVoter::open(NODE, log.clone(), NOW).expect("the log works")
}

fn open_raft(log: &MemoryLog) -> RaftEngine<MemoryLog> {
    try_open_raft(log).expect("the log works")
}

fn try_open_raft(log: &MemoryLog) -> io::Result<RaftEngine<MemoryLog>> {
    let named = VoterKey { id: NODE, directory: Uuid::ZERO };
    let options = RaftOptions {
        voter: VoterKey { directory: Uuid([1; 16]), ..named },
        voters: vec![Voter { key: named, endpoints: Vec::new() }],
        endpoints: Vec::new(),
        timing: RaftTiming::default(),
        seed: 0,
    };
    RaftEngine::open(options, log.clone(), NOW, MonoTime(0))
}

fn records(names: &[&'static str]) -> Vec<Bytes> {
    names.iter().map(|name| Bytes::from_static(name.as_bytes())).collect()
}

/// Everything that has happened, in order.
fn drain(engine: &mut impl ConsensusEngine) -> Vec<EngineEvent> {
    std::iter::from_fn(|| engine.poll_event()).collect()
}

fn lead(engine: &mut impl ConsensusEngine) -> (Epoch, Offset, Vec<CommittedBatch>) {
    let mut batches = Vec::new();
    let mut leader = None;
    for event in drain(engine) {
        match event {
            EngineEvent::Committed(batch) => {
                assert!(leader.is_none(), "earlier commits come before Leader");
                batches.push(batch);
            }
            EngineEvent::Leader { epoch, next } => leader = Some((epoch, next)),
            other => panic!("unexpected {other:?}"),
        }
    }
    let (epoch, next) = leader.expect("the engine leads");
    (epoch, next, batches)
}

fn committed(engine: &mut impl ConsensusEngine) -> Vec<CommittedBatch> {
    drain(engine)
        .into_iter()
        .map(|event| match event {
            EngineEvent::Committed(batch) => batch,
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

/// The part of the contract that an engine with one leader keeps whatever lies under it.
fn check_contract(engine: &mut impl ConsensusEngine) {
    assert_eq!(
        engine.propose(Epoch(0), Offset::ZERO, records(&["early"]), NOW),
        Err(ProposeError::NotLeader),
        "nothing can be proposed before Leader was heard"
    );
    let (epoch, next, _) = lead(engine);
    let wrong = ProposeError::WrongOffset { next };
    assert_eq!(engine.propose(epoch, next.plus(1), records(&["a"]), NOW), Err(wrong));
    let other = Epoch(epoch.0 + 1);
    assert_eq!(engine.propose(other, next, records(&["a"]), NOW), Err(ProposeError::NotLeader));
    let empty = ProposeError::BadSize { bytes: 0, bytes_max: PROPOSAL_BYTES_MAX };
    assert_eq!(engine.propose(epoch, next, Vec::new(), NOW), Err(empty));
    let bytes = PROPOSAL_BYTES_MAX + 1;
    let large = ProposeError::BadSize { bytes, bytes_max: PROPOSAL_BYTES_MAX };
    let huge = vec![Bytes::from(vec![0; bytes])];
    assert_eq!(engine.propose(epoch, next, huge, NOW), Err(large));
    let bytes = PROPOSAL_RECORDS_MAX + 1;
    let many = ProposeError::BadSize { bytes, bytes_max: PROPOSAL_BYTES_MAX };
    let crowd = vec![Bytes::from_static(b"r"); bytes];
    assert_eq!(engine.propose(epoch, next, crowd, NOW), Err(many));

    let mut gate = Gate::new(epoch, next);
    engine.propose(epoch, next, records(&["a", "b"]), NOW).expect("accepted");
    engine.propose(epoch, next.plus(2), records(&["c"]), NOW).expect("accepted");
    let batches = committed(engine);
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].records, records(&["a", "b"]));
    assert_eq!((batches[0].base_offset, batches[0].last_offset), (next, next.plus(1)));
    assert_eq!(batches[0].appended_at, NOW);
    assert_eq!(batches[1].records, records(&["c"]));
    assert!(batches.iter().all(|batch| gate.admit(batch) == GateVerdict::Apply));
    assert_eq!(engine.status().high_watermark, next.plus(3));
    assert_eq!(engine.status().leader, Some(NODE));

    engine.resign(Epoch(epoch.0 - 1));
    engine.propose(epoch, next.plus(3), records(&["d"]), NOW).expect("that reign is not ours");
    assert_eq!(committed(engine).len(), 1);
    engine.resign(epoch);
    assert!(matches!(drain(engine)[..], [EngineEvent::Follow { leader: None, .. }]));
    let refused = engine.propose(epoch, next.plus(4), records(&["e"]), NOW);
    assert_eq!(refused, Err(ProposeError::NotLeader));
}

#[test]
fn a_single_voter_keeps_the_contract() {
    check_contract(&mut open(&MemoryLog::default()));
}

#[test]
fn the_memory_engine_keeps_the_contract() {
    check_contract(&mut MemoryEngine::alone(NODE));
}

#[test]
fn a_raft_quorum_of_one_keeps_the_contract() {
    check_contract(&mut open_raft(&MemoryLog::default()));
}

fn check_every_open_is_a_reign_of_its_own_and_replays_the_whole_log<E: ConsensusEngine>(
    open: impl Fn(&MemoryLog) -> E,
) {
    let log = MemoryLog::default();
    let mut first = open(&log);
    let (epoch, next, replayed) = lead(&mut first);
    assert_eq!((epoch, next), (Epoch(0), Offset(1)), "the leader change took offset 0");
    assert!(replayed[0].records.is_empty(), "a leader change has no records");
    first.propose(epoch, next, records(&["a", "b"]), NOW).expect("accepted");
    assert_eq!(committed(&mut first).len(), 1);
    drop(first);

    let mut second = open(&log);
    let (epoch, next, replayed) = lead(&mut second);
    assert_eq!((epoch, next), (Epoch(1), Offset(4)));
    let epochs: Vec<_> = replayed.iter().map(|batch| batch.epoch.0).collect();
    assert_eq!(epochs, [0, 0, 1]);
    assert_eq!(replayed[1].records, records(&["a", "b"]));
    let mut gate = Gate::new(Epoch::NONE, Offset::ZERO);
    assert!(replayed.iter().all(|batch| gate.admit(batch) == GateVerdict::Apply));
}

#[test]
fn every_open_is_a_reign_of_its_own_and_replays_the_whole_log() {
    check_every_open_is_a_reign_of_its_own_and_replays_the_whole_log(open);
    check_every_open_is_a_reign_of_its_own_and_replays_the_whole_log(open_raft);
}

fn check_what_was_committed_survives_power_loss_and_one_sync_covers_many_proposals<
    E: ConsensusEngine,
>(
    open: impl Fn(&MemoryLog) -> E,
) {
    let log = MemoryLog::default();
    let mut engine = open(&log);
    let (epoch, next, _) = lead(&mut engine);
    let syncs = log.syncs();
    for i in 0..10 {
        engine.propose(epoch, next.plus(i), records(&["r"]), NOW).expect("accepted");
    }
    assert_eq!(log.syncs(), syncs, "a proposal alone does not sync");
    assert_eq!(committed(&mut engine).len(), 10);
    assert_eq!(log.syncs(), syncs + 1);
    engine.propose(epoch, next.plus(10), records(&["lost"]), NOW).expect("accepted");
    drop(engine);
    log.lose_power();

    let (epoch, next, replayed) = lead(&mut open(&log));
    assert_eq!((epoch, next), (Epoch(1), Offset(12)));
    assert_eq!(replayed.iter().flat_map(|batch| &batch.records).count(), 10);
}

#[test]
fn what_was_committed_survives_power_loss_and_one_sync_covers_many_proposals() {
    check_what_was_committed_survives_power_loss_and_one_sync_covers_many_proposals(open);
    check_what_was_committed_survives_power_loss_and_one_sync_covers_many_proposals(open_raft);
}

#[test]
fn a_tail_that_an_earlier_process_never_synced_is_durable_before_it_is_delivered() {
    let log = MemoryLog::default();
    log.push_unsynced(Epoch(3), &records(&["tail"]), NOW);
    let mut engine = open(&log);
    log.lose_power();
    let (epoch, _, replayed) = lead(&mut engine);
    assert_eq!(epoch, Epoch(4));
    assert_eq!(replayed[0].records, records(&["tail"]));
}

fn check_a_failed_sync_commits_nothing_and_the_engine_never_recovers_by_itself<
    E: ConsensusEngine,
>(
    open: impl Fn(&MemoryLog) -> E,
) {
    let log = MemoryLog::default();
    let mut engine = open(&log);
    let (epoch, next, _) = lead(&mut engine);
    engine.propose(epoch, next, records(&["a"]), NOW).expect("accepted");
    log.set_sync_fails(true);
    assert!(matches!(drain(&mut engine)[..], [EngineEvent::Fatal(_)]));
    log.set_sync_fails(false);
    assert!(drain(&mut engine).is_empty());
    let refused = engine.propose(epoch, next.plus(1), records(&["b"]), NOW);
    assert_eq!(refused, Err(ProposeError::Failed));
    assert_eq!(engine.status().leader, None);
}

#[test]
fn a_failed_sync_commits_nothing_and_the_engine_never_recovers_by_itself() {
    check_a_failed_sync_commits_nothing_and_the_engine_never_recovers_by_itself(open);
    check_a_failed_sync_commits_nothing_and_the_engine_never_recovers_by_itself(open_raft);
}

#[test]
fn a_reign_that_cannot_be_made_durable_is_not_opened() {
    let log = MemoryLog::default();
    log.set_sync_fails(true);
    assert!(SingleVoter::open(NODE, log, NOW).is_err());
}

#[test]
fn a_log_with_a_hole_is_fatal_and_not_skipped() {
    let log = MemoryLog::default();
    log.push_unsynced(Epoch(0), &records(&["a"]), NOW);
    log.skip_offsets(3);
    let mut engine = open(&log);
    let events = drain(&mut engine);
    let [EngineEvent::Committed(_), EngineEvent::Fatal(error)] = &events[..] else {
        panic!("unexpected {events:?}");
    };
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

fn check_proposals_in_flight_are_bounded<E: ConsensusEngine>(open: impl Fn(&MemoryLog) -> E) {
    let log = MemoryLog::default();
    let mut engine = open(&log);
    let (epoch, next, _) = lead(&mut engine);
    for i in 0..UNSYNCED_BATCHES_MAX as i64 {
        engine.propose(epoch, next.plus(i), records(&["r"]), NOW).expect("accepted");
    }
    let end = next.plus(UNSYNCED_BATCHES_MAX as i64);
    assert_eq!(engine.propose(epoch, end, records(&["r"]), NOW), Err(ProposeError::Busy));
    assert_eq!(committed(&mut engine).len(), UNSYNCED_BATCHES_MAX);
    engine.propose(epoch, end, records(&["r"]), NOW).expect("room again");
}

#[test]
fn proposals_in_flight_are_bounded() {
    check_proposals_in_flight_are_bounded(open);
    check_proposals_in_flight_are_bounded(open_raft);
}

#[test]
fn a_deposed_leader_hears_follow_before_any_batch_of_the_new_epoch() {
    let (a, b) = (NodeId(1), NodeId(2));
    let quorum = MemoryQuorum::new([a, b]);
    let (mut old, mut new) = (quorum.engine(a), quorum.engine(b));
    let first = quorum.elect(a);
    let (epoch, next, _) = lead(&mut old);
    assert_eq!(epoch, first);
    old.propose(epoch, next, records(&["a"]), NOW).expect("accepted");
    let second = quorum.elect(b);
    assert!(second > first);
    let (epoch, next, _) = lead(&mut new);
    new.propose(epoch, next, records(&["b"]), NOW).expect("accepted");
    let zombie = old.propose(first, next.plus(1), records(&["zombie"]), NOW);
    assert_eq!(zombie, Err(ProposeError::NotLeader));
    let events = drain(&mut old);
    let EngineEvent::Follow { epoch, leader } = &events[0] else {
        panic!("unexpected {events:?}");
    };
    assert_eq!((*epoch, *leader), (second, Some(b)));
    let batches = |events: Vec<EngineEvent>| {
        events.into_iter().filter_map(|event| match event {
            EngineEvent::Committed(batch) => Some(batch),
            _ => None,
        })
    };
    let on_old: Vec<_> = batches(events).collect();
    let on_new: Vec<_> = batches(drain(&mut quorum.engine(b))).collect();
    assert_eq!(on_old, on_new);
}
