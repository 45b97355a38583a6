//! A controller that is one of several voters: messages in and out, and time.
//!
//! Whatever comes from outside is put down here and taken in on the controller's lane.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use consensus::NodeId;
use env::{Clock, Env, Lane};
use types::MonoTime;

use super::{ControllerHost, Engine};
use crate::limits::{VOTER_INBOX_BYTES_MAX, VOTER_INBOX_MAX};
use crate::removals::LaneOf;

/// What the lane has yet to hear.
#[derive(Default)]
pub(super) struct Inbox {
    news: VecDeque<News>,
    bytes: usize,
}

enum News {
    Message(Bytes),
    Unreachable(NodeId),
}

impl News {
    fn bytes(&self) -> usize {
        match self {
            News::Message(message) => message.len(),
            News::Unreachable(_) => 0,
        }
    }
}

impl Inbox {
    /// Returns false if there is no room. One message always has some.
    fn put(&mut self, news: News) -> bool {
        let bytes = self.bytes + news.bytes();
        let is_full = self.news.len() >= VOTER_INBOX_MAX || bytes > VOTER_INBOX_BYTES_MAX;
        if is_full && !self.news.is_empty() {
            return false;
        }
        self.bytes = bytes;
        self.news.push_back(news);
        true
    }

    fn take(&mut self) -> Option<News> {
        let news = self.news.pop_front()?;
        self.bytes -= news.bytes();
        Some(news)
    }
}

impl<E: Env> ControllerHost<E> {
    /// Whether other voters must agree to what is decided here.
    pub fn is_quorum(&self) -> bool {
        self.is_quorum
    }

    /// Where the engine is driven.
    pub fn lane(&self) -> &LaneOf<E> {
        &self.lane
    }

    /// Another voter has said something. Returns false if it is lost: too much waits already.
    #[must_use]
    pub fn handle_message(self: &Arc<Self>, message: Bytes) -> bool {
        self.hear(News::Message(message))
    }

    /// A message to `node` has not arrived.
    pub fn handle_unreachable(self: &Arc<Self>, node: NodeId) {
        // The engine finds out by itself, later.
        _ = self.hear(News::Unreachable(node));
    }

    fn hear(self: &Arc<Self>, news: News) -> bool {
        if !self.is_quorum {
            return true;
        }
        let is_put = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).put(news);
        self.call();
        is_put
    }

    /// Has the lane look at what waits for it.
    pub(super) fn call(self: &Arc<Self>) {
        if !self.is_called.swap(true, Ordering::AcqRel) {
            let this = Arc::clone(self);
            self.lane.run(Box::new(move || this.work()));
        }
    }

    fn work(self: &Arc<Self>) {
        self.is_called.store(false, Ordering::Release);
        self.take_in_news();
        self.advance();
    }

    fn take_in_news(self: &Arc<Self>) {
        loop {
            let news = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(news) = news else { break };
            self.drive(|engine| match news {
                News::Message(message) => {
                    if let Err(error) = engine.handle_message(message) {
                        log::debug!(
                            target: "kafka.raft.KafkaRaftClient",
                            "a message was dropped: {error}"
                        );
                    }
                }
                News::Unreachable(node) => engine.handle_unreachable(node),
            });
        }
    }

    /// On the lane: time has passed, at the start none. What has arrived meanwhile is heard first.
    /// Returns when the engine wants to know of the time again; `None` once closed.
    pub fn handle_time(self: &Arc<Self>) -> Option<MonoTime> {
        self.take_in_news();
        let now = self.env.clock().mono();
        self.drive(|engine| {
            if engine.port().poll_timeout().is_some_and(|at| at <= now) {
                engine.port().handle_timeout(now);
            }
        });
        self.advance();
        self.voting().engine.as_mut().and_then(|engine| engine.port().poll_timeout())
    }

    /// Does something with the engine, and takes in what comes of it.
    fn drive(self: &Arc<Self>, with: impl FnOnce(&mut Engine<E::Disk>)) {
        let mut voting = self.voting();
        let Some(engine) = voting.engine.as_mut() else { return };
        with(engine);
        let outcome = self.turn(engine);
        drop(voting);
        if let Err(why) = outcome {
            self.fail(&why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> News {
        News::Message(Bytes::from(vec![0; bytes]))
    }

    #[test]
    fn an_inbox_that_is_full_loses_what_comes_next_and_has_room_again_when_it_is_read() {
        let mut inbox = Inbox::default();
        for _ in 0..VOTER_INBOX_MAX {
            assert!(inbox.put(message(1)));
        }
        assert!(!inbox.put(message(1)));
        assert_eq!(inbox.take().map(|news| news.bytes()), Some(1));
        assert!(inbox.put(message(1)));
    }

    #[test]
    fn an_inbox_holds_so_many_bytes_and_one_message_of_any_length() {
        let mut inbox = Inbox::default();
        assert!(inbox.put(message(VOTER_INBOX_BYTES_MAX + 1)));
        assert!(!inbox.put(message(1)));
        assert!(inbox.take().is_some());
        assert_eq!(inbox.bytes, 0);
        assert!(inbox.put(message(1)));
    }
}
