use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Why a node must stop although nobody asked it to. Whoever runs it waits for that.
#[derive(Debug, Default)]
pub struct Halt {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    reason: Option<String>,
    waiting: Option<Waker>,
}

impl Halt {
    /// The first reason counts; what follows are its consequences.
    pub(crate) fn because(&self, reason: String) {
        let mut state = self.lock();
        if state.reason.is_none() {
            log::error!(target: "kafka.server.KafkaServer", "{reason}");
            state.reason = Some(reason);
        }
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    pub fn reason(&self) -> Option<String> {
        self.lock().reason.clone()
    }

    /// Ready once the node must stop.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<String> {
        let mut state = self.lock();
        match &state.reason {
            Some(reason) => Poll::Ready(reason.clone()),
            None => {
                state.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
