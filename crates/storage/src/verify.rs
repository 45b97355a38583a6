//! Looks through a log directory, or one partition's, and says what is wrong where. It writes
//! nothing, locks nothing, and trusts nothing.
//!
//! Each kind of file has its own check: `dir` the files at the root, `partition` those beside the
//! segments, `segment` the batches, `indexes` what points into them.

mod dir;
mod finding;
mod indexes;
mod journal;
mod partition;
mod segment;
mod transactions;

use crate::error::StorageError;
use crate::limits::FINDINGS_PER_FILE_MAX;
use env::{Disk, DiskFile, OpenMode};
use std::io;
use std::path::{Path, PathBuf};

pub use finding::{Finding, Severity};

/// What is known of a directory before its files are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifyOptions {
    /// A process writes to it meanwhile: what is in motion, the ends of logs above all, is no
    /// finding.
    pub is_live: bool,
}

/// Who wants to know.
pub trait VerifyObserver {
    fn found(&mut self, finding: Finding);

    /// Of all bytes of batches, so many have been looked at.
    fn progress(&mut self, done: u64, total: u64);
}

/// What was looked at, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyTotals {
    pub partitions: u64,
    pub segments: u64,
    pub batches: u64,
    pub bytes: u64,
    pub damages: u64,
    pub repairs: u64,
    pub notes: u64,
    /// Findings that were counted and not told: one file had too many.
    pub untold: u64,
}

impl VerifyTotals {
    /// Nothing is wrong; there may be notes.
    pub fn is_sound(&self) -> bool {
        self.damages == 0 && self.repairs == 0
    }
}

/// Verifies a log directory, or the directory of one partition.
///
/// # Errors
/// [`StorageError`] – the disk fails, or there is nothing to read at `path`
pub fn verify<D: Disk>(
    disk: &D,
    path: &Path,
    options: VerifyOptions,
    observer: &mut dyn VerifyObserver,
) -> Result<VerifyTotals, StorageError> {
    let mut check = Check::new(disk, options, observer);
    match partition::holds_segments(disk, path)? {
        true => dir::one_partition(&mut check, path)?,
        false => dir::log_dir(&mut check, path)?,
    }
    Ok(check.totals)
}

/// One verification under way.
struct Check<'a, D: Disk> {
    disk: &'a D,
    options: VerifyOptions,
    observer: &'a mut dyn VerifyObserver,
    totals: VerifyTotals,
    bytes_total: u64,
    /// The file that the last finding was about, and how many it had.
    last: (PathBuf, usize),
}

impl<'a, D: Disk> Check<'a, D> {
    fn new(
        disk: &'a D,
        options: VerifyOptions,
        observer: &'a mut dyn VerifyObserver,
    ) -> Check<'a, D> {
        let totals = VerifyTotals::default();
        Check { disk, options, observer, totals, bytes_total: 0, last: (PathBuf::new(), 0) }
    }

    fn found(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Damage => self.totals.damages += 1,
            Severity::Repair => self.totals.repairs += 1,
            Severity::Note => self.totals.notes += 1,
        }
        if self.last.0 != finding.path {
            self.last = (finding.path.clone(), 0);
        }
        self.last.1 += 1;
        match self.last.1 > FINDINGS_PER_FILE_MAX {
            true => self.totals.untold += 1,
            false => self.observer.found(finding),
        }
    }

    fn advance(&mut self, bytes: u64) {
        self.totals.bytes += bytes;
        let total = self.bytes_total.max(self.totals.bytes);
        self.observer.progress(self.totals.bytes, total);
    }

    /// The file's bytes; `None` if it is not there.
    fn read(&self, path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, StorageError> {
        match self.disk.read_file(path, bytes_max) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StorageError::io("read", path)(error)),
        }
    }

    fn open(&self, path: &Path) -> Result<Option<D::File>, StorageError> {
        match self.disk.open(path, OpenMode::Read) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StorageError::io("open", path)(error)),
        }
    }

    fn length(&self, path: &Path) -> Result<u64, StorageError> {
        let Some(file) = self.open(path)? else { return Ok(0) };
        file.len().map_err(StorageError::io("measure", path))
    }
}
