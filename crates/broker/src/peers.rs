//! Requests to other nodes: which bytes go where, and what becomes of them.
//!
//! No socket is in sight: the shell (or a simulated network) takes what [`Peers::poll_call`] yields
//! to the wire, and brings back what came of it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use protocol::header::ResponseHeader;
use protocol::{Message, Reader, Request, frame};
use types::MonoTime;

use crate::limits::{PEER_REQUESTS_MAX, PEER_RESPONSE_BYTES_MAX};
use crate::network::FrameReader;
use crate::timers::{Expire, TimerId, Timers};

/// What a connection to another node is for. Each kind has its own, so that a request that waits
/// at the other end, such as a long poll, holds up nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// The metadata log, from the active controller.
    Metadata,
    /// Registration and heartbeats.
    Heartbeat,
    /// What a broker asks of the controller for itself: in-sync sets, producer ids, directories.
    Controller,
    /// What clients ask of the controller, through this broker.
    Forwarding,
    /// Between voters.
    Quorum,
    /// Records of partitions that the other node leads.
    Fetcher(u16),
}

/// Where a node is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerAddress {
    pub host: Arc<str>,
    pub port: u16,
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// One connection that may have to be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    pub address: PeerAddress,
    pub channel: Channel,
}

/// Why there is no answer. The request may have been carried out all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerFailure {
    Disconnected,
    /// The host lives and nobody listens there: the process is gone.
    Refused,
    TimedOut,
    /// The answer is none, or the request cannot be written.
    Unreadable(String),
    /// Too many requests wait for that node already.
    Busy,
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerCall {
    /// Write these bytes, on a connection that is made if there is none.
    Send { link: Link, frame: Vec<Bytes> },
    /// End the connection: nobody believes in it any more. It need not be reported.
    Cut { link: Link },
}

impl PeerCall {
    fn sends_on(&self, on: &Link) -> bool {
        matches!(self, PeerCall::Send { link, .. } if link == on)
    }
}

/// What one connection brings back, cut into responses.
#[derive(Debug)]
pub struct PeerInbox {
    frames: FrameReader,
}

impl Default for PeerInbox {
    fn default() -> PeerInbox {
        PeerInbox { frames: FrameReader::new(PEER_RESPONSE_BYTES_MAX) }
    }
}

impl PeerInbox {
    /// Where the next read goes.
    pub fn buffer(&mut self) -> &mut BytesMut {
        self.frames.buffer()
    }

