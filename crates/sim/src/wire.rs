//! A client's side of the protocol: requests to bytes, bytes to responses, one connection's worth.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use protocol::header::ResponseHeader;
use protocol::{ApiKey, Message, Reader, Request, frame};

/// A response whose body is still bytes.
#[derive(Clone, Debug)]
pub struct Answer {
    pub key: ApiKey,
    version: i16,
    body: Bytes,
}

impl Answer {
    /// # Panics
    /// If the bytes are no response of this kind: the broker wrote something no client reads.
    pub fn to<M: Message>(&self) -> M {
        M::from_bytes(self.body.clone(), self.version)
            .unwrap_or_else(|error| panic!("{:?} v{}: {error}", self.key, self.version))
    }
}

/// Matches responses to requests by position, as clients do, and checks the correlation ids.
#[derive(Debug, Default)]
pub struct Wire {
    sent: VecDeque<(i32, ApiKey, i16)>,
    next_id: i32,
    received: BytesMut,
}

impl Wire {
    /// The bytes of a request in the newest version.
    pub fn request<R: Request>(&mut self, body: &R) -> Vec<u8> {
        let version = *R::KEY.versions().end();
        let version = if R::KEY == ApiKey::InitProducerId { version.min(5) } else { version };
        self.next_id += 1;
        self.sent.push_back((self.next_id, R::KEY, version));
        let chunks = frame::request(body, version, self.next_id, Some("sim".into()))
            .unwrap_or_else(|error| panic!("the simulator cannot encode: {error}"));
        chunks.concat()
    }

    /// # Panics
    /// If responses come out of order, or without a request.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<Answer> {
        self.received.extend_from_slice(bytes);
        let mut answers = Vec::new();
        while let Some(prefix) = self.received.first_chunk() {
            let length = frame::length(*prefix, usize::MAX >> 1).expect("a length");
            if self.received.len() < frame::PREFIX_BYTES + length {
                break;
            }
            let mut frame = self.received.split_to(frame::PREFIX_BYTES + length);
            let mut reader = Reader::new(frame.split_off(frame::PREFIX_BYTES).freeze());
            let (id, key, version) = self.sent.pop_front().expect("a response without a request");
            let header_version = key.response_header_version(version);
            let header = ResponseHeader::decode(&mut reader, header_version).expect("a header");
            assert_eq!(header.correlation_id, id, "responses out of order");
            answers.push(Answer { key, version, body: reader.rest() });
        }
        answers
    }
}
