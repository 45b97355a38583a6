//! What is counted: counters, gauges and histograms as plain handles, and the text that shows them.
//!
//! A room declares what it counts with [`group!`], keeps the struct that comes of it, and adds to
//! its fields. Whoever shows the numbers asks the struct for its [`Family`] rows: names, help and
//! values come from the one declaration.
//!
//! **Architecture Invariant:** counting is one atomic add. No lookup of a name or a label stands in
//! the way of a request; labels belong to the struct, not to the count.

mod exposition;
mod group;
mod histogram;
mod value;

pub use exposition::{Exposition, Samples};
pub use group::{Family, Group, Kind, Metric};
pub use histogram::{Buckets, Histogram, SECONDS, SIZES};
pub use value::{Counter, Gauge, Seconds};
