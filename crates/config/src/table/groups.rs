//! Consumer groups: their sessions, their sizes, their committed offsets.

use crate::property::{Property, Rule, int, list, long, short, text};

const AT_ONCE: &str = "a group's records are written at once, together with all that waits";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    list("group.coordinator.rebalance.protocols", "classic,consumer,streams")
        .rule(Rule::EachOf(&["consumer", "classic", "share", "streams"]))
        .accepted("the protocols on offer are those that ApiVersions lists")
        .doc("Which group protocols are on offer."),
    int("group.coordinator.threads", "4").at_least(1).high()
        .accepted("coordinators run on the cores' own loops")
        .doc("Threads that carry out group requests."),
    int("group.coordinator.append.linger.ms", "-1").at_least(-1)
        .accepted(AT_ONCE)
        .doc("How long a coordinator gathers records before it writes; -1 adapts."),
    int("group.min.session.timeout.ms", "6000")
        .doc("The shortest session timeout a member may ask for."),
    int("group.max.session.timeout.ms", "1800000")
        .doc("The longest session timeout a member may ask for."),
    int("group.initial.rebalance.delay.ms", "3000")
        .doc("How long an empty group waits for more members before its first rebalance."),
    int("group.max.size", "2147483647").at_least(1)
        .doc("The most members of a group."),
    int("group.consumer.session.timeout.ms", "45000").at_least(1)
        .doc("The session timeout of members of the `consumer` protocol."),
    int("group.consumer.min.session.timeout.ms", "45000").at_least(1)
        .doc("The least that a group's own `consumer.session.timeout.ms` may be."),
    int("group.consumer.max.session.timeout.ms", "60000").at_least(1)
        .doc("The most that a group's own `consumer.session.timeout.ms` may be."),
    int("group.consumer.heartbeat.interval.ms", "5000").at_least(1)
        .doc("How often members of the `consumer` protocol are told to call."),
    int("group.consumer.min.heartbeat.interval.ms", "5000").at_least(1)
        .doc("The least that a group's own `consumer.heartbeat.interval.ms` may be."),
    int("group.consumer.max.heartbeat.interval.ms", "15000").at_least(1)
        .doc("The most that a group's own `consumer.heartbeat.interval.ms` may be."),
    int("group.consumer.max.size", "2147483647").at_least(1)
        .doc("The most members of a group of the `consumer` protocol."),
    list("group.consumer.assignors", "uniform,range")
        .doc("The assignors members may choose from; the first is the default."),
    text("group.consumer.migration.policy", "bidirectional")
        .rule(Rule::OneOfIgnoringCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]))
        .doc("Whether a live group may change between the `classic` and the `consumer` protocol."),
    int("group.consumer.regex.refresh.interval.ms", "600000").at_least(10_000)
        .doc("How often regular expressions in subscriptions are matched against the topics \
              again."),
    int("offsets.commit.timeout.ms", "5000").at_least(1).high()
        .doc("How long a commit may wait for its replicas."),
    int("offsets.load.buffer.size", "5242880").at_least(1).high()
        .doc("How many bytes are read at once when a coordinator loads a partition."),
    short("offsets.topic.replication.factor", "3").at_least(1).high()
        .doc("Replicas of `__consumer_offsets`; fewer if fewer brokers live when it is made."),
    int("offsets.topic.num.partitions", "50").at_least(1).high()
        .doc("Partitions of `__consumer_offsets`; must not change once it exists."),
    int("offsets.topic.segment.bytes", "104857600").at_least(1).high()
        .doc("The segment size of `__consumer_offsets`."),
    int("offsets.topic.compression.codec", "0").high()
        .accepted("records of groups are small and written as they are")
        .doc("The compression of `__consumer_offsets`, as a number; 0 means none."),
    int("offset.metadata.max.bytes", "4096").high()
        .doc("The most text that a commit may carry with an offset."),
    int("offsets.retention.minutes", "10080").at_least(1).high()
        .doc("How long a group without members keeps its offsets."),
    long("offsets.retention.check.interval.ms", "600000").at_least(1).high()
        .doc("How often expired offsets are looked for."),
];
