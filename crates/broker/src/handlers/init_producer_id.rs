//! InitProducerId (key 22), versions 0–5.
//! A fresh producer id with epoch 0, for duplicate detection. v2 flexible · v3 recovery (KIP-360).
//! Differs from Kafka: transactional ids are refused (UNSUPPORTED_VERSION).

use std::sync::Arc;
use std::time::Duration;

use env::Env;
use protocol::messages::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, InitProducerIdRequest,
    InitProducerIdResponse,
};
use types::{ErrorCode, ProducerId};

use crate::cluster::{Patience, ToController};
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::node::Node;
use crate::peers::Channel;
use crate::producer_ids::ProducerIds;
use crate::request::RequestContext;
use crate::settings::Settings;

/// Producers ask again after 30 s.
const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(2), total: Duration::from_secs(20) };

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: InitProducerIdRequest,
    reply: Reply<InitProducerIdResponse>,
    producer_ids: &ProducerIds,
    to_controller: &ToController<E>,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    let answer = move |result: Result<ProducerId, ErrorCode>| {
        reply.send(InitProducerIdResponse {
            error_code: result.err().unwrap_or_default().code(),
            producer_id: result.unwrap_or(ProducerId::NONE).0,
            producer_epoch: if result.is_ok() { 0 } else { -1 },
            ..Default::default()
        });
    };
    match request.transactional_id.as_deref() {
        None => {
            if producer_ids.next(Box::new(answer)) {
                allocate(to_controller, metadata, settings);
            }
        }
        Some("") => answer(Err(ErrorCode::InvalidRequest)),
        Some(_) => answer(Err(ErrorCode::UnsupportedVersion)),
    }
}

/// Asks the controller for a block of ids for this broker.
fn allocate<E: Env>(
    to_controller: &ToController<E>,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    let Some(node) = to_controller.node() else { return };
    let here = settings.broker_id();
    let epoch = metadata.image().cluster.broker(here).map_or(-1, |broker| broker.epoch.0);
    let request = AllocateProducerIdsRequest { broker_id: here.0, broker_epoch: epoch };
    let node = Arc::downgrade(&node);
    to_controller.ask(Channel::Controller, request, PATIENCE, move |response| {
        if let Some(node) = node.upgrade() {
            take(&node, response);
        }
    });
}

fn take<E: Env>(node: &Arc<Node<E>>, response: Result<AllocateProducerIdsResponse, ErrorCode>) {
    let block = response.and_then(|block| match ErrorCode::from_code(block.error_code) {
        Some(ErrorCode::None) => {
            let first = block.producer_id_start;
            Ok(first..first.saturating_add(i64::from(block.producer_id_len)))
        }
        // Whatever it is: another attempt may well meet another state.
        Some(_) | None => Err(ErrorCode::CoordinatorLoadInProgress),
    });
    let block = block.map_err(|_| ErrorCode::CoordinatorLoadInProgress);
    if node.producer_ids.handle_block(block) {
        allocate(&node.to_controller, &node.metadata, &node.settings);
    }
}
