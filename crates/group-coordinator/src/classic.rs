//! Classic groups: the members agree on an assignment that one of them, the leader, computes.
//!
//! A round: members park a JoinGroup until all are there, one is told to be the leader, all park
//! a SyncGroup until the leader's assignment arrives, and the agreed generation goes to the log.
//! `docs/requests/join-group.md` walks through it.

mod describe;
mod expire;
mod group;
mod heartbeat;
mod join;
mod leave;
mod member;
mod rebalance;
mod state;
mod static_member;
mod subscription;
mod sync;

pub use join::JoinFacts;
pub use state::ClassicGroupState;

pub(crate) use group::ClassicGroup;
pub(crate) use member::Member;
pub(crate) use subscription::CONSUMER_PROTOCOL_TYPE;
