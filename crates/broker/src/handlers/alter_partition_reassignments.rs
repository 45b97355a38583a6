//! AlterPartitionReassignments (key 45), versions 0–1.
//! Moves replicas; on one node there is nowhere to move them to (KIP-455).
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AlterPartitionReassignmentsRequest,
    reply: Reply<AlterPartitionReassignmentsResponse>,
    controller: &ControllerHost<E>,
) {
    reply.send_or_disconnect(controller.submit(|c| c.alter_partition_reassignments(&request)));
}
