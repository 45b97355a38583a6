//! The way back of one request: encodes its response at the version the client speaks.

use std::marker::PhantomData;

use protocol::{ApiKey, Message, frame};
use types::ErrorCode;

use super::responses::ReplySlot;

/// Answers one request with an `R`. Handlers keep it as long as the answer takes; it may move to
/// another thread. Dropped without an answer, it cuts the connection.
#[derive(Debug)]
pub struct Reply<R> {
    slot: ReplySlot,
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    response: PhantomData<fn(R)>,
}

impl<R: Message> Reply<R> {
    pub(crate) fn new(slot: ReplySlot, key: ApiKey, version: i16, correlation_id: i32) -> Reply<R> {
        Reply { slot, key, version, correlation_id, response: PhantomData }
    }

    pub fn send(self, response: R) {
        match frame::response(self.key, &response, self.version, self.correlation_id) {
            Ok(frame) => self.slot.send(frame),
            Err(error) => {
                // A response that cannot be written at this version is our defect, not the
                // client's.
                log::error!(
                    target: "kafka.server.KafkaApis",
                    "cannot encode {:?} response v{}: {error}", self.key, self.version
                );
                self.slot.disconnect();
            }
        }
    }

    /// Answers, or cuts the connection: the request's fate is unknown and no response could say so
    /// of every part of it. The client finds the controller again and asks.
    pub fn send_or_disconnect(self, outcome: Result<R, ErrorCode>) {
        match outcome {
            Ok(response) => self.send(response),
            Err(_) => self.disconnect(),
        }
    }

    /// A coordinator gave another kind of answer than was asked for: our defect. The client must
    /// not wait for one that will not come.
    pub fn defect(self, answer: &impl std::fmt::Debug) {
        let key = self.key;
        log::error!(target: "kafka.server.KafkaApis", "{key:?} was answered with {answer:?}");
        self.slot.disconnect();
    }

    /// No response will be sent: produce with acks=0.
    pub fn skip(self) {
        self.slot.skip();
    }

    /// Cuts the connection: the only way to tell a client that wants no response of its failure.
    pub fn disconnect(self) {
        self.slot.disconnect();
    }
}
