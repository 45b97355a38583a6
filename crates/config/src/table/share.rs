//! Share groups and streams groups: read and kept, not served yet.

use crate::property::{Property, boolean, int, list, short, text};

const NO_SHARE: &str = "share groups are not served yet";
const NO_STREAMS: &str = "streams groups are not served yet";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    boolean("group.share.enable", "false").accepted(NO_SHARE)
        .doc("Whether share groups are on offer (before 4.1)."),
    int("group.share.session.timeout.ms", "45000").at_least(1).accepted(NO_SHARE)
        .doc("The session timeout of members of share groups."),
    int("group.share.min.session.timeout.ms", "45000").at_least(1).accepted(NO_SHARE)
        .doc("The least that a group's own `share.session.timeout.ms` may be."),
    int("group.share.max.session.timeout.ms", "60000").at_least(1).accepted(NO_SHARE)
        .doc("The most that a group's own `share.session.timeout.ms` may be."),
    int("group.share.heartbeat.interval.ms", "5000").at_least(1).accepted(NO_SHARE)
        .doc("How often members of share groups are told to call."),
    int("group.share.min.heartbeat.interval.ms", "5000").at_least(1).accepted(NO_SHARE)
        .doc("The least that a group's own `share.heartbeat.interval.ms` may be."),
    int("group.share.max.heartbeat.interval.ms", "15000").at_least(1).accepted(NO_SHARE)
        .doc("The most that a group's own `share.heartbeat.interval.ms` may be."),
    int("group.share.max.size", "200").between(1, 1000).accepted(NO_SHARE)
        .doc("The most members of a share group."),
    list("group.share.assignors", "simple").accepted(NO_SHARE)
        .doc("The assignor of share groups."),
    int("group.share.delivery.count.limit", "5").between(2, 10).accepted(NO_SHARE)
        .doc("How often a record is handed out before it is given up."),
    int("group.share.record.lock.duration.ms", "30000").between(1000, 3_600_000).accepted(NO_SHARE)
        .doc("How long a member may keep a record it was handed."),
    int("group.share.min.record.lock.duration.ms", "15000").between(1000, 30_000).accepted(NO_SHARE)
        .doc("The least that a group's own `share.record.lock.duration.ms` may be."),
    int("group.share.max.record.lock.duration.ms", "60000").between(30_000, 3_600_000)
        .accepted(NO_SHARE)
        .doc("The most that a group's own `share.record.lock.duration.ms` may be."),
    int("group.share.partition.max.record.locks", "2000").between(100, 10_000).accepted(NO_SHARE)
        .doc("How many records of a partition may be handed out at once."),
    int("group.share.max.share.sessions", "2000").at_least(1).accepted(NO_SHARE)
        .doc("How many share sessions are kept."),
    int("group.share.initialize.retry.interval.ms", "30000").at_least(1).low().accepted(NO_SHARE)
        .doc("The pause before a share group's partitions are set up again."),
    text("group.share.persister.class.name",
         "org.apache.kafka.server.share.persister.DefaultStatePersister").accepted(NO_SHARE)
        .doc("The plug-in that stores the state of share groups."),
    int("share.fetch.purgatory.purge.interval.requests", "1000").accepted(NO_SHARE)
        .doc("How many finished waiting share fetches pile up before they are removed."),
    int("share.coordinator.state.topic.num.partitions", "50").at_least(1).high().accepted(NO_SHARE)
        .doc("Partitions of `__share_group_state`."),
    short("share.coordinator.state.topic.replication.factor", "3").at_least(1).high()
        .accepted(NO_SHARE)
        .doc("Replicas of `__share_group_state`."),
    short("share.coordinator.state.topic.min.isr", "2").at_least(1).high().accepted(NO_SHARE)
        .doc("`min.insync.replicas` of `__share_group_state`."),
    int("share.coordinator.state.topic.segment.bytes", "104857600").at_least(1).high()
        .accepted(NO_SHARE)
        .doc("The segment size of `__share_group_state`."),
    int("share.coordinator.state.topic.compression.codec", "0").high().accepted(NO_SHARE)
        .doc("The compression of `__share_group_state`, as a number."),
    int("share.coordinator.state.topic.prune.interval.ms", "300000").at_least(1).low()
        .accepted(NO_SHARE)
        .doc("How often `__share_group_state` is trimmed."),
    int("share.coordinator.threads", "1").at_least(1).accepted(NO_SHARE)
        .doc("Threads that carry out requests about share state."),
    int("share.coordinator.snapshot.update.records.per.snapshot", "500").at_least(0)
        .accepted(NO_SHARE)
        .doc("How many updates lie between two snapshots of share state."),
    int("share.coordinator.load.buffer.size", "5242880").at_least(1).high().accepted(NO_SHARE)
        .doc("How many bytes are read at once when share state loads."),
    int("share.coordinator.append.linger.ms", "-1").at_least(-1).accepted(NO_SHARE)
        .doc("How long records of share state are gathered; -1 adapts."),
    int("share.coordinator.write.timeout.ms", "5000").at_least(1).high().accepted(NO_SHARE)
        .doc("How long a write of share state may wait for its replicas."),
    int("share.coordinator.cold.partition.snapshot.interval.ms", "300000").at_least(1).low()
        .accepted(NO_SHARE)
        .doc("How often quiet share state is written as a snapshot."),
    int("group.streams.session.timeout.ms", "45000").at_least(1).accepted(NO_STREAMS)
        .doc("The session timeout of members of streams groups."),
    int("group.streams.min.session.timeout.ms", "45000").at_least(1).accepted(NO_STREAMS)
        .doc("The least that a group's own `streams.session.timeout.ms` may be."),
    int("group.streams.max.session.timeout.ms", "60000").at_least(1).accepted(NO_STREAMS)
        .doc("The most that a group's own `streams.session.timeout.ms` may be."),
    int("group.streams.heartbeat.interval.ms", "5000").at_least(1).accepted(NO_STREAMS)
        .doc("How often members of streams groups are told to call."),
    int("group.streams.min.heartbeat.interval.ms", "5000").at_least(1).accepted(NO_STREAMS)
        .doc("The least that a group's own `streams.heartbeat.interval.ms` may be."),
    int("group.streams.max.heartbeat.interval.ms", "15000").at_least(1).accepted(NO_STREAMS)
        .doc("The most that a group's own `streams.heartbeat.interval.ms` may be."),
    int("group.streams.max.size", "2147483647").at_least(1).accepted(NO_STREAMS)
        .doc("The most members of a streams group."),
    int("group.streams.num.standby.replicas", "0").at_least(0).accepted(NO_STREAMS)
        .doc("Standby copies of each streams task."),
    int("group.streams.max.standby.replicas", "2").at_least(0).accepted(NO_STREAMS)
        .doc("The most that a group's own `streams.num.standby.replicas` may be."),
    int("group.streams.initial.rebalance.delay.ms", "3000").at_least(0).accepted(NO_STREAMS)
        .doc("How long an empty streams group waits for more members."),
];
