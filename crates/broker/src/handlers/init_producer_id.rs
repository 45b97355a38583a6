//! InitProducerId (key 22), versions 0–5.
//! A fresh producer id with epoch 0, for duplicate detection. v2 flexible · v3 recovery (KIP-360).
//! Differs from Kafka: transactional ids are refused (UNSUPPORTED_VERSION).

use std::ops::Range;

use env::Env;
use protocol::messages::{
    AllocateProducerIdsRequest, InitProducerIdRequest, InitProducerIdResponse,
};
use types::{ErrorCode, ProducerId};

use crate::controller_host::ControllerHost;
use crate::metadata_cache::MetadataCache;
use crate::network::Reply;
use crate::producer_ids::ProducerIds;
use crate::request::RequestContext;
use crate::settings::Settings;

pub fn handle<E: Env>(
    _ctx: &RequestContext,
    request: InitProducerIdRequest,
    reply: Reply<InitProducerIdResponse>,
    producer_ids: &ProducerIds,
    controller: &ControllerHost<E>,
    metadata: &MetadataCache,
    settings: &Settings,
) {
    let result = match request.transactional_id.as_deref() {
        None => producer_ids.next(|| allocate(controller, metadata, settings)),
        Some("") => Err(ErrorCode::InvalidRequest),
        Some(_) => Err(ErrorCode::UnsupportedVersion),
    };
    reply.send(InitProducerIdResponse {
        error_code: result.err().unwrap_or_default().code(),
        producer_id: result.unwrap_or(ProducerId::NONE).0,
        producer_epoch: if result.is_ok() { 0 } else { -1 },
        ..Default::default()
    });
}

/// A block of ids for this broker, from the controller.
fn allocate<E: Env>(
    controller: &ControllerHost<E>,
    metadata: &MetadataCache,
    settings: &Settings,
) -> Result<Range<i64>, ErrorCode> {
    let here = settings.broker_id();
    let epoch = metadata.image().cluster.broker(here).map_or(-1, |broker| broker.epoch.0);
    let request = AllocateProducerIdsRequest { broker_id: here.0, broker_epoch: epoch };
    let block = controller.submit(|c| c.allocate_producer_ids(&request))?;
    match ErrorCode::from_code(block.error_code) {
        Some(ErrorCode::None) => {
            let first = block.producer_id_start;
            Ok(first..first.saturating_add(i64::from(block.producer_id_len)))
        }
        error => Err(error.unwrap_or(ErrorCode::UnknownServerError)),
    }
}
