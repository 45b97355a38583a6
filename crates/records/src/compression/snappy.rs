//! snappy in both framings that Kafka's clients use: Java's (xerial) chunks and the bare block.
//!
//!   | magic 82 'SNAPPY' 00 | version i32 | compatible i32 |  and then, repeated,
//!   | length i32 | block |

use std::io::{self, Read};

use snap::raw::{Decoder, Encoder, decompress_len};

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

/// Decodes chunk by chunk; holds one decoded chunk.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    framed: bool,
    chunk: Vec<u8>,
    given: usize,
}

impl<'a> Reader<'a> {
    pub fn new(block: &'a [u8]) -> Reader<'a> {
        let framed = block.starts_with(&MAGIC) && block.len() >= STREAM_HEADER_BYTES;
        let rest = if framed { &block[STREAM_HEADER_BYTES..] } else { block };
        Reader { rest, framed, chunk: Vec::new(), given: 0 }
    }

    /// The next raw block, `None` at the end.
    fn next_block(&mut self) -> io::Result<Option<&'a [u8]>> {
        if !self.framed {
            let block = std::mem::take(&mut self.rest);
            return Ok((!block.is_empty()).then_some(block));
        }
        // Streams put one after another repeat the stream header.
        if self.rest.starts_with(&MAGIC) {
            self.rest = self.rest.get(STREAM_HEADER_BYTES..).ok_or_else(cut_off)?;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (length, rest) = self.rest.split_first_chunk::<LENGTH_BYTES>().ok_or_else(cut_off)?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| cut_off())?;
        let (block, rest) = rest.split_at_checked(length).ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(Some(block))
    }

    fn decode(&mut self, block: &[u8]) -> io::Result<()> {
        let length = decompress_len(block)?;
        if length > block.len().saturating_mul(EXPANSION_MAX) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "impossible block length"));
        }
        self.chunk.resize(length, 0);
        self.given = 0;
        Decoder::new().decompress(block, &mut self.chunk)?;
        Ok(())
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() {
            match self.next_block()? {
                Some(block) => self.decode(block)?,
                None => return Ok(0),
            }
        }
        let piece = &self.chunk[self.given..];
        let count = piece.len().min(out.len());
        out[..count].copy_from_slice(&piece[..count]);
        self.given += count;
        Ok(count)
    }
}

fn cut_off() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
