//! DeleteTopics (key 20), versions 1–6.
//! Deletes topics by name, from v6 by id.
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: DeleteTopicsRequest,
    reply: Reply<DeleteTopicsResponse>,
    controller: &ControllerHost<E>,
) {
    reply.send_or_disconnect(controller.submit(|c| c.delete_topics(&request)));
}
