//! Producer state: a snapshot, and what the batches after it say.

use crate::error::StorageError;
use crate::file_names::{FileKind, OffsetFile};
use crate::frame::ScanError;
use crate::log::PartitionLog;
use crate::log::append::{marker_of, note_producer};
use crate::log::cut::snapshots;
use crate::log_state::{LogState, floor_segment};
use crate::producer_snapshot;
use crate::producer_state::ProducerStates;
use crate::segment::Segment;
use env::Disk;
use types::{Offset, WallTime};

/// Makes producer state from the newest sound snapshot and the batches after it.
///
/// With `rebuild_from`, the transaction indexes of the segments from there on, and the snapshots
/// between them, are made anew.
pub(crate) fn replay_producers<D: Disk>(
    log: &mut PartitionLog<D>,
    rebuild_from: Option<Offset>,
    now: WallTime,
) -> Result<(), StorageError> {
    let state = log.state.clone();
    let newest = rebuild_from.unwrap_or(log.next_offset);
    log.remove_snapshots(|base| base > newest)?;
    // What lies below the log start but is still there counts: a producer that wrote it goes on.
    let (mut producers, from) = newest_snapshot(&state, log)?;
    producers.expire(now, log.config.producer_id_expiration_ms);
    let segments = state.segments();
    for segment in &segments[floor_segment(&segments, from)..] {
        let is_rebuilt = rebuild_from.is_some_and(|from| segment.base() >= from);
        if is_rebuilt {
            segment.txn_index.truncate_to(segment.base())?;
            if segment.base() > from {
                log.producers = producers;
                log.take_snapshot(segment.base())?;
                producers = std::mem::take(&mut log.producers);
            }
        }
        let aborted = replay_segment(segment, from, &mut producers);
        for aborted in aborted.map_err(|error| segment.damage(error))? {
            if is_rebuilt {
                segment.txn_index.append(aborted)?;
            }
        }
    }
    producers.expire(now, log.config.producer_id_expiration_ms);
    log.producers = producers;
    state.publish_unstable(log.producers.first_unstable());
    Ok(())
}

/// The state of the newest snapshot that is sound, and the offset up to which it knows; damaged
/// ones go.
fn newest_snapshot<D: Disk>(
    state: &LogState<D>,
    log: &PartitionLog<D>,
) -> Result<(ProducerStates, Offset), StorageError> {
    let mut known = snapshots(&state.disk, &state.dir)?;
    while let Some(base) = known.pop() {
        let path = state.file(OffsetFile::live(base, FileKind::ProducerSnapshot).name());
        match producer_snapshot::read(&state.disk, &path)? {
            Some(producers) => return Ok((producers, base)),
            None => log.remove_snapshots(|damaged| damaged == base)?,
        }
    }
    Ok((ProducerStates::default(), Offset::ZERO))
}

/// Notes the producers of all batches from `from` on; returns the transactions aborted on the way.
fn replay_segment<D: Disk>(
    segment: &Segment<D>,
    from: Offset,
    producers: &mut ProducerStates,
) -> Result<Vec<crate::AbortedTransaction>, ScanError> {
    let mut aborted = Vec::new();
    let start = segment.find(from).map_err(ScanError::Storage)?;
    let Some((start, _)) = start else { return Ok(aborted) };
    let file = segment.file().map_err(ScanError::Storage)?;
    let mut scan = segment.scan(&file, start).map_err(ScanError::Storage)?;
    while let Some((position, frame)) = scan.next_frame()? {
        let Some(header) = frame.header.as_ref().filter(|header| header.has_producer()) else {
            continue;
        };
        let marker = match header.is_control() {
            true => marker_of(header, &scan.body(position, &frame)?),
            false => None,
        };
        aborted.extend(note_producer(producers, header, marker));
    }
    Ok(aborted)
}
