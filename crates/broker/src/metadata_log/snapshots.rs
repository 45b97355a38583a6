//! Snapshots that come from another voter, part by part.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::{Disk, DiskFile, OpenMode};
use metadata::MetadataImage;

use crate::metadata_snapshot::{self, SnapshotId};

const PARTS: &str = ".part";

fn path_of_parts(dir: &Path, id: SnapshotId) -> PathBuf {
    let mut name = id.path(dir).into_os_string();
    name.push(PARTS);
    name.into()
}

/// Removes what is not whole: nobody goes on with it.
pub(super) fn remove_parts<D: Disk>(disk: &D, dir: &Path) -> io::Result<()> {
    for entry in disk.read_dir(dir)? {
        if entry.name.strip_suffix(PARTS).and_then(SnapshotId::parse).is_some() {
            disk.remove_file(&dir.join(&entry.name))?;
        }
    }
    Ok(())
}

/// Writes a part behind the one before it; the first one begins anew.
pub(super) fn put_part<D: Disk>(
    disk: &D,
    dir: &Path,
    id: SnapshotId,
    position: u64,
    part: &[u8],
) -> io::Result<()> {
    let mode = if position == 0 { OpenMode::Truncate } else { OpenMode::ReadWrite };
    if position == 0 {
        remove_parts(disk, dir)?;
    }
    let file = disk.open(&path_of_parts(dir, id), mode)?;
    file.write_at(part, position)
}

/// Gives the parts their name, if they are a whole snapshot; removes them otherwise. What it says
/// is judged by what the disk gives back, after it was synced.
pub(super) fn complete<D: Disk>(
    disk: &D,
    dir: &Path,
    id: SnapshotId,
) -> io::Result<Option<Arc<MetadataImage>>> {
    let parts = path_of_parts(dir, id);
    disk.open(&parts, OpenMode::ReadWrite)?.sync()?;
    let bytes = metadata_snapshot::read_at(disk, &parts)?;
    match metadata_snapshot::decode(id, &bytes) {
        Ok(loaded) => {
            disk.rename(&parts, &id.path(dir))?;
            disk.sync_dir(dir)?;
            Ok(Some(loaded.image))
        }
        Err(why) => {
            log::warn!(
                target: "kafka.raft.KafkaRaftClient",
                "the snapshot of the metadata up to offset {} came damaged: {why}",
                id.end
            );
            disk.remove_file(&parts)?;
            Ok(None)
        }
    }
}

pub(super) fn load<D: Disk>(
    disk: &D,
    dir: &Path,
    id: SnapshotId,
) -> Result<Arc<MetadataImage>, String> {
    let bytes = metadata_snapshot::read(disk, dir, id);
    let decoded = bytes
        .map_err(|error| error.to_string())
        .and_then(|bytes| metadata_snapshot::decode(id, &bytes).map(|loaded| loaded.image));
    decoded.map_err(|why| format!("read the metadata snapshot up to offset {}: {why}", id.end))
}
