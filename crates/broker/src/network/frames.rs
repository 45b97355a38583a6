//! Bytes from a socket, cut into requests.

use bytes::{Bytes, BytesMut};
use protocol::frame::{self, FrameTooLong, PREFIX_BYTES};

use crate::limits::{
    FRAME_RESERVE_BYTES_MAX, READ_BYTES_MAX, READ_BYTES_MIN, SPARE_BUFFER_BYTES_MAX,
};

/// Collects what a socket delivers and yields whole requests.
///
/// **Invariant:** memory follows the bytes that have arrived, for this request or the one before,
/// never the length that was claimed.
#[derive(Debug)]
pub struct FrameReader {
    buffer: BytesMut,
    frame_bytes_max: usize,
    /// The room for the next read: doubled when one was filled, halved when one was nearly empty.
    room: usize,
    /// The size of the last whole frame: what this client may well send again.
    last_frame_bytes: usize,
    /// The most room there was in the buffer since it was lent.
    most_room: usize,
}

impl FrameReader {
    pub fn new(frame_bytes_max: usize) -> FrameReader {
        FrameReader {
            buffer: BytesMut::new(),
            frame_bytes_max,
            room: READ_BYTES_MIN,
            last_frame_bytes: 0,
            most_room: 0,
        }
    }

    /// Where the next read goes. There is room for at least [`READ_BYTES_MIN`].
    pub fn buffer(&mut self) -> &mut BytesMut {
        let claimed = self.buffer.first_chunk().map(|p| frame::length(*p, self.frame_bytes_max));
        let missing = match claimed {
            Some(Ok(length)) => (PREFIX_BYTES + length).saturating_sub(self.buffer.len()),
            _ => 0,
        };
        // Trust grows with what has come: as much again as is here, or as came the last time.
        let earned = self.buffer.len().max(self.last_frame_bytes);
        let trusted = earned.clamp(READ_BYTES_MIN, FRAME_RESERVE_BYTES_MAX);
        self.buffer.reserve(missing.min(trusted).max(self.room));
        self.most_room = self.most_room.max(self.buffer.capacity());
        &mut self.buffer
    }

    /// Says that a read had room for `room` bytes and brought `read`.
    pub fn note_read(&mut self, read: usize, room: usize) {
        if read >= room {
            self.room = (2 * self.room).min(READ_BYTES_MAX);
        } else if read < self.room / 4 {
            self.room = (self.room / 2).max(READ_BYTES_MIN);
        }
    }

    /// Reads go to `spare`, unless a part of a request is here already.
    pub fn lend(&mut self, spare: &mut BytesMut) {
        if self.buffer.is_empty() {
            std::mem::swap(&mut self.buffer, spare);
            self.most_room = 0;
        }
    }

    /// Gives the buffer away if it is empty: an idle connection keeps none. One that was large is
    /// dropped, so that it is not kept for small requests.
    pub fn give_back(&mut self, spare: &mut BytesMut) {
        if self.buffer.is_empty() {
            let buffer = std::mem::take(&mut self.buffer);
            if self.most_room <= SPARE_BUFFER_BYTES_MAX {
                *spare = buffer;
            }
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
        self.last_frame_bytes = bytes;
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
    #[test]
    fn a_busy_connection_is_read_in_larger_pieces_and_a_quiet_one_in_small_ones_again() {
        let mut reader = FrameReader::new(1000);
        for _ in 0..10 {
            let room = reader.buffer().capacity();
            reader.note_read(room, room);
        }
        let most = reader.buffer().capacity();
        assert!((READ_BYTES_MAX..2 * READ_BYTES_MAX).contains(&most), "{most}");
        for _ in 0..10 {
            reader.note_read(100, most);
        }
        reader.give_back(&mut BytesMut::new());
        assert!(reader.buffer().capacity() < 2 * READ_BYTES_MIN);
    }

    #[test]
    fn connections_take_turns_with_a_buffer_unless_part_of_a_request_is_in_it() {
        let mut spare = BytesMut::new();
        let (mut first, mut second) = (FrameReader::new(1000), FrameReader::new(1000));
        for reader in [&mut first, &mut second] {
            reader.lend(&mut spare);
            reader.buffer().extend_from_slice(&[0, 0, 0, 1, 7]);
            assert_eq!(reader.next_frame(), Ok(Some(Bytes::from_static(&[7]))));
            reader.give_back(&mut spare);
        }
        let kept = spare.as_ptr();
        first.lend(&mut spare);
        first.buffer().extend_from_slice(&[0, 0, 0, 1]);
        first.give_back(&mut spare);
        assert_eq!(spare.capacity(), 0, "half a request is in it");
        second.lend(&mut spare);
        second.buffer().extend_from_slice(&[0, 0, 0, 1, 8]);
        assert_eq!(second.next_frame(), Ok(Some(Bytes::from_static(&[8]))));
        second.give_back(&mut spare);
        assert_ne!(spare.as_ptr(), kept);
        first.lend(&mut spare);
        first.buffer().extend_from_slice(&[9]);
        assert_eq!(first.next_frame(), Ok(Some(Bytes::from_static(&[9]))));
    }

    #[test]
    fn a_buffer_that_a_large_request_was_in_is_not_kept() {
        let mut reader = FrameReader::new(1 << 20);
        let mut spare = BytesMut::new();
        reader.lend(&mut spare);
        for _ in 0..2 {
            reader.buffer().extend_from_slice(&1_000_000_u32.to_be_bytes());
            while !reader.has_frame() {
                reader.buffer().extend_from_slice(&[7; READ_BYTES_MIN]);
            }
            assert!(reader.next_frame().unwrap().is_some());
            reader.buffer.clear();
        }
        reader.give_back(&mut spare);
        assert_eq!(spare.capacity(), 0);
    }

    #[test]
    fn a_client_that_sent_a_large_request_gets_room_for_another_at_once() {
        let mut reader = FrameReader::new(1 << 20);
        let request = [&100_000_u32.to_be_bytes()[..], &[7; 100_000]].concat();
        for _ in 0..2 {
            reader.buffer().extend_from_slice(&request);
            assert!(reader.next_frame().unwrap().is_some());
        }
        reader.buffer().extend_from_slice(&request[..4]);
        assert!(reader.buffer().capacity() >= request.len());
    }
}
