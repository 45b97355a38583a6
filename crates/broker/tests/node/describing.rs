//! What admin tools ask: log directories, producers, the cluster, topics a page at a time.

use protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use protocol::messages::describe_producers_request::TopicRequest as ProducersOf;
use protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use protocol::messages::elect_leaders_request::TopicPartitions;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use protocol::messages::{
    AddRaftVoterRequest, AlterPartitionReassignmentsRequest, DescribeClusterRequest,
    DescribeLogDirsRequest, DescribeProducersRequest, DescribeQuorumRequest,
    DescribeTopicPartitionsRequest, ElectLeadersRequest, FetchRequest, FindCoordinatorRequest,
    ListPartitionReassignmentsRequest, MetadataRequest, RemoveRaftVoterRequest,
    SaslHandshakeRequest, add_raft_voter_request, describe_quorum_request,
};
use records::BatchBuilder;
use types::{ErrorCode, ProducerEpoch, ProducerId, Sequence, Uuid};

use crate::harness::Broker;
use crate::shorthand::{ACKS_ALL, batch, error, produce, push};

#[test]
fn log_directories_say_what_is_in_them_and_how_large_it_is() {
    let broker = Broker::start();
    broker.create_topic("t", 2, &[]);
    broker.append("t", 1, &["a"]);
    for version in 1..=4 {
        let dirs = broker.call(version, &DescribeLogDirsRequest { topics: None }).results;
        assert_eq!(dirs.len(), 1);
        assert_eq!((&*dirs[0].log_dir, dirs[0].error_code), ("/data", 0));
        let topic = dirs[0].topics.iter().find(|topic| &*topic.name == "t").expect("t");
        let sizes: Vec<_> =
            topic.partitions.iter().map(|p| (p.partition_index, p.partition_size)).collect();
        assert_eq!(sizes, [(0, 0), (1, batch(&["a"]).len() as i64)]);
        assert!(topic.partitions.iter().all(|p| p.offset_lag == 0 && !p.is_future_key));
        assert_eq!(dirs[0].total_bytes > 0, version >= 4);
    }
    let one = DescribableLogDirTopic { topic: "t".into(), partitions: vec![1] };
    let dirs = broker.call(4, &DescribeLogDirsRequest { topics: Some(vec![one]) }).results;
    assert_eq!(dirs[0].topics[0].partitions.len(), 1);
}

