//! AlterPartitionReassignments (key 45), versions 0–1.
//! Moves replicas; on one node there is nowhere to move them to (KIP-455).
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AlterPartitionReassignmentsRequest,
    reply: Reply<AlterPartitionReassignmentsResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    controller.submit(
        move |c| c.alter_partition_reassignments(&request),
        move |outcome| reply.send_or_disconnect(outcome),
    );
}
