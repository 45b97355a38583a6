use std::time::Duration;

use crate::lookup::BrokerLookup;

/// How brokers and their controller hear of each other, and what the controller does by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct MembershipConfig {
    pub broker_heartbeat_interval_ms: i32,
    pub broker_session_timeout_ms: i32,
    pub initial_broker_registration_timeout_ms: i32,
    pub auto_leader_rebalance_enable: bool,
    pub leader_imbalance_check_interval_seconds: i64,
    pub unclean_leader_election_interval_ms: i64,
}

impl MembershipConfig {
    pub(crate) fn resolve(lookup: &BrokerLookup<'_>) -> MembershipConfig {
        MembershipConfig {
            broker_heartbeat_interval_ms: lookup.int("broker.heartbeat.interval.ms"),
            broker_session_timeout_ms: lookup.int("broker.session.timeout.ms"),
            initial_broker_registration_timeout_ms: lookup
                .int("initial.broker.registration.timeout.ms"),
            auto_leader_rebalance_enable: lookup.boolean("auto.leader.rebalance.enable"),
            leader_imbalance_check_interval_seconds: lookup
                .long("leader.imbalance.check.interval.seconds"),
            unclean_leader_election_interval_ms: lookup.long("unclean.leader.election.interval.ms"),
        }
    }

    /// `broker.heartbeat.interval.ms`
    pub fn heartbeat_interval(&self) -> Duration {
        Duration::from_millis(self.broker_heartbeat_interval_ms.max(1) as u64)
    }

    /// `broker.session.timeout.ms`
    pub fn session_timeout(&self) -> Duration {
        Duration::from_millis(self.broker_session_timeout_ms.max(1) as u64)
    }

    /// `initial.broker.registration.timeout.ms`
    pub fn registration_timeout(&self) -> Duration {
        Duration::from_millis(self.initial_broker_registration_timeout_ms.max(0) as u64)
    }
}
