//! A cleaned segment while it is written.

use super::grouping::Gathered;
use crate::config::LogConfig;
use crate::error::StorageError;
use crate::file_names::FileStage;
use crate::frame::Frame;
use crate::index_rule::IndexRule;
use crate::limits::CLEANED_BUFFER_BYTES;
use crate::log_state::LogState;
use crate::segment::Segment;
use crate::txn_index::AbortedTransaction;
use env::{Disk, DiskFile};
use std::io;
use std::sync::Arc;
use types::Offset;

/// Files that end in `.cleaned`. Whatever happens to them before they are renamed, the log is as
/// it was.
pub(super) struct Output<D: Disk> {
    segment: Segment<D>,
    rule: IndexRule,
    buffer: Vec<u8>,
    /// What of `bytes` is in the file.
    written: u64,
    bytes: u64,
}

impl<D: Disk> Output<D> {
    pub(super) fn begin(
        state: &LogState<D>,
        base: Offset,
        config: &LogConfig,
    ) -> Result<Output<D>, StorageError> {
        let segment = Segment::adopt(&state.dir, base, FileStage::Cleaned);
        // An earlier attempt that was given up may have left its files.
        remove_files(&state.disk, &segment)?;
        let segment = segment.begun()?;
        segment.offset_index.start(config.segment_index_bytes)?;
        segment.time_index.start(config.segment_index_bytes)?;
        Ok(Output {
            segment,
            rule: IndexRule::new(config),
            buffer: Vec::new(),
            written: 0,
            bytes: 0,
        })
    }

    pub(super) fn gathered(&self) -> Gathered {
        let room = self.segment.offset_index.room().min(self.segment.time_index.room());
        Gathered { base: self.segment.base(), bytes: self.bytes, index_room: room }
    }

    pub(super) fn append(&mut self, frame: &Frame, bytes: &[u8]) -> Result<(), StorageError> {
        assert_eq!(frame.bytes, bytes.len() as u64, "a batch is as long as its head says");
        self.rule.note(&self.segment, self.bytes, frame)?;
        self.buffer.extend_from_slice(bytes);
        self.bytes += frame.bytes;
        match self.buffer.len() >= CLEANED_BUFFER_BYTES {
            true => self.write_out(),
            false => Ok(()),
        }
    }

    pub(super) fn note_aborted(&mut self, aborted: AbortedTransaction) -> Result<(), StorageError> {
        self.segment.txn_index.append(aborted)
    }

    fn write_out(&mut self) -> Result<(), StorageError> {
        let (buffer, at) = (&self.buffer, self.written);
        self.segment.write("write cleaned segment", |file| file.write_at(buffer, at))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// All of it is on disk, but for its names.
    pub(super) fn finish(mut self) -> Result<Arc<Segment<D>>, StorageError> {
        self.write_out()?;
        self.segment.publish_bytes(self.bytes);
        self.segment.seal()?;
        self.segment.sync_log()?;
        self.segment.sync_indexes()?;
        self.segment.txn_index.sync()?;
        Ok(Arc::new(self.segment))
    }

    pub(super) fn discard(self, disk: &D) -> Result<(), StorageError> {
        remove_files(disk, &self.segment)
    }
}

pub(super) fn remove_files<D: Disk>(disk: &D, segment: &Segment<D>) -> Result<(), StorageError> {
    for path in segment.paths() {
        match disk.remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StorageError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}
