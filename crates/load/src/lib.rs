//! The referee: load for any Kafka-compatible broker, and what it cost.
//!
//! A case (`cases`) has fixed parameters. Its requests are built before the clock runs and sent by
//! one thread over sockets that do not block (`traffic`). With a fixed rate every request has a
//! time at which it is meant to be sent, and its latency counts from there: a broker that stalls is
//! charged for all that it made wait, not only for the one request that it was busy with.
//! Source: "coordinated omission", as wrk2 and HdrHistogram use the word.
//!
//! Several brokers take turns (`contest`), so that the machine's moods hit all alike; `results` has
//! medians and ratios pair by pair, `page` draws them.

pub mod answers;
mod batches;
mod cases;
mod contest;
pub mod event_loop;
mod evict;
mod figures;
pub mod frames;
mod limits;
mod link;
mod machine;
mod outcome;
mod page;
mod process;
mod results;
mod round;
mod target;
mod text;
mod traffic;
pub mod walk;

pub use client::ClientError;

pub use cases::{CASES, Case, Codec, Durability, Pace, Readers, case_named};
pub use contest::{Contest, Observer, Stage};
pub use evict::evict_open;
pub use figures::{Better, Figure, Unit};
pub use machine::{Machine, raise_file_limit};
pub use page::html;
pub use process::{Usage, usage};
pub use results::{CaseResult, Curve, Results};
pub use target::Target;
pub use text::{markdown, text};
