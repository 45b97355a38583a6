//! Where records are kept, for how long, and in what pieces.

use crate::property::{
    Property, Rule, boolean, double, int, int_unset, list, list_unset, long, long_unset, text,
};

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    list("log.dir", "/tmp/kafka-logs").high()
        .doc("The directory of all partitions; used when `log.dirs` is not set."),
    list_unset("log.dirs").high()
        .doc("The directories of partitions, separated by commas; one disk each."),
    int("log.segment.bytes", "1073741824").at_least(1_048_576).high().cluster_wide()
        .doc("The size at which a partition begins a new segment."),
    long_unset("log.roll.ms").high().cluster_wide()
        .doc("The age at which a partition begins a new segment; unset means `log.roll.hours`."),
    int("log.roll.hours", "168").at_least(1).high()
        .doc("The same in hours."),
    long_unset("log.roll.jitter.ms").high().cluster_wide()
        .doc("The most by which a roll may come early, so that partitions do not roll together."),
    int("log.roll.jitter.hours", "0").at_least(0).high()
        .doc("The same in hours."),
    long_unset("log.retention.ms").high().cluster_wide()
        .doc("How long records are kept; -1 means for ever. Unset means `log.retention.minutes`."),
    int_unset("log.retention.minutes").high()
        .doc("The same in minutes; unset means `log.retention.hours`."),
    int("log.retention.hours", "168").high()
        .doc("The same in hours."),
    long("log.retention.bytes", "-1").high().cluster_wide()
        .doc("How many bytes each partition keeps; -1 means all."),
    long("log.retention.check.interval.ms", "300000").at_least(1)
        .doc("How often old segments are looked for."),
    list("log.cleanup.policy", "delete").rule(Rule::EachOf(&["compact", "delete"])).cluster_wide()
        .doc("What happens to old records: `delete` them, `compact` to the newest of each key, \
              or both."),
    int("log.index.size.max.bytes", "10485760").at_least(4).cluster_wide()
        .doc("The largest offset index of a segment."),
    int("log.index.interval.bytes", "4096").at_least(0).cluster_wide()
        .doc("How many bytes of records lie between two index entries."),
    long("log.flush.interval.messages", "9223372036854775807").at_least(1).high().cluster_wide()
        .doc("A partition is synced to disk after this many records, whatever its durability."),
    long_unset("log.flush.interval.ms").high().cluster_wide()
        .doc("A partition is synced to disk at this age; unset means \
              `log.flush.scheduler.interval.ms`."),
    long("log.flush.scheduler.interval.ms", "9223372036854775807").high()
        .doc("The age at which a partition is synced to disk if `log.flush.interval.ms` is unset."),
    text("log.durability", "fsync").one_of(&["fsync", "replicated", "page-cache"]).high()
        .cluster_wide()
        .doc("What an acknowledgement of `acks=all` promises: `fsync`, that the records are on \
              disk; `replicated`, that at least two in-sync replicas have them, or one has them \
              on disk; `page-cache`, what Apache Kafka promises."),
    int("log.flush.offset.checkpoint.interval.ms", "60000").at_least(0).high()
        .doc("How often the recovery point, below which all is synced, is written down."),
    int("log.flush.start.offset.checkpoint.interval.ms", "60000").at_least(0).high()
        .doc("How often the first offset of each partition is written down."),
    long("log.segment.delete.delay.ms", "60000").at_least(0).high().cluster_wide()
        .doc("How long a removed segment's file stays on disk."),
    boolean("log.preallocate", "false").cluster_wide()
        .doc("Whether a segment's whole size is reserved when it begins."),
    text("log.message.timestamp.type", "CreateTime").one_of(&["CreateTime", "LogAppendTime"])
        .cluster_wide()
        .doc("Whether a record keeps its producer's time or gets the broker's."),
    long("log.message.timestamp.before.max.ms", "9223372036854775807").at_least(0).cluster_wide()
        .doc("How far a record's time may lie before the broker's."),
    long("log.message.timestamp.after.max.ms", "3600000").at_least(0).cluster_wide()
        .doc("How far a record's time may lie after the broker's."),
    boolean("log.cleaner.enable", "true")
        .doc("Whether compaction runs at all."),
    int("log.cleaner.threads", "1").at_least(0).cluster_wide()
        .doc("Threads that compact."),
    double("log.cleaner.io.max.bytes.per.second", "1.7976931348623157E308").cluster_wide()
        .doc("The most bytes a second that compaction reads and writes."),
    long("log.cleaner.dedupe.buffer.size", "134217728").cluster_wide()
        .doc("Memory for the keys seen in one pass of compaction."),
    int("log.cleaner.io.buffer.size", "524288").at_least(0).cluster_wide()
        .accepted("compaction reads and writes in pieces of 1 MiB, whatever is set")
        .doc("Memory for reading and writing during compaction."),
    double("log.cleaner.io.buffer.load.factor", "0.9").cluster_wide()
        .doc("How full the map of keys may get."),
    long("log.cleaner.backoff.ms", "15000").at_least(0).cluster_wide()
        .doc("The pause when there is nothing to compact."),
    double("log.cleaner.min.cleanable.ratio", "0.5").rule(Rule::Fraction(0.0, 1.0)).cluster_wide()
        .doc("The share of a log that must be new before it is compacted again."),
    long("log.cleaner.delete.retention.ms", "86400000").at_least(0).cluster_wide()
        .doc("How long deletion markers stay readable in compacted topics."),
    long("log.cleaner.min.compaction.lag.ms", "0").at_least(0).cluster_wide()
        .doc("How long a record is safe from compaction."),
    long("log.cleaner.max.compaction.lag.ms", "9223372036854775807").at_least(1).cluster_wide()
        .doc("The age at which a record must be compacted."),
    int("num.recovery.threads.per.data.dir", "2").at_least(1).high().cluster_wide()
        .accepted("recovery uses every core")
        .doc("Threads a directory that recover logs after a crash."),
    int_unset("num.replica.alter.log.dirs.threads").high()
        .accepted("replicas do not move between directories yet")
        .doc("Threads that move replicas between directories."),
    long("log.dir.failure.timeout.ms", "30000").at_least(1).low()
        .accepted("there is no other node that could take over")
        .doc("How long a broker may fail to report a lost directory before it stops."),
    long("log.initial.task.delay.ms", "30000").at_least(0).low()
        .doc("The pause between the start and the first periodic task of the log."),
];
