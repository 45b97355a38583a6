use super::PartitionLog;
use super::append::{AppendContext, Appended};
use crate::error::{AppendError, StorageError};
use crate::frame::Frame;
use bytes::Bytes;
use env::Disk;
use records::BatchHeader;
use records::validate::ValidatedBatch;
use std::io::IoSlice;

/// A batch that has its offsets and awaits the write.
pub(crate) struct Staged {
    pub(crate) frame: Frame,
    /// As settled here; `None` where a leader has settled it and `rest` is all of the batch.
    head: Option<[u8; BatchHeader::BYTES]>,
    rest: Bytes,
}

impl Staged {
    /// A batch that was given its place here: only its head was written anew.
    pub(crate) fn settled(frame: Frame, batch: &ValidatedBatch) -> Staged {
        Staged { frame, head: Some(batch.head()), rest: batch.records().clone() }
    }

    pub(crate) fn as_it_is(frame: Frame, bytes: Bytes) -> Staged {
        Staged { frame, head: None, rest: bytes }
    }

    /// What is written, piece by piece; the first may be empty.
    pub(crate) fn slices(&self) -> [IoSlice<'_>; 2] {
        let head = self.head.as_ref().map_or(&[][..], |head| head);
        [IoSlice::new(head), IoSlice::new(&self.rest)]
    }
}

impl<D: Disk> PartitionLog<D> {
    /// Appends several batches with one write, each for itself accepted or refused.
    ///
    /// A disk error refuses all that it leaves unwritten: what there is of them is unknown, or, if
    /// the disk is full, nothing.
    pub fn append_all(
        &mut self,
        batches: impl IntoIterator<Item = ValidatedBatch>,
        context: AppendContext,
    ) -> Vec<Result<Appended, AppendError>> {
        let batches = batches.into_iter();
        let mut results = Vec::with_capacity(batches.size_hint().0);
        for batch in batches {
            let alive = self.state.check_alive().map_err(AppendError::from);
            let result = alive.and_then(|()| self.stage(batch, context));
            if let Err(AppendError::Storage(error)) = &result
                && self.staged.is_empty()
            {
                // What came before was to be written for a roll. The next batch may find room for
                // itself, at an offset that one of them was given.
                self.refuse_unwritten(&mut results, error);
            }
            results.push(result);
        }
        let written = self.state.check_alive().and_then(|()| self.write_staged(context.now));
        if let Err(error) = written {
            self.staged.clear();
            self.staged_bytes = 0;
            self.refuse_unwritten(&mut results, &error);
        }
        results
    }

    /// With `error`, whatever nobody can read: a roll on the way has written what was before it.
    fn refuse_unwritten(
        &self,
        results: &mut [Result<Appended, AppendError>],
        error: &StorageError,
    ) {
        let log_end = self.log_end();
        let is_lost = |result: &Result<Appended, AppendError>| {
            result.as_ref().is_ok_and(|appended| appended.last_offset >= log_end)
        };
        for result in results.iter_mut().filter(|result| is_lost(result)) {
            *result = Err(AppendError::Storage(error.clone()));
        }
    }
}
