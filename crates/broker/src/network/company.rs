//! Who else is served by the thread of a connection: whoever waits there keeps them waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use types::MonoTime;

use crate::limits::ALONE_AFTER;

/// The connections that one thread serves. Only that thread tells of them.
#[derive(Debug, Default)]
pub struct Company {
    seats: AtomicU64,
    /// Whose requests came last.
    last: AtomicU64,
    /// Since when all requests have been theirs, in nanoseconds.
    since: AtomicU64,
}

/// The place of a connection among those of its thread.
#[derive(Debug)]
pub struct Seat {
    company: Arc<Company>,
    number: u64,
}

impl Company {
    pub fn seat(company: &Arc<Company>) -> Seat {
        let number = company.seats.fetch_add(1, Ordering::Relaxed) + 1;
        Seat { company: Arc::clone(company), number }
    }
}

impl Default for Seat {
    fn default() -> Seat {
        Company::seat(&Arc::default())
    }
}

impl Seat {
    /// The connection has brought something.
    pub fn note_served(&self, now: impl FnOnce() -> MonoTime) {
        if self.company.last.load(Ordering::Relaxed) != self.number {
            self.company.last.store(self.number, Ordering::Relaxed);
            self.company.since.store(now().0, Ordering::Relaxed);
        }
    }

    /// Whether no other connection of the thread has brought anything for a while.
    pub fn is_alone(&self, now: MonoTime) -> bool {
        let since = MonoTime(self.company.since.load(Ordering::Relaxed));
        self.company.last.load(Ordering::Relaxed) == self.number && now.since(since) >= ALONE_AFTER
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_connection_is_alone_some_time_after_the_last_request_of_another() {
        let company = Arc::default();
        let (one, other) = (Company::seat(&company), Company::seat(&company));
        let begin = MonoTime(1_000);
        let later = begin.plus(ALONE_AFTER);
        one.note_served(|| begin);
        assert!(
            !one.is_alone(MonoTime(later.0 - 1)) && one.is_alone(later) && !other.is_alone(later)
        );
        one.note_served(|| unreachable!("nobody came between"));
        other.note_served(|| later);
        assert!(!one.is_alone(later.plus(ALONE_AFTER)), "the other one is");
        one.note_served(|| later.plus(Duration::from_nanos(1)));
        assert!(!one.is_alone(later.plus(ALONE_AFTER)));
        assert!(one.is_alone(later.plus(ALONE_AFTER).plus(Duration::from_nanos(1))));
    }
}
