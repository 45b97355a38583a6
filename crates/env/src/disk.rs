use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

/// How a file is opened. All modes can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// The file must exist; writing is an error.
    Read,
    /// The file must exist.
    ReadWrite,
    /// The file is made if it does not exist; its content is kept.
    Create,
    /// The file is made, or emptied if it exists.
    Truncate,
}

/// What a directory holds, one entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    pub name: String,
    pub is_dir: bool,
}

/// A file system. Calls block; a name that is made, renamed or removed survives power loss only
/// after [`sync_dir`](Disk::sync_dir) of its directory, and bytes only after a sync of their file.
pub trait Disk: Clone + Send + Sync + 'static {
    type File: DiskFile;
    /// Held while a directory is in use; dropping it lets another process have it.
    type Lock: Send + Sync + 'static;

    /// A directory can be opened with [`OpenMode::Read`], to sync the file system through it.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Self::File>;
    /// Entries in name order, so that every run sees them alike.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    fn exists(&self, path: &Path) -> bool;
    /// An exclusive advisory lock on `path` (made if missing); `WouldBlock` if another holds it.
    fn lock(&self, path: &Path) -> io::Result<Self::Lock>;
    /// (total, usable) bytes of the file system under `path`.
    fn space(&self, path: &Path) -> io::Result<(u64, u64)>;

    /// How many files, sockets among them, the process may have open. The default is what most
    /// systems grant a process that asks for no more.
    fn open_files_max(&self) -> usize {
        1024
    }

    /// What `work` makes of each item, in their order. It waits for this disk most of the time, and
    /// a disk does much at once: where there are threads, many wait side by side. In a world
    /// without, one after another.
    fn side_by_side<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(T) -> R + Sync,
    ) -> Vec<R> {
        items.into_iter().map(work).collect()
    }

    /// The whole of a small file. Refuses one larger than `bytes_max`.
    fn read_file(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let len = file.len()?;
        if len > bytes_max {
            let why = format!("{} has {len} bytes, at most {bytes_max} are read", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let mut content = vec![0; len as usize];
        let got = file.read_at(&mut content, 0)?;
        content.truncate(got);
        Ok(content)
    }

    /// Replaces a small file so that a crash leaves the old or the new content, never a mixture:
    /// write `path.tmp`, sync it, rename it, sync the directory.
    fn replace_file(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let file = self.open(&temporary, OpenMode::Truncate)?;
        file.write_at(content, 0)?;
        file.sync()?;
        drop(file);
        self.rename(&temporary, path)?;
        match path.parent() {
            Some(dir) => self.sync_dir(dir),
            None => Ok(()),
        }
    }
}

/// An open file. Positions are explicit, so readers and the writer share one handle.
pub trait DiskFile: Send + Sync + 'static {
    /// Fills `into` from `position` as far as the file goes; returns how much. Short only at the
    /// end.
    fn read_at(&self, into: &mut [u8], position: u64) -> io::Result<usize>;
    /// Whether a read of these bytes would be answered from memory, as far as can be told at once.
    fn is_at_hand(&self, _position: u64, _count: usize) -> bool {
        true
    }
    /// Appends to `into` what the file has of the `count` bytes at `position`.
    fn read_onto(&self, into: &mut Vec<u8>, position: u64, count: usize) -> io::Result<()> {
        let before = into.len();
        into.resize(before + count, 0);
        let got = self.read_at(&mut into[before..], position);
        into.truncate(before + *got.as_ref().unwrap_or(&0));
        got.map(|_| ())
    }
    /// The same, if that needs no waiting. If it does, or may, `into` stays as it is and false is
    /// returned.
    fn read_at_hand(&self, into: &mut Vec<u8>, position: u64, count: usize) -> io::Result<bool> {
        match self.is_at_hand(position, count) {
            true => self.read_onto(into, position, count).map(|()| true),
            false => Ok(false),
        }
    }
    /// Writes all of `bytes` at `position`, growing the file if needed.
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;
    /// The same for what is synced at once and not read again soon: past the page cache, if it is
    /// whole pages in memory and in the file, and the file system can.
    fn write_past_cache_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.write_at(bytes, position)
    }
    /// Writes the slices one after another from `position`: one `pwritev`.
    fn write_vectored_at(&self, slices: &mut [IoSlice<'_>], position: u64) -> io::Result<()>;
    fn len(&self) -> io::Result<u64>;
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends (with zeros) to exactly `bytes`.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
    /// Reserves space without changing the length, where the file system can.
    fn reserve(&self, bytes: u64) -> io::Result<()>;
    /// Lets go of what memory has of the file from `position` on and calls written back: what is
    /// read next is what the disk has. After an error of write-back they differ, and to write again
    /// is no remedy: ext4 then writes into an extent that it goes on to call unwritten.
    fn forget_cached(&self, position: u64) -> io::Result<()>;
    /// Advice: who reads through this skips what lies in between, so nothing is read ahead.
    fn read_nothing_ahead(&self) {}
    /// Everything written so far survives power loss once this returns (`fdatasync`). An error that
    /// write-back met since the file was opened is reported by the next sync through it, once: of
    /// two at the same time, one returns without. It is never `StorageFull`, which is said of what
    /// was not written.
    fn sync(&self) -> io::Result<()>;
    /// The same for everything, names included, on the file system that holds this file
    /// (`syncfs`). An error that any write-back met since this file was opened is reported in the
    /// same way, once, whatever syncs of the file itself have reported.
    fn sync_file_system(&self) -> io::Result<()>;
}
