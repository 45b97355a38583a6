//! A line on the terminal that says how far long work is. Nobody else ever sees it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

const REDRAW: Duration = Duration::from_millis(100);
const BAR_CELLS: u64 = 24;

/// Shows progress on stderr while it is a terminal; removes itself when dropped.
#[derive(Debug)]
pub struct Progress {
    label: String,
    total: Option<u64>,
    is_shown: bool,
    drawn: Option<Instant>,
    began: Instant,
}

impl Progress {
    /// Progress towards `total`, or just a count if that is not known.
    pub fn new(label: impl Into<String>, total: Option<u64>, is_quiet: bool) -> Progress {
        let is_shown = !is_quiet && io::stderr().is_terminal();
        Progress { label: label.into(), total, is_shown, drawn: None, began: Instant::now() }
    }

    pub fn set(&mut self, done: u64) {
        let is_fresh = self.drawn.is_some_and(|drawn| drawn.elapsed() < REDRAW);
        if !self.is_shown || is_fresh {
            return;
        }
        self.drawn = Some(Instant::now());
        let seconds = self.began.elapsed().as_secs_f64().max(0.001);
        let rate = done as f64 / seconds;
        let line = match self.total {
            Some(total) => format!("{} {} {done}/{total}", self.label, bar(done, total)),
            None => format!("{} {done}, {rate:.0}/s", self.label),
        };
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r\x1b[K{line}");
        let _ = err.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn bar(done: u64, total: u64) -> String {
    let cells = done.min(total) * BAR_CELLS / total.max(1);
    let (full, empty) = (cells as usize, (BAR_CELLS - cells) as usize);
    format!("[{}{}]", "=".repeat(full), " ".repeat(empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_never_overflows() {
        assert_eq!(bar(0, 10), format!("[{}]", " ".repeat(24)));
        assert_eq!(bar(20, 10), format!("[{}]", "=".repeat(24)));
        assert_eq!(bar(5, 10).matches('=').count(), 12);
        assert_eq!(bar(0, 0).len(), 26);
    }
}
