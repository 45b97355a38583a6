//! Whatever a metadata log holds, reading it answers; nothing panics.

use bytes::Bytes;
use fuzz_rounds::{damaged, noise, rounds};
use metadata::{MetadataDelta, MetadataImage, MetadataRecord, MetadataVersion, Provenance};
use proptest::prelude::*;
use protocol::metadata_records::*;
use types::Uuid;

const TOPIC: Uuid = Uuid([3; 16]);

/// Records to damage, in the order in which each makes sense after the ones before.
fn story() -> Vec<MetadataRecord> {
    let name = || "orders".into();
    vec![
        FeatureLevelRecord { name: "metadata.version".into(), feature_level: 20 }.into(),
        RegisterBrokerRecord { broker_id: 1, broker_epoch: 3, ..Default::default() }.into(),
        TopicRecord { name: name(), topic_id: TOPIC }.into(),
        PartitionRecord {
            topic_id: TOPIC,
            replicas: vec![1],
            isr: vec![1],
            leader: 1,
            ..Default::default()
        }
        .into(),
        ConfigRecord {
            resource_type: 2,
            resource_name: name(),
            name: "retention.ms".into(),
            value: Some("1".into()),
        }
        .into(),
        PartitionChangeRecord { topic_id: TOPIC, leader: -1, ..Default::default() }.into(),
        RemoveTopicRecord { topic_id: TOPIC }.into(),
    ]
}

fn bytes() -> Vec<Vec<u8>> {
    let encode = |record: &MetadataRecord| record.encode(MetadataVersion::LATEST);
    story().iter().map(|record| encode(record).expect("a record is written").to_vec()).collect()
}

/// Reads and applies; an error ends the log.
fn apply(log: impl IntoIterator<Item = Vec<u8>>) {
    let mut image = MetadataImage::empty();
    for value in log {
        let Ok(record) = MetadataRecord::decode(Bytes::from(value)) else { return };
        let mut delta = MetadataDelta::default();
        if delta.replay(&image, &record).is_err() {
            return;
        }
        image = image.apply(&delta, Provenance::EMPTY);
    }
}

#[test]
fn fuzz_noise_is_no_metadata_record() {
    rounds(noise(200), |value| apply([value]));
}

#[test]
fn fuzz_a_damaged_metadata_log_is_applied_or_refused() {
    let kept = prop::collection::vec(any::<bool>(), story().len());
    let one = (prop::sample::select((0..story().len()).collect::<Vec<_>>()), damaged(bytes()));
    rounds((kept, one), |(kept, (at, damaged))| {
        let mut log: Vec<Vec<u8>> = bytes()
            .into_iter()
            .zip(kept)
            .filter(|(_, keep)| *keep)
            .map(|(value, _)| value)
            .collect();
        log.insert(at.min(log.len()), damaged);
        apply(log);
    });
}
