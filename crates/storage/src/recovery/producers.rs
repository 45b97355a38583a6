//! Producer state: a snapshot, and what the batches after it say.

use super::ended_at_point;
use super::heads::HeadsSeen;
use crate::error::StorageError;
use crate::frame::ScanError;
use crate::limits::LOOKUP_CHUNK_BYTES;
use crate::log::PartitionLog;
use crate::log::append::{marker_of, note_producer};
use crate::log_state::{LogState, floor_segment};
use crate::producer_snapshot;
use crate::producer_state::{Marker, ProducerStates};
use crate::segment::Segment;
use bytes::Bytes;
use env::Disk;
use records::BatchHeader;
use types::{Offset, WallTime};

/// Makes producer state from the newest sound snapshot and the batches after it.
///
/// With `rebuild_from`, the recovery point after an unclean end, snapshots of a later offset go,
/// and what the transaction indexes say of offsets after the snapshot is made anew, as are the
/// snapshots between later segments.
pub(crate) fn replay_producers<D: Disk>(
    log: &mut PartitionLog<D>,
    seen: &HeadsSeen,
    rebuild_from: Option<Offset>,
    now: WallTime,
) -> Result<(), StorageError> {
    let state = log.state.clone();
    let newest = rebuild_from.map_or(log.next_offset, |from| from.min(log.next_offset));
    log.remove_snapshots(|base| base > newest)?;
    if rebuild_from.is_some() && state.segments()[0].base() == log.next_offset {
        // Nothing is left. What a snapshot does not know of is lost, the ends of its transactions
        // among it.
        let end = log.next_offset;
        log.remove_snapshots(|base| base < end)?;
    }
    // What lies below the log start but is still there counts: a producer that wrote it goes on.
    let (mut producers, from) = newest_snapshot(&state, log)?;
    let silent_ms = log.config.producer_id_expiration_ms;
    let mut has_forgotten = producers.expire(now, silent_ms);
    let segments = state.segments();
    let first_rebuilt = rebuild_from.map(|point| segments[floor_segment(&segments, point)].base());
    if let Some(point) = rebuild_from
        && let Some(ended) = ended_at_point(&segments, point)
    {
        // It was active when the point was written down, and may have been cut since.
        keep_aborts(ended, point)?;
    }
    let mut is_indexed = false;
    for segment in &segments[floor_segment(&segments, from)..] {
        let is_rebuilt = first_rebuilt.is_some_and(|first| segment.base() >= first);
        if is_rebuilt {
            keep_aborts(segment, from)?;
            if segment.base() > from {
                log.producers = producers;
                log.take_snapshot(segment.base())?;
                producers = std::mem::take(&mut log.producers);
            }
        }
        if from >= log.next_offset {
            continue;
        }
        let aborted = replay_segment(segment, from, seen, &mut producers);
        for aborted in aborted.map_err(|error| segment.damage(error))? {
            if is_rebuilt {
                segment.note_aborted(aborted)?;
                is_indexed = true;
            }
        }
        if is_rebuilt {
            // It may lie below the recovery point that was written down: the next start, after
            // power loss, would not look again.
            segment.txn_index.sync()?;
        }
    }
    if is_indexed {
        state.sync_dir()?;
    }
    has_forgotten |= producers.expire(now, silent_ms);
    if has_forgotten {
        log.beginnings.note_forgotten();
    }
    log.producers = producers;
    state.publish_unstable(log.producers.first_unstable());
    Ok(())
}

/// Keeps the aborted transactions whose marker lies below `end`. They were durable before the
/// recovery point passed them; what a truncation may have left behind them is told by its marker,
/// which is not there.
fn keep_aborts<D: Disk>(segment: &Segment<D>, end: Offset) -> Result<(), StorageError> {
    let index = &segment.txn_index;
    let mut kept = index.ask(|aborts| aborts.partition_point(|abort| abort.last_offset < end))?;
    while kept > 0 {
        let last = index.ask(|aborts| aborts[kept - 1])?;
        let marker = match segment.find(last.last_offset) {
            Ok(found) => found.and_then(|(_, frame)| frame.header),
            Err(StorageError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let is_its = |header: &BatchHeader| {
            header.is_control()
                && header.producer_id == last.producer_id
                && header.base_offset == last.last_offset
        };
        if marker.as_ref().is_some_and(is_its) {
            break;
        }
        kept -= 1;
    }
    index.truncate(kept)
}

/// The state of the newest snapshot that is sound, and the offset up to which it knows; damaged
/// ones go.
fn newest_snapshot<D: Disk>(
    state: &LogState<D>,
    log: &mut PartitionLog<D>,
) -> Result<(ProducerStates, Offset), StorageError> {
    while let Some(base) = log.snapshots.last().copied() {
        match producer_snapshot::read(&state.disk, &log.snapshot_path(base))? {
            Some(producers) => return Ok((producers, base)),
            None => log.remove_snapshots(|damaged| damaged == base)?,
        }
    }
    Ok((ProducerStates::default(), Offset::ZERO))
}

/// Notes the producers of all batches from `from` on; returns the transactions aborted on the way.
/// Heads that were `seen` are not read again.
fn replay_segment<D: Disk>(
    segment: &Segment<D>,
    from: Offset,
    seen: &HeadsSeen,
    producers: &mut ProducerStates,
) -> Result<Vec<crate::AbortedTransaction>, ScanError> {
    let mut aborted = Vec::new();
    let (seen_from, heads) = seen.in_segment(segment.base());
    let mut note = |header: &BatchHeader, marker| {
        aborted.extend(note_producer(producers, header, marker));
    };
    let start = match from < seen_from {
        true => segment.find(from).map_err(ScanError::Storage)?,
        false => None,
    };
    if let Some((start, _)) = start {
        let file = segment.file().map_err(ScanError::Storage)?;
        // Heads are all it takes, but of markers.
        let scan = segment.scan(&file, start).map_err(ScanError::Storage)?;
        let mut scan = scan.with_chunk(LOOKUP_CHUNK_BYTES);
        while let Some((position, frame)) = scan.next_frame()?
            && frame.last_offset < seen_from
        {
            if let Some(header) = frame.header.as_ref().filter(|header| header.has_producer()) {
                let body = || scan.body(position, &frame);
                note(header, marker(header, body)?);
            }
        }
    }
    for (position, header) in heads.iter().filter(|(_, header)| header.last_offset() >= from) {
        let body = || body_at(segment, *position);
        note(header, marker(header, body)?);
    }
    Ok(aborted)
}

fn marker(
    header: &BatchHeader,
    body: impl FnOnce() -> Result<Bytes, ScanError>,
) -> Result<Option<Marker>, ScanError> {
    match header.is_control() {
        true => Ok(marker_of(header, &body()?)),
        false => Ok(None),
    }
}

fn body_at<D: Disk>(segment: &Segment<D>, position: u64) -> Result<Bytes, ScanError> {
    let file = segment.file().map_err(ScanError::Storage)?;
    let scan = segment.scan(&file, position).map_err(ScanError::Storage)?;
    let mut scan = scan.with_chunk(LOOKUP_CHUNK_BYTES);
    match scan.next_frame()? {
        Some((position, frame)) => scan.body(position, &frame),
        None => Ok(Bytes::new()),
    }
}
