//! RemoveRaftVoter (key 81), version 0.
//! Takes a controller its vote on the metadata; a leader that is removed resigns once that is
//! committed (KIP-853). It goes on as an observer.
//! Differs from Kafka: the last voter is not removed (`INVALID_REQUEST`), and a change that would
//! leave no majority that was heard of is refused (`REQUEST_TIMED_OUT`).

use std::sync::Arc;

use consensus::VoterChange;
use env::Env;
use protocol::messages::{RemoveRaftVoterRequest, RemoveRaftVoterResponse};
use types::ErrorCode;

use crate::controller_host::{AnswerWhen, ControllerHost};
use crate::network::Reply;
use crate::raft_voters;
use crate::request::RequestContext;
use crate::settings::Settings;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: RemoveRaftVoterRequest,
    reply: Reply<RemoveRaftVoterResponse>,
    controller: &Arc<ControllerHost<E>>,
    settings: &Settings,
) {
    let response = |(error, why): (ErrorCode, Option<String>)| RemoveRaftVoterResponse {
        error_code: error.code(),
        error_message: why.map(Into::into),
        ..Default::default()
    };
    let cluster_id = request.cluster_id.as_deref();
    if let Err(error) = raft_voters::check_addressee(cluster_id, controller, settings) {
        return reply.send(response((error, None)));
    }
    let Some(key) = raft_voters::key(request.voter_id, request.voter_directory_id) else {
        let why = "Remove voter request didn't include a valid voter".to_owned();
        return reply.send(response((ErrorCode::InvalidRequest, Some(why))));
    };
    let when = AnswerWhen::Committed;
    controller.change_voters(VoterChange::Remove(key), when, move |outcome| {
        reply.send(response(raft_voters::told("removing", outcome)));
    });
}
