//! AlterPartition (key 56), versions 2–3.
//! A leader says which replicas are in sync (KIP-497). v3 epochs of brokers (KIP-903).
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{AlterPartitionRequest, AlterPartitionResponse};
use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: AlterPartitionRequest,
    reply: Reply<AlterPartitionResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    let refused = |error: ErrorCode| AlterPartitionResponse {
        error_code: error.code(),
        ..Default::default()
    };
    controller.submit(
        move |c| c.alter_partition(&request),
        move |outcome| reply.send(outcome.unwrap_or_else(refused)),
    );
}
