//! The LZ4 frame format.

use std::io::{Read, Write};
use std::ops::RangeInclusive;

use bytes::Bytes;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

pub(super) const LEVEL_DEFAULT: i32 = 9;
pub(super) const LEVELS: RangeInclusive<i32> = 1..=17;

/// Blocks of 64 KiB that stand alone, no checksums: Java reads no linked blocks, and the batch's
/// CRC covers all.
pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) {
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    let written = encoder.write_all(input).map_err(Into::into).and_then(|()| encoder.finish());
    assert!(written.is_ok(), "writing to memory does not fail");
}

pub(super) fn reader(block: &[u8]) -> impl Read + '_ {
    FrameDecoder::new(block)
}

const DESCRIPTOR_AT: usize = 4;
const CONTENT_SIZE_BIT: u8 = 0x08;
const DICTIONARY_BIT: u8 = 0x01;

/// The frame with the descriptor's hash as it should be; unchanged if there is no whole descriptor.
pub(super) fn with_right_descriptor(frame: &Bytes) -> Bytes {
    let Some(flags) = frame.get(DESCRIPTOR_AT) else {
        return frame.clone();
    };
    let content_size = if flags & CONTENT_SIZE_BIT != 0 { 8 } else { 0 };
    let dictionary = if flags & DICTIONARY_BIT != 0 { 4 } else { 0 };
    let hash_at = DESCRIPTOR_AT + 2 + content_size + dictionary;
    if frame.len() <= hash_at {
        return frame.clone();
    }
    let mut frame = frame.to_vec();
    frame[hash_at] = (xxhash32_short(&frame[DESCRIPTOR_AT..hash_at]) >> 8) as u8;
    Bytes::from(frame)
}

/// XXH32 with seed 0 of fewer than 16 bytes, as the LZ4 frame format prescribes for its descriptor.
fn xxhash32_short(bytes: &[u8]) -> u32 {
    const PRIMES: [u32; 5] = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1];
    debug_assert!(bytes.len() < 16);
    let mut hash = PRIMES[4].wrapping_add(bytes.len() as u32);
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        hash = hash.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(PRIMES[2]));
        hash = hash.rotate_left(17).wrapping_mul(PRIMES[3]);
    }
    for byte in rest {
        hash = hash.wrapping_add(u32::from(*byte).wrapping_mul(PRIMES[4]));
        hash = hash.rotate_left(11).wrapping_mul(PRIMES[0]);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(PRIMES[1]);
    hash = (hash ^ (hash >> 13)).wrapping_mul(PRIMES[2]);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_with_a_wrong_descriptor_hash_is_read_once_it_is_righted() {
        let mut frame = Vec::new();
        compress(b"hello hello hello", &mut frame);
        let sound = Bytes::from(frame.clone());
        assert_eq!(with_right_descriptor(&sound), sound, "our hash is lz4's");
        frame[6] ^= 0x5a;
        let mut out = Vec::new();
        assert!(reader(&frame).read_to_end(&mut out).is_err());
        reader(&with_right_descriptor(&Bytes::from(frame))).read_to_end(&mut out).unwrap();
        assert_eq!(out, b"hello hello hello");
    }
}
