use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::Counter;
use types::TopicName;

metrics::group! {
    /// What clients do with one topic. Source: Kafka `BrokerTopicMetrics`.
    pub struct TopicMetrics["topic"] {
        /// Records appended. Without a topic: all topics together, those deleted included.
        pub messages_in: Counter() = "kafka_server_brokertopicmetrics_messagesin_total",
        /// Bytes of batches appended.
        pub bytes_in: Counter() = "kafka_server_brokertopicmetrics_bytesin_total",
        /// Bytes of batches sent to consumers.
        pub bytes_out: Counter() = "kafka_server_brokertopicmetrics_bytesout_total",
        /// Batches that clients asked to append, one a partition and request.
        pub produce_requests: Counter() =
            "kafka_server_brokertopicmetrics_totalproducerequests_total",
        /// Batches that clients asked to append and that were refused or failed.
        pub failed_produce_requests: Counter() =
            "kafka_server_brokertopicmetrics_failedproducerequests_total",
        /// Partitions that clients asked to read, one a partition and request.
        pub fetch_requests: Counter() = "kafka_server_brokertopicmetrics_totalfetchrequests_total",
        /// Partitions that clients asked to read and did not get.
        pub failed_fetch_requests: Counter() =
            "kafka_server_brokertopicmetrics_failedfetchrequests_total",
    }
}

impl TopicMetrics {
    pub fn note_appended(&self, bytes: usize, records: i32) {
        self.bytes_in.add(bytes as u64);
        self.messages_in.add(records.max(0) as u64);
    }

    fn absorb(&self, other: &TopicMetrics) {
        let pairs = [
            (&self.messages_in, &other.messages_in),
            (&self.bytes_in, &other.bytes_in),
            (&self.bytes_out, &other.bytes_out),
            (&self.produce_requests, &other.produce_requests),
            (&self.failed_produce_requests, &other.failed_produce_requests),
            (&self.fetch_requests, &other.fetch_requests),
            (&self.failed_fetch_requests, &other.failed_fetch_requests),
        ];
        for (sum, part) in pairs {
            sum.add(part.get());
        }
    }
}

/// A topic and what was counted of it.
pub type NamedTopic = (TopicName, Arc<TopicMetrics>);

/// The counts of all topics. Partitions hold the handles of theirs.
#[derive(Debug, Default)]
pub struct TopicCounts {
    live: Mutex<BTreeMap<TopicName, Arc<TopicMetrics>>>,
    /// Of deleted topics, and of requests for topics that are not here: the sums only grow.
    pub others: TopicMetrics,
}

impl TopicCounts {
    /// The handle of a topic: to be kept by its partitions.
    pub fn of(&self, topic: &TopicName) -> Arc<TopicMetrics> {
        Arc::clone(self.lock().entry(Arc::clone(topic)).or_default())
    }

    /// Runs `count` on the topic's counts, or on those of the rest if no partition of it is here.
    /// For what is rare: it takes a lock.
    pub fn count_rare(&self, topic: &str, count: impl FnOnce(&TopicMetrics)) {
        let found = self.lock().get(topic).cloned();
        count(found.as_deref().unwrap_or(&self.others));
    }

    /// The sum of all, and each topic that has partitions here.
    pub fn all(&self) -> (TopicMetrics, Vec<NamedTopic>) {
        let mut live = self.lock();
        live.retain(|_, counts| {
            let is_held = Arc::strong_count(counts) > 1;
            if !is_held {
                self.others.absorb(counts);
            }
            is_held
        });
        let sum = TopicMetrics::default();
        sum.absorb(&self.others);
        for counts in live.values() {
            sum.absorb(counts);
        }
        (sum, live.iter().map(|(name, counts)| (Arc::clone(name), Arc::clone(counts))).collect())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TopicName, Arc<TopicMetrics>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_keeps_what_a_deleted_topic_had() {
        let counts = TopicCounts::default();
        let (kept, gone) = (counts.of(&"kept".into()), counts.of(&"gone".into()));
        kept.bytes_in.add(1);
        gone.bytes_in.add(10);
        counts.count_rare("never", |other| other.bytes_in.add(100));
        drop(gone);
        for _ in 0..2 {
            let (sum, live) = counts.all();
            assert_eq!(sum.bytes_in.get(), 111);
            let names: Vec<&str> = live.iter().map(|(name, _)| &**name).collect();
            assert_eq!(names, ["kept"]);
        }
        assert_eq!(counts.of(&"gone".into()).bytes_in.get(), 0, "a new topic begins at 0");
    }
}
