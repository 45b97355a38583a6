//! What the APIs that change voters have in common.

use config::BrokerConfig;
use consensus::{NodeId, Voter, VoterChangeError, VoterEndpoint, VoterKey};
use env::Env;
use types::{ErrorCode, Uuid};

use crate::controller_host::ControllerHost;
use crate::settings::Settings;

/// What Kafka answers. Source: Kafka `AddVoterHandler`, `RemoveVoterHandler`, `UpdateVoterHandler`.
pub fn error_of(why: VoterChangeError) -> ErrorCode {
    match why {
        VoterChangeError::NotLeader => ErrorCode::NotLeaderOrFollower,
        VoterChangeError::Unsupported => ErrorCode::UnsupportedVersion,
        VoterChangeError::Duplicate => ErrorCode::DuplicateVoter,
        VoterChangeError::NotFound => ErrorCode::VoterNotFound,
        VoterChangeError::Busy
        | VoterChangeError::NoRoom
        | VoterChangeError::NotCaughtUp
        | VoterChangeError::NoMajority => ErrorCode::RequestTimedOut,
        VoterChangeError::Retired
        | VoterChangeError::NoDirectory
        | VoterChangeError::BadEndpoint
        | VoterChangeError::BadCount => ErrorCode::InvalidRequest,
    }
}

/// What an answer says of a change of voters: `what` is being done to one.
pub fn told(what: &str, outcome: Result<(), VoterChangeError>) -> (ErrorCode, Option<String>) {
    match outcome {
        Ok(()) => (ErrorCode::None, None),
        Err(why) => (error_of(why), Some(sentence(what, why))),
    }
}

/// Why, for a person.
fn sentence(what: &str, why: VoterChangeError) -> String {
    match why {
        VoterChangeError::Unsupported => {
            format!("Cluster doesn't support {what} voter because the kraft.version feature is 0")
        }
        why => format!("Aborted {what} voter: {why}"),
    }
}

/// Whether a request to add or remove a voter has come to where it is decided.
///
/// # Errors
/// It is meant for another cluster, or another controller is active.
pub fn check_addressee<E: Env>(
    cluster_id: Option<&str>,
    controller: &ControllerHost<E>,
    settings: &Settings,
) -> Result<(), ErrorCode> {
    match controller.is_active() {
        _ if is_foreign(cluster_id, settings) => Err(ErrorCode::InconsistentClusterId),
        false => Err(ErrorCode::NotLeaderOrFollower),
        true => Ok(()),
    }
}

/// Whether it is meant for another cluster. Source: Kafka `hasValidClusterId`.
pub fn is_foreign(cluster_id: Option<&str>, settings: &Settings) -> bool {
    cluster_id.is_some_and(|id| id != settings.cluster_id.to_string())
}

/// A voter as a request names it; `None` if it names none.
pub fn key(id: i32, directory: Uuid) -> Option<VoterKey> {
    (id >= 0 && !directory.is_zero()).then_some(VoterKey { id: NodeId(id), directory })
}

/// A voter that listens where controllers look for each other; `None` if it does not.
pub fn voter(
    key: VoterKey,
    endpoints: impl Iterator<Item = (String, String, u16)>,
    config: &BrokerConfig,
) -> Option<Voter> {
    let endpoint = |(listener, host, port)| VoterEndpoint { listener, host, port };
    let endpoints: Vec<_> = endpoints.map(endpoint).collect();
    let usual = config.node.controller_listeners.first();
    let listens = usual.is_none_or(|usual| endpoints.iter().any(|at| at.listener == usual.name));
    listens.then_some(Voter { key, endpoints })
}
