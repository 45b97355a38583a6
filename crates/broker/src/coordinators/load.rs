//! Reads a coordinator's partition into its shard.

use coordinator::{CoordinatorRecord, CoordinatorShard, Hosted, LoadedRecord, Replayed};
use env::Disk;
use records::control::ControlRecord;
use records::{RecordBatch, batches};
use types::{Offset, ProducerId};

use crate::limits::COORDINATOR_LOAD_BYTES;
use crate::partitions::Partition;

/// Replays the whole partition into a shard that is loading.
///
/// # Errors
/// The log cannot be read, in words for the log.
pub fn load<D: Disk, S: CoordinatorShard>(
    partition: &Partition<D>,
    hosted: &mut Hosted<S>,
) -> Result<(), String> {
    let log = &partition.reader();
    let mut from = log.log_start();
    while from < log.log_end() {
        let slice = log
            .read(from, COORDINATOR_LOAD_BYTES, log.log_end(), true)
            .map_err(|error| format!("read at offset {from}: {error}"))?;
        for batch in batches(&slice.bytes) {
            let batch = batch.map_err(|error| format!("batch after offset {from}: {error}"))?;
            from = batch.next_offset();
            load_batch(&batch, hosted)?;
        }
    }
    Ok(())
}

fn load_batch<S: CoordinatorShard>(
    batch: &RecordBatch,
    hosted: &mut Hosted<S>,
) -> Result<(), String> {
    let header = batch.header();
    let at = batch.base_offset();
    let transaction = if header.is_transactional() { header.producer_id } else { ProducerId::NONE };
    for record in batch.records().map_err(|error| format!("batch at {at}: {error}"))? {
        let record = record.map_err(|error| format!("batch at {at}: {error}"))?;
        if header.is_control() {
            match ControlRecord::from_record(&record) {
                Ok(ControlRecord::Commit { .. }) => {
                    hosted.load_end_transaction(header.producer_id, true);
                }
                Ok(ControlRecord::Abort { .. }) => {
                    hosted.load_end_transaction(header.producer_id, false);
                }
                _ => {}
            }
            continue;
        }
        let Some(key) = record.key else { continue };
        let loaded = CoordinatorRecord { key, value: record.value };
        let outcome =
            hosted.load(LoadedRecord { offset: record.offset, transaction, record: &loaded });
        if outcome == Replayed::Malformed {
            log::warn!(
                target: "kafka.coordinator.group",
                "the record at offset {} is not what its schema says; it is skipped", record.offset
            );
        }
    }
    Ok(())
}

/// Replays records that were just appended at `base`.
pub fn replay<S: CoordinatorShard>(
    hosted: &mut Hosted<S>,
    base: Offset,
    records: &[CoordinatorRecord],
) {
    let Ok(shard) = hosted.active() else { return };
    for (index, record) in records.iter().enumerate() {
        let offset = base.plus(index as i64);
        let loaded = LoadedRecord { offset, transaction: ProducerId::NONE, record };
        let outcome = shard.replay(loaded);
        assert_eq!(outcome, Replayed::Applied, "a record that we wrote cannot be replayed");
    }
}
