//! Where the node listens, whom it tells, and what a connection may cost.

use crate::property::{Property, int, list, list_unset, long, text, text_unset};

const BY_CORE: &str = "there is one event loop a core; threads are not configured";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    list("listeners", "PLAINTEXT://:9092").high().per_broker()
        .doc("The addresses to listen on, as `NAME://host:port`; no host means all interfaces."),
    list_unset("advertised.listeners").high()
        .doc("The addresses that clients are told to use; unset means those of `listeners`."),
    list("http.listeners", "HTTP://127.0.0.1:8080")
        .doc("Where metrics and health are served over HTTP, as `HTTP://host:port`; empty for \
              nowhere. If nobody set it and the port is taken, the node starts without."),
    text("listener.security.protocol.map",
         "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT")
        .low().per_broker()
        .doc("Which security protocol each listener name speaks."),
    text_unset("inter.broker.listener.name")
        .doc("The listener over which brokers talk to each other."),
    text("security.inter.broker.protocol", "PLAINTEXT")
        .one_of(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
        .doc("The protocol of the listener between brokers, when that listener is not named."),
    int("num.network.threads", "3").at_least(1).high().cluster_wide()
        .accepted(BY_CORE)
        .doc("Threads that move bytes between sockets and requests."),
    int("num.io.threads", "8").at_least(1).high().cluster_wide()
        .accepted(BY_CORE)
        .doc("Threads that carry out requests."),
    int("background.threads", "10").at_least(1).high().cluster_wide()
        .accepted(BY_CORE)
        .doc("Threads for periodic work."),
    int("socket.send.buffer.bytes", "102400").high()
        .doc("The kernel's send buffer of each connection; -1 leaves it to the system."),
    int("socket.receive.buffer.bytes", "102400").high()
        .doc("The kernel's receive buffer of each connection; -1 leaves it to the system."),
    int("socket.request.max.bytes", "104857600").at_least(1).high()
        .doc("The largest request that is read; a larger one closes its connection."),
    int("socket.listen.backlog.size", "50").at_least(1)
        .doc("How many connections may wait to be accepted.")
        .accepted("the queue is as long as the system allows"),
    long("connections.max.idle.ms", "600000")
        .doc("A connection that is silent for this long is closed."),
    int("max.connections", "2147483647").at_least(0).cluster_wide()
        .doc("The most connections the node keeps open."),
    int("max.connections.per.ip", "2147483647").at_least(0).cluster_wide()
        .doc("The most connections from one address."),
    text("max.connections.per.ip.overrides", "").cluster_wide()
        .doc("Other limits for certain addresses, as `host:limit`, separated by commas."),
    int("max.connection.creation.rate", "2147483647").at_least(0).cluster_wide()
        .accepted("new connections are limited in number, not in rate")
        .doc("The most new connections a second."),
    int("queued.max.requests", "500").at_least(1).high()
        .accepted("requests do not queue: a connection's own loop carries them out")
        .doc("How many requests may wait before no more are read."),
    long("queued.max.request.bytes", "-1")
        .accepted("requests do not queue: a connection's own loop carries them out")
        .doc("How many bytes of requests may wait before no more are read; -1 means no limit."),
    int("connection.failed.authentication.delay.ms", "100").at_least(0).low()
        .accepted("no listener authenticates yet")
        .doc("The pause before a connection that failed to authenticate is closed."),
    int("request.timeout.ms", "30000").high()
        .accepted("only requests between nodes use it")
        .doc("How long an answer to this node's own requests may take."),
    int("controller.socket.timeout.ms", "30000")
        .accepted("only requests between nodes use it")
        .doc("The socket timeout between controller and brokers."),
    long("socket.connection.setup.timeout.ms", "10000")
        .accepted("only connections between nodes use it")
        .doc("How long a connection to another node may take to open."),
    long("socket.connection.setup.timeout.max.ms", "30000")
        .accepted("only connections between nodes use it")
        .doc("The longest such time after repeated failures."),
    int("fetch.max.bytes", "57671680").at_least(1024)
        .doc("The most bytes that one Fetch is answered with, whatever it asks for."),
    int("max.incremental.fetch.session.cache.slots", "1000").at_least(0)
        .doc("How many incremental fetch sessions are kept."),
    int("max.request.partition.size.limit", "2000").at_least(1)
        .doc("The most partitions in one answer of DescribeTopicPartitions."),
    int("fetch.purgatory.purge.interval.requests", "1000")
        .accepted("waiting requests are removed when they finish")
        .doc("How many finished waiting fetches pile up before they are removed."),
    int("producer.purgatory.purge.interval.requests", "1000")
        .accepted("waiting requests are removed when they finish")
        .doc("How many finished waiting produces pile up before they are removed."),
    int("delete.records.purgatory.purge.interval.requests", "1")
        .accepted("waiting requests are removed when they finish")
        .doc("How many finished waiting deletes pile up before they are removed."),
];
