use std::fmt;

/// The position of a record in a partition. The first record ever written is at 0.
///
/// **Invariant:** offsets of a partition only grow; compaction leaves gaps, it never renumbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    pub const ZERO: Offset = Offset(0);
    /// What the wire says for "no offset".
    pub const NONE: Offset = Offset(-1);

    /// The offset `count` records later. Saturates: offsets past `i64::MAX` cannot be written.
    pub fn plus(self, count: i64) -> Offset {
        Offset(self.0.saturating_add(count))
    }

    /// How many offsets lie between `earlier` and here (negative if `earlier` is later).
    pub fn since(self, earlier: Offset) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
