//! One client connection as a machine: bytes in, frames to the handlers, responses out in order.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use env::{Clock, Env};

use super::company::{Company, Seat};
use super::frames::FrameReader;
use super::responses::ResponseQueue;
use crate::api::{self, Caller};
use crate::limits::{IN_FLIGHT_REQUESTS_MAX, READY_RESPONSE_BYTES_MAX, REQUESTS_PER_TURN};
use crate::node::Node;
use crate::partitions::DueTurns;

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    pub peer: SocketAddr,
    /// The listener the client came through: its answers carry that listener's addresses.
    pub listener: Arc<str>,
}

/// Why a connection must end. Kafka cuts connections for these; so do we.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disconnect {
    /// A request length that is negative or above `socket.request.max.bytes`.
    BadLength(i32),
    /// Bytes that are no request of any API and version served here.
    BadRequest(String),
}

/// A connection without its socket. The shell reads into [`read_buffer`](Self::read_buffer), calls
/// [`handle_input`](Self::handle_input), and writes what [`responses`](Self::responses) yields.
pub struct Connection<E: Env> {
    node: Arc<Node<E>>,
    caller: Caller,
    frames: FrameReader,
    responses: Arc<ResponseQueue>,
    turns: Arc<DueTurns>,
    seat: Seat,
    /// See [`commits_alone`](Self::commits_alone).
    commits_alone: bool,
}

impl<E: Env> Connection<E> {
    pub fn new(node: Arc<Node<E>>, info: ConnectionInfo) -> Connection<E> {
        let frames = FrameReader::new(node.request_bytes_max());
        let (responses, turns) = (Arc::default(), Arc::default());
        node.metrics.broker.connections.add(1);
        node.metrics.broker.connections_opened.increment();
        let caller = Caller::new(info, &node.settings.config, node.env().clock().mono());
        let (seat, commits_alone) = (Seat::default(), false);
        Connection { node, caller, frames, responses, turns, seat, commits_alone }
    }

    /// The connection is served by a thread in this company; at first it is alone.
    pub fn joined(mut self, company: &Arc<Company>) -> Connection<E> {
        self.seat = Company::seat(company);
        self
    }

    pub fn read_buffer(&mut self) -> &mut BytesMut {
        self.frames.buffer()
    }

    /// Says what a read into [`read_buffer`](Self::read_buffer) brought, of the room it had there.
    pub fn note_read(&mut self, read: usize, room: usize) {
        self.frames.note_read(read, room);
    }

    /// Lends a buffer for the reads until [`return_buffer`](Self::return_buffer). It stays in
    /// `spare` if a part of a request has one already.
    pub fn lend_buffer(&mut self, spare: &mut BytesMut) {
        self.frames.lend(spare);
    }

    /// Gives back the read buffer if no part of a request is in it.
    pub fn return_buffer(&mut self, spare: &mut BytesMut) {
        self.frames.give_back(spare);
    }

    /// Dispatches whole requests that have arrived, a few of them: others want to be served, too.
    /// To be called again, perhaps after some responses have left, while it
    /// [`has_work`](Self::has_work).
    ///
    /// # Errors
    /// The connection must end, after the responses that are owed already.
    pub fn handle_input(&mut self) -> Result<(), Disconnect> {
        let now = || self.node.env().clock().mono();
        self.seat.note_served(now);
        let dispatched = self.dispatch_some();
        let commits_alone = Cell::new(false);
        self.turns.run_where(&|| {
            commits_alone.set(self.seat.is_alone(self.node.env().clock().mono()));
            commits_alone.get()
        });
        self.commits_alone = commits_alone.get();
        dispatched
    }

    /// Whether the requests just handled were committed by their own thread, because it has no
    /// others to serve: whoever waited for that may send the next one at once.
    pub fn commits_alone(&self) -> bool {
        self.commits_alone
    }

    fn dispatch_some(&mut self) -> Result<(), Disconnect> {
        for _ in 0..REQUESTS_PER_TURN {
            if !self.may_go_on() {
                break;
            }
            let Some(frame) = self.next_frame()? else { break };
            let slot = self.responses.open_slot();
            let dispatched = api::dispatch(&self.node, &self.caller, &self.turns, frame, slot);
            dispatched.inspect_err(|_| self.note_cut())?;
        }
        Ok(())
    }

    /// True while a whole request is here that may be dispatched.
    pub fn has_work(&self) -> bool {
        self.may_go_on() && self.frames.has_frame()
    }

    /// False while the client has too much unanswered, or does not take its answers: what it has
    /// already asked for must not fill the memory.
    fn may_go_on(&self) -> bool {
        self.responses.in_flight() < IN_FLIGHT_REQUESTS_MAX
            && self.responses.ready_bytes() < READY_RESPONSE_BYTES_MAX
    }

    fn next_frame(&mut self) -> Result<Option<Bytes>, Disconnect> {
        let cut = self.frames.next_frame().inspect_err(|_| self.note_cut());
        cut.map_err(|error| Disconnect::BadLength(error.claimed))
    }

    fn note_cut(&self) {
        self.node.metrics.broker.connections_cut.increment();
    }

    /// False while there is enough to do with what has been read.
    pub fn wants_input(&self) -> bool {
        self.may_go_on() && !self.frames.has_frame()
    }

    /// True while a response is owed.
    pub fn is_waiting(&self) -> bool {
        self.responses.in_flight() > 0
    }

    pub fn responses(&self) -> Arc<ResponseQueue> {
        Arc::clone(&self.responses)
    }
}

impl<E: Env> Drop for Connection<E> {
    fn drop(&mut self) {
        self.node.metrics.broker.connections.add(-1);
        if self.caller.is_of_cluster() {
            self.node.controller.note_connection_end(self.caller.peer());
        }
    }
}
