//! Writes that go from memory to the disk without a copy in the page cache (`O_DIRECT`).

use rustix::fs::{Mode, OFlags, open};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// What memory, place and length are whole multiples of: no disk has larger blocks.
const PAGE_BYTES: usize = 4096;

/// More is not sooner on the disk for it.
const BYTES_MAX: usize = 64 << 10;

/// A file once more, for such writes.
#[derive(Debug)]
pub(super) struct PastCache {
    file: File,
    /// With a page more than is written at once, for it need not begin on one.
    staging: Mutex<Box<[u8]>>,
}

impl PastCache {
    /// `None` where the file system has no such writes.
    pub(super) fn of(file: &File) -> Option<PastCache> {
        let itself = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let flags = OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC;
        let file = File::from(open(itself, flags, Mode::empty()).ok()?);
        let staging = Mutex::new(vec![0; BYTES_MAX + PAGE_BYTES].into_boxed_slice());
        Some(PastCache { file, staging })
    }

    pub(super) fn takes(bytes: &[u8], position: u64) -> bool {
        bytes.len() <= BYTES_MAX
            && bytes.len().is_multiple_of(PAGE_BYTES)
            && position.is_multiple_of(PAGE_BYTES as u64)
    }

    pub(super) fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut staging = self.staging.lock().unwrap_or_else(PoisonError::into_inner);
        let from = staging.as_ptr().align_offset(PAGE_BYTES);
        let aligned = &mut staging[from..from + bytes.len()];
        aligned.copy_from_slice(bytes);
        self.file.write_all_at(aligned, position)
    }
}
