//! What is set for brokers and topics reaches their partitions.

use std::collections::BTreeSet;
use std::sync::Arc;

use env::Env;
use metadata::{ConfigResourceKind, MetadataDelta, MetadataImage};
use types::WallTime;

use crate::node::Node;

/// Takes up what a change sets anew.
pub(super) fn refresh<E: Env>(
    node: &Node<E>,
    delta: &MetadataDelta,
    image: &Arc<MetadataImage>,
    now: WallTime,
) {
    let changed: Vec<_> = delta.configs().changed().map(|(resource, _)| resource).collect();
    if changed.is_empty() {
        return;
    }
    let broker_changed = changed.iter().any(|r| r.kind == ConfigResourceKind::Broker);
    if broker_changed {
        node.throttles.set_rates(node.settings.replication_rates(image));
    }
    let topics = changed.iter().filter(|r| r.kind == ConfigResourceKind::Topic);
    let topics: BTreeSet<&str> = topics.map(|resource| &*resource.name).collect();
    for partition in node.partitions.all() {
        if broker_changed || topics.contains(&*partition.id.topic) {
            let settings = node.settings.for_partition(&partition.id, image);
            partition.set_settings(settings, now);
        }
    }
    // Somebody may be held back no longer.
    node.fetchers.ask_all();
}

#[cfg(test)]
mod tests {
    use env::Clock;
    use env_sim::{SimDisk, SimEnv};
    use metadata::{MetadataLoader, MetadataRecord};
    use protocol::metadata_records::{ConfigRecord, PartitionChangeRecord};
    use records::validate::ValidatedBatch;
    use records::{BatchBuilder, NewRecord};
    use types::Offset;

    use super::*;
    use crate::controller_host::ImageSubscriber;
    use crate::metadata_publisher::MetadataPublisher;
    use crate::partitions::Partition;
    use crate::tests::{TOPIC, lone_with_topic};

    /// A leader whose follower has fetched nothing of what was appended, and who shows it images.
    struct Leader {
        env: SimEnv,
        node: Arc<Node<SimEnv>>,
        loader: MetadataLoader,
        partition: Arc<Partition<SimDisk>>,
    }

    impl Leader {
        fn start() -> Leader {
            let env = SimEnv::new(7);
            let node = lone_with_topic(&env, 1);
            let loader = MetadataLoader::new(node.image());
            let partition = node.partitions.get("t", 0).expect("its partition");
            let mut leader = Leader { env, node, loader, partition };
            let both = PartitionChangeRecord {
                replicas: Some(vec![1, 2]),
                isr: Some(vec![1, 2]),
                ..PartitionChangeRecord::default()
            };
            leader.show(&[of_t(both)]);
            let (mut batch, now) = (BatchBuilder::new(), leader.env.clock().wall());
            batch.push(NewRecord { timestamp: now, value: Some(b"v"), ..NewRecord::default() });
            let batch = ValidatedBatch::trusted(batch.build());
            leader.partition.append_now(batch, now, Box::new(|_| {})).expect("a log");
            leader.env.background().run_due();
            assert_eq!(leader.partition.high_watermark(), Offset(0), "the follower is waited for");
            leader
        }

        /// All of it at once.
        fn show(&mut self, records: &[MetadataRecord]) {
            let provenance = self.loader.image().provenance;
            let loaded = self.loader.replay_batch(provenance, records);
            let loaded = loaded.expect("it follows from what was").expect("no transaction");
            let publisher = MetadataPublisher { node: Arc::downgrade(&self.node) };
            publisher.handle_image(&loaded, self.env.clock().wall());
            self.env.background().run_due();
        }
    }

    fn of_t(change: PartitionChangeRecord) -> MetadataRecord {
        PartitionChangeRecord { partition_id: 0, topic_id: TOPIC, ..change }.into()
    }

    fn shrunk_to_the_leader() -> MetadataRecord {
        of_t(PartitionChangeRecord { isr: Some(vec![1]), ..PartitionChangeRecord::default() })
    }

    fn min_insync_replicas(value: &'static str) -> MetadataRecord {
        ConfigRecord {
            resource_type: ConfigResourceKind::Topic.code(),
            resource_name: "t".into(),
            name: "min.insync.replicas".into(),
            value: Some(value.into()),
        }
        .into()
    }

    #[test]
    fn a_set_that_is_smaller_than_allowed_from_the_same_image_on_commits_nothing() {
        let mut leader = Leader::start();
        leader.show(&[shrunk_to_the_leader(), min_insync_replicas("2")]);
        assert_eq!(leader.partition.high_watermark(), Offset(0), "one of two that must have it");
        leader.show(&[min_insync_replicas("1")]);
        assert_eq!(leader.partition.high_watermark(), Offset(1), "one is enough");
    }

    #[test]
    fn a_leader_whose_set_has_shrunk_to_itself_commits_what_it_has() {
        let mut leader = Leader::start();
        leader.show(&[shrunk_to_the_leader()]);
        assert_eq!(leader.partition.high_watermark(), Offset(1));
    }
}
