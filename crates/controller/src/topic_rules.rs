use config::{BrokerLayers, TopicConfig};
use metadata::{ConfigResource, TopicImage};
use types::Uuid;

use crate::Controller;
use crate::features::ELIGIBLE_LEADER_REPLICAS_FEATURE;

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
        let resolve = |layers: &BrokerLayers<'_>| TopicConfig::resolve(&overrides, layers);
        let config = self.with_broker_layers(resolve);
        let keeps_elr = self.view().features.level(ELIGIBLE_LEADER_REPLICAS_FEATURE) > 0;
        let min_isr = usize::try_from(config.min_insync_replicas).unwrap_or(1).max(1);
        TopicRules {
            topic_id: topic.id,
            unclean_elections: config.unclean_leader_election_enable,
            min_isr: keeps_elr.then_some(min_isr),
        }
    }
}
