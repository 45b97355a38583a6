//! CreateTopics (key 19), versions 2–7.
//! v4 −1 asks for the broker's defaults · v5 returns configs · v7 topic ids.
//! Differs from Kafka: nothing known.

use env::Env;
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::Settings;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: CreateTopicsRequest,
    reply: Reply<CreateTopicsResponse>,
    controller: &ControllerHost<E>,
    settings: &Settings,
) {
    let mut ids = || settings.random_id();
    reply.send_or_disconnect(controller.submit(|c| c.create_topics(&request, &mut ids)));
}
