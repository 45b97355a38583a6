mod past_cache;
mod side_by_side;

use env::{DirEntry, Disk, DiskFile, OpenMode};
use past_cache::PastCache;
use rustix::buffer::spare_capacity;
use rustix::fs::{
    Advice, FallocateFlags, FlockOperation, OFlags, fadvise, fallocate, fcntl_lock, flock, statvfs,
    syncfs,
};
use rustix::io::{Errno, ReadWriteFlags, pread, preadv2, pwritev};
use rustix::process::{Resource, getrlimit};
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;

/// The machine's file system. Errors name the path.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

/// An open file of the machine.
#[derive(Debug)]
pub struct OsFile(File, OnceLock<Option<Box<PastCache>>>);

impl OsFile {
    /// For `sendfile` and its like.
    pub fn file(&self) -> &File {
        &self.0
    }
}

/// Holds an exclusive advisory lock until dropped.
#[derive(Debug)]
pub struct OsLock {
    _file: File,
}

/// Adds what was tried on which path; keeps the kind, by which callers tell errors apart.
fn about(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
}

/// A disk that is thinly provisioned has no room when the kernel writes back: what was written is
/// lost, as after any other error, and making room does not bring it back.
fn written_back(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            io::Error::other(format!("written back: {error}"))
        }
        _ => error,
    }
}

/// Reads of the file do not note when it was read last: for a log, which is written between reads,
/// the file system would write that down again and again. Only a file's owner may ask for it.
fn open_quietly(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let quietly = options.clone().custom_flags(OFlags::NOATIME.bits() as i32).open(path);
    match quietly {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => options.open(path),
        opened => opened,
    }
}

impl OsDisk {
    /// Whether somebody holds the [`lock`](Disk::lock) on `path`, of either kind. Makes no file;
    /// one that cannot be opened is not held as far as we can tell.
    pub fn is_locked(&self, path: &Path) -> bool {
        let Ok(OsFile(file, _)) = self.open(path, OpenMode::Read) else { return false };
        let operation = FlockOperation::NonBlockingLockShared;
        let asked = flock(&file, operation).and_then(|()| fcntl_lock(&file, operation));
        matches!(asked, Err(Errno::ACCESS | Errno::AGAIN))
    }
}

impl Disk for OsDisk {
    type File = OsFile;
    type Lock = OsLock;

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<OsFile> {
        let mut options = OpenOptions::new();
        options.read(true);
        match mode {
            OpenMode::Read => {}
            OpenMode::ReadWrite => _ = options.write(true),
            OpenMode::Create => _ = options.write(true).create(true).truncate(false),
            OpenMode::Truncate => _ = options.write(true).create(true).truncate(true),
        }
        let opened = open_quietly(&options, path).map_err(about("open", path))?;
        Ok(OsFile(opened, OnceLock::new()))
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(about("list", path))? {
            let entry = entry?;
            // Names that are not UTF-8 are none of ours.
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(DirEntry { name, is_dir: entry.file_type()?.is_dir() });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path).map_err(about("create directory", path))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path).map_err(about("remove", path))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path).map_err(about("remove directory", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to).map_err(about("rename", from))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // The parent of a bare name is the empty path.
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let synced = File::open(path).and_then(|dir| dir.sync_all()).map_err(written_back);
        synced.map_err(about("sync directory", path))
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    /// Takes both kinds of lock that Linux knows: `flock`, and the POSIX record lock that Kafka
    /// takes, so that a Kafka broker and this one never share a directory.
    fn lock(&self, path: &Path) -> io::Result<OsLock> {
        let OsFile(file, _) = self.open(path, OpenMode::Create)?;
        let operation = FlockOperation::NonBlockingLockExclusive;
        flock(&file, operation)
            .and_then(|()| fcntl_lock(&file, operation))
            .map_err(|errno| match errno {
                // POSIX lets a held record lock answer with either.
                Errno::ACCESS | Errno::AGAIN => io::Error::from(io::ErrorKind::WouldBlock),
                other => other.into(),
            })
            .map_err(about("lock", path))?;
        Ok(OsLock { _file: file })
    }

    fn open_files_max(&self) -> usize {
        let granted = getrlimit(Resource::Nofile).current;
        granted.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
    }

    fn side_by_side<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(T) -> R + Sync,
    ) -> Vec<R> {
        side_by_side::all(items, work)
    }

    fn space(&self, path: &Path) -> io::Result<(u64, u64)> {
        let stat = statvfs(path).map_err(|errno| about("measure", path)(errno.into()))?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        Ok((bytes(stat.f_blocks), bytes(stat.f_bavail)))
    }
}

/// What Linux reads ahead of one who reads in order, where nobody has set it otherwise.
const READ_AHEAD_BYTES: usize = 128 << 10;

/// What Linux keeps at least.
const PAGE_BYTES: u64 = 4096;

/// What Linux keeps as one folio at most: it is let go of as a whole, or not.
const CACHED_TOGETHER_BYTES: u64 = 2 << 20;

