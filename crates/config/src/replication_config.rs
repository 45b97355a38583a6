use std::time::Duration;

use crate::lookup::BrokerLookup;

/// How replicas follow their leaders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicationConfig {
    /// `replica.lag.time.max.ms`: whoever lags for longer leaves the in-sync set.
    pub lag_time_max: Duration,
    /// Bytes of a partition that a follower asks for.
    pub fetch_bytes_max: i32,
    /// Bytes that it asks for altogether.
    pub fetch_response_bytes_max: i32,
    /// Bytes that it waits for, and for how long.
    pub fetch_bytes_min: i32,
    pub fetch_wait_max_ms: i32,
    /// Whether consumers are sent to a follower in their rack.
    pub selects_by_rack: bool,
}

impl ReplicationConfig {
    pub(crate) fn resolve(lookup: &BrokerLookup<'_>) -> ReplicationConfig {
        let selector = lookup.text_or_unset("replica.selector.class").unwrap_or_default();
        ReplicationConfig {
            lag_time_max: Duration::from_millis(
                u64::try_from(lookup.long("replica.lag.time.max.ms")).unwrap_or(0),
            ),
            fetch_bytes_max: lookup.int("replica.fetch.max.bytes"),
            fetch_response_bytes_max: lookup.int("replica.fetch.response.max.bytes"),
            fetch_bytes_min: lookup.int("replica.fetch.min.bytes"),
            fetch_wait_max_ms: lookup.int("replica.fetch.wait.max.ms"),
            selects_by_rack: selector.ends_with("RackAwareReplicaSelector"),
        }
    }
}
