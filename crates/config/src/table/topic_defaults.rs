//! What a topic gets when nobody says otherwise, and who may make one.

use crate::property::{Property, Rule, boolean, class_unset, int};

const NO_PLUGINS: &str = "a policy that is not run would let through what it forbids";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    int("num.partitions", "1").at_least(1)
        .doc("Partitions of a topic that is created without a number."),
    int("default.replication.factor", "1")
        .doc("Replicas of a topic that is created without a number."),
    boolean("auto.create.topics.enable", "true").high()
        .doc("Whether a topic is made when a client first asks for it."),
    boolean("delete.topic.enable", "true").high()
        .doc("Whether topics may be deleted."),
    int("min.insync.replicas", "1").at_least(1).high().cluster_wide()
        .doc("Replicas that must hold a write before `acks=all` is answered."),
    boolean("unclean.leader.election.enable", "false").high().cluster_wide()
        .doc("Whether a replica that lags may become leader, losing what it lacks."),
    crate::property::text("compression.type", "producer")
        .one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]).high()
        .cluster_wide()
        .doc("How batches are stored; `producer` keeps what the producer chose."),
    int("compression.gzip.level", "-1").rule(Rule::GzipLevel).cluster_wide()
        .doc("The gzip level when the broker compresses; -1 is gzip's own default."),
    int("compression.lz4.level", "9").between(1, 17).cluster_wide()
        .doc("The lz4 level when the broker compresses."),
    int("compression.zstd.level", "3").between(-131_072, 22).cluster_wide()
        .doc("The zstd level when the broker compresses."),
    int("message.max.bytes", "1048588").at_least(0).high().cluster_wide()
        .doc("The largest batch a partition takes, after compression."),
    class_unset("create.topic.policy.class.name").low()
        .refused(NO_PLUGINS)
        .doc("A plug-in that may forbid the creation of a topic."),
    class_unset("alter.config.policy.class.name").low()
        .refused(NO_PLUGINS)
        .doc("A plug-in that may forbid a change of configuration."),
];