#[test]
fn a_partition_names_the_idempotent_producers_it_remembers() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let builder = BatchBuilder::new().producer(ProducerId(5), ProducerEpoch(2), Sequence(10));
    let records = push(builder, &["a", "b"]).build();
    let appended = broker.produce(&produce("t", 0, ACKS_ALL, records.bytes().clone()));
    assert_eq!(appended.error_code, 0);
    let topic = ProducersOf { name: "t".into(), partition_indexes: vec![0, 1] };
    let request = DescribeProducersRequest { topics: vec![topic] };
    let partitions = broker.call(0, &request).topics.remove(0).partitions;
    let producer = &partitions[0].active_producers[0];
    assert_eq!((producer.producer_id, producer.producer_epoch, producer.last_sequence), (5, 2, 11));
    assert_eq!((producer.coordinator_epoch, producer.current_txn_start_offset), (-1, -1));
    assert_eq!(error(partitions[1].error_code), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn the_cluster_is_described_to_those_who_ask_for_brokers() {
    let broker = Broker::start();
    for version in 0..=2 {
        let cluster = broker.call(version, &DescribeClusterRequest::default());
        assert_eq!(cluster.error_code, 0);
        assert_eq!(cluster.controller_id, 1);
        let node = &cluster.brokers[0];
        assert_eq!((node.broker_id, &*node.host, node.port), (1, "here", 9092));
        let metadata = broker.call(12, &MetadataRequest::default());
        assert_eq!(Some(&cluster.cluster_id), metadata.cluster_id.as_ref());
        assert_eq!(cluster.cluster_id.len(), 22, "an id as Kafka writes it");
    }
    for (endpoint_type, refused) in
        [(2, ErrorCode::MismatchedEndpointType), (7, ErrorCode::UnsupportedEndpointType)]
    {
        let request = DescribeClusterRequest { endpoint_type, ..Default::default() };
        assert_eq!(error(broker.call(1, &request).error_code), refused);
    }
}

#[test]
fn a_handshake_where_there_is_no_sasl_is_an_illegal_state_without_mechanisms() {
    let broker = Broker::start();
    for version in 0..=1 {
        let answer = broker.call(version, &SaslHandshakeRequest { mechanism: "PLAIN".into() });
        assert_eq!(error(answer.error_code), ErrorCode::IllegalSaslState);
        assert!(answer.mechanisms.is_empty());
    }
}

fn page(
    limit: i32,
    cursor: Option<(&str, i32)>,
    topics: &[&str],
) -> DescribeTopicPartitionsRequest {
    DescribeTopicPartitionsRequest {
        topics: topics.iter().map(|name| TopicRequest { name: (*name).into() }).collect(),
        response_partition_limit: limit,
        cursor: cursor
            .map(|(topic, partition_index)| Cursor { topic_name: topic.into(), partition_index }),
    }
}

#[test]
fn topics_are_described_a_page_of_partitions_at_a_time() {
    let broker = Broker::start();
    for (name, partitions) in [("b", 3), ("a", 2), ("c", 1)] {
        broker.create_topic(name, partitions, &[]);
    }
    let mut cursor: Option<(String, i32)> = None;
    let mut seen = Vec::new();
    for _ in 0..10 {
        let from = cursor.as_ref().map(|(topic, partition)| (topic.as_str(), *partition));
        let answer = broker.call(0, &page(2, from, &[]));
        let mut on_page = 0;
        for topic in &answer.topics {
            let name = topic.name.as_deref().expect("a name");
            on_page += topic.partitions.len();
            seen.extend(topic.partitions.iter().map(|p| format!("{name}-{}", p.partition_index)));
        }
        assert!(on_page <= 2, "a page has at most 2 partitions");
        match answer.next_cursor {
            Some(next) => cursor = Some((next.topic_name.to_string(), next.partition_index)),
            None => break,
        }
    }
    assert_eq!(seen, ["a-0", "a-1", "b-0", "b-1", "b-2", "c-0"]);
}

#[test]
fn a_described_partition_is_led_by_this_broker_alone() {
    let broker = Broker::start();
    let id = broker.create_topic("t", 1, &[]);
    let mut answer = broker.call(0, &page(100, None, &["t", "nowhere"]));
    assert!(answer.next_cursor.is_none());
    let topic = answer.topics.pop().expect("t is last in name order");
    assert_eq!((topic.topic_id, topic.error_code), (id, 0));
    let partition = &topic.partitions[0];
    assert_eq!((partition.leader_id, partition.leader_epoch), (1, 0));
    assert_eq!((&partition.replica_nodes[..], &partition.isr_nodes[..]), (&[1][..], &[1][..]));
    assert_eq!(partition.eligible_leader_replicas, Some(Vec::new()));
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(error(answer.topics[0].error_code), unknown);
}

#[test]
fn the_first_client_of_a_group_makes_the_offsets_topic_and_no_other_does() {
    let broker = Broker::start();
    let internal = || {
        let all = MetadataRequest { topics: None, ..Default::default() };
        broker.call(12, &all).topics.into_iter().filter(|t| t.is_internal).collect::<Vec<_>>()
    };
    assert!(internal().is_empty());
    let mut ids = Vec::new();
    for version in 0..=6 {
        let by_key = FindCoordinatorRequest { key: "g".into(), ..Default::default() };
        let by_keys = FindCoordinatorRequest {
            coordinator_keys: vec!["g".into(), "h".into()],
            ..Default::default()
        };
        let answer = broker.call(version, if version >= 4 { &by_keys } else { &by_key });
        if version >= 4 {
            let keys: Vec<_> = answer.coordinators.iter().map(|c| &*c.key).collect();
            assert_eq!(keys, ["g", "h"]);
            let all = answer.coordinators.iter();
            assert!(all.clone().all(|c| c.error_code == 0 && c.node_id == 1));
            assert!(all.clone().all(|c| (&*c.host, c.port) == ("here", 9092)));
        } else {
            assert_eq!((answer.error_code, answer.node_id), (0, 1), "v{version}");
            assert_eq!((&*answer.host, answer.port), ("here", 9092));
        }
        ids.push(internal()[0].topic_id);
        assert_eq!(internal()[0].partitions.len(), 2);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[test]
fn coordinators_of_what_is_not_served_are_refused() {
    let broker = Broker::start();
    let of_type = |key_type| {
        let request = FindCoordinatorRequest {
            key_type,
            coordinator_keys: vec!["x".into()],
            ..Default::default()
        };
        error(broker.call(6, &request).coordinators[0].error_code)
    };
    assert_ne!(of_type(1), ErrorCode::None);
    assert_eq!(of_type(7), ErrorCode::InvalidRequest);
}

#[test]
fn the_quorum_is_this_node_and_its_log_is_committed() {
    let mut broker = Broker::start();
    let partition = describe_quorum_request::PartitionData { partition_index: 0 };
    let topic = describe_quorum_request::TopicData {
        topic_name: "__cluster_metadata".into(),
        partitions: vec![partition],
    };
    for version in 0..=2 {
        let request = DescribeQuorumRequest { topics: vec![topic.clone()] };
        let mut answer = broker.call(version, &request);
        let nodes: Vec<_> = answer.nodes.iter().map(|node| node.node_id).collect();
        assert_eq!(nodes, if version >= 2 { vec![1] } else { vec![] });
        assert!(answer.nodes.iter().all(|node| &*node.listeners[0].host == "here"));
        let quorum = answer.topics.remove(0).partitions.remove(0);
        assert_eq!((quorum.error_code, quorum.leader_id), (0, 1));
        assert!(quorum.high_watermark > 0, "{quorum:?}");
        assert_eq!(quorum.leader_epoch, i32::from(version), "each start is a reign of its own");
        assert_eq!(quorum.current_voters.len(), 1);
        assert_eq!(quorum.current_voters[0].log_end_offset, quorum.high_watermark);
        broker.restart();
    }
}

#[test]
fn a_broker_that_fetches_the_metadata_log_is_described_as_its_observer() {
    let broker = Broker::with(&[
        "listeners=PLAINTEXT://here:9092,CONTROLLER://here:9093",
        "controller.listener.names=CONTROLLER",
        "controller.quorum.voters=1@here:9093",
    ]);
    let describe = || {
        let partition = describe_quorum_request::PartitionData { partition_index: 0 };
        let topic_name = "__cluster_metadata".into();
        let topic = describe_quorum_request::TopicData { topic_name, partitions: vec![partition] };
        broker.call(2, &DescribeQuorumRequest { topics: vec![topic] })
    };
    let mut controllers = broker.client_of("CONTROLLER");
    let mut fetch = |replica_id, fetch_offset| {
        let directory = Uuid([replica_id as u8; 16]);
        let partition =
            FetchPartition { fetch_offset, replica_directory_id: directory, ..Default::default() };
        let topic_id = Uuid::METADATA_TOPIC;
        let topic = FetchTopic { topic_id, partitions: vec![partition], ..Default::default() };
        let replica_state = ReplicaState { replica_id, replica_epoch: -1 };
        let request = FetchRequest { replica_state, topics: vec![topic], ..Default::default() };
        controllers.send(17, &request);
        controllers.answer::<FetchRequest>()
    };
    assert_eq!(describe().topics[0].partitions[0].observers, []);
    // A voter, and one who tells nobody who it is, observe nothing.
    fetch(1, 0);
    fetch(-1, 0);
    fetch(4, 0);
    let high_watermark = describe().topics[0].partitions[0].high_watermark;
    fetch(5, high_watermark);
    let answer = describe();
    let observers = &answer.topics[0].partitions[0].observers;
    let seen: Vec<_> = observers.iter().map(|o| (o.replica_id, o.log_end_offset)).collect();
    assert_eq!(seen, [(4, 0), (5, high_watermark)]);
    assert_eq!(observers[1].replica_directory_id, Uuid([5; 16]));
    assert_eq!(observers[0].last_caught_up_timestamp, -1);
    assert_eq!(observers[1].last_caught_up_timestamp, broker.wall_ms());
    assert!(observers.iter().all(|o| o.last_fetch_timestamp == broker.wall_ms()));
    let nodes = answer.nodes.iter().flat_map(|node| &node.listeners);
    let nodes: Vec<_> = nodes.map(|at| (&*at.name, &*at.host, at.port)).collect();
    assert_eq!(nodes, [("CONTROLLER", "here", 9093)], "the voter's listener alone");
}

#[test]
fn a_controllers_listener_describes_the_cluster_of_controllers_and_no_brokers() {
    let broker = Broker::with(&[
        "listeners=PLAINTEXT://here:9092,CONTROLLER://here:9093",
        "controller.listener.names=CONTROLLER",
        "controller.quorum.voters=1@here:9093",
    ]);
    let mut controllers = broker.client_of("CONTROLLER");
    let mut describe = |endpoint_type| {
        controllers.send(1, &DescribeClusterRequest { endpoint_type, ..Default::default() });
        controllers.answer::<DescribeClusterRequest>()
    };
    let answer = describe(2);
    assert_eq!((answer.error_code, answer.controller_id), (0, 1));
    let nodes: Vec<_> = answer.brokers.iter().map(|n| (n.broker_id, &*n.host, n.port)).collect();
    assert_eq!(nodes, [(1, "here", 9093)]);
    assert_eq!(error(describe(1).error_code), ErrorCode::MismatchedEndpointType);
}

#[test]
fn no_partition_is_on_the_move() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let answer = broker.call(0, &ListPartitionReassignmentsRequest::default());
    assert_eq!((answer.error_code, answer.topics.len()), (0, 0));
}

#[test]
fn an_election_has_nothing_to_change_where_there_is_one_broker() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let partitions = |topic: &str| TopicPartitions { topic: topic.into(), partitions: vec![0] };
    for version in 0..=2 {
        let request = ElectLeadersRequest {
            topic_partitions: Some(vec![partitions("t"), partitions("nowhere")]),
            ..Default::default()
        };
        let answer = broker.call(version, &request);
        assert_eq!(answer.error_code, 0);
        let results = answer.replica_election_results.iter();
        let codes: Vec<_> = results.map(|t| error(t.partition_result[0].error_code)).collect();
        let unknown = ErrorCode::UnknownTopicOrPartition;
        assert_eq!(codes, [ErrorCode::ElectionNotNeeded, unknown], "v{version}");
        let all = ElectLeadersRequest { topic_partitions: None, ..Default::default() };
        assert_eq!(broker.call(version, &all).error_code, 0);
    }
}

#[test]
fn partitions_can_be_moved_nowhere_and_moves_that_are_not_cannot_be_cancelled() {
    let broker = Broker::start();
    broker.create_topic("t", 1, &[]);
    let move_to = |replicas: Option<Vec<i32>>| {
        let partition = ReassignablePartition { partition_index: 0, replicas };
        let topic = ReassignableTopic { name: "t".into(), partitions: vec![partition] };
        let request =
            AlterPartitionReassignmentsRequest { topics: vec![topic], ..Default::default() };
        let codes = [0, 1].map(|version| {
            let answer = broker.call(version, &request);
            assert_eq!(answer.error_code, 0);
            error(answer.responses[0].partitions[0].error_code)
        });
        assert_eq!(codes[0], codes[1]);
        codes[0]
    };
    assert_eq!(move_to(Some(vec![2])), ErrorCode::InvalidReplicaAssignment);
    assert_eq!(move_to(None), ErrorCode::NoReassignmentInProgress);
    assert_eq!(move_to(Some(vec![1])), ErrorCode::None);
    assert_eq!(broker.append("t", 0, &["a"]), 0);
}

#[test]
fn the_voter_of_a_lone_node_is_static_as_kraft_version_0_says() {
    let broker = Broker::start();
    let listener = add_raft_voter_request::Listener {
        name: "CONTROLLER".into(),
        host: "h".into(),
        port: 9093,
    };
    let add = |voter_directory_id, cluster_id: Option<&str>| AddRaftVoterRequest {
        cluster_id: cluster_id.map(Into::into),
        timeout_ms: 1000,
        voter_id: 7,
        voter_directory_id,
        listeners: vec![listener.clone()],
        ack_when_committed: true,
    };
    let directory = Uuid([7; 16]);
    let code = |request: &AddRaftVoterRequest| broker.call(1, request).error_code;
    assert_eq!(code(&add(directory, None)), ErrorCode::UnsupportedVersion.code());
    assert_eq!(code(&add(Uuid::ZERO, None)), ErrorCode::InvalidRequest.code());
    let foreign = ErrorCode::InconsistentClusterId.code();
    assert_eq!(code(&add(directory, Some("another"))), foreign);
    let remove =
        RemoveRaftVoterRequest { cluster_id: None, voter_id: 1, voter_directory_id: directory };
    let answer = broker.call(0, &remove);
    assert_eq!(answer.error_code, ErrorCode::UnsupportedVersion.code());
    let sentence = "Cluster doesn't support removing voter because the kraft.version feature is 0";
    assert_eq!(answer.error_message.as_deref(), Some(sentence));
}
