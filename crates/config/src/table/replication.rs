//! Copies on other nodes: how they follow and when they lead.

use crate::property::{Property, boolean, int, long, text_unset};

const ALWAYS_HANDED_OVER: &str =
    "a broker that stops always hands over, as long as a controller answers";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    long("replica.lag.time.max.ms", "30000").high()
        .doc("How long a follower may lag before it leaves the in-sync replicas."),
    int("replica.socket.timeout.ms", "30000").high()
        .accepted("a fetch that is late is cut off by a limit of the node")
        .doc("The socket timeout of a follower's fetches."),
    int("replica.socket.receive.buffer.bytes", "65536").high()
        .accepted("the kernel sizes the buffer")
        .doc("The kernel's receive buffer of a follower's fetches."),
    int("replica.fetch.max.bytes", "1048576").at_least(0)
        .doc("How many bytes of a partition a follower asks for."),
    int("replica.fetch.response.max.bytes", "10485760").at_least(0)
        .doc("How many bytes a follower asks for altogether."),
    int("replica.fetch.min.bytes", "1").high()
        .doc("How many bytes a follower waits for."),
    int("replica.fetch.wait.max.ms", "500").high()
        .doc("How long a follower waits for them."),
    int("replica.fetch.backoff.ms", "1000").at_least(0)
        .accepted("the pause is 200 ms")
        .doc("The pause after a failed fetch of a partition."),
    int("num.replica.fetchers", "1").at_least(1).high().cluster_wide()
        .accepted("a follower has one connection to each leader")
        .doc("Connections a follower opens to each leader."),
    long("replica.high.watermark.checkpoint.interval.ms", "5000").high()
        .doc("How often the high watermarks are written down."),
    text_unset("replica.selector.class")
        .doc("How a consumer's nearest replica is chosen; the rack-aware class is built in."),
    text_unset("broker.rack")
        .doc("Where this broker stands, for placement and for nearby reads."),
    boolean("auto.leader.rebalance.enable", "true").high()
        .doc("Whether leaderships return to preferred replicas by themselves."),
    long("leader.imbalance.check.interval.seconds", "300").at_least(1).high()
        .doc("How often that is considered."),
    int("leader.imbalance.per.broker.percentage", "10").high()
        .accepted("every leadership returns whose preferred replica is in sync")
        .doc("The imbalance at which it happens (ZooKeeper mode)."),
    long("unclean.leader.election.interval.ms", "300000").at_least(1)
        .doc("How often partitions without leader are considered for an unclean election."),
    boolean("controlled.shutdown.enable", "true")
        .accepted(ALWAYS_HANDED_OVER)
        .doc("Whether a stopping broker hands over its leaderships first."),
    int("controlled.shutdown.max.retries", "3")
        .accepted(ALWAYS_HANDED_OVER)
        .doc("How often that is tried (ZooKeeper mode)."),
    long("controlled.shutdown.retry.backoff.ms", "5000")
        .accepted(ALWAYS_HANDED_OVER)
        .doc("The pause between the tries (ZooKeeper mode)."),
    long("leader.replication.throttled.rate", "9223372036854775807").at_least(0).cluster_wide()
        .doc("Bytes a second that a leader sends to throttled replicas."),
    long("follower.replication.throttled.rate", "9223372036854775807").at_least(0).cluster_wide()
        .doc("Bytes a second that throttled followers fetch."),
    long("replica.alter.log.dirs.io.max.bytes.per.second", "9223372036854775807").at_least(0)
        .cluster_wide()
        .doc("Bytes a second that moving replicas between directories may use."),
];
