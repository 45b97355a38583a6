//! Bytes as a client, a disk or a snapshot might hold them, through every reader of batches.

#![no_main]

#[path = "../../crates/records/tests/hostile_bytes/feed.rs"]
mod feed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| feed::feed(bytes));
