use metadata::BrokerEpoch;
use protocol::messages::allocate_producer_ids_request::AllocateProducerIdsRequest;
use protocol::messages::allocate_producer_ids_response::AllocateProducerIdsResponse;
use protocol::metadata_records::ProducerIdsRecord;
use types::{BrokerId, ErrorCode};

use crate::limits::PRODUCER_ID_BLOCK;
use crate::{Controller, ControllerResult};

impl Controller {
    /// Hands a block of producer ids to a broker. An id is in at most one block ever, even if the
    /// answer gets lost: then the block is lost with it.
    ///
    /// Source: Kafka `ProducerIdControlManager`, KIP-730.
    pub fn allocate_producer_ids(
        &self,
        request: &AllocateProducerIdsRequest,
    ) -> ControllerResult<AllocateProducerIdsResponse> {
        let refused = |error: ErrorCode| {
            ControllerResult::reply_only(AllocateProducerIdsResponse {
                error_code: error.code(),
                ..AllocateProducerIdsResponse::default()
            })
        };
        let broker = BrokerId(request.broker_id);
        if let Err(error) = self.check_broker_epoch(broker, BrokerEpoch(request.broker_epoch)) {
            return refused(error.code);
        }
        let start = self.view().producer_ids.next.0;
        let Some(next_producer_id) = start.checked_add(PRODUCER_ID_BLOCK) else {
            return refused(ErrorCode::UnknownServerError);
        };
        let record = ProducerIdsRecord {
            broker_id: request.broker_id,
            broker_epoch: request.broker_epoch,
            next_producer_id,
        };
        let reply = AllocateProducerIdsResponse {
            producer_id_start: start,
            producer_id_len: PRODUCER_ID_BLOCK as i32,
            ..AllocateProducerIdsResponse::default()
        };
        ControllerResult::atomic(vec![record.into()], reply)
    }
}
