//! Every bound of the judge.

/// Lines of one round: sixteen times what a round of 25 faults writes, and about 1 GB.
pub const LINES_MAX: usize = 4_000_000;
/// Records of one partition, and of one producer in it.
pub const RECORDS_MAX: u64 = 4_000_000;
/// Broken promises of one kind that are told in words; all are counted.
pub const EXAMPLES_MAX: usize = 5;
/// Deletions of records of one topic, of which one succeeds: a second of asking.
pub const TRIMS_MIN: usize = 10;
/// Clients come back within a second or two, a disk with space within three.
pub const PATIENCE_MS: u64 = 4_000;
/// A cluster that has lost power starts, votes, elects and is found again by its clients.
pub const CLUSTER_PATIENCE_MS: u64 = 12_000;
/// After the last fault every partition is written and read, and every group commits: sessions of
/// clients end after 8 s, a group agrees anew, and a client comes back that waited for a node.
pub const SERVED_AGAIN_MS: u64 = 20_000;
/// The same in a cluster, where connections that were cut may be silent for as long again as they
/// have been (TCP doubles its time to retransmit), 5 s, and leaders are elected first.
pub const CLUSTER_SERVED_AGAIN_MS: u64 = 30_000;
/// A broker of a cluster answers for topics and configurations from what it has heard, and one that
/// was frozen has heard nothing for a while.
pub const STALE_NS: u64 = 15_000_000_000;
