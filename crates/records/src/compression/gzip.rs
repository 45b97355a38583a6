//! gzip over zlib-rs. Several members in a row are read as one, as Java does.

use std::io::Read;
use std::io::Write;
use std::ops::RangeInclusive;

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

/// zlib's own choice, 6.
pub(super) const LEVEL_DEFAULT: i32 = -1;
pub(super) const LEVELS: RangeInclusive<i32> = 1..=9;

pub(super) fn compress(level: i32, input: &[u8], out: &mut Vec<u8>) {
    let level = match u32::try_from(level) {
        Ok(level) => flate2::Compression::new(level),
        Err(_) => flate2::Compression::default(),
    };
    let mut encoder = GzEncoder::new(out, level);
    let written = encoder.write_all(input).and_then(|()| encoder.finish().map(drop));
    assert!(written.is_ok(), "writing to memory does not fail");
}

pub(super) fn reader(block: &[u8]) -> impl Read + '_ {
    MultiGzDecoder::new(block)
}
