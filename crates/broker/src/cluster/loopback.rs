//! Requests that came over no socket: what another broker forwards, and what a broker asks of the
//! controller in its own process.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use bytes::{Bytes, BytesMut};
use env::Env;
use protocol::{Request, frame};

use crate::api::{self, Caller};
use crate::network::ResponseQueue;
use crate::node::Node;
use crate::partitions::DueTurns;
use crate::peers::read_response;
use crate::request::Door;

type Done = Box<dyn FnOnce(Option<Bytes>) + Send>;

/// Serves one request without its length. `done` gets the response without its length, or `None`
/// where a connection would be cut.
pub fn serve_frame<E: Env>(
    node: &Arc<Node<E>>,
    caller: &Caller,
    request: Bytes,
    done: impl FnOnce(Option<Bytes>) + Send + 'static,
) {
    let queue: Arc<ResponseQueue> = Arc::default();
    let slot = queue.open_slot();
    let turns: Arc<DueTurns> = Arc::default();
    if api::dispatch(node, caller, &turns, request, slot).is_err() {
        queue.close();
    }
    turns.run();
    let done: Done = Box::new(done);
    Arc::new(Catch { queue, done: Mutex::new(Some(done)) }).look();
}

/// Asks the controller of this process as if it were another's.
pub fn ask<E: Env, R: Request>(
    node: &Arc<Node<E>>,
    request: &R,
    done: impl FnOnce(Option<R::Response>) + Send + 'static,
) {
    let version = *R::VERSIONS.end();
    let Ok(framed) = frame::request(request, version, 0, Some("ottla".into())) else {
        return done(None);
    };
    let caller = Caller::here(&node.settings.config, Door::Controllers);
    serve_frame(node, &caller, without_length(framed), move |response| {
        done(response.and_then(|response| read_response::<R>(response, version).ok()));
    });
}

fn without_length(chunks: Vec<Bytes>) -> Bytes {
    let mut whole = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    chunks.iter().for_each(|chunk| whole.extend_from_slice(chunk));
    whole.freeze().slice(frame::PREFIX_BYTES..)
}

/// Waits for the one response of a queue.
struct Catch {
    queue: Arc<ResponseQueue>,
    done: Mutex<Option<Done>>,
}

impl Catch {
    fn look(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        let Poll::Ready(response) = self.queue.poll_ready(&mut Context::from_waker(&waker)) else {
            return;
        };
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(done) = done {
            done(response.map(without_length));
        }
    }
}

impl Wake for Catch {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}
