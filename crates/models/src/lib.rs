//! Small worlds, explored completely: every order in which a few records, crashes and messages can
//! happen to the real machines and the real controller.
//!
//! The simulator of `replica-sim` meets what is likely in a thousand hours; a model meets what is
//! possible within its bounds, however unlikely. Each has defects that it must find, or it proves
//! nothing.
//!
//! **Architecture Invariant:** whatever decides is the code of `replication`, `controller`,
//! `storage` and `consensus`. A model is the world around it: messages, disks, crashes.

pub mod gate;
pub mod replicas;
mod report;

pub use report::{Report, explore};