/// To write so many zeros costs less than to ask for the first and the last byte.
const ASKED_FOR_AT_ONCE_MAX: usize = 32 << 10;

impl DiskFile for OsFile {
    fn read_at(&self, into: &mut [u8], position: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.0.read_at(&mut into[filled..], position + filled as u64) {
                Ok(0) => break,
                Ok(got) => filled += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Looks at a byte of every stretch that the kernel reads ahead at once.
    fn is_at_hand(&self, position: u64, count: usize) -> bool {
        let probe = |at: u64| {
            let mut byte = [0];
            let into = &mut [IoSliceMut::new(&mut byte)];
            // Whatever else goes wrong, the read itself will say.
            !matches!(preadv2(&self.0, into, at, ReadWriteFlags::NOWAIT), Err(Errno::AGAIN))
        };
        let end = position + count as u64;
        (position..end).step_by(READ_AHEAD_BYTES).all(probe) && (count == 0 || probe(end - 1))
    }

    /// Without zeros written first.
    fn read_onto(&self, into: &mut Vec<u8>, position: u64, count: usize) -> io::Result<()> {
        let before = into.len();
        into.reserve_exact(count);
        while into.len() < before + count {
            let at = position + (into.len() - before) as u64;
            match pread(&self.0, spare_capacity(into), at) {
                Ok(0) => break,
                Ok(_) => {}
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        into.truncate(before + count);
        Ok(())
    }

    /// In one call what is short: the read itself says whether it would have to wait.
    fn read_at_hand(&self, into: &mut Vec<u8>, position: u64, count: usize) -> io::Result<bool> {
        if count > ASKED_FOR_AT_ONCE_MAX {
            let is_at_hand = self.is_at_hand(position, count);
            return if is_at_hand {
                self.read_onto(into, position, count).map(|()| true)
            } else {
                Ok(false)
            };
        }
        let before = into.len();
        into.reserve_exact(count);
        into.resize(before + count, 0);
        let mut filled = before;
        let read = loop {
            let rest = &mut [IoSliceMut::new(&mut into[filled..])];
            let at = position + (filled - before) as u64;
            match preadv2(&self.0, rest, at, ReadWriteFlags::NOWAIT) {
                Ok(0) => break Ok(true),
                Ok(got) => filled += got,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break Ok(false),
                // A file system that cannot tell, or what the read itself will say.
                Err(_) => break Err(()),
            }
            if filled == before + count {
                break Ok(true);
            }
        };
        into.truncate(if read == Ok(true) { filled } else { before });
        read.or_else(|()| self.read_onto(into, position, count).map(|()| true))
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, position)
    }

    fn write_past_cache_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let past_cache = self.1.get_or_init(|| PastCache::of(&self.0).map(Box::new));
        match past_cache.as_ref().filter(|_| PastCache::takes(bytes, position)) {
            Some(past_cache) => match past_cache.write_at(bytes, position) {
                // Larger blocks than any disk is known to have.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    self.write_at(bytes, position)
                }
                written => written,
            },
            None => self.write_at(bytes, position),
        }
    }

    fn write_vectored_at(&self, slices: &mut [IoSlice<'_>], position: u64) -> io::Result<()> {
        let mut rest = slices;
        let mut position = position;
        IoSlice::advance_slices(&mut rest, 0); // drops empty slices in front
        while !rest.is_empty() {
            match pwritev(&self.0, rest, position) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(wrote) => {
                    position += wrote as u64;
                    IoSlice::advance_slices(&mut rest, wrote);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        match fallocate(&self.0, FallocateFlags::KEEP_SIZE, 0, bytes) {
            // The port promises it only "where the file system can".
            Err(Errno::OPNOTSUPP | Errno::NOSYS) | Ok(()) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// No more than that: what lies before is read by the same start, and would have to be waited
    /// for.
    fn forget_cached(&self, position: u64) -> io::Result<()> {
        let forget_from = |least: u64| {
            let from = position / least * least;
            fadvise(&self.0, from, None, Advice::DontNeed)
        };
        forget_from(PAGE_BYTES)?;
        let first = &mut [0];
        let into = &mut [IoSliceMut::new(first)];
        // It was kept together with what lies before.
        if preadv2(&self.0, into, position, ReadWriteFlags::NOWAIT) == Ok(1) {
            forget_from(CACHED_TOGETHER_BYTES)?;
        }
        Ok(())
    }

    fn read_nothing_ahead(&self) {
        _ = fadvise(&self.0, 0, None, Advice::Random);
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data().map_err(written_back)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        syncfs(&self.0).map_err(|errno| written_back(errno.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_of_many_slices_is_read_back_whole_and_reserve_keeps_the_length() {
        let dir = tempfile::tempdir().unwrap();
        let file = OsDisk.open(&dir.path().join("f"), OpenMode::Create).unwrap();
        file.reserve(1 << 20).unwrap();
        assert_eq!(file.len().unwrap(), 0);
        let mut slices = [IoSlice::new(b""), IoSlice::new(b"abc"), IoSlice::new(b"defg")];
        file.write_vectored_at(&mut slices, 2).unwrap();
        let mut got = [9; 12];
        assert_eq!(file.read_at(&mut got, 0).unwrap(), 9);
        assert_eq!(&got[..9], b"\0\0abcdefg");
        // More slices than one `pwritev` takes.
        let mut many = vec![IoSlice::new(b"x"); 3000];
        file.write_vectored_at(&mut many, 9).unwrap();
        assert_eq!(file.len().unwrap(), 3009);
    }

    #[test]
    fn open_modes_say_what_happens_to_a_missing_and_a_full_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        for mode in [OpenMode::Read, OpenMode::ReadWrite] {
            let error = OsDisk.open(&path, mode).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
        OsDisk.open(&path, OpenMode::Create).unwrap().write_at(b"old", 0).unwrap();
        assert_eq!(OsDisk.open(&path, OpenMode::Create).unwrap().len().unwrap(), 3);
        assert!(OsDisk.open(&path, OpenMode::Read).unwrap().write_at(b"x", 0).is_err());
        assert_eq!(OsDisk.open(&path, OpenMode::Truncate).unwrap().len().unwrap(), 0);
    }

    #[test]
    fn a_read_of_what_was_just_written_does_not_write_down_when_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let file = OsDisk.open(&path, OpenMode::Create).unwrap();
        let read_at = || fs::metadata(&path).unwrap().accessed().unwrap();
        let before = read_at();
        // The clock of file times ticks every few milliseconds.
        let began = std::time::Instant::now();
        while began.elapsed() < std::time::Duration::from_millis(40) {
            file.write_at(b"new", 0).unwrap();
            assert_eq!(file.read_at(&mut [0; 8], 0).unwrap(), 3);
        }
        assert_eq!(read_at(), before);
    }

    #[test]
    fn what_is_written_past_the_cache_and_through_it_is_read_back_in_any_turn() {
        let dir = tempfile::tempdir().unwrap();
        let file = OsDisk.open(&dir.path().join("f"), OpenMode::Create).unwrap();
        let page = |byte: u8, pages: usize| vec![byte; pages << 12];
        let past_cache = |byte: u8, pages: usize, position: u64| {
            // Memory that begins on a page lies within a page more.
            let memory = page(byte, pages + 1);
            let from = memory.as_ptr().align_offset(4096);
            file.write_past_cache_at(&memory[from..from + (pages << 12)], position).unwrap();
        };
        file.write_at(&page(1, 64), 0).unwrap();
        past_cache(2, 1, 4096);
        past_cache(3, 16, 8192);
        file.write_at(&page(4, 1), 8192).unwrap();
        // Neither whole pages, nor on one in the file, nor on one in memory.
        file.write_past_cache_at(b"abc", 4096 * 18).unwrap();
        past_cache(5, 1, 4096 * 18 + 3);
        file.write_past_cache_at(&page(6, 41)[1..][..40 << 12], 4096 * 20).unwrap();
        file.sync().unwrap();
        let expected = [
            page(1, 1),
            page(2, 1),
            page(4, 1),
            page(3, 15),
            [b"abc".to_vec(), page(5, 1), vec![1; 4093]].concat(),
            page(6, 40),
            page(1, 4),
        ]
        .concat();
        assert_eq!(OsDisk.read_file(&dir.path().join("f"), 1 << 20).unwrap(), expected);
    }

    #[test]
    fn the_parent_of_a_bare_name_can_be_synced() {
        OsDisk.sync_dir(Path::new("data").parent().unwrap()).unwrap();
    }

    #[test]
    fn the_system_says_how_many_files_may_be_open() {
        assert!(OsDisk.open_files_max() > 16);
    }

    #[test]
    fn a_lock_excludes_a_second_holder_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".lock");
        assert!(!OsDisk.is_locked(&path) && !path.exists(), "asking makes no file");
        let held = OsDisk.lock(&path).unwrap();
        assert!(OsDisk.is_locked(&path));
        let refused = OsDisk.lock(&path).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        drop(held);
        assert!(!OsDisk.is_locked(&path));
        OsDisk.lock(&path).unwrap();
    }

    #[test]
    fn a_replaced_file_has_the_new_content_and_listing_is_sorted() {
        let dir = tempfile::tempdir().unwrap();
        OsDisk.create_dir_all(&dir.path().join("z/inner")).unwrap();
        OsDisk.replace_file(&dir.path().join("b"), b"one").unwrap();
        OsDisk.replace_file(&dir.path().join("b"), b"two").unwrap();
        assert_eq!(OsDisk.read_file(&dir.path().join("b"), 10).unwrap(), b"two");
        assert!(OsDisk.read_file(&dir.path().join("b"), 2).is_err());
        let names: Vec<_> = OsDisk.read_dir(dir.path()).unwrap();
        assert_eq!(names[0], DirEntry { name: "b".into(), is_dir: false });
        assert_eq!(names[1], DirEntry { name: "z".into(), is_dir: true });
        let (total, usable) = OsDisk.space(dir.path()).unwrap();
        assert!(usable <= total && total > 0);
    }
}
