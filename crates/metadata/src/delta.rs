use crate::{
    ClusterDelta, ConfigResource, ConfigsDelta, FeaturesDelta, MetadataImage, MetadataRecord,
    ProducerIdsDelta, ReplayError, TopicsDelta,
};

/// What some records change about an image: what a publisher acts on.
#[derive(Clone, Debug, Default)]
pub struct MetadataDelta {
    features: FeaturesDelta,
    cluster: ClusterDelta,
    topics: TopicsDelta,
    configs: ConfigsDelta,
    producer_ids: ProducerIdsDelta,
}

impl MetadataDelta {
    /// The topics and configurations that two images have otherwise: what a broker acts upon when
    /// it comes from the one to the other by a snapshot. The rest is in the later image alone.
    #[doc(alias = "finishSnapshot")]
    pub(crate) fn between(before: &MetadataImage, after: &MetadataImage) -> MetadataDelta {
        MetadataDelta {
            topics: TopicsDelta::between(&before.topics, &after.topics),
            configs: ConfigsDelta::between(&before.configs, &after.configs),
            ..MetadataDelta::default()
        }
    }

    /// Adds what `record` changes. Every record of one delta meets the same `base`.
    ///
    /// # Errors
    /// The record contradicts `base` and the records before it; the delta is unusable after that.
    pub fn replay(
        &mut self,
        base: &MetadataImage,
        record: &MetadataRecord,
    ) -> Result<(), ReplayError> {
        match record {
            MetadataRecord::Topic(record) => self.topics.create(&base.topics, record)?,
            MetadataRecord::Partition(record) => self.topics.add_partition(&base.topics, record)?,
            MetadataRecord::PartitionChange(record) => {
                self.topics.change_partition(&base.topics, record)?;
            }
            MetadataRecord::RemoveTopic(record) => {
                let name = self.topics.remove(&base.topics, record)?;
                self.configs.remove_all(&base.configs, ConfigResource::topic(&name));
            }
            MetadataRecord::ClearElr(record) => {
                self.topics.clear_elr(&base.topics, &record.topic_name)?;
            }
            MetadataRecord::Config(record) => self.configs.set(&base.configs, record)?,
            MetadataRecord::FeatureLevel(record) => self.features.set(record),
            MetadataRecord::ProducerIds(record) => {
                self.producer_ids.set(&base.producer_ids, record)?;
            }
            MetadataRecord::RegisterBroker(record) => self.cluster.register(record),
            MetadataRecord::UnregisterBroker(record) => {
                self.cluster.unregister(&base.cluster, record)?;
            }
            MetadataRecord::BrokerRegistrationChange(record) => {
                self.cluster.change(&base.cluster, record)?;
            }
            MetadataRecord::FenceBroker(record) => {
                self.cluster.set_fenced(&base.cluster, record.id, record.epoch, true)?;
            }
            MetadataRecord::UnfenceBroker(record) => {
                self.cluster.set_fenced(&base.cluster, record.id, record.epoch, false)?;
            }
            MetadataRecord::RegisterController(record) => self.cluster.register_controller(record),
            // ZooKeeper is gone, so its migration says nothing; transactions are the loader's.
            MetadataRecord::NoOp(_)
            | MetadataRecord::ZkMigrationState(_)
            | MetadataRecord::BeginTransaction(_)
            | MetadataRecord::EndTransaction(_)
            | MetadataRecord::AbortTransaction(_) => {}
        }
        Ok(())
    }

    pub fn features(&self) -> &FeaturesDelta {
        &self.features
    }

    pub fn cluster(&self) -> &ClusterDelta {
        &self.cluster
    }

    pub fn topics(&self) -> &TopicsDelta {
        &self.topics
    }

    pub fn configs(&self) -> &ConfigsDelta {
        &self.configs
    }

    pub fn producer_ids(&self) -> &ProducerIdsDelta {
        &self.producer_ids
    }

    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
            && self.cluster.is_empty()
            && self.topics.is_empty()
            && self.configs.is_empty()
            && self.producer_ids.next().is_none()
    }
}
