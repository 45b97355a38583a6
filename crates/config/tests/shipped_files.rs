//! Files and environments that people already have start a node, with the warnings they deserve.

use config::{Sources, load};

fn warned_names(loaded: &config::Loaded) -> Vec<String> {
    let first_word = |warning: &config::Warning| {
        warning.to_string().split(' ').next().unwrap_or_default().to_owned()
    };
    loaded.warnings.iter().map(first_word).collect()
}

#[test]
fn kafkas_combined_file_starts_a_node() {
    let file = include_str!("../testdata/combined.properties");
    let loaded = load(Sources { file: Some(file), ..Sources::default() }).unwrap();
    let node = &loaded.config.node;
    assert!(node.is_broker && node.is_controller);
    assert_eq!(node.node_id.0, 1);
    assert_eq!(node.advertised_listeners.len(), 1, "clients are not told of controllers");
    assert_eq!(node.advertised_listeners[0].to_string(), "PLAINTEXT://localhost:9092");
    assert_eq!(node.controller_listeners[0].to_string(), "CONTROLLER://:9093");
    assert_eq!(loaded.config.offsets.topic_replication_factor, 1);
    assert_eq!(
        warned_names(&loaded),
        [
            "share.coordinator.state.topic.min.isr",
            "share.coordinator.state.topic.replication.factor",
            "transaction.state.log.min.isr",
            "transaction.state.log.replication.factor",
        ]
    );
}

#[test]
fn a_file_of_the_zookeeper_days_starts_a_node() {
    let file = include_str!("../testdata/zookeeper.properties");
    let loaded = load(Sources { file: Some(file), ..Sources::default() }).unwrap();
    assert_eq!(loaded.config.node.node_id.0, 0);
    assert_eq!(loaded.config.group.initial_rebalance_delay_ms, 0);
    assert_eq!(
        warned_names(&loaded),
        [
            "inter.broker.protocol.version",
            "log.message.format.version",
            "num.recovery.threads.per.data.dir",
            "transaction.state.log.min.isr",
            "transaction.state.log.replication.factor",
            "zookeeper.connect",
            "zookeeper.connection.timeout.ms",
        ]
    );
}

#[test]
fn the_environment_of_a_test_container_starts_a_node() {
    let environment = [
        (
            "KAFKA_LISTENERS",
            "PLAINTEXT://0.0.0.0:9092,BROKER://0.0.0.0:9093,CONTROLLER://0.0.0.0:9094",
        ),
        ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://localhost:32768,BROKER://172.17.0.2:9093"),
        (
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
            "BROKER:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        ),
        ("KAFKA_INTER_BROKER_LISTENER_NAME", "BROKER"),
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9094"),
        ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
        ("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "1"),
        ("KAFKA_LOG_FLUSH_INTERVAL_MESSAGES", "9223372036854775807"),
        ("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
        ("KAFKA_HEAP_OPTS", "-Xmx512m"),
        ("CLUSTER_ID", "4L6g3nShT-eMCtK--X86sw"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let loaded = load(Sources { environment: environment.into(), ..Sources::default() }).unwrap();
    let node = &loaded.config.node;
    assert_eq!(node.inter_broker_listener, "BROKER");
    assert_eq!(node.advertised_listeners[0].port, 32768);
    assert_eq!(warned_names(&loaded), ["KAFKA_HEAP_OPTS"]);
}
