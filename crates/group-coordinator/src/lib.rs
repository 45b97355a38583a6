//! Groups and their committed offsets: the machine behind `__consumer_offsets`.
//!
//! [`GroupCoordinatorShard`] is one partition of that topic. Read `classic::state` for the states
//! of a group, docs/requests/join-group.md for a round, docs/formats/offsets-topic.md for the
//! bytes.
//!
//! **Architecture Invariant:** no wire version comes in here; what a version means is a plain fact
//! (`JoinFacts`, `OffsetCommitFacts`, `DescribeFacts`).
//! **Architecture Invariant:** subscriptions and assignments are the clients' bytes. We read the
//! topic list of protocol type `consumer`, to keep offsets that are in use; nothing else.
//!
//! Not here: KIP-848 consumer groups (`consumer/`, to come: records of kind 3–8 and 16 are skipped)
//! and TxnOffsetCommit (its records are understood, the request is refused elsewhere).

mod classic;
mod config;
mod groups;
pub mod limits;
mod offsets;
pub mod records;
pub mod refusal;
mod reply;
mod shard;
mod soft;
pub mod state;
mod turn;

pub use classic::{ClassicGroupState, JoinFacts};
pub use config::GroupCoordinatorConfig;
pub use coordinator::partition_for;
pub use groups::{DescribeFacts, ListFilter};
pub use offsets::OffsetCommitFacts;
pub use reply::Reply;
pub use shard::{ClientInfo, GroupCoordinatorShard};
