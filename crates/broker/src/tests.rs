//! Nodes for tests that look inside of them.

use std::path::Path;
use std::sync::Arc;

use config::Sources;
use env::Env;
use env_sim::SimEnv;
use protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use storage::{LogDir, MetaProperties};
use types::{BrokerId, Uuid};

use crate::node::{Endpoint, Node, NodeOptions};

/// Of the topic `t` of [`lone_with_topic`].
pub(crate) const TOPIC: Uuid = Uuid([7; 16]);

/// Makes `/data` on an empty disk that of node `id` of cluster `[5; 16]`.
pub(crate) fn format(env: &SimEnv, id: i32) {
    let mut dir = LogDir::open(env.disk().clone(), Path::new("/data")).expect("a disk");
    let properties = MetaProperties {
        cluster_id: Some(Uuid([5; 16]).to_string()),
        node_id: Some(BrokerId(id)),
        directory_id: Some(Uuid([id as u8; 16])),
    };
    dir.format(properties).expect("an empty directory");
}

pub(crate) fn open(
    env: &SimEnv,
    properties: &[&str],
    endpoints: Vec<Endpoint>,
) -> Arc<Node<SimEnv>> {
    let properties: Vec<_> = properties.iter().map(|line| (*line).to_owned()).collect();
    let sources = Sources { overrides: &properties, ..Sources::default() };
    let config = config::load(sources).expect("the test's own configuration").config;
    let options =
        NodeOptions { config: Arc::new(config), endpoints, controller_endpoints: Vec::new() };
    Node::open(env.clone(), options).unwrap_or_else(|error| panic!("no start: {error}"))
}

/// Broker and controller 1 on an empty disk, with a topic `t`.
pub(crate) fn lone_with_topic(env: &SimEnv, partitions: i32) -> Arc<Node<SimEnv>> {
    let properties = ["node.id=1", "log.dirs=/data", "log.index.size.max.bytes=16384"];
    let listener = "PLAINTEXT".to_owned();
    let endpoint = Endpoint { listener, host: "here".to_owned(), port: 9092 };
    let node = open(env, &properties, vec![endpoint]);
    let topic = CreatableTopic {
        name: "t".into(),
        num_partitions: partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let created = node.controller.submit_alone(move |c| c.create_topics(&request, &mut || TOPIC));
    assert_eq!(created.expect("committed").topics[0].error_code, 0);
    node
}
