//! The indexes of a segment, held against its batches as they go by.

use super::finding::{Severity, todo};
use super::segment::Place;
use super::{Check, Finding};
use crate::error::StorageError;
use crate::file_names::FileKind;
use crate::frame::Frame;
use crate::index_file::IndexEntry;
use crate::limits::INDEX_BYTES_MAX;
use crate::offset_index::OffsetEntry;
use crate::time_index::TimeEntry;
use crate::txn_index::AbortedTransaction;
use env::Disk;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use types::{Offset, ProducerId, WallTime};

/// The entries of one index that no batch has answered for yet.
struct Pending<E> {
    path: PathBuf,
    entries: Vec<E>,
    next: usize,
}

impl<E: IndexEntry> Pending<E> {
    /// Entries grow; after the last one there may be padding, as an active index has.
    fn read<D: Disk>(
        check: &mut Check<'_, D>,
        place: &Place<'_>,
        kind: FileKind,
        is_empty: bool,
    ) -> Result<Pending<E>, StorageError> {
        let path = place.path(kind);
        let mut pending = Pending { path, entries: Vec::new(), next: 0 };
        let Some(bytes) = check.read(&pending.path, INDEX_BYTES_MAX)? else {
            // One without batches has nothing to index, and gets its indexes with the first.
            if !check.options.is_live && !is_empty {
                let (code, what) = ("INDEX_MISSING", "it is missing");
                let path = &pending.path;
                check.found(Finding::new(Severity::Repair, code, path, what, todo::START));
            }
            return Ok(pending);
        };
        let (severity, todo) = place.derived();
        let told = |what: String, at: usize| {
            Finding::new(severity, "INDEX_DAMAGED", &place.path(kind), what, todo).at(at as u64)
        };
        for (number, raw) in bytes.chunks(E::BYTES).enumerate() {
            let at = number * E::BYTES;
            if raw.len() < E::BYTES {
                check.found(told(format!("{} bytes at its end are no entry", raw.len()), at));
                break;
            }
            let entry = E::decode(raw);
            let grows = pending.entries.last().is_none_or(|last| last.key() < entry.key());
            let is_zero = raw.iter().all(|byte| *byte == 0);
            if (is_zero || !grows) && bytes[at..].iter().all(|byte| *byte == 0) {
                break;
            }
            if !grows {
                check.found(told("its entries do not grow".to_owned(), at));
                break;
            }
            pending.entries.push(entry);
        }
        Ok(pending)
    }

    fn peek(&self) -> Option<E> {
        self.entries.get(self.next).copied()
    }

    fn take(&mut self) {
        self.next += 1;
    }

    fn found<D: Disk>(&self, check: &mut Check<'_, D>, place: &Place<'_>, what: String) {
        let (severity, todo) = place.derived();
        let finding = Finding::new(severity, "INDEX_LEADS_ASTRAY", &self.path, what, todo);
        check.found(finding.at((self.next * E::BYTES) as u64));
    }
}

pub(super) struct OffsetEntries(Pending<OffsetEntry>);

impl OffsetEntries {
    pub(super) fn read<D: Disk>(
        check: &mut Check<'_, D>,
        place: &Place<'_>,
        is_empty: bool,
    ) -> Result<OffsetEntries, StorageError> {
        Pending::read(check, place, FileKind::OffsetIndex, is_empty).map(OffsetEntries)
    }

    /// An entry is right if it points to where a batch begins, and what it stands for is not
    /// before. Kafka's offset is the batch's last one, or that of the last batch written with it.
    pub(super) fn batch<D: Disk>(
        &mut self,
        check: &mut Check<'_, D>,
        place: &Place<'_>,
        position: u64,
        frame: &Frame,
        end_before: Offset,
    ) {
        while let Some(entry) = self.0.peek() {
            let offset = place.base.plus(i64::from(entry.relative_offset));
            let points_to = u64::from(entry.position);
            if points_to > position {
                return;
            }
            if points_to < position {
                let what = format!("offset {offset} points into a batch, at {points_to}");
                self.0.found(check, place, what);
            } else if offset < frame.base_offset || offset < end_before {
                let first = frame.base_offset;
                let what = format!("offset {offset} points to the batch of {first}, at {position}");
                self.0.found(check, place, what);
            }
            self.0.take();
        }
    }

    pub(super) fn finish<D: Disk>(&mut self, check: &mut Check<'_, D>, place: &Place<'_>) {
        if let Some(entry) = self.0.peek() {
            let what = format!("it points to {}, where no batch begins", entry.position);
            self.0.found(check, place, what);
        }
    }
}

pub(super) struct TimeEntries {
    pending: Pending<TimeEntry>,
    /// Of the batches so far.
    latest: WallTime,
}

