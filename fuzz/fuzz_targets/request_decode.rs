//! A frame as a client might send it: header, then the body its key and version call for.

#![no_main]

#[macro_use]
#[path = "../../crates/protocol/tests/wire/every_message.rs"]
mod every_message;
// The tests use more of it.
#[allow(dead_code)]
#[path = "../../crates/protocol/tests/wire/exercise.rs"]
mod exercise;

use bytes::Bytes;
use exercise::Exercise;
use libfuzzer_sys::fuzz_target;
use protocol::Reader;
use protocol::header::RequestHeader;

fuzz_target!(|frame: &[u8]| {
    let mut r = Reader::new(Bytes::copy_from_slice(frame));
    let Ok(header) = RequestHeader::read(&mut r) else { return };
    let Some(api) = header.api() else { return };
    let body = Exercise::find(&format!("{api}Request")).expect("every key has a request");
    let _ = body.echo(r.rest(), header.request_api_version);
});
