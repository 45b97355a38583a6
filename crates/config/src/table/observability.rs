//! Quotas, metrics and telemetry.

use crate::property::{Property, class_unset, int, list, long, text};

const NO_QUOTAS: &str = "quotas are not enforced yet";
const NO_JMX: &str = "there is no JVM; metrics are on the HTTP port";

#[rustfmt::skip]
pub(super) const ROWS: &[Property] = &[
    int("quota.window.num", "11").at_least(1).low().accepted(NO_QUOTAS)
        .doc("Samples over which client quotas are measured."),
    int("quota.window.size.seconds", "1").at_least(1).low().accepted(NO_QUOTAS)
        .doc("The length of each of those samples."),
    int("replication.quota.window.num", "11").at_least(1).low()
        .doc("Samples over which replication throttles are measured."),
    int("replication.quota.window.size.seconds", "1").at_least(1).low()
        .doc("The length of each of those samples."),
    int("alter.log.dirs.replication.quota.window.num", "11").at_least(1).low()
        .doc("Samples over which moves between directories are measured."),
    int("alter.log.dirs.replication.quota.window.size.seconds", "1").at_least(1).low()
        .doc("The length of each of those samples."),
    int("controller.quota.window.num", "11").at_least(1).low().accepted(NO_QUOTAS)
        .doc("Samples over which topic changes are measured."),
    int("controller.quota.window.size.seconds", "1").at_least(1).low().accepted(NO_QUOTAS)
        .doc("The length of each of those samples."),
    class_unset("client.quota.callback.class").low().accepted(NO_QUOTAS)
        .doc("A plug-in that decides quotas."),
    int("metrics.num.samples", "2").at_least(1).low().accepted(NO_JMX)
        .doc("Samples over which metrics are computed."),
    long("metrics.sample.window.ms", "30000").at_least(1).low().accepted(NO_JMX)
        .doc("The length of each of those samples."),
    list("metric.reporters", "org.apache.kafka.common.metrics.JmxReporter").low().cluster_wide()
        .accepted(NO_JMX)
        .doc("Plug-ins that report metrics."),
    text("metrics.recording.level", "INFO").low().accepted(NO_JMX)
        .doc("How detailed metrics are."),
    list("kafka.metrics.reporters", "").low().accepted(NO_JMX)
        .doc("Plug-ins that report the older kind of metrics."),
    int("kafka.metrics.polling.interval.secs", "10").at_least(1).low().accepted(NO_JMX)
        .doc("How often those are asked."),
    int("telemetry.max.bytes", "1048576").at_least(1).low()
        .accepted("clients are not asked for their metrics")
        .doc("The most metrics that a client may push at once."),
    long("controller.performance.sample.period.ms", "60000").at_least(100)
        .accepted("slow controller operations show in the metrics")
        .doc("How often the controller's slowest operations are logged."),
    long("controller.performance.always.log.threshold.ms", "2000").at_least(0)
        .accepted("slow controller operations show in the metrics")
        .doc("Controller operations slower than this are always logged."),
];
