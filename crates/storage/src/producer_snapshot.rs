//! `.snapshot` files: producer state at an offset.   docs/formats/segment.md#producer-snapshot
//!
//! `| version: i16 = 1 | crc: u32 | rows: i32 | row × 46 bytes |`; the CRC-32C covers what follows
//! it. A row: `producer_id: i64, epoch: i16, last_sequence: i32, last_offset: i64, offset_delta:
//! i32, timestamp: i64, coordinator_epoch: i32, transaction_start: i64`.
//!
//! Kafka writes one row a producer, its last batch, and so forgets the four before it at every
//! restart. We write up to five, oldest first; a reader that knows only one row a producer, Kafka's
//! included, keeps the last.

use crate::error::StorageError;
use crate::limits::SNAPSHOT_BYTES_MAX;
use crate::producer_state::{ProducerState, ProducerStates, WrittenBatch};
use bytes::{Buf, BufMut};
use env::{Disk, DiskFile, OpenMode};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use types::{Offset, ProducerEpoch, ProducerId, Sequence, WallTime};

const VERSION: i16 = 1;
const HEAD_BYTES: usize = 10;
/// Where the bytes under the checksum begin.
const CHECKED_FROM: usize = 6;
const ROW_BYTES: usize = 46;

#[derive(Clone, Copy)]
struct Row {
    id: ProducerId,
    epoch: ProducerEpoch,
    batch: WrittenBatch,
    coordinator_epoch: i32,
    transaction_start: Option<Offset>,
}

/// What Kafka writes for a producer of which only a marker is known.
const NO_BATCH: WrittenBatch = WrittenBatch {
    last_sequence: Sequence::NONE,
    last_offset: Offset::NONE,
    offset_delta: 0,
    timestamp: WallTime::NONE,
};

pub(crate) fn encode(states: &ProducerStates) -> Vec<u8> {
    let mut rows = Vec::new();
    let mut count = 0;
    for (id, state) in states.iter() {
        for row in rows_of(id, state) {
            count += 1;
            encode_row(&row, &mut rows);
        }
    }
    let mut out = Vec::with_capacity(HEAD_BYTES + rows.len());
    out.put_i16(VERSION);
    out.put_u32(0);
    out.put_i32(count);
    out.extend(rows);
    let crc = records::crc32c(&out[CHECKED_FROM..]);
    out[2..CHECKED_FROM].copy_from_slice(&crc.to_be_bytes());
    out
}

fn rows_of(id: ProducerId, state: &ProducerState) -> Vec<Row> {
    let row = |batch| Row {
        id,
        epoch: state.epoch,
        batch,
        coordinator_epoch: state.coordinator_epoch,
        transaction_start: None,
    };
    let mut rows: Vec<Row> = state.batches.iter().copied().map(row).collect();
    if rows.is_empty() {
        rows.push(row(NO_BATCH));
    }
    if let Some(last) = rows.last_mut() {
        last.transaction_start = state.transaction_start;
        last.batch.timestamp = state.last_timestamp;
    }
    rows
}

fn encode_row(row: &Row, out: &mut Vec<u8>) {
    out.put_i64(row.id.0);
    out.put_i16(row.epoch.0);
    out.put_i32(row.batch.last_sequence.0);
    out.put_i64(row.batch.last_offset.0);
    out.put_i32(row.batch.offset_delta);
    out.put_i64(row.batch.timestamp.0);
    out.put_i32(row.coordinator_epoch);
    out.put_i64(row.transaction_start.unwrap_or(Offset::NONE).0);
}

