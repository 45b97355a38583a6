//! Three whole nodes, told step by step what happens to them.

mod cut_off_leaders;
mod deleting_records;
mod fenced_brokers;
mod idle_followers;
mod kraft_version;
mod lost_leaders;
mod refused_batches;
mod registered_controllers;
mod throttled_moves;
mod woken_controllers;
mod woken_leaders;
