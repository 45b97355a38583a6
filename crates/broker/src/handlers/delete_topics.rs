//! DeleteTopics (key 20), versions 1–6.
//! Deletes topics by name, from v6 by id.
//! Differs from Kafka: nothing known.

use std::sync::Arc;

use env::Env;
use protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};

use types::ErrorCode;

use crate::controller_host::ControllerHost;
use crate::network::Reply;
use crate::request::RequestContext;

/// Older clients do not know TOPIC_DELETION_DISABLED. Source: KIP-322.
const DELETION_DISABLED_SINCE: i16 = 3;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: DeleteTopicsRequest,
    reply: Reply<DeleteTopicsResponse>,
    controller: &Arc<ControllerHost<E>>,
) {
    let knows_disabled = ctx.version >= DELETION_DISABLED_SINCE;
    controller.submit(
        move |c| c.delete_topics(&request),
        move |mut outcome| {
            if let (false, Ok(response)) = (knows_disabled, &mut outcome) {
                say_invalid_request(response);
            }
            reply.send_or_disconnect(outcome);
        },
    );
}

fn say_invalid_request(response: &mut DeleteTopicsResponse) {
    let disabled = ErrorCode::TopicDeletionDisabled.code();
    for topic in response.responses.iter_mut().filter(|topic| topic.error_code == disabled) {
        topic.error_code = ErrorCode::InvalidRequest.code();
    }
}
