//! What the network sees of the voters: who leads them, and, where it lies, who may believe so.

use std::sync::Arc;
use std::time::Duration;

use broker::{Connection, ConnectionInfo};
use bytes::Bytes;
use protocol::header::RequestHeader;
use protocol::messages::QuorumMessageRequest;
use protocol::{Message, Reader, Request, frame};

use records::crc32c;

use super::Cluster;
use crate::wire::Wire;
use crate::world::Lie;

/// How long after it has woken a leader is told that it is one, if the network lies.
const WOKEN_MS: u64 = 1_000;

/// Places in a message between voters: docs/formats/voter-messages.md.
const FROM: usize = 2;
const TO: usize = FROM + 28;
const TYPE: usize = TO + 28;
const TERM: usize = TYPE + 1;
const COUNTERS: usize = TERM + 8;
const CONTEXT: usize = TERM + 65;
const CHECKSUM_BYTES: usize = 4;
const RAFT: u8 = 0;
const HEARTBEAT: u8 = 2;
const HEARTBEAT_ANSWER: u8 = 3;

impl Cluster {
    /// Notes who leads by what he says; only who leads sends heartbeats.
    pub(super) fn overhear(&mut self, from: usize, request: &[u8]) {
        let Some(request) = message_in(request) else { return };
        let Some((term, asked)) = heartbeat_in(&request.message) else { return };
        if self.leads.is_none_or(|(known, _)| known < term) {
            self.leads = Some((term, from));
        }
        let woken_until = self.machine(from).frozen_until.plus(Duration::from_millis(WOKEN_MS));
        let is_asked = !asked.is_empty() && self.now() < woken_until;
        if is_asked && self.lie == Some(Lie::WokenAreConfirmed) {
            self.confirm(from, &request);
        }
    }

    /// The voter to whom the heartbeat goes says yes, without having been asked.
    fn confirm(&mut self, leader: usize, asked: &QuorumMessageRequest) {
        let Some(node) = self.machine(leader).node.clone() else { return };
        let message = answer_to(&asked.message);
        let answer = QuorumMessageRequest { message, ..asked.clone() };
        let peer = ([10, 0, 0, 0], 3).into();
        let info = ConnectionInfo { peer, listener: "CONTROLLER".into() };
        let mut connection = Connection::new(Arc::clone(&node), info);
        connection.read_buffer().extend_from_slice(&Wire::default().request(&answer));
        _ = connection.handle_input();
    }
}

/// The message to a voter that is in a frame, if that is what is in it.
fn message_in(request: &[u8]) -> Option<QuorumMessageRequest> {
    let bytes = Bytes::copy_from_slice(request.get(frame::PREFIX_BYTES..)?);
    let mut reader = Reader::new(bytes);
    let header = RequestHeader::read(&mut reader).ok()?;
    let is_to_voter = header.request_api_key == QuorumMessageRequest::KEY.as_i16();
    let message = is_to_voter.then(|| reader.rest())?;
    QuorumMessageRequest::from_bytes(message, header.request_api_version).ok()
}

/// The term of a leader that says that it is one, and what it asks along with that.
fn heartbeat_in(message: &[u8]) -> Option<(u64, &[u8])> {
    let is_heartbeat = message.get(1) == Some(&RAFT) && message.get(TYPE) == Some(&HEARTBEAT);
    let term = message.get(TERM..COUNTERS)?.first_chunk()?;
    let length = message.get(CONTEXT..)?.first_chunk()?;
    let length = u32::from_be_bytes(*length) as usize;
    let context = message.get(CONTEXT + 4..)?.get(..length)?;
    is_heartbeat.then_some((u64::from_be_bytes(*term), context))
}

/// A voter's yes: whoever leads is asked for nothing else by it.
fn answer_to(heartbeat: &[u8]) -> Bytes {
    let mut answer = heartbeat.to_vec();
    answer.truncate(heartbeat.len() - CHECKSUM_BYTES);
    answer[FROM..TYPE].rotate_left(TO - FROM);
    answer[TYPE] = HEARTBEAT_ANSWER;
    answer[COUNTERS..CONTEXT].fill(0);
    let checksum = crc32c(&answer);
    answer.extend_from_slice(&checksum.to_be_bytes());
    answer.into()
}
