//! What one change costs does not grow with the cluster.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use metadata::{ConfigResourceKind, MetadataImage, MetadataLoader, MetadataRecord, Provenance};
use protocol::metadata_records::{
    ConfigRecord, PartitionChangeRecord, PartitionRecord, TopicRecord,
};
use types::Uuid;

/// Counts what the calling thread asks for, so that tests do not see each other.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands every call to the system's allocator unchanged; the counter does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn id(topic: u32) -> Uuid {
    Uuid((1 << 96 | u128::from(topic)).to_be_bytes())
}

fn config(topic: u32, value: &str) -> MetadataRecord {
    ConfigRecord {
        resource_type: ConfigResourceKind::Topic.code(),
        resource_name: format!("topic-{topic}").into(),
        name: "retention.ms".into(),
        value: Some(value.to_owned().into()),
    }
    .into()
}

/// Topics of one partition, each with a configuration of its own.
fn cluster_of(topics: u32) -> MetadataLoader {
    let mut loader = MetadataLoader::new(Arc::new(MetadataImage::empty()));
    let records = (0..topics).flat_map(|topic| {
        let (name, topic_id) = (format!("topic-{topic}").into(), id(topic));
        let replicas = vec![1, 2, 3];
        let partition = PartitionRecord {
            topic_id,
            partition_id: 0,
            isr: replicas.clone(),
            replicas,
            leader: 1,
            ..Default::default()
        };
        [TopicRecord { name, topic_id }.into(), partition.into(), config(topic, "1")]
    });
    let records: Vec<MetadataRecord> = records.collect();
    loader.replay_batch(Provenance::EMPTY, &records).expect("accepted");
    loader
}

/// Bytes that one change asks the allocator for, from the record to the image that is published.
fn cost_of(loader: &mut MetadataLoader, record: MetadataRecord) -> usize {
    let before = ASKED.get();
    let loaded = loader.replay_batch(Provenance::EMPTY, &[record]).expect("accepted");
    assert!(loaded.is_some(), "it is published");
    ASKED.get() - before
}

#[test]
fn a_change_of_one_topic_costs_no_copy_of_the_ten_thousand_others() {
    let costs = [100, 10_000].map(|topics| {
        let mut loader = cluster_of(topics);
        let topic_id = id(topics / 2);
        let change =
            PartitionChangeRecord { topic_id, partition_id: 0, leader: 2, ..Default::default() };
        [cost_of(&mut loader, change.into()), cost_of(&mut loader, config(topics / 2, "2"))]
    });
    println!("bytes for a leader and for a configuration: {costs:?}");
    let [[leader_of_few, config_of_few], [leader, config]] = costs;
    // One more node of the tree a level; ten thousand pointers alone would be 80 kB.
    assert!(leader < 16_384 && leader < 3 * leader_of_few, "{costs:?}");
    assert!(config < 16_384 && config < 3 * config_of_few, "{costs:?}");
}
