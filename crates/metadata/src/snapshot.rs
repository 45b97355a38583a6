//! An image stated as records: replayed onto nothing, they give the image again.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::metadata_records::register_broker_record::{BrokerEndpoint, BrokerFeature};
use protocol::metadata_records::register_controller_record::{
    ControllerEndpoint, ControllerFeature,
};
use protocol::metadata_records::{
    ConfigRecord, FeatureLevelRecord, ProducerIdsRecord, RegisterBrokerRecord,
    RegisterControllerRecord, TopicRecord,
};
use types::ProducerId;

use crate::{
    BrokerImage, ControllerImage, FeatureRange, KRAFT_VERSION_FEATURE, METADATA_VERSION_FEATURE,
    MetadataImage, MetadataRecord,
};

impl MetadataImage {
    /// The records of a snapshot, in Kafka's order: the feature levels first, because
    /// `metadata.version` says how to read the rest. `kraft.version` is not among them: a control
    /// record says it.
    #[doc(alias = "ImageWriter")]
    pub fn to_records(&self) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        let is_recorded = |(name, _): &(&str, i16)| *name != KRAFT_VERSION_FEATURE;
        let is_version = |name: &str| name == METADATA_VERSION_FEATURE;
        let (first, rest): (Vec<_>, Vec<_>) =
            self.features.iter().filter(is_recorded).partition(|(name, _)| is_version(name));
        for (name, feature_level) in first.into_iter().chain(rest) {
            records.push(FeatureLevelRecord { name: name.into(), feature_level }.into());
        }
        records.extend(self.cluster.controllers().map(|image| image.to_record().into()));
        records.extend(self.cluster.brokers().map(|image| broker(image).into()));
        for topic in self.topics.iter() {
            records.push(TopicRecord { name: (&*topic.name).into(), topic_id: topic.id }.into());
            let partitions = topic.partitions();
            records.extend(partitions.map(|(at, p)| p.to_record(topic.id, at).into()));
        }
        for (resource, configs) in self.configs.iter() {
            records.extend(configs.iter().map(|(name, value)| {
                MetadataRecord::Config(ConfigRecord {
                    resource_type: resource.kind.code(),
                    resource_name: (&*resource.name).into(),
                    name: name.as_str().into(),
                    value: Some(value.as_str().into()),
                })
            }));
        }
        if self.producer_ids.next > ProducerId(0) {
            let next_producer_id = self.producer_ids.next.0;
            let record = ProducerIdsRecord { broker_id: -1, broker_epoch: -1, next_producer_id };
            records.push(record.into());
        }
        records
    }
}

fn broker(image: &BrokerImage) -> RegisterBrokerRecord {
    let endpoints = image.endpoints.iter().map(|endpoint| BrokerEndpoint {
        name: (&*endpoint.name).into(),
        host: (&*endpoint.host).into(),
        port: endpoint.port,
        security_protocol: endpoint.security_protocol,
    });
    RegisterBrokerRecord {
        broker_id: image.id.0,
        is_migrating_zk_broker: false,
        incarnation_id: image.incarnation,
        broker_epoch: image.epoch.0,
        end_points: endpoints.collect(),
        features: features(&image.features)
            .map(|(name, range)| BrokerFeature {
                name: name.into(),
                min_supported_version: range.min,
                max_supported_version: range.max,
            })
            .collect(),
        rack: image.rack.as_deref().map(Into::into),
        fenced: image.fenced,
        in_controlled_shutdown: image.in_controlled_shutdown,
        log_dirs: image.log_dirs.clone(),
    }
}

impl ControllerImage {
    /// The registration as one record.
    pub fn to_record(&self) -> RegisterControllerRecord {
        let image = self;
        let endpoints = image.endpoints.iter().map(|endpoint| ControllerEndpoint {
            name: (&*endpoint.name).into(),
            host: (&*endpoint.host).into(),
            port: endpoint.port,
            security_protocol: endpoint.security_protocol,
        });
        RegisterControllerRecord {
            controller_id: image.id,
            incarnation_id: image.incarnation,
            zk_migration_ready: false,
            end_points: endpoints.collect(),
            features: features(&image.features)
                .map(|(name, range)| ControllerFeature {
                    name: name.into(),
                    min_supported_version: range.min,
                    max_supported_version: range.max,
                })
                .collect(),
        }
    }
}

fn features(
    features: &BTreeMap<Arc<str>, FeatureRange>,
) -> impl Iterator<Item = (&str, FeatureRange)> {
    features.iter().map(|(name, range)| (&**name, *range))
}
