//! `docs/metrics.md`, written from the tables.

use metrics::{Family, Group};

use super::requests::RequestMetrics;
use super::scraped::SCRAPED;
use super::{BrokerMetrics, TopicMetrics};
use crate::limits::{METRIC_PARTITIONS_MAX, METRIC_TOPICS_MAX};

/// Every family, in the order of the page.
fn families() -> impl Iterator<Item = &'static Family> {
    let counted = [
        BrokerMetrics::FAMILIES,
        RequestMetrics::FAMILIES,
        TopicMetrics::FAMILIES,
        storage::LogDirMetrics::FAMILIES,
    ];
    counted.into_iter().flatten().chain(SCRAPED)
}

/// The page of metric names.
pub fn markdown() -> String {
    let mut text = format!(
        "\
# Metrics

<!-- Written by `UPDATE_DOCS=1 cargo test -p broker --test node metrics`. -->

What a node shows of itself, in Prometheus' text format. Names that begin with `kafka_` are those
that the JMX exporter makes of Kafka's MBeans with Strimzi's rules: its dashboards and alerts find
them. Names that begin with `ottla_` are our own. What counts for a feature that is not there yet
stays 0.

Counters begin at 0 when the process does. With more than {METRIC_TOPICS_MAX} topics only their sum
is shown, with more than {METRIC_PARTITIONS_MAX} partitions on the broker none of them one by one;
`ottla_metrics_left_out` says so.

| name | type | labels | meaning |
|---|---|---|---|
"
    );
    let mut rows: Vec<String> = families().map(row).collect();
    rows.sort();
    text.extend(rows);
    text
}

fn row(family: &Family) -> String {
    let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
    let (name, kind, help) = (family.name, family.kind.name(), family.help.trim());
    format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once_and_is_one_that_scrapers_take() {
        let mut names: Vec<&str> = families().map(|family| family.name).collect();
        names.sort_unstable();
        for name in &names {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert!(name.starts_with("kafka_") || name.starts_with("ottla_"), "{name}");
        }
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
