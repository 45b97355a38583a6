//! Writes that go from memory to the disk without a copy in the page cache (`O_DIRECT`).

use rustix::fs::{Mode, OFlags, open};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// What memory, place and length are whole multiples of: no disk has larger blocks.
const PAGE_BYTES: usize = 4096;

/// A file once more, for such writes.
#[derive(Debug)]
pub(super) struct PastCache(File);

impl PastCache {
    /// `None` where the file system has no such writes.
    pub(super) fn of(file: &File) -> Option<PastCache> {
        let itself = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let flags = OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC;
        Some(PastCache(File::from(open(itself, flags, Mode::empty()).ok()?)))
    }

    pub(super) fn takes(bytes: &[u8], position: u64) -> bool {
        bytes.as_ptr().addr().is_multiple_of(PAGE_BYTES)
            && bytes.len().is_multiple_of(PAGE_BYTES)
            && position.is_multiple_of(PAGE_BYTES as u64)
    }

    pub(super) fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, position)
    }
}
