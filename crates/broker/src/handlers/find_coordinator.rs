//! FindCoordinator (key 10), versions 0–6.
//! Which broker coordinates a group; makes `__consumer_offsets` at the first question.
//! v1 key types · v4 several keys.
//! Differs from Kafka: if the controller is in this process, answers at once where Kafka says
//! COORDINATOR_NOT_AVAILABLE until the topic is there. Transactional ids and share groups are
//! refused.

use env::Env;
use metadata::MetadataImage;
use protocol::Str;
use protocol::messages::find_coordinator_request::FindCoordinatorRequest;
use protocol::messages::find_coordinator_response::{Coordinator, FindCoordinatorResponse};
use types::ErrorCode;

use crate::auto_creation;
use crate::cluster::ToController;
use crate::internal_topics::OFFSETS_TOPIC;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::request::RequestContext;
use crate::settings::Settings;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const KEY_LIST_SINCE: i16 = 4;

pub fn handle<E: Env>(
    ctx: &RequestContext,
    request: FindCoordinatorRequest,
    reply: Reply<FindCoordinatorResponse>,
    metadata: &MetadataCache,
    to_controller: &ToController<E>,
    settings: &Settings,
) {
    let find =
        |key: &Str| match locate(ctx, request.key_type, key, (metadata, to_controller, settings)) {
            Ok(coordinator) => coordinator,
            Err((error, message)) => Coordinator {
                key: key.clone(),
                node_id: -1,
                port: -1,
                error_code: error.code(),
                error_message: Some(message.into()),
                ..Default::default()
            },
        };
    if ctx.version >= KEY_LIST_SINCE {
        let coordinators = request.coordinator_keys.iter().map(find).collect();
        return reply.send(FindCoordinatorResponse { coordinators, ..Default::default() });
    }
    let found = find(&request.key);
    // Kafka names success in the older shape of the answer, and only there.
    let success = (found.error_code == 0).then(|| "NONE".into());
    reply.send(FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: success.or(found.error_message),
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..Default::default()
    });
}

type Refusal = (ErrorCode, &'static str);

fn locate<E: Env>(
    ctx: &RequestContext,
    key_type: i8,
    key: &Str,
    (metadata, to_controller, settings): (&MetadataCache, &ToController<E>, &Settings),
) -> Result<Coordinator, Refusal> {
    match key_type {
        GROUP => {}
        TRANSACTION => {
            return Err((ErrorCode::UnsupportedVersion, "transactions are not served yet"));
        }
        _ => return Err((ErrorCode::InvalidRequest, "this key type is not served")),
    }
    let mut image = metadata.image();
    if image.topics.by_name(OFFSETS_TOPIC).is_none() {
        auto_creation::create_offsets_topic(to_controller, settings);
        image = metadata.image();
    }
    coordinator_of(ctx, key, &image)
        .ok_or((ErrorCode::CoordinatorNotAvailable, "the coordinator is not available"))
}

fn coordinator_of(ctx: &RequestContext, key: &Str, image: &MetadataImage) -> Option<Coordinator> {
    let topic = image.topics.by_name(OFFSETS_TOPIC)?;
    let number = group_coordinator::partition_for(key, topic.partition_count());
    let leader = topic.partition(number)?.leader?;
    let broker = image.cluster.broker(leader).filter(|broker| !broker.fenced)?;
    let endpoint = broker.endpoint(&ctx.connection.listener)?;
    Some(Coordinator {
        key: key.clone(),
        node_id: leader.0,
        host: (&*endpoint.host).into(),
        port: i32::from(endpoint.port),
        error_message: Some("".into()),
        ..Default::default()
    })
}
