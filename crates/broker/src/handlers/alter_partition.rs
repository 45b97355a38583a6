//! AlterPartition (key 56), versions 2–3.
//! A leader says which replicas are in sync (KIP-497). v3 epochs of brokers (KIP-903).
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{AlterPartitionRequest, AlterPartitionResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AlterPartitionRequest,
    reply: Reply<AlterPartitionResponse>,
    controller: &ControllerHost<E>,
) {
    let response = controller.submit(|c| c.alter_partition(&request));
    reply.send(response.unwrap_or_else(|error| AlterPartitionResponse {
        error_code: error.code(),
        ..Default::default()
    }));
}
