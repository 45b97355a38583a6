use std::path::Path;
use std::task::{Context, Poll, Waker};

use env_sim::SimEnv;
use protocol::{ApiKey, frame};

use super::*;
use crate::api::Caller;
use crate::cluster::serve_frame;
use crate::peers::PeerCall;
use crate::request::Door;
use crate::tests;

const LOG: &str = "/data/__cluster_metadata-0";

/// More than a broker asks while it starts.
const CALLS_MAX: usize = 100;

fn node(env: &SimEnv, id: i32, properties: &[&str]) -> Arc<Node<SimEnv>> {
    let usual = [
        &*format!("node.id={id}"),
        "log.dirs=/data",
        "controller.listener.names=CONTROLLER",
        "controller.quorum.voters=1@here:9093",
    ];
    tests::open(env, &[&usual[..], properties].concat(), Vec::new())
}

/// Carries what the broker asks to the controller, and the answers back. Returns what it asked.
fn carry(
    broker: &(SimEnv, Arc<Node<SimEnv>>),
    controller: &(SimEnv, Arc<Node<SimEnv>>),
) -> Vec<i16> {
    let (env, node) = broker;
    let poll = || node.peers().poll_call(&mut Context::from_waker(Waker::noop()));
    let mut asked = Vec::new();
    while asked.len() < CALLS_MAX
        && let Poll::Ready(call) = poll()
    {
        let PeerCall::Send { link, frame } = call else { continue };
        let request = Bytes::from(frame.concat()).slice(frame::PREFIX_BYTES..);
        asked.push(i16::from_be_bytes([request[0], request[1]]));
        let caller = Caller::here(&controller.1.settings.config, Door::Controllers);
        let peers = Arc::clone(node.peers());
        serve_frame(&controller.1, &caller, request, move |response| {
            assert!(peers.handle_response(&link, response.expect("it is answered")));
        });
        controller.0.background().run_due();
        env.background().run_due();
    }
    asked
}

#[test]
fn a_broker_whose_controller_has_a_damaged_snapshot_follows_the_log_instead() {
    let env = SimEnv::new(7);
    tests::format(&env, 1);
    let roles = ["process.roles=controller", "listeners=CONTROLLER://here:9093"];
    let often = ["metadata.log.max.record.bytes.between.snapshots=1"];
    let controller = node(&env, 1, &[&roles[..], &often].concat());
    env.background().run_due();
    let newest = controller.controller.newest_snapshot().expect("enough was written");
    let name = format!("{:020}-{:010}.checkpoint", newest.end.0, newest.epoch);
    controller.shutdown();
    drop(controller);
    env.disk().rot(&Path::new(LOG).join(name), 100, 0xff);
    let controller = node(&env, 1, &roles);
    assert_eq!(controller.controller.newest_snapshot(), Some(newest));

    let other = env.beside(8);
    tests::format(&other, 2);
    let roles = ["process.roles=broker", "listeners=PLAINTEXT://there:9092"];
    let broker = node(&other, 2, &roles);
    let (controller, broker) = ((env, controller), (other, broker));
    let asked = carry(&broker, &controller);
    assert!(asked.contains(&(ApiKey::FetchSnapshot as i16)), "it was sent to the snapshot");
    assert_eq!(broker.1.halt.reason(), None);
    assert_eq!(broker.1.image().provenance, controller.1.image().provenance);
}
