//! DeleteTopics (key 20), versions 1–6.
//! Deletes topics by name, from v6 by id.
//! Differs from Kafka: nothing known.

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
    controller: &ControllerHost<E>,
) {
    let mut outcome = controller.submit(|c| c.delete_topics(&request));
    if let (true, Ok(response)) = (ctx.version < DELETION_DISABLED_SINCE, &mut outcome) {
        let disabled = ErrorCode::TopicDeletionDisabled.code();
        for topic in response.responses.iter_mut().filter(|topic| topic.error_code == disabled) {
            topic.error_code = ErrorCode::InvalidRequest.code();
        }
    }
    reply.send_or_disconnect(outcome);
}
