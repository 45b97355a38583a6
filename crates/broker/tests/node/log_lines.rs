//! What the node writes to its log: a test reads what was said on its own thread.

use std::cell::RefCell;

use log::{LevelFilter, Log, Metadata, Record};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct OfThisThread;

impl Log for OfThisThread {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        LINES.with_borrow_mut(|lines| lines.push(format!("{} {}", record.level(), record.args())));
    }

    fn flush(&self) {}
}

/// From here on the log is kept.
pub fn listen() {
    if log::set_logger(&OfThisThread).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
    take();
}

/// What was said since this was last asked.
pub fn take() -> Vec<String> {
    LINES.take()
}
