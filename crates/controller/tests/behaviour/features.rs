use metadata::{MetadataRecord, MetadataVersion};
use protocol::messages::update_features_request::{FeatureUpdateKey, UpdateFeaturesRequest};
use types::{BrokerId, ErrorCode};

use crate::harness::{Cluster, registration};

fn upgrade(cluster: &mut Cluster, feature: &str, level: i16) -> i16 {
    let update = FeatureUpdateKey {
        feature: feature.into(),
        max_version_level: level,
        upgrade_type: 1,
        ..FeatureUpdateKey::default()
    };
    let request = UpdateFeaturesRequest { feature_updates: vec![update], ..Default::default() };
    cluster.commit(cluster.controller.update_features(&request)).error_code
}

#[test]
fn a_broker_that_was_away_while_a_level_was_raised_beyond_it_is_refused() {
    let mut cluster = Cluster::with_brokers(2);
    assert_eq!(upgrade(&mut cluster, "eligible.leader.replicas.version", 1), 0);
    let mut old = registration(2, 1, None);
    old.features.truncate(1);
    let refused = cluster.controller.register_broker(&old);
    let error = refused.reply.expect_err("it knows nothing of eligible leaders");
    assert_eq!(error.code, ErrorCode::UnsupportedVersion);
    assert!(refused.records.is_empty());
}

#[test]
fn a_registered_broker_holds_a_level_back_even_while_it_is_fenced() {
    let mut cluster = Cluster::at_level(MetadataVersion(25));
    let mut old = registration(1, 1, None);
    old.features.truncate(1);
    let registered = cluster.controller.register_broker(&old);
    cluster.commit(registered).expect("nothing is finalized that it does not know");
    let refused = ErrorCode::InvalidUpdateVersion.code();
    assert_eq!(upgrade(&mut cluster, "eligible.leader.replicas.version", 1), refused);
}

#[test]
fn records_are_never_of_a_version_above_the_level() {
    let mut cluster = Cluster::at_level(MetadataVersion(25)).and_brokers(2);
    let topic = cluster.create("t", &[vec![0, 1]], &[]);
    cluster.alter_isr(topic, 0, &[0]);
    let result = cluster.controller.fence_broker(BrokerId(0), cluster.epoch(0));
    for level in (MetadataVersion::DIRECTORIES.0..=MetadataVersion::LATEST.0).map(MetadataVersion) {
        for record in &result.records {
            let bytes = record.encode(level).expect("sayable at every level that has directories");
            let newest = match (record, level >= MetadataVersion::ELIGIBLE_LEADERS) {
                (MetadataRecord::PartitionChange(_), true) => 2,
                (MetadataRecord::PartitionChange(_), false) => 1,
                _ => 2,
            };
            assert_eq!(bytes[2], newest, "{record:?} at {level}");
        }
    }
}