impl TimeEntries {
    pub(super) fn read<D: Disk>(
        check: &mut Check<'_, D>,
        place: &Place<'_>,
        is_empty: bool,
    ) -> Result<TimeEntries, StorageError> {
        let pending = Pending::read(check, place, FileKind::TimeIndex, is_empty)?;
        Ok(TimeEntries { pending, latest: WallTime::NONE })
    }

    /// An entry is right if its batch has that timestamp and none before it has a later one.
    pub(super) fn batch<D: Disk>(
        &mut self,
        check: &mut Check<'_, D>,
        place: &Place<'_>,
        frame: &Frame,
    ) {
        while let Some(entry) = self.pending.peek() {
            let offset = place.base.plus(i64::from(entry.relative_offset));
            if offset > frame.last_offset {
                break;
            }
            let time = entry.timestamp.0;
            // The head of an entry of the old formats does not show all timestamps within.
            let is_wrong = frame.header.is_some() && frame.max_timestamp != entry.timestamp;
            if offset < frame.base_offset {
                let what = format!("time {time} points to offset {offset}, which no batch has");
                self.pending.found(check, place, what);
            } else if is_wrong {
                let is = frame.max_timestamp.0;
                let what = format!("time {time} points to offset {offset}, whose batch has {is}");
                self.pending.found(check, place, what);
            } else if self.latest > entry.timestamp {
                let later = self.latest.0;
                let what = format!("time {time} points to offset {offset}, after one of {later}");
                self.pending.found(check, place, what);
            }
            self.pending.take();
        }
        self.latest = self.latest.max(frame.max_timestamp);
    }

    pub(super) fn finish<D: Disk>(&mut self, check: &mut Check<'_, D>, place: &Place<'_>) {
        if let Some(entry) = self.pending.peek() {
            let offset = place.base.plus(i64::from(entry.relative_offset));
            let what = format!("it points to offset {offset}, which no batch has");
            self.pending.found(check, place, what);
        }
    }
}

/// The aborted transactions of a segment, by the offset of their marker.
pub(super) struct AbortedIndex {
    path: PathBuf,
    entries: BTreeMap<Offset, AbortedTransaction>,
}

impl AbortedIndex {
    pub(super) fn read<D: Disk>(
        check: &mut Check<'_, D>,
        place: &Place<'_>,
    ) -> Result<AbortedIndex, StorageError> {
        let path = place.path(FileKind::TxnIndex);
        let mut index = AbortedIndex { path, entries: BTreeMap::new() };
        let Some(bytes) = check.read(&index.path, INDEX_BYTES_MAX)? else { return Ok(index) };
        let mut last = Offset::NONE;
        for (number, raw) in bytes.chunks(AbortedTransaction::BYTES).enumerate() {
            let entry = AbortedTransaction::decode(raw).filter(|entry| entry.last_offset > last);
            let Some(entry) = entry else {
                let at = (number * AbortedTransaction::BYTES) as u64;
                let what = "what follows is no entry".to_owned();
                let finding = found(&index.path, place, "TXN_INDEX_DAMAGED", what);
                check.found(finding.at(at));
                break;
            };
            last = entry.last_offset;
            index.entries.insert(entry.last_offset, entry);
        }
        Ok(index)
    }

    /// An abort of a transaction whose records began at `first`, if they were seen.
    pub(super) fn marker<D: Disk>(
        &mut self,
        check: &mut Check<'_, D>,
        place: &Place<'_>,
        producer: ProducerId,
        first: Option<Offset>,
        at: Offset,
    ) {
        let what = match (self.entries.remove(&at), first) {
            (None, Some(_)) => {
                format!("the transaction of producer {producer} that {at} aborts is not in it")
            }
            (Some(entry), _) if entry.producer_id != producer => {
                format!("{at} aborts one of producer {producer}, not of {}", entry.producer_id)
            }
            (Some(entry), Some(first)) if entry.first_offset > first => {
                format!("what {at} aborts begins at {first}, not at {}", entry.first_offset)
            }
            _ => return,
        };
        if !(check.options.is_live && place.next_base.is_none()) {
            check.found(found(&self.path, place, "TXN_INDEX_DIFFERS", what).offset(at));
        }
    }

    pub(super) fn finish<D: Disk>(&mut self, check: &mut Check<'_, D>, place: &Place<'_>) {
        for at in std::mem::take(&mut self.entries).into_keys() {
            let what = format!("no transaction is aborted at offset {at}");
            check.found(found(&self.path, place, "TXN_INDEX_DIFFERS", what).offset(at));
        }
    }
}

fn found(path: &Path, place: &Place<'_>, code: &'static str, what: String) -> Finding {
    let (severity, todo) = match place.is_scanned {
        true => (Severity::Repair, todo::START),
        false => (Severity::Damage, todo::TXN_INDEX),
    };
    Finding::new(severity, code, path, what, todo)
}
