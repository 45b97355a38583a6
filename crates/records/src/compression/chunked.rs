//! Reading a codec whose blocks decode one by one.

use std::cell::Cell;
use std::io::{self, Read};

use crate::limits::SCRATCH_BYTES_KEPT;

/// Blocks, each of which decodes for itself.
pub(super) trait Chunks {
    /// Decodes the next one to the start of `room`, which grows where needed. The length, or `None`
    /// at the end.
    fn next(&mut self, room: &mut Vec<u8>) -> io::Result<Option<usize>>;
}

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Hands out chunk after chunk; holds one of them.
pub(super) struct ChunkReader<C> {
    chunks: C,
    /// **Invariant:** `given <= decoded && decoded <= room.len()`; what lies between comes next.
    room: Vec<u8>,
    decoded: usize,
    given: usize,
}

impl<C: Chunks> ChunkReader<C> {
    pub fn new(chunks: C) -> ChunkReader<C> {
        ChunkReader { chunks, room: SCRATCH.take(), decoded: 0, given: 0 }
    }
}

impl<C: Chunks> Read for ChunkReader<C> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.decoded {
            (self.given, self.decoded) = (0, 0);
            match self.chunks.next(&mut self.room)? {
                Some(decoded) => self.decoded = decoded,
                None => return Ok(0),
            }
        }
        let piece = &self.room[self.given..self.decoded];
        let count = piece.len().min(out.len());
        out[..count].copy_from_slice(&piece[..count]);
        self.given += count;
        Ok(count)
    }
}

impl<C> Drop for ChunkReader<C> {
    fn drop(&mut self) {
        if self.room.capacity() <= SCRATCH_BYTES_KEPT {
            SCRATCH.set(std::mem::take(&mut self.room));
        }
    }
}

/// The first `count` bytes of `room`, which is made that large.
pub(super) fn at_least(room: &mut Vec<u8>, count: usize) -> &mut [u8] {
    if room.len() < count {
        room.resize(count, 0);
    }
    &mut room[..count]
}

/// The next `count` bytes of `rest`; an error if there are fewer.
pub(super) fn take<'a>(rest: &mut &'a [u8], count: usize) -> io::Result<&'a [u8]> {
    let (piece, after) = rest.split_at_checked(count).ok_or(io::ErrorKind::UnexpectedEof)?;
    *rest = after;
    Ok(piece)
}

/// The next `N` bytes of `rest`.
pub(super) fn take_array<const N: usize>(rest: &mut &[u8]) -> io::Result<[u8; N]> {
    let (piece, after) = rest.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
    *rest = after;
    Ok(*piece)
}

/// The bytes are there, but make no sense.
pub(super) fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
