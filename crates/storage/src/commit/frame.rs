//! One commit as it lies in the journal.   docs/formats/commit-journal.md
//!
//! ```text
//! | magic: u32 | crc: u32 | bytes: u32 | entries: u32 | sequence: u64 |   24 bytes
//! entry × entries:
//! | topic id: 16 | segment base: i64 | position: u64 | bytes: u32 | name length: u16 | name | … |
//! ```
//! The CRC-32C covers everything after it, up to `bytes`. A frame begins on a page of its own, so
//! that writing one never touches pages of another.

use std::mem::size_of;

use types::{Offset, Uuid};

use crate::limits::{FILE_NAME_BYTES_MAX, JOURNAL_FRAME_BYTES_MAX};

/// What a frame begins on. Disks write a page whole or, torn, in sectors; never its neighbour.
pub(crate) const PAGE_BYTES: u64 = 4096;
pub(crate) const HEADER_BYTES: usize = 24;
const MAGIC: u32 = 0x4f43_4a31; // "OCJ1"
const CHECKED_FROM: usize = 8;
const ENTRY_FIXED_BYTES: usize = 16 + 8 + 8 + 4 + 2;

/// Bytes of a segment's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) topic_id: Uuid,
    /// The partition's directory, below the log directory.
    pub(crate) dir: &'a str,
    pub(crate) segment_base: Offset,
    pub(crate) position: u64,
    pub(crate) bytes: &'a [u8],
}

/// Room for frames that are put together one behind another, to be written at once. It begins on a
/// page, as each of them does: so it can be written past the page cache.
#[derive(Debug, Default)]
pub(crate) struct FrameWriter {
    /// Only ever grows: what is behind `end` is left from other frames.
    out: Vec<u8>,
    /// Where in `out` a page begins. All other places count from there.
    skipped: usize,
    /// Where the last frame begins.
    begin: usize,
    end: usize,
    entries: u32,
}

impl FrameWriter {
    /// Forgets all frames.
    pub(crate) fn clear(&mut self) {
        self.end = 0;
    }

    /// The next frame, behind those that are finished.
    pub(crate) fn start(&mut self) {
        self.begin = self.end;
        self.take(HEADER_BYTES);
        self.entries = 0;
    }

    /// Whether nothing is in the frame.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Of the frame.
    pub(crate) fn len(&self) -> usize {
        self.end - self.begin
    }

    /// What an entry takes beside its bytes.
    pub(crate) fn overhead(dir_name_bytes: usize) -> usize {
        ENTRY_FIXED_BYTES + dir_name_bytes
    }

    /// Adds an entry and returns the place for its bytes, which `entry` has none of yet.
    pub(crate) fn push(&mut self, entry: Entry<'_>, bytes: usize) -> &mut [u8] {
        assert!(entry.dir.len() <= FILE_NAME_BYTES_MAX, "a directory's name is a file name");
        self.put(&entry.topic_id.0);
        self.put(&entry.segment_base.0.to_be_bytes());
        self.put(&entry.position.to_be_bytes());
        self.put(&(bytes as u32).to_be_bytes());
        self.put(&(entry.dir.len() as u16).to_be_bytes());
        self.put(entry.dir.as_bytes());
        self.entries += 1;
        self.take(bytes)
    }

    fn put(&mut self, bytes: &[u8]) {
        self.take(bytes.len()).copy_from_slice(bytes);
    }

    /// The next `count` bytes, whatever they are.
    fn take(&mut self, count: usize) -> &mut [u8] {
        let from = self.end;
        self.end += count;
        if self.out.len() < self.skipped + self.end {
            self.grow(from);
        }
        &mut self.out[self.skipped + from..self.skipped + self.end]
    }

    #[cold]
    fn grow(&mut self, used: usize) {
        let bytes = self.end.next_power_of_two() + PAGE_BYTES as usize;
        let mut grown = vec![0; bytes];
        let skipped = grown.as_ptr().align_offset(PAGE_BYTES as usize);
        let old = &self.out[self.skipped..];
        grown[skipped..skipped + used].copy_from_slice(&old[..used]);
        (self.out, self.skipped) = (grown, skipped);
    }

    /// Closes the frame: filled up to a page. What is put in next needs a [`start`](Self::start).
    pub(crate) fn finish(&mut self, sequence: u64) {
        let (bytes, entries) = (self.len(), self.entries);
        let frame = &mut self.out[self.skipped + self.begin..self.skipped + self.end];
        frame[..4].copy_from_slice(&MAGIC.to_be_bytes());
        frame[8..12].copy_from_slice(&(bytes as u32).to_be_bytes());
        frame[12..16].copy_from_slice(&entries.to_be_bytes());
        frame[16..24].copy_from_slice(&sequence.to_be_bytes());
        let crc = records::crc32c(&frame[CHECKED_FROM..]);
        frame[4..8].copy_from_slice(&crc.to_be_bytes());
        self.take(bytes.next_multiple_of(PAGE_BYTES as usize) - bytes).fill(0);
    }

    /// All frames that were finished since [`clear`](Self::clear).
    pub(crate) fn frames(&self) -> &[u8] {
        &self.out[self.skipped..self.skipped + self.end]
    }
}

/// What the head of a frame says, unchecked but for its plausibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) bytes: usize,
    pub(crate) entries: u32,
    pub(crate) sequence: u64,
    crc: u32,
}

