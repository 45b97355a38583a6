use std::sync::mpsc::{Receiver, channel};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use env_sim::SimEnv;
use protocol::messages::{BrokerHeartbeatRequest, DescribeQuorumRequest, QuorumMessageRequest};
use protocol::{Request, frame};
use types::{MonoTime, Uuid};

use super::state::Fate;
use super::*;
use crate::api::Caller;
use crate::cluster;
use crate::node::Node;
use crate::peers::PeerCall;
use crate::request::Door;
use crate::tests;

/// One of the three voters at a:9093, b:9093 and c:9093, with a disk that nobody has used.
fn voter(env: &SimEnv, id: i32) -> Arc<Node<SimEnv>> {
    tests::format(env, id);
    let host = ["a", "b", "c"][id as usize - 1];
    let properties = [
        format!("node.id={id}"),
        "process.roles=controller".to_owned(),
        "log.dirs=/data".to_owned(),
        format!("listeners=CONTROLLER://{host}:9093"),
        "controller.listener.names=CONTROLLER".to_owned(),
        "controller.quorum.voters=1@a:9093,2@b:9093,3@c:9093".to_owned(),
    ];
    tests::open(env, &properties.each_ref().map(String::as_str), Vec::new())
}

/// A request in its newest version, without its length.
fn framed<R: Request>(request: &R) -> Bytes {
    let chunks = frame::request(request, *R::VERSIONS.end(), 1, None).expect("encodes");
    Bytes::from(chunks.concat()).slice(frame::PREFIX_BYTES..)
}

#[test]
fn a_heartbeat_is_heard_before_the_decisions_ahead_of_its_answer_are_made() {
    let env = SimEnv::new(7);
    let node = voter(&env, 1);
    let request = BrokerHeartbeatRequest { broker_id: 4, broker_epoch: 9, ..Default::default() };
    let caller = Caller::here(&node.settings.config, Door::Controllers);
    cluster::serve_frame(&node, &caller, framed(&request), |_| {});
    // No lane has run.
    let heard = node.controller.heard_over.lock().expect("not poisoned").clone();
    assert_eq!(heard.get(&caller.peer()), Some(&(BrokerId(4), BrokerEpoch(9))));
}

type Voter = (SimEnv, Arc<Node<SimEnv>>);

/// Lets one of two voters do what is due, and brings what it says to the other.
fn step((env, node): &Voter, (_, other): &Voter) {
    env.background().run_due();
    node.timers().expire(env.clock().mono());
    env.background().run_due();
    while let Poll::Ready(call) = node.peers().poll_call(&mut Context::from_waker(Waker::noop())) {
        let PeerCall::Send { link, frame } = call else { continue };
        if *link.address.host == *"c" {
            node.peers().handle_disconnect(&link);
            continue;
        }
        let request = Bytes::from(frame.concat()).slice(frame::PREFIX_BYTES..);
        let peers = Arc::clone(node.peers());
        let caller = Caller::here(&other.settings.config, Door::Controllers);
        cluster::serve_frame(other, &caller, request, move |response| {
            assert!(peers.handle_response(&link, response.expect("a message is answered")));
        });
    }
}

/// What a node answers to those who ask it from other threads: how many answers came.
fn asked_from_elsewhere(node: &Arc<Node<SimEnv>>) -> Receiver<bool> {
    let (answered, answers) = channel();
    let node = Arc::clone(node);
    thread::spawn(move || {
        let caller = Caller::here(&node.settings.config, Door::Controllers);
        let cluster_id = Uuid([5; 16]).to_string().into();
        let message = Bytes::from_static(b"no message of any voter");
        let requests = [
            framed(&DescribeQuorumRequest::default()),
            framed(&QuorumMessageRequest { cluster_id, message }),
        ];
        for request in requests {
            let answered = answered.clone();
            cluster::serve_frame(&node, &caller, request, move |response| {
                _ = answered.send(response.is_some());
            });
        }
        // Its answer waits for its turn; that it is heard does not.
        let heartbeat = BrokerHeartbeatRequest::default();
        node.controller.note_heartbeat(caller.peer(), &heartbeat);
        _ = answered.send(!node.controller.is_active());
    });
    answers
}

#[test]
fn while_a_voter_waits_for_its_disk_the_node_answers_others() {
    let envs = [SimEnv::new(1), SimEnv::new(2)];
    let [a, b] = [0, 1].map(|index| (envs[index].clone(), voter(&envs[index], index as i32 + 1)));
    let answers: Arc<Mutex<Vec<bool>>> = Arc::default();
    let (told, node) = (Arc::clone(&answers), Arc::clone(&b.1));
    // What it promises to another voter is on its disk first.
    b.0.disk().during_next_sync(move || {
        let answers = asked_from_elsewhere(&node);
        let patience = Duration::from_secs(20);
        let came = (0..3).map_while(|_| answers.recv_timeout(patience).ok());
        told.lock().expect("not poisoned").extend(came);
    });
    for ms in 1..5_000 {
        for (env, _) in [&a, &b] {
            env.clock().set(MonoTime(ms * 1_000_000));
        }
        step(&a, &b);
        step(&b, &a);
        if !answers.lock().expect("not poisoned").is_empty() {
            break;
        }
    }
    assert_eq!(*answers.lock().expect("not poisoned"), [true; 3]);
}

#[test]
fn a_decision_whose_place_another_leader_has_filled_is_not_said_to_be_committed() {
    let env = SimEnv::new(8);
    let node = voter(&env, 1);
    let mut state = node.controller.lock();
    let mut take_in = |event| {
        let mut told = Told::default();
        state.take_in(event, &mut told, MonoTime::default(), true).expect("it reads");
    };
    let committed = |epoch, base: i64| {
        EngineEvent::Committed(consensus::CommittedBatch {
            epoch: Epoch(epoch),
            base_offset: Offset(base),
            last_offset: Offset(base),
            appended_at: WallTime(0),
            records: Vec::new(),
            kraft_version: None,
        })
    };
    take_in(committed(5, 0));
    take_in(EngineEvent::Leader { epoch: Epoch(5), next: Offset(1) });
    take_in(committed(5, 1));
    // One message of the next leader says who leads and what is committed where this one had
    // proposed.
    take_in(EngineEvent::Follow { epoch: Epoch(6), leader: Some(NodeId(2)) });
    take_in(committed(6, 2));
    take_in(committed(6, 3));
    assert_eq!(state.fate(Epoch(5), Offset(2)), Fate::Committed);
    assert_eq!(state.fate(Epoch(5), Offset(3)), Fate::Unknown);
}
