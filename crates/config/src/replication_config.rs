use std::time::Duration;

use crate::layers::BrokerLayers;
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
    /// `replication.quota.window.num` and `.size.seconds`: over how many windows of which length
    /// the rate of throttled replicas is measured.
    pub quota_windows: (i32, Duration),
    /// `alter.log.dirs.replication.quota.window.num` and `.size.seconds`: those of moves between
    /// log directories.
    pub dirs_quota_windows: (i32, Duration),
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
            quota_windows: windows(
                lookup.int("replication.quota.window.num"),
                lookup.int("replication.quota.window.size.seconds"),
            ),
            dirs_quota_windows: windows(
                lookup.int("alter.log.dirs.replication.quota.window.num"),
                lookup.int("alter.log.dirs.replication.quota.window.size.seconds"),
            ),
        }
    }
}

/// What copies of replicas may use, as of now: bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicationRates {
    /// `leader.replication.throttled.rate`; `i64::MAX` means no limit.
    pub leader: u64,
    /// `follower.replication.throttled.rate`.
    pub follower: u64,
    /// `replica.alter.log.dirs.io.max.bytes.per.second`.
    pub dirs: u64,
}

/// The rates of throttled replication, as of now.
pub fn replication_rates(layers: &BrokerLayers<'_>) -> ReplicationRates {
    let lookup = BrokerLookup::new(layers);
    let rate = |name| u64::try_from(lookup.long(name)).unwrap_or(0);
    ReplicationRates {
        leader: rate("leader.replication.throttled.rate"),
        follower: rate("follower.replication.throttled.rate"),
        dirs: rate("replica.alter.log.dirs.io.max.bytes.per.second"),
    }
}

fn windows(count: i32, size_s: i32) -> (i32, Duration) {
    (count, Duration::from_secs(u64::try_from(size_s).unwrap_or(1)))
}
