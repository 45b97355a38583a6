//! Three whole nodes, told step by step what happens to them.

mod deleting_records;
mod refused_batches;
mod throttled_moves;
