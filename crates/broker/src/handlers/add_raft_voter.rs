//! AddRaftVoter (key 80), versions 0–1.
//! Lets a controller that observes vote on the metadata (KIP-853). v1 may be answered before it is
//! committed.
//! Differs from Kafka: the new voter is not asked for its versions; a directory that was removed
//! is not added again (`INVALID_REQUEST`); a change that would leave no majority that was heard of
//! is refused (`REQUEST_TIMED_OUT`).

use std::sync::Arc;

use consensus::VoterChange;
use env::Env;
use protocol::messages::{AddRaftVoterRequest, AddRaftVoterResponse};
use types::ErrorCode;

use crate::controller_host::{AnswerWhen, ControllerHost};
use crate::network::Reply;
use crate::raft_voters;
use crate::request::RequestContext;
use crate::settings::Settings;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: AddRaftVoterRequest,
    reply: Reply<AddRaftVoterResponse>,
    controller: &Arc<ControllerHost<E>>,
    settings: &Settings,
) {
    let response = |(error, why): (ErrorCode, Option<String>)| AddRaftVoterResponse {
        error_code: error.code(),
        error_message: why.map(Into::into),
        ..Default::default()
    };
    let cluster_id = request.cluster_id.as_deref();
    if let Err(error) = raft_voters::check_addressee(cluster_id, controller, settings) {
        return reply.send(response((error, None)));
    }
    let invalid = |what: &str| {
        let why = format!("Add voter request didn't include {what}");
        response((ErrorCode::InvalidRequest, Some(why)))
    };
    let Some(key) = raft_voters::key(request.voter_id, request.voter_directory_id) else {
        return reply.send(invalid("a valid voter"));
    };
    let listeners = request.listeners.iter();
    let listeners = listeners.map(|at| (at.name.to_string(), at.host.to_string(), at.port));
    let Some(voter) = raft_voters::voter(key, listeners, &settings.config) else {
        return reply.send(invalid("the default listener"));
    };
    let when = match ctx.version >= 1 && !request.ack_when_committed {
        true => AnswerWhen::Appended,
        false => AnswerWhen::Committed,
    };
    controller.change_voters(VoterChange::Add(voter), when, move |outcome| {
        reply.send(response(raft_voters::told("adding", outcome)));
    });
}
