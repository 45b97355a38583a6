//! How far the measurement is, on a terminal; Ctrl-C ends it in order.

use std::ops::ControlFlow;

use load::{Observer, Stage};

use crate::interrupt::Interrupt;
use crate::progress::Progress;

const PER_MILLE: f64 = 1000.0;

pub struct Watcher {
    interrupt: Interrupt,
    progress: Progress,
    is_quiet: bool,
    label: String,
}

impl Watcher {
    pub fn new(is_quiet: bool) -> Watcher {
        let progress = Progress::new("", None, is_quiet);
        Watcher { interrupt: Interrupt::listen(), progress, is_quiet, label: String::new() }
    }
}

impl Observer for Watcher {
    fn watch(&mut self, stage: &Stage<'_>) -> ControlFlow<()> {
        let Stage { case, broker, round, rounds, .. } = stage;
        let label = format!("{case} on {broker}, round {round} of {rounds}, ‰ of all");
        if label != self.label {
            self.progress = Progress::new(&label, Some(PER_MILLE as u64), self.is_quiet);
            self.label = label;
        }
        self.progress.set((stage.share_of_all * PER_MILLE) as u64);
        match self.interrupt.is_wished() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}
