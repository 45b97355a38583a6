//! CreateTopics (key 19), versions 2–7.
//! v4 −1 asks for the broker's defaults · v5 returns configs · v7 topic ids.
//! Differs from Kafka: nothing known.

use std::sync::Arc;

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
    controller: &Arc<ControllerHost<E>>,
    settings: &Settings,
) {
    let mut ids = settings.topic_ids();
    controller.submit(
        move |c| c.create_topics(&request, &mut ids),
        move |outcome| reply.send_or_disconnect(outcome),
    );
}
