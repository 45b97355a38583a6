use std::time::Duration;

/// The group coordinator's part of the broker's configuration, by Kafka's names.
///
/// Source: Kafka `GroupCoordinatorConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupCoordinatorConfig {
    /// `group.max.size`
    pub group_size_max: usize,
    /// `group.min.session.timeout.ms`
    pub session_timeout_ms_min: i32,
    /// `group.max.session.timeout.ms`
    pub session_timeout_ms_max: i32,
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay_ms: i32,
    /// How long a JoinGroup of a member that has no id yet may stay parked. Not configurable.
    pub new_member_join_timeout_ms: i32,
    /// `offset.metadata.max.bytes`
    ///
    /// **Unit:** UTF-16 code units in spite of its name, as in Kafka.
    pub offset_metadata_units_max: usize,
    /// `offsets.commit.timeout.ms`: how long an answer may wait for what was decided to be
    /// committed. Whoever hosts the coordinator keeps it.
    pub commit_timeout: Duration,
    /// `offsets.retention.minutes`
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`
    pub offsets_retention_check_interval: Duration,
}

impl Default for GroupCoordinatorConfig {
    fn default() -> GroupCoordinatorConfig {
        GroupCoordinatorConfig {
            group_size_max: i32::MAX as usize,
            session_timeout_ms_min: 6_000,
            session_timeout_ms_max: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            new_member_join_timeout_ms: 5 * 60 * 1_000,
            offset_metadata_units_max: 4_096,
            commit_timeout: Duration::from_millis(5_000),
            offsets_retention: Duration::from_secs(7 * 24 * 60 * 60),
            offsets_retention_check_interval: Duration::from_millis(600_000),
        }
    }
}
