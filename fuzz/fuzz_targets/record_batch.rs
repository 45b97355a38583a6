//! Bytes through every reader of record batches.

#![no_main]

#[path = "../../crates/records/tests/hostile_bytes/feed.rs"]
mod feed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| feed::feed(data));
