//! Snapshots of the metadata: an image as the records that state it, in one file beside the log.
//!
//! ```text
//! <end offset, 20 digits>-<epoch, 10 digits>.checkpoint
//!   control batch: SnapshotHeader (when the last record that is in it was appended) and, where
//!     `kraft.version` is finalized, KRaftVersion and KRaftVoters
//!   batches of metadata records
//!   control batch: SnapshotFooter
//! ```
//!
//! Offsets in the file count from 0. A file has its name once it is whole and durable; one whose
//! footer is missing is none. docs/formats/metadata-log.md. Source: KIP-630, Kafka
//! `RecordsSnapshotWriter`, `Snapshots`.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use consensus::{Epoch, LogMark, Voter};
use env::{Disk, DiskFile, OpenMode};
use metadata::{
    KRAFT_VERSION_FEATURE, Loaded, MetadataImage, MetadataLoader, MetadataRecord, Provenance,
};
use records::control::ControlRecord;
use records::{BatchBuilder, NewRecord, RecordBatch};
use storage::LogReader;
use types::{LeaderEpoch, Offset, WallTime};

use crate::limits::{SNAPSHOT_BATCH_BYTES, SNAPSHOT_BYTES_MAX, SNAPSHOT_HEADER_BYTES_MAX};
use crate::metadata_log::{control, with_kraft_version};

/// Which snapshot: everything below `end` is in it, the last of it of `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[doc(alias = "OffsetAndEpoch")]
pub struct SnapshotId {
    pub end: Offset,
    pub epoch: i32,
}

impl SnapshotId {
    /// That of a snapshot of `image`.
    pub fn of(image: &MetadataImage) -> SnapshotId {
        let Provenance { last_offset, epoch, .. } = image.provenance;
        SnapshotId { end: last_offset.plus(1), epoch }
    }

    /// As the engine names it.
    pub fn mark(self) -> LogMark {
        LogMark { end: self.end, epoch: Epoch(self.epoch) }
    }

    pub(crate) fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{:020}-{:010}{SUFFIX}", self.end.0, self.epoch))
    }

    /// Kafka writes one that ends at offset 0 for what came before the log: it is no snapshot.
    pub(crate) fn parse(name: &str) -> Option<SnapshotId> {
        let (end, epoch) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        let is_number = |text: &str, digits| {
            text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let id = SnapshotId { end: Offset(end.parse().ok()?), epoch: epoch.parse().ok()? };
        (is_number(end, 20) && is_number(epoch, 10) && id.end.0 > 0).then_some(id)
    }
}

impl From<LogMark> for SnapshotId {
    fn from(mark: LogMark) -> SnapshotId {
        SnapshotId { end: mark.end, epoch: mark.epoch.0 }
    }
}

const SUFFIX: &str = ".checkpoint";

/// The bytes of the file. Equal images and voters give equal bytes.
///
/// # Errors
/// A record cannot be written at the image's `metadata.version`.
pub fn encode(image: &MetadataImage, voters: &[Voter]) -> Result<Vec<u8>, String> {
    let level = image.features.metadata_version();
    let (epoch, at) = (LeaderEpoch(image.provenance.epoch), image.provenance.appended_at);
    let mut head = vec![ControlRecord::SnapshotHeader { last_contained_log_timestamp: at }];
    let kraft_version = image.features.level(KRAFT_VERSION_FEATURE);
    head.extend(control::of_snapshot(kraft_version, voters));
    let mut next = Offset(head.len() as i64);
    let mut header = BatchBuilder::new().leader_epoch(epoch).control();
    for record in &head {
        let (key, value) = (record.key(), record.value());
        let (key, value) = (Some(&*key), Some(&*value));
        header.push(NewRecord { timestamp: at, key, value, headers: &[] });
    }
    let mut out = header.build().into_bytes().to_vec();
    let begin = |next| BatchBuilder::new().base_offset(next).leader_epoch(epoch);
    let mut builder = begin(next);
    for record in image.to_records() {
        let value = record.encode(level).map_err(|error| error.to_string())?;
        if builder.size_bytes() + value.len() > SNAPSHOT_BATCH_BYTES && !builder.is_empty() {
            next = next.plus(builder.len() as i64);
            let full = std::mem::replace(&mut builder, begin(next));
            out.extend_from_slice(full.build().bytes());
        }
        builder.push(NewRecord { timestamp: at, value: Some(&value), ..NewRecord::default() });
    }
    if !builder.is_empty() {
        next = next.plus(builder.len() as i64);
        out.extend_from_slice(builder.build().bytes());
    }
    out.extend_from_slice(ControlRecord::SnapshotFooter.quorum_batch(next, epoch, at).bytes());
    Ok(out)
}

