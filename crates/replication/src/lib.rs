//! What one partition knows about who holds its records, as pure values.
//!
//! [`Replica`] is this broker's part in a partition: the leader, which counts how far the others
//! are and acknowledges, or a follower, which copies the leader's log and truncates its own where
//! the two diverge. Files, sockets and clocks are the host's: it tells what happened and asks what
//! to do.
//!
//! **Architecture Invariant:** it does not know what a file, a socket or a clock is, and it never
//! returns `Result`: every input is legal, some are ignored.

mod ack_gate;
mod ack_waiters;
mod divergence;
mod fetch_epoch;
mod follower;
mod high_watermark;
mod isr;
mod leader;
mod limits;
mod partition_state;
mod remote_replica;
mod replica;
mod replica_selection;
mod replication_quota;

pub use ack_gate::{AckGate, Durability, GateRules, InSync};
pub use ack_waiters::AckWaiters;
pub use divergence::{diverging_epoch, truncation_point};
pub use fetch_epoch::check_fetch_epoch;
pub use follower::{FetchAnswer, FetchFrom, FetchStep, PartitionFollower, StopReason};
pub use high_watermark::HighWatermark;
pub use isr::{IsrOutcome, IsrProposal};
pub use leader::{FollowerFetch, LeaderRules, PartitionLeader};
pub use partition_state::{LogEnds, PartitionState};
pub use replica::{Replica, Role, RoleChange};
pub use replica_selection::{ReplicaView, preferred_read_replica};
pub use replication_quota::{QuotaWindows, ReplicationQuota};
