//! The LZ4 frame format.

use std::io::{Read, Write};
use std::ops::RangeInclusive;

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

pub(super) const LEVEL_DEFAULT: i32 = 9;
pub(super) const LEVELS: RangeInclusive<i32> = 1..=17;

/// Blocks of 64 KiB that stand alone, no checksums: Java reads no linked blocks, and the batch's
/// CRC covers all.
pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) {
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder.write_all(input).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail");
}

pub(super) fn reader(block: &[u8]) -> impl Read + '_ {
    FrameDecoder::new(block)
}