/// `Err` says why the bytes are no snapshot.
pub(crate) fn decode(bytes: &[u8]) -> Result<ProducerStates, String> {
    let mut head = bytes.get(..HEAD_BYTES).ok_or("the head is torn")?;
    let version = head.get_i16();
    if version != VERSION {
        return Err(format!("version {version} is unknown"));
    }
    let (stored, count) = (head.get_u32(), head.get_i32());
    let computed = records::crc32c(&bytes[CHECKED_FROM..]);
    if stored != computed {
        return Err(format!("checksum {computed:#x} is not the stored {stored:#x}"));
    }
    let rows = &bytes[HEAD_BYTES..];
    if usize::try_from(count).ok().and_then(|count| count.checked_mul(ROW_BYTES))
        != Some(rows.len())
    {
        return Err(format!("{count} rows are announced, {} bytes are there", rows.len()));
    }
    let mut producers: BTreeMap<ProducerId, ProducerState> = BTreeMap::new();
    for row in rows.chunks_exact(ROW_BYTES).map(decode_row) {
        let state = producers.entry(row.id).or_insert_with(|| ProducerState {
            epoch: row.epoch,
            batches: VecDeque::new(),
            coordinator_epoch: row.coordinator_epoch,
            last_timestamp: row.batch.timestamp,
            transaction_start: None,
        });
        if row.batch.last_offset.0 >= 0 {
            state.remember(row.batch);
        }
        state.epoch = row.epoch;
        state.coordinator_epoch = row.coordinator_epoch;
        state.last_timestamp = row.batch.timestamp;
        state.transaction_start = row.transaction_start;
    }
    let mut states = ProducerStates::default();
    producers.into_iter().for_each(|(id, state)| states.restore(id, state));
    Ok(states)
}

fn decode_row(mut row: &[u8]) -> Row {
    Row {
        id: ProducerId(row.get_i64()),
        epoch: ProducerEpoch(row.get_i16()),
        batch: WrittenBatch {
            last_sequence: Sequence(row.get_i32()),
            last_offset: Offset(row.get_i64()),
            offset_delta: row.get_i32(),
            timestamp: WallTime(row.get_i64()),
        },
        coordinator_epoch: row.get_i32(),
        transaction_start: Some(Offset(row.get_i64())).filter(|start| start.0 >= 0),
    }
}

/// Not synced: what power loss takes is read back from the log.
pub(crate) fn write<D: Disk>(
    disk: &D,
    path: &Path,
    states: &ProducerStates,
) -> Result<(), StorageError> {
    (|| disk.open(path, OpenMode::Truncate)?.write_at(&encode(states), 0))().map_err(|error| {
        _ = disk.remove_file(path); // half of it is of no use to anybody
        StorageError::io("write producer snapshot", path)(error)
    })
}

/// `None` if it is no sound snapshot.
pub(crate) fn read<D: Disk>(disk: &D, path: &Path) -> Result<Option<ProducerStates>, StorageError> {
    match disk.read_file(path, SNAPSHOT_BYTES_MAX) {
        Ok(bytes) => Ok(decode(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(StorageError::io("read producer snapshot", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(last_sequence: i32, last_offset: i64) -> WrittenBatch {
        WrittenBatch {
            last_sequence: Sequence(last_sequence),
            last_offset: Offset(last_offset),
            offset_delta: 1,
            timestamp: WallTime(1000 + last_offset),
        }
    }

    fn states() -> ProducerStates {
        let mut states = ProducerStates::default();
        let state = ProducerState {
            epoch: ProducerEpoch(3),
            batches: (0..5).map(|i| written(i * 2 + 1, i64::from(i) * 10)).collect(),
            coordinator_epoch: 7,
            last_timestamp: WallTime(1040),
            transaction_start: Some(Offset(29)),
        };
        states.restore(ProducerId(1), state);
        let only_marker = ProducerState {
            epoch: ProducerEpoch(0),
            batches: VecDeque::new(),
            coordinator_epoch: 2,
            last_timestamp: WallTime(55),
            transaction_start: None,
        };
        states.restore(ProducerId(2), only_marker);
        states
    }

    #[test]
    fn all_five_batches_and_the_open_transaction_survive() {
        let bytes = encode(&states());
        assert_eq!(bytes.len(), HEAD_BYTES + 6 * ROW_BYTES);
        assert_eq!(decode(&bytes).unwrap(), states());
        assert_eq!(decode(&encode(&ProducerStates::default())).unwrap(), ProducerStates::default());
    }

    #[test]
    fn a_damaged_snapshot_is_refused_wherever_the_damage_is() {
        let bytes = encode(&states());
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x40;
            assert!(decode(&damaged).is_err(), "damage at {position}");
        }
    }
}
