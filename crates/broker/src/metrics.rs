//! What this broker counts, and the page that shows it.
//!
//! Names are a contract: `kafka_*` are those that the Prometheus JMX exporter makes of Kafka's
//! MBeans with Strimzi's rules, so that its dashboards and alerts work; `ottla_*` are ours.
//! `docs/metrics.md` is written from the tables here and in `storage`.

mod docs;
mod page;
mod requests;
mod scraped;
mod topics;

pub use docs::markdown;
pub use page::render;
pub use requests::RequestCounts;
pub use topics::{TopicCounts, TopicMetrics};

/// The type of the page's content.
pub const CONTENT_TYPE: &str = metrics::Exposition::CONTENT_TYPE;

metrics::group! {
    /// What concerns the whole broker.
    pub struct BrokerMetrics[] {
        /// Connections of clients that are open.
        pub connections: Gauge() = "kafka_server_socket_server_metrics_connection_count",
        /// Connections that clients have opened.
        pub connections_opened: Counter() =
            "kafka_server_socket_server_metrics_connection_creation_total",
        /// Connections that were closed at once: too many were open.
        pub connections_refused: Counter() = "ottla_connections_refused_total",
        /// Connections that were cut because what came was no request.
        pub connections_cut: Counter() = "ottla_connections_cut_total",
        /// Produce requests to a partition that were refused to keep the disk from filling up.
        pub refused_for_space: Counter() = "ottla_produce_refused_no_space_total",
    }
}

use metrics::{Counter, Gauge};

/// Every handle that the rooms of the broker count with. Those of the logs are with the log
/// directories ([`storage::LogDirMetrics`]).
#[derive(Debug, Default)]
pub struct Metrics {
    pub broker: BrokerMetrics,
    pub requests: RequestCounts,
    pub topics: TopicCounts,
}
