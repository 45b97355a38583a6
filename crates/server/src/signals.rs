//! SIGTERM and SIGINT end the server cleanly.

use tokio::signal::unix::{SignalKind, signal};

/// Ready at the first signal to stop, with its name.
pub(crate) async fn stop_requested() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
