//! How a `fuzz_…` test gets its chance: from the seed of the round, and from nothing else.
//!
//! For tests only. `cargo xtask fuzz` runs such tests again and again, each time with another seed.

mod damage;
mod rounds;

pub use damage::{damaged, noise};
pub use rounds::rounds;
