//! Properties that left Kafka but not people's files. A node starts with them.

use crate::property::{
    Property, boolean, class_unset, int, int_unset, long_unset, password, text_unset,
};

const GONE: &str = "Kafka 4.0 removed it";
const NO_ZOOKEEPER: &str = "metadata lives in the cluster itself; ZooKeeper is not contacted";

/// Keys of plug-ins and other vendors: ignored without a word, as Kafka does.
pub(super) const FOREIGN_PREFIXES: &[&str] =
    &["confluent.", "rsm.config.", "rlmm.config.", "internal.", "config.providers."];

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    text_unset("zookeeper.connect").accepted(NO_ZOOKEEPER)
        .doc("The ZooKeeper servers, with an optional path."),
    int("zookeeper.session.timeout.ms", "18000").accepted(NO_ZOOKEEPER)
        .doc("How long ZooKeeper waits for a silent broker."),
    int_unset("zookeeper.connection.timeout.ms").accepted(NO_ZOOKEEPER)
        .doc("How long connecting to ZooKeeper may take."),
    boolean("zookeeper.set.acl", "false").accepted(NO_ZOOKEEPER)
        .doc("Whether ZooKeeper's nodes are protected."),
    int("zookeeper.max.in.flight.requests", "10").accepted(NO_ZOOKEEPER)
        .doc("How many requests to ZooKeeper may be open."),
    boolean("zookeeper.ssl.client.enable", "false").accepted(NO_ZOOKEEPER)
        .doc("Whether ZooKeeper is reached over TLS."),
    class_unset("zookeeper.clientCnxnSocket").accepted(NO_ZOOKEEPER)
        .doc("The socket class of ZooKeeper's client."),
    boolean("zookeeper.metadata.migration.enable", "false").accepted(NO_ZOOKEEPER)
        .doc("Whether metadata moves from ZooKeeper to the quorum."),
    text_unset("log.message.format.version").accepted("records are stored in format 2 only")
        .doc("The record format of old brokers."),
    text_unset("inter.broker.protocol.version").accepted(GONE)
        .doc("The protocol version between brokers."),
    boolean("log.message.downconversion.enable", "true")
        .accepted("records are never converted down")
        .doc("Whether records are converted for old consumers."),
    long_unset("log.message.timestamp.difference.max.ms")
        .accepted("use `log.message.timestamp.before.max.ms` and `….after.max.ms`")
        .doc("How far a record's time may differ from the broker's."),
    text_unset("control.plane.listener.name").accepted(GONE)
        .doc("The listener of the ZooKeeper-era controller."),
    int("offsets.commit.required.acks", "-1").accepted(GONE)
        .doc("The acks of a commit."),
    int_unset("port").accepted("use `listeners`")
        .doc("The port of old brokers."),
    text_unset("host.name").accepted("use `listeners`")
        .doc("The address of old brokers."),
    int_unset("advertised.port").accepted("use `advertised.listeners`")
        .doc("The port old clients were told."),
    text_unset("advertised.host.name").accepted("use `advertised.listeners`")
        .doc("The address old clients were told."),
    password("delegation.token.master.key").accepted("use `delegation.token.secret.key`")
        .doc("The older name of the delegation token secret."),
];
