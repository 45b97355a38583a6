//! Every bound of the judge.

/// Lines of one round: sixteen times what a round of 25 faults writes, and about 1 GB.
pub const LINES_MAX: usize = 4_000_000;
/// Records of one partition, and of one producer in it.
pub const RECORDS_MAX: u64 = 4_000_000;
/// Broken promises of one kind that are told in words; all are counted.
pub const EXAMPLES_MAX: usize = 5;
/// Clients come back within a second or two, a disk with space within three.
pub const PATIENCE_MS: u64 = 4_000;
/// A cluster that has lost power starts, votes, elects and is found again by its clients.
pub const CLUSTER_PATIENCE_MS: u64 = 12_000;
/// A broker of a cluster answers for topics and configurations from what it has heard, and one that
/// was frozen has heard nothing for a while.
pub const STALE_NS: u64 = 15_000_000_000;
