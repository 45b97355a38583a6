//! The first two bytes choose a message and a version, the rest is its body: what decodes must
//! encode, and survive another round.

#![no_main]

#[macro_use]
#[path = "../../crates/protocol/tests/wire/every_message.rs"]
mod every_message;
#[allow(dead_code)]
#[path = "../../crates/protocol/tests/wire/exercise.rs"]
mod exercise;

use bytes::Bytes;
use exercise::EVERY;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [which, version, body @ ..] = data else { return };
    for exercise in EVERY.iter().skip(usize::from(*which)).step_by(256) {
        let span = exercise.versions().count() as i16;
        let version = exercise.versions().start() + i16::from(*version) % span;
        let _ = exercise.echo(Bytes::copy_from_slice(body), version);
    }
});
