//! The LZ4 frame format, as far as Java's clients read it: one frame of independent blocks, to its
//! end mark. What they cannot read must not enter a log.
//!
//!   | magic u32 | flags | block size | [content size u64] | hash of the descriptor |
//!   | length u32, top bit: stored | block | [hash u32] |  repeated, then length 0 | [hash u32]

use std::io::{self, Write};
use std::ops::RangeInclusive;

use lz4_flex::block::decompress_into;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

use super::chunked::{ChunkReader, Chunks, at_least, invalid, take, take_array};
use super::xxhash::xxhash32;

pub(super) const LEVEL_DEFAULT: i32 = 9;
pub(super) const LEVELS: RangeInclusive<i32> = 1..=17;

const MAGIC: u32 = 0x184d_2204;
const VERSION_BITS: u8 = 0xc0;
const VERSION_1: u8 = 0x40;
const INDEPENDENT_BIT: u8 = 0x20;
const BLOCK_HASH_BIT: u8 = 0x10;
const CONTENT_SIZE_BIT: u8 = 0x08;
const CONTENT_HASH_BIT: u8 = 0x04;
/// One reserved, one for dictionaries, which nobody shares with a broker.
const REFUSED_BITS: u8 = 0x03;
const STORED_BIT: u32 = 0x8000_0000;
/// No sequence adds more than 255 bytes of match to a byte of length.
const EXPANSION_MAX: usize = 255;

/// Blocks of 64 KiB that stand alone, no checksums: the batch's CRC covers all.
pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) {
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    let written = encoder.write_all(input).map_err(Into::into).and_then(|()| encoder.finish());
    assert!(written.is_ok(), "writing to memory does not fail");
}

/// Whether the descriptor's hash counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DescriptorHash {
    Checked,
    /// In format 0 every Java client hashed too much. Source: KIP-57.
    Ignored,
}

pub(super) fn reader(frame: &[u8], hash: DescriptorHash) -> io::Result<ChunkReader<Blocks<'_>>> {
    Blocks::open(frame, hash).map(ChunkReader::new)
}

pub(super) struct Blocks<'a> {
    rest: &'a [u8],
    flags: u8,
    block_bytes_max: usize,
    ended: bool,
}

impl<'a> Blocks<'a> {
    fn open(frame: &'a [u8], hash: DescriptorHash) -> io::Result<Blocks<'a>> {
        let mut rest = frame;
        if u32::from_le_bytes(take_array(&mut rest)?) != MAGIC {
            return Err(invalid("no LZ4 frame"));
        }
        let descriptor = rest;
        let [flags, size] = take_array(&mut rest)?;
        let known = flags & VERSION_BITS == VERSION_1 && flags & REFUSED_BITS == 0;
        if !known || flags & INDEPENDENT_BIT == 0 {
            return Err(invalid("an LZ4 frame of another kind"));
        }
        // 64 KiB, 256 KiB, 1 MiB, 4 MiB; the other bits are reserved.
        let block_bytes_max = match size {
            0x40 | 0x50 | 0x60 | 0x70 => 1 << (8 + 2 * (size >> 4)),
            _ => return Err(invalid("unknown LZ4 block size")),
        };
        if flags & CONTENT_SIZE_BIT != 0 {
            take(&mut rest, 8)?;
        }
        let descriptor = &descriptor[..descriptor.len() - rest.len()];
        let [stored] = take_array(&mut rest)?;
        let computed = (xxhash32(descriptor) >> 8) as u8;
        if hash == DescriptorHash::Checked && stored != computed {
            return Err(invalid("wrong LZ4 descriptor hash"));
        }
        Ok(Blocks { rest, flags, block_bytes_max, ended: false })
    }

    fn end(&mut self) -> io::Result<()> {
        if self.flags & CONTENT_HASH_BIT != 0 {
            // Not compared: the batch's CRC covers all, and Java does not compare it either.
            take(&mut self.rest, 4)?;
        }
        self.ended = true;
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(invalid("bytes after the LZ4 frame")),
        }
    }
}

impl Chunks for Blocks<'_> {
    fn next(&mut self, room: &mut Vec<u8>) -> io::Result<Option<usize>> {
        if self.ended {
            return Ok(None);
        }
        let length = u32::from_le_bytes(take_array(&mut self.rest)?);
        let stored = length & STORED_BIT != 0;
        let length = (length & !STORED_BIT) as usize;
        if length == 0 {
            return self.end().map(|()| None);
        }
        if length > self.block_bytes_max {
            return Err(invalid("LZ4 block too large"));
        }
        let block = take(&mut self.rest, length)?;
        if self.flags & BLOCK_HASH_BIT != 0 {
            let hash = u32::from_le_bytes(take_array(&mut self.rest)?);
            if hash != xxhash32(block) {
                return Err(invalid("wrong LZ4 block hash"));
            }
        }
        if stored {
            at_least(room, length).copy_from_slice(block);
            return Ok(Some(length));
        }
        let most = self.block_bytes_max.min(length.saturating_mul(EXPANSION_MAX));
        let decoded = decompress_into(block, at_least(room, most));
        decoded.map(Some).map_err(|_| invalid("broken LZ4 block"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn read(frame: &[u8], hash: DescriptorHash) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        reader(frame, hash)?.read_to_end(&mut out).map(|_| out)
    }

    #[test]
    fn a_wrong_descriptor_hash_is_ignored_only_where_it_is_custom() {
        let mut frame = Vec::new();
        compress(b"hello hello hello", &mut frame);
        assert_eq!(read(&frame, DescriptorHash::Checked).unwrap(), b"hello hello hello");
        frame[6] ^= 0x5a;
        assert!(read(&frame, DescriptorHash::Checked).is_err());
        assert_eq!(read(&frame, DescriptorHash::Ignored).unwrap(), b"hello hello hello");
    }
}
