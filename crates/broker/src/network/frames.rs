//! Bytes from a socket, cut into requests.

use bytes::{Bytes, BytesMut};
use protocol::frame::{self, FrameTooLong, PREFIX_BYTES};

use crate::limits::{FRAME_RESERVE_BYTES_MAX, READ_BYTES_MIN};

/// Collects what a socket delivers and yields whole requests.
///
/// **Invariant:** memory follows the bytes that have arrived, never the length that was claimed.
#[derive(Debug)]
pub struct FrameReader {
    buffer: BytesMut,
    frame_bytes_max: usize,
}

impl FrameReader {
    pub fn new(frame_bytes_max: usize) -> FrameReader {
        FrameReader { buffer: BytesMut::new(), frame_bytes_max }
    }

    /// Where the next read goes. There is room for at least [`READ_BYTES_MIN`].
    pub fn buffer(&mut self) -> &mut BytesMut {
        let claimed = self.buffer.first_chunk().map(|p| frame::length(*p, self.frame_bytes_max));
        let missing = match claimed {
            Some(Ok(length)) => (PREFIX_BYTES + length).saturating_sub(self.buffer.len()),
            _ => 0,
        };
        // Trust grows with what has come: at most double the bytes already here.
        let trusted = self.buffer.len().clamp(READ_BYTES_MIN, FRAME_RESERVE_BYTES_MAX);
        self.buffer.reserve(missing.min(trusted).max(READ_BYTES_MIN));
        &mut self.buffer
    }

    /// Drops the buffer if it is empty: an idle connection keeps none.
    pub fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// True if [`next_frame`](Self::next_frame) has something to say.
    pub fn has_frame(&self) -> bool {
        let Some(prefix) = self.buffer.first_chunk() else { return false };
        let length = frame::length(*prefix, self.frame_bytes_max);
        length.map_or(true, |length| self.buffer.len() >= PREFIX_BYTES + length)
    }

    /// The next whole request, without its length.
    ///
    /// # Errors
    /// A length no request can have; the connection is cut (Kafka `InvalidReceiveException`).
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameTooLong> {
        let Some(prefix) = self.buffer.first_chunk() else { return Ok(None) };
        let bytes = frame::length(*prefix, self.frame_bytes_max)?;
        if self.buffer.len() < PREFIX_BYTES + bytes {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(PREFIX_BYTES + bytes);
        let _ = frame.split_to(PREFIX_BYTES);
        Ok(Some(frame.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader_with(bytes: &[u8]) -> FrameReader {
        let mut reader = FrameReader::new(1000);
        reader.buffer().extend_from_slice(bytes);
        reader
    }

    #[test]
    fn frames_are_cut_wherever_the_socket_cuts_them() {
        let mut reader = reader_with(&[0, 0]);
        assert_eq!(reader.next_frame(), Ok(None));
        reader.buffer().extend_from_slice(&[0, 2, 7]);
        assert_eq!(reader.next_frame(), Ok(None));
        reader.buffer().extend_from_slice(&[8, 0, 0, 0, 0]);
        assert_eq!(reader.next_frame(), Ok(Some(Bytes::from_static(&[7, 8]))));
        assert_eq!(reader.next_frame(), Ok(Some(Bytes::new())));
        assert_eq!(reader.next_frame(), Ok(None));
    }

    #[test]
    fn negative_and_oversized_lengths_are_refused_before_their_bytes_arrive() {
        assert_eq!(reader_with(&[0xff; 4]).next_frame(), Err(FrameTooLong { claimed: -1 }));
        assert_eq!(reader_with(&[0, 0, 4, 0]).next_frame(), Err(FrameTooLong { claimed: 1024 }));
    }

    #[test]
    fn a_claimed_length_alone_reserves_next_to_nothing() {
        let mut reader = FrameReader::new(i32::MAX as usize);
        reader.buffer().extend_from_slice(&i32::MAX.to_be_bytes());
        assert!(reader.buffer().capacity() <= 4 * READ_BYTES_MIN);
    }
}
