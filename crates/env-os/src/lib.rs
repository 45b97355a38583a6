//! The ports of `env` over the operating system. Small and boring on purpose: a mapping, no policy.
//!
//! **Architecture Invariant:** nothing here retries, caches or decides.

mod background;
mod clock;
mod disk;
mod os_env;
mod rng;

pub use background::{OsBackground, OsLane};
pub use clock::OsClock;
pub use disk::{OsDisk, OsFile, OsLock};
pub use os_env::OsEnv;
pub use rng::OsRng;
