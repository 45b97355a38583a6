//! Bounds of the metadata log.

/// Record bytes in one proposal. 10,000 records (the controller's bound per command) of 800 bytes
/// fit; ZooKeeper's 900 kB is a tighter bound that its own engine will announce.
pub const PROPOSAL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Batches that are appended and not yet durable. A host that drains events after every proposal
/// has one; past this the engine says `Busy` instead of growing.
pub const UNSYNCED_BATCHES_MAX: usize = 1024;

/// Bytes of one message between voters: the largest proposal and its frame, or several smaller
/// entries up to [`APPEND_BYTES`].
pub const MESSAGE_BYTES_MAX: usize = PROPOSAL_BYTES_MAX + 1024 * 1024;

/// Entry bytes that a leader puts in one append; a larger entry travels alone.
pub const APPEND_BYTES: u64 = 1024 * 1024;

/// Appends on their way to one voter that it has not answered.
pub const APPENDS_IN_FLIGHT_MAX: usize = 256;

/// How much of a snapshot travels in one message.
pub const SNAPSHOT_PART_BYTES: usize = 1024 * 1024;

/// The longest snapshot that is taken from another voter: a million partitions are some 110 MiB.
pub const SNAPSHOT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Committed bytes that are handed out in one turn.
pub const COMMITTED_BYTES_PER_TURN: u64 = 4 * 1024 * 1024;

/// Payload bytes of the newest batches that are kept in memory, for voters a little behind.
pub const RECENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Records in one proposal; the controller's own bound per command is 10,000.
pub const PROPOSAL_RECORDS_MAX: usize = 1_000_000;

/// Voters of a quorum. Kafka advises three or five; each more is one more to wait for.
pub const VOTERS_MAX: usize = 31;

/// Nodes that are sent the log without voting.
pub const OBSERVERS_MAX: usize = 32;

/// How many leases an observer may be silent before it is sent nothing more.
pub const OBSERVER_LEASES: u32 = 25;

/// For how many leases a voter waits for a leader before it asks whether it is a voter still.
pub const VOTER_LEASES: usize = 5;

/// Batches that a node may lack and still be added to the voters: under load a few are always on
/// their way.
pub const CAUGHT_UP_BATCHES: u64 = 64;

/// Bytes of the name of a listener or a host. Source: RFC 1035.
pub const ENDPOINT_NAME_BYTES_MAX: usize = 255;

/// Endpoints of one voter.
pub const VOTER_ENDPOINTS_MAX: usize = 16;

/// Nodes of which a voter remembers the directory, and identities that it remembers as removed.
pub const REMEMBERED_MAX: usize = 1024;