    /// Says that a read into [`buffer`](Self::buffer) had room for `room` bytes and brought
    /// `read`, and hands on the responses that are whole. Returns false if the connection is of
    /// no use any more.
    #[must_use]
    pub fn handle_read(&mut self, read: usize, room: usize, peers: &Peers, link: &Link) -> bool {
        self.frames.note_read(read, room);
        loop {
            match self.frames.next_frame() {
                Ok(None) => return true,
                Ok(Some(response)) => {
                    if !peers.handle_response(link, response) {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
    }
}

/// Every request that is on its way to another node, and who waits for its answer.
///
/// **Invariant:** each request is told exactly one end: its answer or a failure.
pub struct Peers {
    timers: Arc<Timers>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: BTreeMap<Link, VecDeque<Waiting>>,
    calls: VecDeque<PeerCall>,
    courier: Option<Waker>,
    /// Never used twice, so that an answer that comes after its connection was given up meets
    /// nobody.
    next_correlation_id: i32,
}

type Done = Box<dyn FnOnce(Result<Bytes, PeerFailure>) + Send>;

struct Waiting {
    correlation_id: i32,
    timer: TimerId,
    done: Done,
}

impl Peers {
    pub fn new(timers: Arc<Timers>) -> Arc<Peers> {
        Arc::new(Peers { timers, state: Mutex::default() })
    }

    /// Asks another node. `done` is called once, by whoever brings the answer, or by the timers.
    pub fn ask<R: Request>(
        self: &Arc<Self>,
        link: Link,
        version: i16,
        request: &R,
        deadline: MonoTime,
        done: impl FnOnce(Result<R::Response, PeerFailure>) + Send + 'static,
    ) {
        let mut state = self.lock();
        if state.waiting.get(&link).is_some_and(|queue| queue.len() >= PEER_REQUESTS_MAX) {
            drop(state);
            return done(Err(PeerFailure::Busy));
        }
        state.next_correlation_id = state.next_correlation_id.wrapping_add(1);
        let correlation_id = state.next_correlation_id;
        let frame = match frame::request(request, version, correlation_id, Some("ottla".into())) {
            Ok(frame) => frame,
            Err(error) => {
                drop(state);
                return done(Err(PeerFailure::Unreadable(error.to_string())));
            }
        };
        let alarm = Alarm { peers: Arc::clone(self), link: link.clone(), correlation_id };
        let timer = self.timers.register(deadline, Arc::new(alarm));
        let done = Box::new(move |result: Result<Bytes, PeerFailure>| {
            done(result.and_then(|body| read_response::<R>(body, version)));
        });
        let waiting = Waiting { correlation_id, timer, done };
        state.waiting.entry(link.clone()).or_default().push_back(waiting);
        state.calls.push_back(PeerCall::Send { link, frame });
        wake(state);
    }

    /// The next thing to do; registers the caller to be woken if there is none.
    pub fn poll_call(&self, cx: &mut Context<'_>) -> Poll<PeerCall> {
        let mut state = self.lock();
        match state.calls.pop_front() {
            Some(call) => Poll::Ready(call),
            None => {
                state.courier = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Takes one whole response, without its length. Returns false if it answers nothing: the
    /// connection is of no use.
    #[must_use]
    pub fn handle_response(&self, link: &Link, response: Bytes) -> bool {
        let Some(correlation_id) = response.first_chunk().map(|id| i32::from_be_bytes(*id)) else {
            return false;
        };
        let answered = {
            let mut state = self.lock();
            let Some(queue) = state.waiting.get_mut(link) else { return false };
            let at = queue.iter().position(|waiting| waiting.correlation_id == correlation_id);
            let Some(answered) = at.and_then(|at| queue.remove(at)) else { return false };
            answered
        };
        self.timers.cancel(answered.timer);
        (answered.done)(Ok(response));
        true
    }

    /// The connection is gone, or could not be made: whatever waits on it has failed.
    pub fn handle_disconnect(&self, link: &Link) {
        self.fail_all(link, &PeerFailure::Disconnected);
    }

    /// The other host says that nobody listens where the connection was to go.
    pub fn handle_refused(&self, link: &Link) {
        self.fail_all(link, &PeerFailure::Refused);
    }

    fn fail_all(&self, link: &Link, why: &PeerFailure) {
        let failed = {
            let mut state = self.lock();
            // What has not left yet would be answered to nobody.
            state.calls.retain(|call| !call.sends_on(link));
            state.waiting.remove(link).unwrap_or_default()
        };
        for waiting in failed {
            self.timers.cancel(waiting.timer);
            (waiting.done)(Err(why.clone()));
        }
    }

    /// That node is not to be asked such things any more: whatever waits for it has failed.
    pub fn give_up_on(&self, address: &PeerAddress, channels: &[Channel]) {
        let links: Vec<Link> = {
            let mut state = self.lock();
            let links = state
                .waiting
                .keys()
                .filter(|link| link.address == *address && channels.contains(&link.channel));
            let links: Vec<Link> = links.cloned().collect();
            for link in &links {
                state.calls.retain(|call| !call.sends_on(link));
                state.calls.push_back(PeerCall::Cut { link: link.clone() });
            }
            wake(state);
            links
        };
        links.iter().for_each(|link| self.handle_disconnect(link));
    }

    /// A peer that does not answer in time is not waited for by anybody.
    fn handle_late(&self, link: &Link, correlation_id: i32) {
        let failed = {
            let mut state = self.lock();
            let is_late = |queue: &VecDeque<Waiting>| {
                queue.iter().any(|waiting| waiting.correlation_id == correlation_id)
            };
            if !state.waiting.get(link).is_some_and(is_late) {
                return;
            }
            let failed = state.waiting.remove(link).unwrap_or_default();
            state.calls.retain(|call| !call.sends_on(link));
            state.calls.push_back(PeerCall::Cut { link: link.clone() });
            wake(state);
            failed
        };
        for waiting in failed {
            let why = match waiting.correlation_id == correlation_id {
                true => PeerFailure::TimedOut,
                false => PeerFailure::Disconnected,
            };
            self.timers.cancel(waiting.timer);
            (waiting.done)(Err(why));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes whoever drives the network, outside the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let courier = state.courier.take();
    drop(state);
    if let Some(courier) = courier {
        courier.wake();
    }
}

/// A response without its length.
pub(crate) fn read_response<R: Request>(
    frame: Bytes,
    version: i16,
) -> Result<R::Response, PeerFailure> {
    let mut reader = Reader::new(frame);
    let unreadable = |error: protocol::DecodeError| PeerFailure::Unreadable(error.to_string());
    ResponseHeader::decode(&mut reader, R::KEY.response_header_version(version))
        .map_err(unreadable)?;
    R::Response::decode(&mut reader, version).map_err(unreadable)
}

struct Alarm {
    peers: Arc<Peers>,
    link: Link,
    correlation_id: i32,
}

impl Expire for Alarm {
    fn expire(self: Arc<Self>, _now: MonoTime) {
        self.peers.handle_late(&self.link, self.correlation_id);
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};

    use super::*;

    type Answers = Arc<Mutex<Vec<Result<i32, PeerFailure>>>>;

    fn link() -> Link {
        let address = PeerAddress { host: "there".into(), port: 9093 };
        Link { address, channel: Channel::Controller }
    }

    fn ask(peers: &Arc<Peers>, answers: &Answers, deadline: u64) {
        let answers = Arc::clone(answers);
        let request = ApiVersionsRequest::default();
        peers.ask(link(), 0, &request, MonoTime(deadline), move |result| {
            let result = result.map(|response| i32::from(response.error_code));
            answers.lock().expect("not poisoned").push(result);
        });
    }

    fn sent(peers: &Peers) -> Option<PeerCall> {
        match peers.poll_call(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(call) => Some(call),
            Poll::Pending => None,
        }
    }

    fn correlation_id(call: Option<PeerCall>) -> i32 {
        let Some(PeerCall::Send { frame, .. }) = call else { panic!("{call:?}") };
        let bytes = frame.concat();
        i32::from_be_bytes(*bytes[8..].first_chunk().expect("a header"))
    }

    fn response(correlation_id: i32, error_code: i16) -> Bytes {
        let body = ApiVersionsResponse { error_code, ..ApiVersionsResponse::default() };
        let key = <ApiVersionsRequest as Request>::KEY;
        let frame = frame::response(key, &body, 0, correlation_id).expect("encodes");
        Bytes::from(frame.concat()).slice(frame::PREFIX_BYTES..)
    }

    fn setup() -> (Arc<Timers>, Arc<Peers>, Answers) {
        let timers = Arc::new(Timers::default());
        let peers = Peers::new(Arc::clone(&timers));
        (timers, peers, Answers::default())
    }

    #[test]
    fn pipelined_requests_get_the_answers_that_carry_their_number() {
        let (timers, peers, answers) = setup();
        ask(&peers, &answers, 100);
        ask(&peers, &answers, 100);
        let (first, second) = (correlation_id(sent(&peers)), correlation_id(sent(&peers)));
        assert_eq!(sent(&peers), None);
        assert!(peers.handle_response(&link(), response(first, 1)));
        assert!(peers.handle_response(&link(), response(second, 2)));
        assert!(!peers.handle_response(&link(), response(second, 2)), "nobody asked again");
        timers.expire(MonoTime(1000));
        assert_eq!(*answers.lock().unwrap(), [Ok(1), Ok(2)]);
    }

    #[test]
    fn a_lost_connection_fails_all_that_waits_on_it_once() {
        let (timers, peers, answers) = setup();
        ask(&peers, &answers, 100);
        ask(&peers, &answers, 100);
        peers.handle_disconnect(&link());
        peers.handle_disconnect(&link());
        timers.expire(MonoTime(1000));
        let lost = Err(PeerFailure::Disconnected);
        assert_eq!(*answers.lock().unwrap(), [lost.clone(), lost]);
    }

    #[test]
    fn a_peer_that_is_late_is_cut_off_and_its_late_answer_meets_nobody() {
        let (timers, peers, answers) = setup();
        ask(&peers, &answers, 100);
        let late = correlation_id(sent(&peers));
        ask(&peers, &answers, 200);
        timers.expire(MonoTime(100));
        assert_eq!(sent(&peers), Some(PeerCall::Cut { link: link() }));
        assert!(!peers.handle_response(&link(), response(late, 1)));
        let expected = [Err(PeerFailure::TimedOut), Err(PeerFailure::Disconnected)];
        assert_eq!(*answers.lock().unwrap(), expected);
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_a_failure() {
        let (_timers, peers, answers) = setup();
        ask(&peers, &answers, 100);
        let id = correlation_id(sent(&peers));
        let garbled = Bytes::from([&id.to_be_bytes()[..], &[0xff]].concat());
        assert!(peers.handle_response(&link(), garbled));
        assert!(matches!(answers.lock().unwrap()[..], [Err(PeerFailure::Unreadable(_))]));
    }
}
