//! Whether a producer that is unknown here is at its beginning.

use std::ops::Range;

use types::WallTime;

/// What a log knows of producers that it does not know.
///
/// One that is unknown may start anywhere: it may have been forgotten, or deleted with its records
/// (KIP-360). Where neither can have happened it has never written here; if it does not begin with
/// sequence 0, something of it is missing. Early in a leader's reign that may be on its way to the
/// leader before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beginnings {
    due: Range<WallTime>,
    has_forgotten: bool,
}

impl Beginnings {
    pub(super) fn set_due(&mut self, within: Range<WallTime>) {
        self.due = within;
    }

    /// Somebody who wrote here may be unknown from now on.
    pub(crate) fn note_forgotten(&mut self) {
        self.has_forgotten = true;
    }

    pub(super) fn are_due(&self, now: WallTime) -> bool {
        self.due.contains(&now) && !self.has_forgotten
    }
}
