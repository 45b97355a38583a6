//! Tiered storage: not there, and never silently.

use crate::property::{Property, Rule, boolean, double, int, long, text, text_unset};

const NONE: &str = "there is no tiered storage";
const UNSAFE: &str = "there is no tiered storage, and data meant for it would fill the local disk";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    boolean("remote.log.storage.system.enable", "false").refused(UNSAFE)
        .doc("Whether old segments move to remote storage."),
    text_unset("remote.log.storage.manager.class.name").rule(Rule::NotEmpty).accepted(NONE)
        .doc("The plug-in that stores segments remotely."),
    text_unset("remote.log.storage.manager.class.path").accepted(NONE)
        .doc("Where that plug-in's classes are."),
    text("remote.log.storage.manager.impl.prefix", "rsm.config.").rule(Rule::NotEmpty)
        .accepted(NONE)
        .doc("The prefix of properties handed to that plug-in."),
    text("remote.log.metadata.manager.class.name",
         "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager")
        .rule(Rule::NotEmpty).accepted(NONE)
        .doc("The plug-in that remembers which segments are remote."),
    text_unset("remote.log.metadata.manager.class.path").accepted(NONE)
        .doc("Where that plug-in's classes are."),
    text("remote.log.metadata.manager.impl.prefix", "rlmm.config.").rule(Rule::NotEmpty)
        .accepted(NONE)
        .doc("The prefix of properties handed to that plug-in."),
    text_unset("remote.log.metadata.manager.listener.name").rule(Rule::NotEmpty).accepted(NONE)
        .doc("The listener that plug-in uses to reach the brokers."),
    int("remote.log.metadata.custom.metadata.max.bytes", "128").at_least(0).low().accepted(NONE)
        .doc("The most that a plug-in may remember about a segment."),
    long("remote.log.index.file.cache.total.size.bytes", "1073741824").at_least(1)
        .low().cluster_wide()
        .accepted(NONE)
        .doc("Disk space for indexes fetched from remote storage."),
    int("remote.log.manager.thread.pool.size", "2").at_least(1).accepted(NONE)
        .doc("Threads of the remote log (before 4.0)."),
    int("remote.log.manager.copier.thread.pool.size", "10").at_least(1).cluster_wide()
        .accepted(NONE)
        .doc("Threads that copy segments to remote storage."),
    int("remote.log.manager.expiration.thread.pool.size", "10").at_least(1).cluster_wide()
        .accepted(NONE)
        .doc("Threads that remove expired remote segments."),
    int("remote.log.manager.follower.thread.pool.size", "2").at_least(1).cluster_wide()
        .accepted(NONE)
        .doc("Threads that read remote state for followers."),
    long("remote.log.manager.task.interval.ms", "30000").at_least(1).low().accepted(NONE)
        .doc("How often segments are considered for remote storage."),
    long("remote.log.manager.task.retry.backoff.ms", "500").at_least(1).low().accepted(NONE)
        .doc("The pause before a failed remote task is repeated."),
    long("remote.log.manager.task.retry.backoff.max.ms", "30000").at_least(1).low().accepted(NONE)
        .doc("The longest such pause."),
    double("remote.log.manager.task.retry.jitter", "0.2").rule(Rule::Fraction(0.0, 0.5)).low()
        .accepted(NONE)
        .doc("How much such pauses vary."),
    int("remote.log.reader.threads", "10").at_least(1).cluster_wide().accepted(NONE)
        .doc("Threads that read from remote storage."),
    int("remote.log.reader.max.pending.tasks", "100").at_least(1).accepted(NONE)
        .doc("How many remote reads may wait."),
    long("log.local.retention.ms", "-2").at_least(-2).cluster_wide().accepted(NONE)
        .doc("How long segments stay on the local disk; -2 means as long as they are kept."),
    long("log.local.retention.bytes", "-2").at_least(-2).cluster_wide().accepted(NONE)
        .doc("How much of a partition stays on the local disk; -2 means all that is kept."),
    long("remote.log.manager.copy.max.bytes.per.second", "9223372036854775807").at_least(1)
        .cluster_wide()
        .accepted(NONE)
        .doc("Bytes a second that are copied to remote storage."),
    int("remote.log.manager.copy.quota.window.num", "11").at_least(1).accepted(NONE)
        .doc("Samples over which that rate is measured."),
    int("remote.log.manager.copy.quota.window.size.seconds", "1").at_least(1).accepted(NONE)
        .doc("The length of each of those samples."),
    long("remote.log.manager.fetch.max.bytes.per.second", "9223372036854775807").at_least(1)
        .cluster_wide()
        .accepted(NONE)
        .doc("Bytes a second that are read from remote storage."),
    int("remote.log.manager.fetch.quota.window.num", "11").at_least(1).accepted(NONE)
        .doc("Samples over which that rate is measured."),
    int("remote.log.manager.fetch.quota.window.size.seconds", "1").at_least(1).accepted(NONE)
        .doc("The length of each of those samples."),
    int("remote.fetch.max.wait.ms", "500").at_least(1).cluster_wide().accepted(NONE)
        .doc("How long a fetch waits for remote storage."),
    long("remote.list.offsets.request.timeout.ms", "30000").at_least(1).cluster_wide()
        .accepted(NONE)
        .doc("How long a search for an offset waits for remote storage."),
];
