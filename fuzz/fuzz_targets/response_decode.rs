//! Key and version as a client remembers them, then a frame as a broker might send it.

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
use protocol::header::ResponseHeader;
use protocol::{ApiKey, Message, Reader};

fuzz_target!(|bytes: &[u8]| {
    let mut r = Reader::new(Bytes::copy_from_slice(bytes));
    let (Ok(key), Ok(version)) = (r.i16(), r.i16()) else { return };
    let Some(api) = ApiKey::from_i16(key) else { return };
    let header_version = api.response_header_version(version);
    if ResponseHeader::decode(&mut r, header_version).is_err() {
        return;
    }
    let body = Exercise::find(&format!("{api}Response")).expect("every key has a response");
    let _ = body.echo(r.rest(), version);
});