/// What a snapshot says, as the step from nothing to its image.
///
/// # Errors
/// It is not whole, or damaged, or holds what this build does not know.
pub fn decode(id: SnapshotId, bytes: &Bytes) -> Result<Loaded, String> {
    let mut records = Vec::new();
    let mut appended_at: Option<WallTime> = None;
    let (mut kraft_version, mut is_whole) = (None, false);
    for batch in records::batches(bytes) {
        let batch = batch.map_err(refused)?;
        if is_whole {
            return Err("it goes on after its footer".to_owned());
        }
        batch.verify_crc().map_err(refused)?;
        match &control_records(&batch)?[..] {
            [ControlRecord::SnapshotHeader { last_contained_log_timestamp }, rest @ ..] => {
                appended_at = Some(*last_contained_log_timestamp);
                kraft_version = rest.iter().find_map(|record| match record {
                    ControlRecord::KRaftVersion { kraft_version } => Some(*kraft_version),
                    _ => None,
                });
            }
            [ControlRecord::SnapshotFooter, ..] => is_whole = true,
            [_, ..] => {}
            [] if appended_at.is_none() => return Err("it has no header".to_owned()),
            [] => {
                for record in batch.records().map_err(refused)? {
                    let value = record.map_err(refused)?.value.unwrap_or_default();
                    records.push(MetadataRecord::decode(value).map_err(refused)?);
                }
            }
        }
    }
    let appended_at = appended_at.filter(|_| is_whole).ok_or("it is not whole")?;
    let last_offset = id.end.plus(-1);
    let provenance = Provenance { last_offset, epoch: id.epoch, appended_at };
    let mut loader = MetadataLoader::new(Arc::new(MetadataImage::empty()));
    // Kafka's own say level 0 in so many words.
    let kraft_version = kraft_version.filter(|level| *level > 0);
    let records = with_kraft_version(records, kraft_version);
    let loaded = loader.replay_batch(provenance, &records).map_err(refused)?;
    loaded.ok_or_else(|| "it ends within a metadata transaction".to_owned())
}

/// What a control batch says; nothing if it is none.
fn control_records(batch: &RecordBatch) -> Result<Vec<ControlRecord>, String> {
    if !batch.header().is_control() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for record in batch.records().map_err(refused)? {
        let record = record.map_err(refused)?;
        found.push(ControlRecord::from_record(&record).map_err(refused)?);
    }
    match found.is_empty() {
        true => Err("a control batch is empty".to_owned()),
        false => Ok(found),
    }
}

fn refused(error: impl Display) -> String {
    error.to_string()
}

/// The snapshots in `dir`, oldest first.
pub fn list<D: Disk>(disk: &D, dir: &Path) -> io::Result<Vec<SnapshotId>> {
    let entries = disk.read_dir(dir)?;
    let mut found: Vec<_> =
        entries.iter().filter_map(|entry| SnapshotId::parse(&entry.name)).collect();
    found.sort_unstable();
    Ok(found)
}

/// Writes a snapshot so that a crash leaves all of it or nothing.
pub fn write<D: Disk>(disk: &D, dir: &Path, id: SnapshotId, bytes: &[u8]) -> io::Result<()> {
    disk.replace_file(&id.path(dir), bytes)
}

/// Removes what crashes have left of snapshots that were being written. Nobody may write one now.
pub fn remove_unfinished<D: Disk>(disk: &D, dir: &Path) -> io::Result<()> {
    for entry in disk.read_dir(dir)? {
        if entry.name.strip_suffix(".tmp").and_then(SnapshotId::parse).is_some() {
            disk.remove_file(&dir.join(&entry.name))?;
        }
    }
    Ok(())
}

