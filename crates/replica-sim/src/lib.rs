//! The simulator of one partition's replicas: the machines of `replication` on simulated disks and
//! a simulated network, a controller that is right by being simple, clients, and faults, on one
//! seeded queue of events.
//!
//! No bytes, no threads: a simulated hour takes about a second of a processor, so that what happens
//! once in a thousand hours is met.
//!
//! **Architecture Invariant:** the same seed gives the same run. A defect is something the world
//! around the machines does wrong; the machines do not know that they run here.

mod broker;
mod chance;
mod clients;
mod controller;
mod defect;
mod disk;
mod faults;
mod following;
mod leading;
mod message;
mod run;
mod stage;
mod world;

pub use defect::Defect;
pub use faults::Met;
pub use run::{Course, Outcome, run};
