//! Reads what the clients of real processes wrote down (`docs/formats/soak-history.md`), turns it
//! into the events of `history`, and judges them as every other run is judged.
//!
//! **Architecture Invariant:** what is promised is decided in `history`. Here is only what the
//! lines mean, and whether the run did enough to prove anything.

mod fields;
pub mod limits;
mod node;
mod proof;
mod record;
mod round;
mod timeline;
mod topic;
mod verdict;

pub use round::Round;
pub use verdict::{Verdict, judge};
