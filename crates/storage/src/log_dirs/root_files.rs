//! What lies at the root of a log directory, and of a partition's.

use crate::checkpoints::{OffsetCheckpoint, read_offsets};
use crate::error::StorageError;
use crate::file_names::{CLEAN_SHUTDOWN, META_PROPERTIES, PARTITION_METADATA, TEMPORARY_SUFFIX};
use crate::limits::SMALL_FILE_BYTES_MAX;
use crate::meta_properties::MetaProperties;
use crate::small_files::{decode_partition_metadata, encode_partition_metadata};
use env::{Disk, DiskFile, OpenMode};
use std::io;
use std::path::Path;
use types::Uuid;

pub(super) fn read_properties<D: Disk>(
    disk: &D,
    dir: &Path,
) -> Result<Option<MetaProperties>, StorageError> {
    let path = dir.join(META_PROPERTIES);
    let Some(text) = read_small(disk, &path)? else { return Ok(None) };
    let properties = MetaProperties::decode(&text);
    properties.map(Some).map_err(|error| StorageError::corrupt(&path, error.to_string()))
}

pub(crate) fn read_topic_id<D: Disk>(disk: &D, dir: &Path) -> Result<Option<Uuid>, StorageError> {
    let text = read_small(disk, &dir.join(PARTITION_METADATA))?;
    Ok(text.as_deref().and_then(decode_partition_metadata))
}

/// The marker's content, if it is there; then it is gone for good.
pub(super) fn take_marker<D: Disk>(disk: &D, dir: &Path) -> Result<Option<String>, StorageError> {
    let path = dir.join(CLEAN_SHUTDOWN);
    let Some(text) = read_small(disk, &path)? else { return Ok(None) };
    let removed = disk.remove_file(&path).and_then(|()| disk.sync_dir(dir));
    removed.map_err(StorageError::io("remove", &path))?;
    Ok(Some(text))
}

/// What the last process left dirty reaches the disk, or does not, and the kernel has told somebody
/// of it: from here on a start reads what the disk has, and errors are its own.
pub(super) fn write_back<D: Disk>(disk: &D, dir: &Path) -> Result<(), StorageError> {
    let opened = disk.open(dir, OpenMode::Read).map_err(StorageError::io("open directory", dir))?;
    _ = opened.sync_file_system();
    Ok(())
}

/// A partition's directory with its topic's id: whole or not at all as far as a killed process
/// goes; the first flush syncs it.
pub(super) fn make_partition_dir<D: Disk>(
    disk: &D,
    dir: &Path,
    topic_id: Uuid,
) -> Result<(), StorageError> {
    disk.create_dir_all(dir).map_err(StorageError::io("create directory", dir))?;
    let path = dir.join(PARTITION_METADATA);
    let temporary = dir.join(format!("{PARTITION_METADATA}{TEMPORARY_SUFFIX}"));
    (|| {
        let content = encode_partition_metadata(topic_id);
        disk.open(&temporary, OpenMode::Truncate)?.write_at(content.as_bytes(), 0)?;
        disk.rename(&temporary, &path)
    })()
    .map_err(StorageError::io("write", &path))
}

fn read_small<D: Disk>(disk: &D, path: &Path) -> Result<Option<String>, StorageError> {
    match disk.read_file(path, SMALL_FILE_BYTES_MAX) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::io("read", path)(error)),
    }
}

/// A checkpoint that does not parse counts as empty: more is scanned, nothing is lost that the
/// segments have.
pub(super) fn read_or_warn<D: Disk>(
    disk: &D,
    path: &Path,
    warnings: &mut Vec<String>,
) -> Result<OffsetCheckpoint, StorageError> {
    match read_offsets(disk, path) {
        Err(error @ StorageError::Corrupt { .. }) => {
            warnings.push(error.to_string());
            Ok(OffsetCheckpoint::new())
        }
        other => other,
    }
}
