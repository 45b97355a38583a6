//! `kraft.version` from 0 to 1: the voters of `controller.quorum.voters` become voters with
//! directories, which may change. Source: KIP-853, Kafka
//! `LeaderState.maybeAppendUpgradedKRaftVersion`.

use std::sync::Arc;

use consensus::{Voter, VoterChange, VoterChangeError, VoterEndpoint, VoterKey, VoterStatus};
use controller::ApiError;
use env::Env;
use metadata::{ControllerImage, KRAFT_VERSION_FEATURE};
use types::ErrorCode;

use crate::controller_host::{AnswerWhen, ControllerHost};

/// The voters with the directories that they were met with, and the endpoints that they have
/// registered.
///
/// # Errors
/// One has not registered as one that can follow level 1, or was not met yet.
pub fn voters<E: Env>(controller: &ControllerHost<E>) -> Result<Vec<Voter>, ApiError> {
    let Some(quorum) = controller.quorum().filter(|_| controller.is_quorum()) else {
        return Err(error_of(VoterChangeError::Unsupported));
    };
    let image = controller.image();
    let voter = |status: &VoterStatus| {
        let registered = image.cluster.controllers().find(|known| known.id == status.id.0)?;
        let range = registered.features.get(KRAFT_VERSION_FEATURE)?;
        let is_able = range.contains(1) && !status.directory.is_zero();
        let key = VoterKey { id: status.id, directory: status.directory };
        is_able.then(|| Voter { key, endpoints: endpoints_of(registered) })
    };
    let voters: Option<Vec<_>> = quorum.voters.iter().map(voter).collect();
    voters.ok_or_else(|| error_of(VoterChangeError::NoDirectory))
}

fn endpoints_of(controller: &ControllerImage) -> Vec<VoterEndpoint> {
    let endpoint = |at: &metadata::Endpoint| VoterEndpoint {
        listener: at.name.to_string(),
        host: at.host.to_string(),
        port: at.port,
    };
    controller.endpoints.iter().map(endpoint).collect()
}

/// Has level 1 finalized, and calls `done` once that is committed and replayed here.
pub fn finalize<E: Env>(
    controller: &Arc<ControllerHost<E>>,
    voters: Vec<Voter>,
    done: impl FnOnce(Result<(), ApiError>) + Send + 'static,
) {
    let change = VoterChange::FinalizeKRaftVersion(voters);
    controller.change_voters(change, AnswerWhen::Committed, move |outcome| {
        done(outcome.map_err(error_of));
    });
}

/// In Kafka's words where Kafka has any.
fn error_of(why: VoterChangeError) -> ApiError {
    let (code, message) = match why {
        VoterChangeError::NotLeader => return ApiError::code(ErrorCode::NotController),
        VoterChangeError::NoMajority | VoterChangeError::NoRoom => {
            (ErrorCode::RequestTimedOut, format!("Aborted upgrade of kraft.version: {why}"))
        }
        VoterChangeError::Unsupported => (
            ErrorCode::InvalidUpdateVersion,
            "Invalid upgrade of kraft.version from version KRAFT_VERSION_0 to KRAFT_VERSION_1"
                .to_owned(),
        ),
        VoterChangeError::Busy => (
            ErrorCode::InvalidUpdateVersion,
            "Unable to upgrade version for kraft.version to KRAFT_VERSION_1 due to changing voters"
                .to_owned(),
        ),
        _ => (
            ErrorCode::InvalidUpdateVersion,
            "Invalid upgrade of kraft.version to KRAFT_VERSION_1 because not all of the voters \
             support it"
                .to_owned(),
        ),
    };
    ApiError::new(code, message)
}
