//! Where the voters of the metadata quorum listen.

use std::sync::Arc;

use consensus::{NodeId, QuorumStatus, VoterEndpoint, VoterStatus};
use metadata::{Endpoint, MetadataImage, SecurityProtocol};
use types::BrokerId;

use crate::node::Endpoint as Told;
use crate::peers::PeerAddress;
use crate::settings::Settings;

/// What the quorum knows of a voter, else what `controller.quorum.voters` says, else, for a lone
/// node without a listener for controllers, where its broker is.
pub fn of(voter: &VoterStatus, image: &MetadataImage, settings: &Settings) -> Vec<Endpoint> {
    let config = &settings.config;
    let first = config.node.controller_listeners.first();
    let usual = first.map_or("", |listener| listener.name.as_str());
    let named = |name: &str, host: &str, port: u16| Endpoint {
        name: Arc::from(if name.is_empty() { usual } else { name }),
        host: host.into(),
        port,
        security_protocol: SecurityProtocol::Plaintext.code(),
    };
    if !voter.endpoints.is_empty() {
        let known = voter.endpoints.iter();
        return known.map(|at| named(&at.listener, &at.host, at.port)).collect();
    }
    if let Some(set) = config.quorum.voters.iter().find(|set| set.id.0 == voter.id.0) {
        return vec![named("", &set.address.host, set.address.port)];
    }
    let broker = image.cluster.broker(BrokerId(voter.id.0));
    broker.map_or_else(Vec::new, |broker| broker.endpoints.clone())
}

/// Where this node listens for voters.
pub fn own(told: Vec<Told>) -> Vec<VoterEndpoint> {
    let endpoint = |Told { listener, host, port }| VoterEndpoint { listener, host, port };
    told.into_iter().map(endpoint).collect()
}

/// Where another controller is reached from here: as it is configured, if the voters are static,
/// else as the quorum knows it.
pub fn address_of(
    id: NodeId,
    quorum: Option<&QuorumStatus>,
    settings: &Settings,
) -> Option<PeerAddress> {
    let config = &settings.config;
    let usual = config.node.controller_listeners.first().map(|listener| listener.name.as_str());
    let is_usual = |at: &&VoterEndpoint| usual.is_some_and(|name| at.listener == name);
    if let Some(voter) = config.quorum.voters.iter().find(|voter| voter.id.0 == id.0) {
        let (host, port) = (voter.address.host.as_str().into(), voter.address.port);
        return Some(PeerAddress { host, port });
    }
    quorum.and_then(|quorum| {
        let members = quorum.voters.iter().chain(&quorum.observers);
        let members = members.map(|member| (member.id, &member.endpoints));
        let told = quorum.told.iter().map(|voter| (voter.key.id, &voter.endpoints));
        let is_known = |at: &(NodeId, &Vec<VoterEndpoint>)| at.0 == id && !at.1.is_empty();
        let (_, endpoints) = members.chain(told).find(is_known)?;
        let at = endpoints.iter().find(is_usual).or(endpoints.first())?;
        Some(PeerAddress { host: at.host.as_str().into(), port: at.port })
    })
}
