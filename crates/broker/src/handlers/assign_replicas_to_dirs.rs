//! AssignReplicasToDirs (key 73), version 0.
//! A broker says in which of its log directories replicas are (KIP-858).
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{AssignReplicasToDirsRequest, AssignReplicasToDirsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AssignReplicasToDirsRequest,
    reply: Reply<AssignReplicasToDirsResponse>,
    controller: &ControllerHost<E>,
) {
    let response = controller.submit(|c| c.assign_replicas_to_dirs(&request));
    reply.send(response.unwrap_or_else(|error| AssignReplicasToDirsResponse {
        error_code: error.code(),
        ..Default::default()
    }));
}
