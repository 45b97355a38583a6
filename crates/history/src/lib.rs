//! What the clients of a run did and were told, and the one judge of it: a simulated node, a
//! simulated cluster and real processes write the same events.
//!
//! **Architecture Invariant:** a checker knows no broker. Whatever it calls broken, a client or an
//! operator could have seen.

pub mod checkers;
mod gone;
mod history;
mod value;
mod verdict;

pub use history::{Cleanup, Event, FinalState, History, Losses, ReplicaBatch, ReplicaRecord};
pub use value::Value;
pub use verdict::{Verdict, judge};