pub fn remove<D: Disk>(disk: &D, dir: &Path, id: SnapshotId) -> io::Result<()> {
    disk.remove_file(&id.path(dir))?;
    disk.sync_dir(dir)
}

/// A whole snapshot.
pub fn read<D: Disk>(disk: &D, dir: &Path, id: SnapshotId) -> io::Result<Bytes> {
    read_at(disk, &id.path(dir))
}

pub(crate) fn read_at<D: Disk>(disk: &D, path: &Path) -> io::Result<Bytes> {
    disk.read_file(path, SNAPSHOT_BYTES_MAX).map(Bytes::from)
}

/// When the last record that is in it was appended, by its header.
///
/// # Errors
/// It does not begin with a header.
pub fn appended_at<D: Disk>(disk: &D, dir: &Path, id: SnapshotId) -> Result<WallTime, String> {
    let (_, head) = read_part(disk, dir, id, 0, SNAPSHOT_HEADER_BYTES_MAX).map_err(refused)?;
    let batch = RecordBatch::parse(&head).map_err(refused)?;
    match &control_records(&batch)?[..] {
        [ControlRecord::SnapshotHeader { last_contained_log_timestamp }, ..] => {
            Ok(*last_contained_log_timestamp)
        }
        _ => Err("it has no header".to_owned()),
    }
}

/// The newest snapshot that is whole, ends at `from` or later and that `log` goes on from, and its
/// image. One that is not is passed over: an earlier one and the log have what it says, or nobody.
pub fn newest_in<D: Disk>(
    disk: &D,
    log: &LogReader<D>,
    from: Offset,
) -> Option<(SnapshotId, Arc<MetadataImage>)> {
    let found = list(disk, log.dir()).ok()?;
    let fits = |id: &SnapshotId| from <= id.end && goes_on_from(log, *id);
    found.into_iter().rev().filter(fits).find_map(|id| {
        let bytes = read(disk, log.dir(), id).map_err(refused);
        match bytes.and_then(|bytes| decode(id, &bytes)) {
            Ok(loaded) => Some((id, loaded.image)),
            Err(why) => {
                log::warn!(
                    target: "org.apache.kafka.image.loader.MetadataLoader",
                    "the snapshot of the metadata up to offset {} is passed over: {why}",
                    id.end
                );
                None
            }
        }
    })
}

/// Whether a batch ends where the snapshot does, in its epoch. Of what lies before the log start
/// only the snapshot's own name tells the epoch.
fn goes_on_from<D: Disk>(log: &LogReader<D>, id: SnapshotId) -> bool {
    let (start, end) = (log.log_start(), log.log_end());
    if id.end < start || id.end > end {
        return false;
    }
    let ends_a_batch = id.end == end
        || log.read(id.end, 1, end, true).is_ok_and(|slice| {
            RecordBatch::parse(&slice.bytes).is_ok_and(|next| next.base_offset() == id.end)
        });
    let epoch = log.leader_epoch_at(id.end.plus(-1));
    ends_a_batch && (id.end == start || epoch == Some(LeaderEpoch(id.epoch)))
}

/// How long a snapshot is, and up to `bytes_max` of it from `position` on.
pub fn read_part<D: Disk>(
    disk: &D,
    dir: &Path,
    id: SnapshotId,
    position: u64,
    bytes_max: usize,
) -> io::Result<(u64, Bytes)> {
    let file = disk.open(&id.path(dir), OpenMode::Read)?;
    let size = file.len()?;
    let left = usize::try_from(size.saturating_sub(position)).unwrap_or(usize::MAX);
    let mut part = vec![0; left.min(bytes_max)];
    let got = file.read_at(&mut part, position)?;
    part.truncate(got);
    Ok((size, Bytes::from(part)))
}

#[cfg(test)]
mod tests {
    use env_sim::{Crash, SimDisk};
    use protocol::metadata_records::{FeatureLevelRecord, PartitionRecord, TopicRecord};
    use types::Uuid;

    use super::*;

