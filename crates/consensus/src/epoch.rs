use std::fmt;

/// Counts the reigns of leaders over the metadata log. A batch of an older one comes from the past.
///
/// **Invariant:** grows strictly from reign to reign, cluster-wide. On disk it is the partition
/// leader epoch of the batches in `__cluster_metadata-0`.
#[doc(alias = "controllerEpoch")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i32);

impl Epoch {
    /// Before the first reign: an empty log has it.
    pub const NONE: Epoch = Epoch(-1);

    /// The epoch of the next reign.
    ///
    /// # Panics
    /// After 2^31 reigns.
    pub fn next(self) -> Epoch {
        assert!(self.0 < i32::MAX, "the epochs of the metadata log are used up");
        Epoch(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A voter's `node.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub i32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
