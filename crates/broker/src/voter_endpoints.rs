//! Where the voters of the metadata quorum listen.

use std::sync::Arc;

use consensus::VoterStatus;
use metadata::{Endpoint, MetadataImage, SecurityProtocol};
use types::BrokerId;

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
