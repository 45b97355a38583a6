//! What a controller does with many brokers, many partitions and bad luck: in numbers, where a
//! story would be too long.

mod elections;
mod features;
mod harness;
mod producer_ids;
mod sessions;
mod transactions;
