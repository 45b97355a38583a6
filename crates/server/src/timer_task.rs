//! Sleeps until the broker's next deadline and tells it that the time has come.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use broker::Timers;
use env::Clock;
use tokio::time::sleep;

/// Runs for as long as the server does.
pub(crate) async fn run<C: Clock>(timers: Arc<Timers>, clock: &C) {
    loop {
        let next = timers.next_deadline();
        let until_next = async {
            match next {
                Some(deadline) => sleep(deadline.since(clock.mono())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = poll_fn(|cx| timers.poll_changed(next, cx)) => {}
            () = until_next => {
                timers.expire(clock.mono());
                // Timers have a resolution of a millisecond; an early wake-up must not spin.
                if timers.next_deadline() == next {
                    sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }
}
