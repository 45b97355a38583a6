//! Ctrl-C and SIGTERM as a wish, so that long work can end in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether somebody wants this process to end. A second signal ends it at once.
#[derive(Clone, Debug)]
pub struct Interrupt {
    wished: Arc<AtomicBool>,
}

/// What a shell reports for a process that SIGINT ended.
const INTERRUPTED: i32 = 130;

impl Interrupt {
    /// Begins to listen. If the system does not let us, signals end the process as ever.
    pub fn listen() -> Interrupt {
        let wished = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            let _ = flag::register_conditional_shutdown(signal, INTERRUPTED, wished.clone());
            let _ = flag::register(signal, wished.clone());
        }
        Interrupt { wished }
    }

    pub fn is_wished(&self) -> bool {
        self.wished.load(Ordering::Relaxed)
    }
}
