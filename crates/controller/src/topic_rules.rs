use std::sync::Arc;

use config::{BrokerLayers, Overrides, TopicConfig};
use metadata::{ConfigResource, ConfigResourceKind, FeaturesImage, MetadataRecord, TopicImage};
use protocol::metadata_records::ConfigRecord;
use types::{ErrorCode, Uuid};

use crate::features::ELIGIBLE_LEADER_REPLICAS_FEATURE;
use crate::partition_change::PartitionChange;
use crate::{ApiError, Controller};

pub(crate) const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// What a topic's configuration and the cluster's features say about elections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TopicRules {
    pub(crate) topic_id: Uuid,
    /// `unclean.leader.election.enable`: a leader that may miss committed records is better than
    /// none.
    pub(crate) unclean_elections: bool,
    /// How many replicas acknowledge a record before it is committed; `None` while no account of
    /// eligible leaders is kept.
    pub(crate) min_isr: Option<usize>,
}

impl Controller {
    pub(crate) fn topic_rules(&self, topic: &TopicImage) -> TopicRules {
        let overrides = self.view().configs.get(&ConfigResource::topic(&topic.name));
        self.with_broker_layers(|layers| rules(topic, &overrides, layers, &self.view().features))
    }

    pub(crate) fn keeps_eligible_leaders(&self) -> bool {
        keeps_eligible_leaders(&self.view().features)
    }

    /// The changes that a resource's new configuration makes among eligible leaders: once fewer
    /// replicas are enough for a commit, an eligible leader no more holds everything.
    ///
    /// Source: Kafka `ReplicationControlManager.getPartitionElrUpdatesForConfigChanges`.
    pub(crate) fn recount_eligible(
        &self,
        resource: &ConfigResource,
        altered: &Overrides,
    ) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        match resource.kind {
            _ if !self.keeps_eligible_leaders() => {}
            ConfigResourceKind::Topic => {
                let topic = self.view().topics.by_name(&resource.name);
                topic.inspect(|topic| {
                    self.with_broker_layers(|layers| {
                        self.recount_topic(topic, altered, layers, &mut records);
                    });
                });
            }
            ConfigResourceKind::Broker => self.with_broker_layers(|layers| {
                let layers = BrokerLayers { dynamic_default: altered, ..*layers };
                for topic in self.view().topics.iter() {
                    let overrides = self.view().configs.get(&ConfigResource::topic(&topic.name));
                    self.recount_topic(topic, &overrides, &layers, &mut records);
                }
            }),
            _ => {}
        }
        records
    }

    fn recount_topic(
        &self,
        topic: &Arc<TopicImage>,
        overrides: &Overrides,
        layers: &BrokerLayers<'_>,
        records: &mut Vec<MetadataRecord>,
    ) {
        let mut counted = topic.partitions().filter(|(_, p)| !p.elr().is_empty()).peekable();
        if counted.peek().is_none() {
            return;
        }
        let rules = rules(topic, overrides, layers, &self.view().features);
        records.extend(counted.filter_map(|(index, partition)| {
            let change = PartitionChange::new(self, rules, index, partition);
            change.build().map(MetadataRecord::from)
        }));
    }

    /// While account is kept of eligible leaders, all must agree on how many replicas are enough:
    /// it is a matter of topics and of the whole cluster.
    ///
    /// Source: Kafka `ConfigurationControlManager.isDisallowedBrokerMinIsrTransition`.
    pub(crate) fn check_min_isr(
        &self,
        resource: &ConfigResource,
        altered: &Overrides,
    ) -> Result<(), ApiError> {
        if resource.kind != ConfigResourceKind::Broker || !self.keeps_eligible_leaders() {
            return Ok(());
        }
        let refused = |message: &str| Err(ApiError::new(ErrorCode::InvalidConfig, message));
        match (resource.name.is_empty(), altered.contains_key(MIN_INSYNC_REPLICAS)) {
            (true, true) => Ok(()),
            (true, false) => {
                refused("Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")
            }
            (false, _) => {
                refused("Broker-level min.insync.replicas cannot be altered while ELR is enabled.")
            }
        }
    }

    /// The changes of configurations that make all agree on `min.insync.replicas`.
    pub(crate) fn agree_on_min_isr(&self) -> Vec<MetadataRecord> {
        let set = |resource: &ConfigResource, value: Option<&str>| {
            MetadataRecord::Config(ConfigRecord {
                resource_type: resource.kind.code(),
                resource_name: (&*resource.name).into(),
                name: MIN_INSYNC_REPLICAS.into(),
                value: value.map(Into::into),
            })
        };
        let configs = &self.view().configs;
        let mut records = Vec::new();
        let cluster = ConfigResource::default_broker();
        if configs.value(&cluster, MIN_INSYNC_REPLICAS).is_none() {
            let here = self.config.static_properties.get(MIN_INSYNC_REPLICAS);
            records.push(set(&cluster, Some(here.map_or("1", String::as_str))));
        }
        let of_brokers = configs.iter().filter(|(resource, configs)| {
            resource.kind == ConfigResourceKind::Broker
                && **resource != cluster
                && configs.contains_key(MIN_INSYNC_REPLICAS)
        });
        records.extend(of_brokers.map(|(resource, _)| set(resource, None)));
        records
    }
}

fn rules(
    topic: &TopicImage,
    overrides: &Overrides,
    layers: &BrokerLayers<'_>,
    features: &FeaturesImage,
) -> TopicRules {
    let config = TopicConfig::resolve(overrides, layers);
    let min_isr = usize::try_from(config.min_insync_replicas).unwrap_or(1).max(1);
    TopicRules {
        topic_id: topic.id,
        unclean_elections: config.unclean_leader_election_enable,
        min_isr: keeps_eligible_leaders(features).then_some(min_isr),
    }
}

fn keeps_eligible_leaders(features: &FeaturesImage) -> bool {
    features.level(ELIGIBLE_LEADER_REPLICAS_FEATURE) > 0
}
