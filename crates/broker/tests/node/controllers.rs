//! Controllers that have registered (KIP-919).

use protocol::messages::controller_registration_request::{Feature, Listener};
use protocol::messages::update_features_request::FeatureUpdateKey;
use protocol::messages::{
    ControllerRegistrationRequest, DescribeClusterRequest, UpdateFeaturesRequest,
};
use types::{ErrorCode, Uuid};

use crate::harness::Broker;
use crate::shorthand::error;

const CONTROLLER: &[&str] = &[
    "listeners=PLAINTEXT://here:9092,CONTROLLER://here:9093",
    "controller.listener.names=CONTROLLER",
    "controller.quorum.voters=1@here:9093",
];

/// Controllers as a controller's listener tells of them.
fn controllers(broker: &Broker) -> Vec<(i32, String, i32)> {
    let mut client = broker.client_of("CONTROLLER");
    client.send(1, &DescribeClusterRequest { endpoint_type: 2, ..Default::default() });
    let told = client.answer::<DescribeClusterRequest>().brokers;
    told.iter().map(|node| (node.broker_id, node.host.to_string(), node.port)).collect()
}

fn register(broker: &Broker, id: i32, feature: &str, max: i16) {
    let (name, host) = ("CONTROLLER".into(), "there".into());
    let features = [("metadata.version", 30), (feature, max)].map(|(name, max)| Feature {
        name: name.into(),
        min_supported_version: 0,
        max_supported_version: max,
    });
    let mut client = broker.client_of("CONTROLLER");
    client.send(
        0,
        &ControllerRegistrationRequest {
            controller_id: id,
            incarnation_id: Uuid([7; 16]),
            zk_migration_ready: false,
            listeners: vec![Listener { name, host, port: 9095, security_protocol: 0 }],
            features: features.to_vec(),
        },
    );
    assert_eq!(client.answer::<ControllerRegistrationRequest>().error_code, 0);
}

#[test]
fn a_controller_registers_once_in_each_life() {
    let mut broker = Broker::with(CONTROLLER);
    let incarnations = |broker: &Broker| -> Vec<(i32, Uuid)> {
        let image = broker.image();
        image.cluster.controllers().map(|known| (known.id, known.incarnation)).collect()
    };
    broker.pass_ms(1);
    let first = incarnations(&broker);
    assert_eq!(first.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1]);
    let image = broker.image();
    let own = image.cluster.controllers().next().expect("it has registered");
    let at: Vec<_> = own.endpoints.iter().map(|at| (&*at.name, &*at.host, at.port)).collect();
    assert_eq!(at, [("CONTROLLER", "here", 9093)]);
    assert!(own.features["metadata.version"].contains(25));
    broker.pass_ms(5_000);
    assert_eq!(incarnations(&broker), first);
    broker.restart();
    broker.pass_ms(1);
    let second = incarnations(&broker);
    assert_eq!(second.len(), 1);
    assert_ne!(second, first, "another life");
}

#[test]
fn controllers_are_described_as_they_have_registered() {
    let broker = Broker::with(CONTROLLER);
    broker.pass_ms(1);
    register(&broker, 3, "eligible.leader.replicas.version", 1);
    let expected = [(1, "here".to_owned(), 9093), (3, "there".to_owned(), 9095)];
    assert_eq!(controllers(&broker), expected);
}

#[test]
fn a_level_that_a_registered_controller_cannot_work_at_is_refused() {
    let broker = Broker::with(CONTROLLER);
    broker.pass_ms(1);
    register(&broker, 3, "foo.version", 1);
    let update = FeatureUpdateKey {
        feature: "eligible.leader.replicas.version".into(),
        max_version_level: 1,
        upgrade_type: 1,
        ..Default::default()
    };
    let request = UpdateFeaturesRequest { feature_updates: vec![update], ..Default::default() };
    let answer = broker.call(2, &request);
    assert_eq!(error(answer.error_code), ErrorCode::InvalidUpdateVersion);
    let why = answer.error_message.expect("it says why");
    assert!(why.contains("Controller 3 does not support this feature."), "{why}");
}
