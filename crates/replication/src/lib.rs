//! What one partition knows about who holds its records, as pure values.
//!
//! **Architecture Invariant:** it does not know what a file, a socket or a clock is, and it never
//! returns `Result`: every input is legal, some are ignored.
//!
//! On a single node the in-sync set is the leader alone, so the high watermark follows what is
//! durable here; ISR changes, followers and truncation join here with replication.

mod ack_gate;
mod ack_waiters;
mod high_watermark;

pub use ack_gate::{AckGate, Durability, GateRules};
pub use ack_waiters::AckWaiters;
pub use high_watermark::HighWatermark;
