//! AssignReplicasToDirs (key 73), version 0.
//! A broker says in which of its log directories replicas are (KIP-858).
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{AssignReplicasToDirsRequest, AssignReplicasToDirsResponse};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AssignReplicasToDirsRequest,
    reply: Reply<AssignReplicasToDirsResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    let refused = |error: ErrorCode| AssignReplicasToDirsResponse {
        error_code: error.code(),
        ..Default::default()
    };
    controller.submit(
        move |c| c.assign_replicas_to_dirs(&request),
        move |outcome| reply.send(outcome.unwrap_or_else(refused)),
    );
}
