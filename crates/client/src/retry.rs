//! Patience with an end: pauses that double, up to a deadline.

use std::thread;
use std::time::{Duration, Instant};

use crate::error::{ClientError, ErrorKind};
use crate::limits::{BACKOFF_MAX, BACKOFF_MIN};

/// The pauses between the tries of one operation.
///
/// Bounded by its deadline: with pauses of at least [`BACKOFF_MIN`] there are finitely many.
#[derive(Debug)]
pub struct Retry {
    deadline: Instant,
    patience: Duration,
    pause: Duration,
}

impl Retry {
    /// Tries that begin now and end after `patience`.
    pub fn within(patience: Duration) -> Retry {
        Retry { deadline: Instant::now() + patience, patience, pause: BACKOFF_MIN }
    }

    /// Pauses before another try after `error`.
    ///
    /// # Errors
    /// `error` itself if trying again cannot help; a timeout naming it if time is up.
    pub fn after(&mut self, error: ClientError) -> Result<(), ClientError> {
        if !error.is_retriable() {
            return Err(error);
        }
        self.pause_or(error)
    }

    /// Pauses whatever `error` is.
    pub fn pause_or(&mut self, error: ClientError) -> Result<(), ClientError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left < self.pause {
            return Err(self.timed_out(error));
        }
        thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(BACKOFF_MAX);
        Ok(())
    }

    fn timed_out(&self, last: ClientError) -> ClientError {
        // An address that never answered is not "late".
        if last.kind == ErrorKind::Unreachable {
            return last;
        }
        let why = format!(
            "gave up after {} s; last: {} ({})",
            self.patience.as_secs_f32().ceil(),
            last.why,
            last.code()
        );
        ClientError { why, kind: ErrorKind::TimedOut, ..last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_waiting_cannot_cure_comes_back_at_once() {
        let mut retry = Retry::within(Duration::from_secs(60));
        let error = ClientError::broker("x", 36, None);
        assert_eq!(retry.after(error.clone()), Err(error));
    }

    #[test]
    fn when_time_is_up_the_last_reason_is_told() {
        let mut retry = Retry::within(Duration::ZERO);
        let error = retry.after(ClientError::broker("join group g", 15, None)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::TimedOut);
        assert!(error.why.contains("COORDINATOR_NOT_AVAILABLE"), "{error}");
    }
}
