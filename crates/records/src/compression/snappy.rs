//! snappy in both framings that Kafka's clients use: Java's (xerial) chunks and the bare block.
//!
//!   | magic 82 'SNAPPY' 00 | version i32 | compatible i32 |  and then, repeated,
//!   | length i32 | block |

use std::io;

use snap::raw::{Decoder, Encoder, decompress_len};

use super::chunked::{ChunkReader, Chunks, at_least, invalid, take, take_array};

const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const VERSION: i32 = 1;
const STREAM_HEADER_BYTES: usize = MAGIC.len() + 8;
const LENGTH_BYTES: usize = 4;
/// What Java's writer puts into one chunk.
const CHUNK_BYTES: usize = 32 * 1024;
/// A copy of 64 bytes takes 3: no block expands further, whatever its first varint claims.
const EXPANSION_MAX: usize = 22;

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&VERSION.to_be_bytes());
    let mut encoder = Encoder::new();
    for chunk in input.chunks(CHUNK_BYTES) {
        let block_at = out.len() + LENGTH_BYTES;
        out.resize(block_at + snap::raw::max_compress_len(chunk.len()), 0);
        let written = encoder.compress(chunk, &mut out[block_at..]).unwrap_or(0);
        assert!(written > 0, "the space is as large as snappy asks for");
        out[block_at - LENGTH_BYTES..block_at].copy_from_slice(&(written as u32).to_be_bytes());
        out.truncate(block_at + written);
    }
}

/// A bare block is one chunk; a framed one is told by its magic.
pub(super) fn reader(block: &[u8]) -> ChunkReader<Blocks<'_>> {
    let framed = block.starts_with(&MAGIC) && block.len() >= STREAM_HEADER_BYTES;
    ChunkReader::new(Blocks { rest: block, framed })
}

pub(super) struct Blocks<'a> {
    rest: &'a [u8],
    framed: bool,
}

impl<'a> Blocks<'a> {
    /// The next raw block.
    fn next_block(&mut self) -> io::Result<&'a [u8]> {
        if !self.framed {
            return Ok(std::mem::take(&mut self.rest));
        }
        let length = i32::from_be_bytes(take_array(&mut self.rest)?);
        let length = usize::try_from(length).map_err(|_| invalid("negative chunk length"))?;
        take(&mut self.rest, length)
    }
}

impl Chunks for Blocks<'_> {
    fn next(&mut self, room: &mut Vec<u8>) -> io::Result<Option<usize>> {
        // Streams put one after another repeat the stream header.
        while self.framed && self.rest.starts_with(&MAGIC) {
            take(&mut self.rest, STREAM_HEADER_BYTES)?;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let block = self.next_block()?;
        let length = decompress_len(block)?;
        if length > block.len().saturating_mul(EXPANSION_MAX) {
            return Err(invalid("impossible block length"));
        }
        Ok(Some(Decoder::new().decompress(block, at_least(room, length))?))
    }
}
