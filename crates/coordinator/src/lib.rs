//! What every log-backed coordinator shares: decide, then replay.
//!
//! A coordinator's truth is one partition of an internal topic. A request makes a [`Decision`]:
//! records for that partition and replies that wait until the records are committed. Only replaying
//! a record changes hard state. The host (in `broker`) appends, replays, waits and answers.
//!
//! **Architecture Invariant:** no clock, no chance, no log handle in here; [`Now`] is an argument.
//!
//! Source: Kafka `CoordinatorShard`, `CoordinatorRuntime`, `CoordinatorTimer`, `CoordinatorResult`.

mod append_failure;
mod decision;
mod hosted;
mod partition;
mod shard;
mod timers;

pub use append_failure::error_for_failed_append;
pub use decision::{CoordinatorRecord, Decision, ReplyToken};
pub use hosted::{Hosted, Phase};
pub use partition::partition_for;
pub use shard::{CoordinatorShard, LoadedRecord, Now, Replayed};
pub use timers::Timers;
