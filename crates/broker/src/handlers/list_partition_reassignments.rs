//! ListPartitionReassignments (key 46), version 0.
//! Moves that are under way (KIP-455).
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: ListPartitionReassignmentsRequest,
    reply: Reply<ListPartitionReassignmentsResponse>,
    controller: &ControllerHost<E>,
) {
    reply.send(controller.ask(|c| c.list_partition_reassignments(&request)));
}
