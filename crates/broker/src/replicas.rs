//! How the replicas here and those of other brokers keep up with each other.

mod expected_followers;
mod fetchers;
mod isr_changes;
mod leader_session;
mod links;
mod lost_leaders;
mod throttles;

pub use expected_followers::ExpectedFollowers;
pub use fetchers::ReplicaFetchers;
pub use isr_changes::{IsrChanges, IsrHint};
pub use links::{Answered, NoAnswer, ReplicationLinks};
pub use lost_leaders::LostLeaders;
pub use throttles::Throttles;
