//! CreatePartitions (key 37), versions 0–3.
//! Grows a topic's partition count; never shrinks it.
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: CreatePartitionsRequest,
    reply: Reply<CreatePartitionsResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    controller.submit(
        move |c| c.create_partitions(&request),
        move |outcome| reply.send_or_disconnect(outcome),
    );
}
