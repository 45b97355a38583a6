//! The black shell around the broker: sockets, threads, timers, signals and the log on stdout.
//!
//! **Architecture Invariant:** nothing is decided here. Bytes go to `broker::Connection`, time to
//! `broker::Timers`; a simulator that drives those two needs nothing of this crate.

mod connection;
mod connection_limits;
mod http;
pub mod limits;
mod listener;
pub mod logging;
mod peer_links;
mod run;
mod signals;
mod sockets;
mod timer_task;
mod workers;

pub use run::{ServeOptions, StartError, run};
