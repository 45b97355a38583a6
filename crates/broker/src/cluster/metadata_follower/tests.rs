use std::path::Path;
use std::task::{Context, Poll, Waker};

use consensus::{ControlBatch, NodeId, Voter, VoterEndpoint, VoterKey};
use env_sim::SimEnv;
use metadata::{
    KRAFT_VERSION_FEATURE, METADATA_VERSION_FEATURE, MetadataRecord, MetadataVersion, Provenance,
};
use protocol::messages::fetch_response::{FetchableTopicResponse, LeaderIdAndEpoch};
use protocol::metadata_records::{FeatureLevelRecord, TopicRecord};
use protocol::{ApiKey, frame};
use records::{BatchBuilder, NewRecord};
use types::LeaderEpoch;

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

/// What is done to partitions and to the groups in them is one step with what the others are told:
/// a broker that cannot take all of it does not go on with half.
#[test]
fn a_broker_that_cannot_apply_a_record_shows_nothing_of_its_batch_and_stops() {
    let env = SimEnv::new(7);
    tests::format(&env, 2);
    let roles = ["process.roles=broker", "listeners=PLAINTEXT://there:9092"];
    let broker = node(&env, 2, &roles);
    let follower = MetadataFollower::new(&broker);
    let topic = TopicRecord { name: "t".into(), topic_id: Uuid([9; 16]) };
    let known = MetadataRecord::from(topic).encode(MetadataVersion::LATEST).expect("sayable");
    let mut batch = BatchBuilder::new().leader_epoch(LeaderEpoch(0));
    for value in [&known[..], &[1, 99, 0]] {
        let timestamp = env.clock().wall();
        batch.push(NewRecord { timestamp, value: Some(value), ..NewRecord::default() });
    }
    let data = PartitionData {
        current_leader: LeaderIdAndEpoch { leader_id: -1, leader_epoch: -1 },
        records: Some(batch.build().into_bytes()),
        ..PartitionData::default()
    };
    let topic = FetchableTopicResponse {
        topic_id: Uuid::METADATA_TOPIC,
        partitions: vec![data],
        ..FetchableTopicResponse::default()
    };
    let response = FetchResponse { responses: vec![topic], ..FetchResponse::default() };
    let address = PeerAddress { host: "here".into(), port: 9093 };
    follower.handle(&broker, &address, Ok(response));
    env.background().run_due();
    assert!(broker.image().topics.by_name("t").is_none());
    let why = broker.halt.reason().expect("it stops");
    assert!(why.contains("METADATA_LOG_FAILED"), "{why}");
}

fn voters() -> Vec<Voter> {
    let endpoint =
        VoterEndpoint { listener: "CONTROLLER".to_owned(), host: "here".to_owned(), port: 9093 };
    let key = VoterKey { id: NodeId(1), directory: Uuid([7; 16]) };
    vec![Voter { key, endpoints: vec![endpoint] }]
}

#[test]
fn a_broker_knows_the_kraft_version_that_a_control_batch_finalizes() {
    for voters in [Vec::new(), voters()] {
        let env = SimEnv::new(7);
        tests::format(&env, 2);
        let roles = ["process.roles=broker", "listeners=PLAINTEXT://there:9092"];
        let broker = node(&env, 2, &roles);
        let follower = MetadataFollower::new(&broker);
        let batch = ControlBatch::KRaftVersion { level: 1, voters };
        let batch = control::encode(&batch, Offset::ZERO, LeaderEpoch(0), env.clock().wall());
        follower.take_in(&batch.into_bytes(), &broker).expect("it is the first batch");
        let image = broker.image();
        assert_eq!(image.features.level(KRAFT_VERSION_FEATURE), 1);
        assert!(image.is_empty(), "the cluster itself is still to be written");
    }
}

#[test]
fn a_broker_that_begins_with_a_snapshot_knows_the_kraft_version_that_is_in_its_head() {
    let mut loader = MetadataLoader::new(Arc::new(MetadataImage::empty()));
    let feature = |name: &str, feature_level| {
        MetadataRecord::from(FeatureLevelRecord { name: name.into(), feature_level })
    };
    let records = [feature(KRAFT_VERSION_FEATURE, 1), feature(METADATA_VERSION_FEATURE, 25)];
    let at = Provenance { last_offset: Offset(8), epoch: 2, ..Provenance::EMPTY };
    let image = loader.replay_batch(at, &records).expect("levels").expect("no transaction").image;
    let bytes = metadata_snapshot::encode(&image, &voters()).expect("it can be said");
    assert!(
        image.to_records().iter().all(|record| *record != records[0]),
        "no record of the metadata says it"
    );

    let env = SimEnv::new(7);
    tests::format(&env, 2);
    let broker = node(&env, 2, &["process.roles=broker", "listeners=PLAINTEXT://there:9092"]);
    let follower = MetadataFollower::new(&broker);
    let id = metadata_snapshot::SnapshotId::of(&image);
    follower.install(id, &bytes.into(), &broker).expect("it is whole");
    assert_eq!(*broker.image(), *image);
    assert_eq!(broker.image().features.level(KRAFT_VERSION_FEATURE), 1);
}