impl FrameHead {
    /// `None` if no frame begins here.
    pub(crate) fn parse(bytes: &[u8]) -> Option<FrameHead> {
        let mut rest = bytes;
        if take_u32(&mut rest)? != MAGIC {
            return None;
        }
        let crc = take_u32(&mut rest)?;
        let bytes = take_u32(&mut rest)? as usize;
        let entries = take_u32(&mut rest)?;
        let sequence = take_u64(&mut rest)?;
        let is_plausible = (HEADER_BYTES..=JOURNAL_FRAME_BYTES_MAX).contains(&bytes);
        is_plausible.then_some(FrameHead { bytes, entries, sequence, crc })
    }

    /// How far the next frame begins behind this one.
    pub(crate) fn padded_bytes(&self) -> u64 {
        (self.bytes as u64).next_multiple_of(PAGE_BYTES)
    }

    /// The entries of a whole frame; `None` if it is torn.
    pub(crate) fn entries<'a>(&self, frame: &'a [u8]) -> Option<Vec<Entry<'a>>> {
        let frame = frame.get(..self.bytes)?;
        if records::crc32c(&frame[CHECKED_FROM..]) != self.crc {
            return None;
        }
        let mut rest = &frame[HEADER_BYTES..];
        let mut entries = Vec::new();
        for _ in 0..self.entries {
            entries.push(take_entry(&mut rest)?);
        }
        rest.is_empty().then_some(entries)
    }
}

fn take_entry<'a>(rest: &mut &'a [u8]) -> Option<Entry<'a>> {
    let topic_id = Uuid(take(rest, 16)?.try_into().ok()?);
    let segment_base = Offset(take_u64(rest)? as i64);
    let position = take_u64(rest)?;
    let bytes = take_u32(rest)? as usize;
    let name_bytes = u16::from_be_bytes(take(rest, size_of::<u16>())?.try_into().ok()?);
    let dir = std::str::from_utf8(take(rest, usize::from(name_bytes))?).ok()?;
    Some(Entry { topic_id, dir, segment_base, position, bytes: take(rest, bytes)? })
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(take(rest, size_of::<u32>())?.try_into().ok()?))
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(take(rest, size_of::<u64>())?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dir: &str) -> Entry<'_> {
        let topic_id = Uuid([3; 16]);
        Entry { topic_id, dir, segment_base: Offset(40), position: 4096, bytes: &[] }
    }

    fn frame() -> Vec<u8> {
        let mut writer = FrameWriter::default();
        put_together(&mut writer, 77);
        writer.frames().to_vec()
    }

    fn put_together(writer: &mut FrameWriter, sequence: u64) {
        writer.start();
        writer.push(entry("a-0"), 3).copy_from_slice(b"abc");
        writer.push(entry("topic-17"), 5).copy_from_slice(b"defgh");
        writer.finish(sequence);
    }

    #[test]
    fn a_frame_reads_as_it_was_written_and_fills_whole_pages() {
        let frame = frame();
        assert_eq!(frame.len() as u64 % PAGE_BYTES, 0);
        let head = FrameHead::parse(&frame).unwrap();
        assert_eq!((head.sequence, head.padded_bytes()), (77, PAGE_BYTES));
        let entries = head.entries(&frame).unwrap();
        assert_eq!(entries[0], Entry { bytes: b"abc", ..entry("a-0") });
        assert_eq!(entries[1], Entry { bytes: b"defgh", ..entry("topic-17") });
    }

    #[test]
    fn frames_lie_one_behind_another_from_the_beginning_of_a_page() {
        let mut writer = FrameWriter::default();
        for _ in 0..2 {
            writer.clear();
            (77..=200).for_each(|sequence| put_together(&mut writer, sequence));
            let frames = writer.frames();
            assert_eq!(frames.as_ptr() as usize % PAGE_BYTES as usize, 0);
            let pages = frames.chunks_exact(PAGE_BYTES as usize);
            assert_eq!(pages.len(), 124);
            for (page, sequence) in pages.zip(77..) {
                let head = FrameHead::parse(page).unwrap();
                assert_eq!((head.sequence, head.entries(page).unwrap().len()), (sequence, 2));
            }
        }
    }

    #[test]
    fn a_frame_with_any_bit_wrong_is_none() {
        let sound = frame();
        let bytes = FrameHead::parse(&sound).unwrap().bytes;
        for bit in 0..bytes * 8 {
            let mut torn = sound.clone();
            torn[bit / 8] ^= 1 << (bit % 8);
            let entries = FrameHead::parse(&torn).and_then(|head| head.entries(&torn).map(|_| ()));
            assert_eq!(entries, None, "bit {bit}");
        }
        for cut in 0..bytes {
            let head = FrameHead::parse(&sound[..cut]);
            assert_eq!(head.and_then(|head| head.entries(&sound[..cut]).map(|_| ())), None);
        }
    }

    #[test]
    fn fuzz_journal_frames_never_panic() {
        fuzz_rounds::rounds(fuzz_rounds::damaged(vec![frame()]), |mut bytes| {
            // A checksum that fits whatever it covers, so that the entries are reached.
            if bytes.len() > HEADER_BYTES {
                let covered = bytes.len().min(JOURNAL_FRAME_BYTES_MAX) as u32;
                bytes[8..12].copy_from_slice(&covered.to_be_bytes());
                let crc = records::crc32c(&bytes[CHECKED_FROM..]);
                bytes[4..8].copy_from_slice(&crc.to_be_bytes());
            }
            if let Some(head) = FrameHead::parse(&bytes) {
                _ = head.entries(&bytes);
            }
        });
    }
}