    fn image(topics: u8) -> MetadataImage {
        let mut loader = MetadataLoader::new(Arc::new(MetadataImage::empty()));
        let name = metadata::METADATA_VERSION_FEATURE.into();
        let feature_level = metadata::MetadataVersion::LATEST.0;
        let mut records: Vec<MetadataRecord> =
            vec![FeatureLevelRecord { name, feature_level }.into()];
        for topic in 1..=topics {
            let topic_id = Uuid([topic; 16]);
            records.push(TopicRecord { name: format!("t{topic}").into(), topic_id }.into());
            let (replicas, isr) = (vec![1], vec![1]);
            let directories = vec![Uuid([9; 16])];
            let partition = PartitionRecord {
                topic_id,
                partition_id: 0,
                replicas,
                isr,
                directories,
                leader: 1,
                leader_epoch: 0,
                partition_epoch: 0,
                ..Default::default()
            };
            records.push(partition.into());
        }
        let (last_offset, appended_at) = (Offset(records.len() as i64 + 40), WallTime(1_000));
        let provenance = Provenance { last_offset, epoch: 3, appended_at };
        let loaded =
            loader.replay_batch(provenance, &records).unwrap_or_else(|error| panic!("{error}"));
        MetadataImage::clone(&loaded.expect("no transaction").image)
    }

    #[test]
    fn an_image_comes_back_from_its_snapshot_and_equal_images_have_equal_ones() {
        for topics in [0, 1, 100] {
            let image = image(topics);
            let bytes = encode(&image, &[]).expect("it can be said");
            let loaded = decode(SnapshotId::of(&image), &Bytes::from(bytes.clone()));
            let loaded = loaded.expect("it reads");
            assert_eq!(*loaded.image, image);
            assert_eq!(encode(&loaded.image, &[]), Ok(bytes));
        }
    }

    #[test]
    fn a_snapshot_that_is_cut_anywhere_or_damaged_is_none() {
        let image = image(3);
        let (id, bytes) = (SnapshotId::of(&image), encode(&image, &[]).expect("it can be said"));
        for cut in 0..bytes.len() {
            assert!(decode(id, &Bytes::copy_from_slice(&bytes[..cut])).is_err(), "cut at {cut}");
        }
        // The checksums cover neither offsets nor epochs of batches, and nothing is read of those.
        let covered = |at: &usize| *at >= 16;
        for at in (0..bytes.len()).filter(covered).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            let read = decode(id, &Bytes::from(changed));
            assert!(read.is_err() || read.is_ok_and(|loaded| *loaded.image == image), "byte {at}");
        }
    }

    #[test]
    fn a_crash_while_a_snapshot_is_written_leaves_all_of_it_or_nothing() {
        let dir = Path::new("/data/__cluster_metadata-0");
        let (first, second) = (image(1), image(2));
        for seed in 0..64 {
            let disk = SimDisk::new(seed);
            disk.create_dir_all(dir).expect("a disk");
            disk.sync_dir(Path::new("/data")).expect("a disk");
            disk.sync_dir(Path::new("/")).expect("a disk");
            let ids = [&first, &second].map(SnapshotId::of);
            write(&disk, dir, ids[0], &encode(&first, &[]).expect("said")).expect("room");
            disk.die_after(seed % 8);
            let written = write(&disk, dir, ids[1], &encode(&second, &[]).expect("said"));
            disk.crash(Crash::PowerLoss);
            let found = list(&disk, dir).expect("a disk");
            assert_eq!(found.first(), Some(&ids[0]));
            assert!(written.is_err() || found.len() == 2, "what was written is there");
            for id in found {
                let read = read(&disk, dir, id).expect("a file");
                decode(id, &read).expect("whole");
            }
        }
    }

    #[test]
    fn only_names_of_snapshots_with_something_in_them_are_read_as_such() {
        let parse = SnapshotId::parse;
        let id = SnapshotId { end: Offset(41), epoch: 3 };
        assert_eq!(parse("00000000000000000041-0000000003.checkpoint"), Some(id));
        assert_eq!(
            id.path(Path::new("")).to_str(),
            Some("00000000000000000041-0000000003.checkpoint")
        );
        for other in [
            "00000000000000000000-0000000000.checkpoint",
            "00000000000000000041-0000000003.checkpoint.tmp",
            "41-3.checkpoint",
            "-0000000000000000041-0000000003.checkpoint",
            "bootstrap.checkpoint",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
