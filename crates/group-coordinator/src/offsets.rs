//! Committed offsets: how far each group has read each partition.

mod commit;
mod delete;
mod expiration;
mod fetch;

pub use commit::OffsetCommitFacts;
pub(crate) use delete::tombstones;
pub(crate) use fetch::fetch_offsets;
