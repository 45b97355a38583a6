//! Responses leave in the order their requests came, whoever answers first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// A connection's answers in request order: a FIFO of slots, each filled once, by any thread.
///
/// **Invariant:** a response is handed out only when every earlier slot has been answered or
/// skipped, because clients match responses by position.
#[derive(Debug, Default)]
pub struct ResponseQueue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slots: VecDeque<Slot>,
    /// The number of the slot at the front: how many have left so far.
    front: u64,
    /// No slot after the last one will be answered; the connection ends once the queue is empty.
    closing: bool,
    /// Bytes of answers that wait to leave.
    ready_bytes: usize,
    writer: Option<Waker>,
}

#[derive(Debug)]
enum Slot {
    Pending,
    Ready(Vec<Bytes>),
    /// A request without response (acks=0).
    Skipped,
    /// Everything before leaves, then the connection is cut.
    Disconnect,
}

impl ResponseQueue {
    /// The place of the next request's answer.
    pub fn open_slot(self: &Arc<Self>) -> ReplySlot {
        let mut state = self.lock();
        state.slots.push_back(Slot::Pending);
        let number = state.front + state.slots.len() as u64 - 1;
        ReplySlot { queue: Arc::clone(self), number, answered: false }
    }

    /// How many requests are unanswered or unsent.
    pub fn in_flight(&self) -> usize {
        self.lock().slots.len()
    }

    /// How many bytes of answers the client has not taken yet.
    pub fn ready_bytes(&self) -> usize {
        self.lock().ready_bytes
    }

    /// Lets nothing more in: what is answered already still leaves.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        wake(state);
    }

    /// The chunks of every response that may leave now, in order; `None` when the connection is to
    /// be cut. Registers the caller to be woken otherwise.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Option<Vec<Bytes>>> {
        let mut state = self.lock();
        let ready = state.take_ready();
        if !ready.is_empty() {
            return Poll::Ready(Some(ready));
        }
        if state.closing {
            return Poll::Ready(None);
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn fill(&self, number: u64, slot: Slot) {
        let mut state = self.lock();
        // A slot behind the front was dropped with its connection.
        let Some(position) = number.checked_sub(state.front) else { return };
        let Some(place) = state.slots.get_mut(position as usize) else { return };
        let bytes = match &slot {
            Slot::Ready(response) => response.iter().map(Bytes::len).sum(),
            _ => 0,
        };
        *place = slot;
        state.ready_bytes += bytes;
        if position == 0 {
            wake(state);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the writer outside the lock, so that it finds the lock free.
fn wake(mut state: std::sync::MutexGuard<'_, State>) {
    let writer = state.writer.take();
    drop(state);
    if let Some(writer) = writer {
        writer.wake();
    }
}

impl State {
    fn take_ready(&mut self) -> Vec<Bytes> {
        let mut chunks = Vec::new();
        let mut waiting = self.slots.len();
        while let Some(slot) = self.slots.front_mut() {
            match slot {
                Slot::Pending => break,
                // Mostly there is one, which then need not be moved.
                Slot::Ready(response) if chunks.is_empty() => chunks = std::mem::take(response),
                Slot::Ready(response) => {
                    chunks.reserve(waiting);
                    chunks.append(response);
                }
                Slot::Skipped => {}
                Slot::Disconnect => {
                    self.closing = true;
                    self.slots.clear();
                    self.ready_bytes = chunks.iter().map(Bytes::len).sum();
                    break;
                }
            }
            self.slots.pop_front();
            self.front += 1;
            waiting -= 1;
        }
        self.ready_bytes -= chunks.iter().map(Bytes::len).sum::<usize>();
        chunks
    }
}

/// The right and the duty to answer one request.
///
/// Dropped without an answer it cuts the connection: a client must never wait for a response that
/// nobody will write.
#[derive(Debug)]
pub struct ReplySlot {
    queue: Arc<ResponseQueue>,
    number: u64,
    answered: bool,
}

impl ReplySlot {
    /// Answers with a whole frame, length included.
    pub fn send(mut self, frame: Vec<Bytes>) {
        self.answered = true;
        self.queue.fill(self.number, Slot::Ready(frame));
    }

    /// This request has no response: a produce with acks=0.
    pub fn skip(mut self) {
        self.answered = true;
        self.queue.fill(self.number, Slot::Skipped);
    }

    /// Cuts the connection after the responses before this one.
    pub fn disconnect(self) {}
}

impl Drop for ReplySlot {
    fn drop(&mut self) {
        if !self.answered {
            self.queue.fill(self.number, Slot::Disconnect);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(queue: &ResponseQueue) -> Poll<Option<Vec<Bytes>>> {
        queue.poll_ready(&mut Context::from_waker(Waker::noop()))
    }

    fn frame(text: &'static str) -> Vec<Bytes> {
        vec![Bytes::from_static(text.as_bytes())]
    }

    #[test]
    fn pipelined_responses_leave_in_request_order() {
        let queue = Arc::new(ResponseQueue::default());
        let (first, second, third) = (queue.open_slot(), queue.open_slot(), queue.open_slot());
        third.send(frame("3"));
        second.skip();
        assert!(poll(&queue).is_pending(), "the first request is unanswered");
        first.send(frame("1"));
        assert_eq!(poll(&queue), Poll::Ready(Some(vec!["1".into(), "3".into()])));
        assert_eq!(queue.in_flight(), 0);
    }

    #[test]
    fn an_unanswered_request_cuts_the_connection_after_the_answers_before_it() {
        let queue = Arc::new(ResponseQueue::default());
        let (first, second, third) = (queue.open_slot(), queue.open_slot(), queue.open_slot());
        drop(second);
        first.send(frame("1"));
        assert_eq!(poll(&queue), Poll::Ready(Some(vec!["1".into()])));
        assert_eq!(poll(&queue), Poll::Ready(None));
        third.send(frame("late"));
        assert_eq!(poll(&queue), Poll::Ready(None));
    }
}
