//! A disk in memory that knows what a real one would have lost.
//!
//! Every file has a *live* image (the page cache) and a *durable* one (the platter); every
//! directory likewise has live and durable names. A killed process loses nothing that was written;
//! a power cut keeps what was synced and, of the rest, an arbitrary subset of pages, lengths and
//! names.

mod faults;
mod file;
mod state;
mod write_back;

use env::{DirEntry, Disk, OpenMode};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

pub use faults::Operation;
pub use file::SimFile;
use state::{FileNode, Names, Node, NodeId, ROOT, State, dead, names_of};
use write_back::{Known, file_system_of};

/// What most systems grant.
const OPEN_FILES_MAX: usize = 1024;

/// How the world ends for the process that uses the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// `kill -9`: the page cache stays.
    Kill,
    /// What was not synced survives in part: any subset of its pages and names.
    PowerLoss,
}

/// A simulated file system. Clones share it.
///
/// **Invariant:** after [`crash`](Self::crash) every handle and lock taken before answers with an
/// error: they belong to a process that is gone.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    /// The process whose handle this is; `None` is whoever lives.
    bound: Option<u64>,
    during_sync: Arc<Mutex<Hook>>,
    after_sync: Arc<Mutex<Hook>>,
}

/// What happens elsewhere while the disk is at work.
#[derive(Default)]
struct Hook(Option<Box<dyn FnOnce() + Send>>);

impl Hook {
    fn run(hook: &Mutex<Hook>) {
        let hook = std::mem::take(&mut *hook.lock().expect("not poisoned"));
        if let Hook(Some(something)) = hook {
            something();
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hook").field(&self.0.is_some()).finish()
    }
}

/// Releases its lock when dropped.
#[derive(Debug)]
pub struct SimLock {
    disk: SimDisk,
    node: NodeId,
    life: u64,
}

impl SimDisk {
    pub fn new(seed: u64) -> SimDisk {
        let root = Node::Dir { live: Names::new(), durable: Names::new() };
        let state = State {
            nodes: BTreeMap::from([(ROOT, root)]),
            next_node: ROOT + 1,
            life: 0,
            locks: BTreeSet::new(),
            random: seed,
            capacity: u64::MAX,
            mutations_left: None,
            mutations: 0,
            sync_failures: Vec::new(),
            failures: Vec::new(),
            mounts: Vec::new(),
            file_systems: BTreeMap::new(),
            ignored_writes: None,
            ignores_syncs: false,
            reads_wait: false,
            syncs: 0,
            bytes_read: 0,
            open_files_max: OPEN_FILES_MAX,
        };
        let state = Arc::new(Mutex::new(state));
        SimDisk { state, bound: None, during_sync: Arc::default(), after_sync: Arc::default() }
    }

    /// The disk as the process that starts now has it: dead after the next [`crash`](Self::crash).
    pub fn for_process(&self) -> SimDisk {
        let life = self.lock_state().life;
        SimDisk { bound: Some(life), ..self.clone() }
    }

    /// True once [`die_after`](Self::die_after) has struck.
    pub fn is_dead(&self) -> bool {
        self.lock_state().check_alive().is_err()
    }

    /// Ends the process; the next one finds the disk as this kind of crash leaves it.
    pub fn crash(&self, kind: Crash) {
        let mut state = self.lock_state();
        state.life += 1;
        state.locks.clear();
        state.mutations_left = None;
        state.sync_failures.clear();
        if kind == Crash::PowerLoss {
            state.lose_power();
        }
        state.forget_unreachable();
    }

    /// The process dies in the middle of its `count`-th mutation from now: a write is done in part,
    /// anything else not at all, and every call fails until [`crash`](Self::crash).
    pub fn die_after(&self, count: u64) {
        self.lock_state().mutations_left = Some(count);
    }

    /// Writes that would need more than this many bytes in all fail with `StorageFull`.
    pub fn set_capacity(&self, bytes: u64) {
        self.lock_state().capacity = bytes;
    }

    /// The next sync of a file whose path ends so fails once, and its pages count as clean: what a
    /// kernel does.
    pub fn fail_next_sync(&self, path_end: &str) {
        self.lock_state().sync_failures.push(path_end.to_owned());
    }

    /// Does something in the middle of the next sync of a file, which goes on afterwards: what a
    /// slow disk must not hold up.
    ///
    /// # Panics
    /// If somebody panicked while setting this.
    pub fn during_next_sync(&self, something: impl FnOnce() + Send + 'static) {
        *self.during_sync.lock().expect("not poisoned") = Hook(Some(Box::new(something)));
    }

    /// Does something when the next sync of a file is done and whoever asked has not heard what
    /// came of it.
    ///
    /// # Panics
    /// If somebody panicked while setting this.
    pub fn after_next_sync(&self, something: impl FnOnce() + Send + 'static) {
        *self.after_sync.lock().expect("not poisoned") = Hook(Some(Box::new(something)));
    }

    fn begin_sync(&self) {
        Hook::run(&self.during_sync);
    }

    fn end_sync(&self) {
        Hook::run(&self.after_sync);
    }

    /// The next `count` writes to files of directories that begin with `dir` and whose names end
    /// so are acknowledged and do not happen: a disk that lies. No broker can stand that; it proves
    /// that a check can fail.
    pub fn ignore_writes(&self, dir: &str, name_end: &str, count: u64) {
        self.lock_state().ignored_writes = Some((dir.to_owned(), name_end.to_owned(), count));
    }

    /// From now on syncs are acknowledged and save nothing: a disk that lies.
    pub fn ignore_syncs(&self) {
        self.lock_state().ignores_syncs = true;
    }

    /// Whether the page cache has nothing of any file: who asks is told that a read would wait.
    pub fn set_reads_wait(&self, wait: bool) {
        self.lock_state().reads_wait = wait;
    }

    /// What a process is told that it may have open. Nothing counts it; who goes by it opens and
    /// closes files all the time if it is little.
    pub fn set_open_files_max(&self, files: usize) {
        self.lock_state().open_files_max = files;
    }

    /// How many calls have changed the disk so far; to place [`die_after`](Self::die_after).
    pub fn mutations(&self) -> u64 {
        self.lock_state().mutations
    }

    /// How many file and directory syncs were asked for.
    pub fn syncs(&self) -> u64 {
        self.lock_state().syncs
    }

    /// How many bytes of files were read.
    pub fn bytes_read(&self) -> u64 {
        self.lock_state().bytes_read
    }

    /// Flips bits of a stored byte, live and durable: rot.
    ///
    /// # Panics
    /// If there is no such byte.
    pub fn rot(&self, path: &Path, position: usize, mask: u8) {
        let mut state = self.lock_state();
        let node = state.find(path).expect("the file to rot exists");
        let file = state.file(node).expect("it is a file");
        file.live[position] ^= mask;
        if let Some(byte) = file.durable.get_mut(position) {
            *byte ^= mask;
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no simulated call panics while it holds the disk")
    }

    /// For calls by path, which belong to the process that was given this handle.
    fn enter(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock_state();
        match self.bound {
            Some(life) if life != state.life => Err(dead()),
            _ => state.check_alive().map(|()| state),
        }
    }
}

impl Disk for SimDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<SimFile> {
        let mut state = self.enter()?;
        state.check(Operation::Open, path)?;
        let creates = matches!(mode, OpenMode::Create | OpenMode::Truncate);
        let node = match state.find(path) {
            Ok(node) => node,
            Err(error) if error.kind() == io::ErrorKind::NotFound && creates => {
                let (parent, name) = state.find_parent(path)?;
                state.check(Operation::Names, path)?;
                state.mutate_whole()?;
                let node = state.add(Node::File(FileNode::default()));
                state.dir(parent)?.0.insert(name, node);
                node
            }
            Err(error) => return Err(error),
        };
        let life = state.life;
        let is_dir = mode == OpenMode::Read && state.dir(node).is_ok();
        let mut known = Known::default();
        if !is_dir {
            let file = state.file(node)?;
            if mode == OpenMode::Truncate && !file.live.is_empty() {
                file.set_len(0);
            }
            known.file = file.errors.known();
        }
        let file_system = file_system_of(path);
        known.file_system = state.errors_of(&file_system).known();
        drop(state);
        let (disk, known) = (self.clone(), Mutex::new(known));
        let writable = mode != OpenMode::Read;
        Ok(SimFile { disk, node, life, writable, file_system, known })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut state = self.enter()?;
        state.check(Operation::Read, path)?;
        let node = state.find(path)?;
        let names = state.dir(node)?.0.clone();
        let is_dir = |id| matches!(state.nodes.get(&id), Some(Node::Dir { .. }));
        Ok(names.into_iter().map(|(name, id)| DirEntry { name, is_dir: is_dir(id) }).collect())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.enter()?;
        if state.find(path).is_err() {
            state.check(Operation::Names, path)?;
        }
        let mut node = ROOT;
        for name in names_of(path) {
            let known = state.dir(node)?.0.get(&name).copied();
            node = match known {
                Some(child) => child,
                None => {
                    state.mutate_whole()?;
                    let empty = Node::Dir { live: Names::new(), durable: Names::new() };
                    let child = state.add(empty);
                    state.dir(node)?.0.insert(name, child);
                    child
                }
            };
        }
        state.dir(node).map(|_| ())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.enter()?;
        let (parent, name) = state.find_parent(path)?;
        let node = state.find(path)?;
        state.check(Operation::Names, path)?;
        state.file(node)?;
        state.mutate_whole()?;
        state.dir(parent)?.0.remove(&name);
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.enter()?;
        let (parent, name) = state.find_parent(path)?;
        let node = state.find(path)?;
        state.check(Operation::Names, path)?;
        state.dir(node)?;
        state.mutate_whole()?;
        state.dir(parent)?.0.remove(&name);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.enter()?;
        let node = state.find(from)?;
        let (from_dir, from_name) = state.find_parent(from)?;
        let (to_dir, to_name) = state.find_parent(to)?;
        state.check(Operation::Names, from)?;
        state.check(Operation::Names, to)?;
        state.mutate_whole()?;
        state.dir(from_dir)?.0.remove(&from_name);
        state.dir(to_dir)?.0.insert(to_name, node);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.enter()?;
        state.syncs += 1;
        let node = state.find(path)?;
        state.check(Operation::Names, path)?;
        state.mutate_whole()?;
        if state.ignores_syncs {
            return Ok(());
        }
        let (live, durable) = state.dir(node)?;
        durable.clone_from(live);
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        self.enter().is_ok_and(|mut state| state.find(path).is_ok())
    }

    fn lock(&self, path: &Path) -> io::Result<SimLock> {
        let file = self.open(path, OpenMode::Create)?;
        match self.lock_state().locks.insert(file.node) {
            true => Ok(SimLock { disk: self.clone(), node: file.node, life: file.life }),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// So few that what is open must make room for what is needed.
    fn open_files_max(&self) -> usize {
        self.lock_state().open_files_max
    }

    fn space(&self, path: &Path) -> io::Result<(u64, u64)> {
        let state = self.enter()?;
        state.check(Operation::Read, path)?;
        Ok(state.space_at(path))
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.lock_state();
        if state.life == self.life {
            state.locks.remove(&self.node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use env::DiskFile;

    fn write(disk: &SimDisk, path: &str, bytes: &[u8]) -> SimFile {
        let file = disk.open(Path::new(path), OpenMode::Create).unwrap();
        file.write_at(bytes, 0).unwrap();
        file
    }

    fn content(disk: &SimDisk, path: &str) -> Option<Vec<u8>> {
        disk.read_file(Path::new(path), 1 << 20).ok()
    }

    #[test]
    fn a_killed_process_loses_nothing_and_its_handles_are_dead() {
        let disk = SimDisk::new(1);
        let file = write(&disk, "/f", b"hello");
        let lock = disk.lock(Path::new("/.lock")).unwrap();
        assert!(disk.lock(Path::new("/.lock")).is_err());
        disk.crash(Crash::Kill);
        assert_eq!(content(&disk, "/f").unwrap(), b"hello");
        assert!(file.write_at(b"x", 0).is_err());
        let _second = disk.lock(Path::new("/.lock")).unwrap();
        drop(lock); // a dead process's lock must not free the living one's
        assert!(disk.lock(Path::new("/.lock")).is_err());
    }

    #[test]
    fn power_loss_keeps_synced_bytes_and_names_always_and_others_sometimes() {
        let (mut file_survived, mut file_lost) = (0, 0);
        for seed in 0..64 {
            let disk = SimDisk::new(seed);
            disk.create_dir_all(Path::new("/d")).unwrap();
            disk.sync_dir(Path::new("/")).unwrap();
            let file = write(&disk, "/d/synced", b"safe");
            file.sync().unwrap();
            disk.sync_dir(Path::new("/d")).unwrap();
            file.write_at(b"risk", 4).unwrap();
            write(&disk, "/d/unsynced", b"gone?").sync().unwrap();
            disk.crash(Crash::PowerLoss);
            assert_eq!(&content(&disk, "/d/synced").unwrap()[..4], b"safe");
            match content(&disk, "/d/unsynced") {
                Some(bytes) => {
                    assert_eq!(bytes, b"gone?");
                    file_survived += 1;
                }
                None => file_lost += 1,
            }
        }
        assert!(file_survived > 10 && file_lost > 10, "{file_survived} {file_lost}");
    }

    #[test]
    fn power_loss_may_undo_a_rename_but_never_loses_the_file() {
        let mut seen = BTreeSet::new();
        for seed in 0..64 {
            let disk = SimDisk::new(seed);
            write(&disk, "/old", b"x").sync().unwrap();
            disk.sync_dir(Path::new("/")).unwrap();
            disk.rename(Path::new("/old"), Path::new("/new")).unwrap();
            disk.crash(Crash::PowerLoss);
            seen.insert((content(&disk, "/old").is_some(), content(&disk, "/new").is_some()));
        }
        assert!(seen.contains(&(true, false)) && seen.contains(&(false, true)), "{seen:?}");
        assert!(!seen.contains(&(false, false)));
    }

    #[test]
    fn power_loss_tears_a_large_write() {
        let torn = (0..64).filter(|seed| {
            let disk = SimDisk::new(*seed);
            let file = write(&disk, "/f", &[]);
            file.sync().unwrap();
            disk.sync_dir(Path::new("/")).unwrap();
            file.write_at(&[7; 4096], 0).unwrap();
            disk.crash(Crash::PowerLoss);
            let kept = content(&disk, "/f").unwrap();
            kept.contains(&7) && kept.contains(&0)
        });
        assert!(torn.count() > 5);
    }

    #[test]
    fn a_process_can_die_in_the_middle_of_a_write() {
        let disk = SimDisk::new(3);
        let file = write(&disk, "/f", b"");
        disk.die_after(1);
        assert!(file.write_at(&[1; 100], 0).is_err());
        assert!(file.len().is_err());
        disk.crash(Crash::Kill);
        assert!(content(&disk, "/f").unwrap().len() <= 100);
    }

    #[test]
    fn a_full_disk_takes_what_fits_and_says_so() {
        let disk = SimDisk::new(3);
        disk.set_capacity(10);
        let file = write(&disk, "/f", b"12345678");
        let error = file.write_at(b"abcd", 8).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(content(&disk, "/f").unwrap(), b"12345678ab");
        assert_eq!(disk.space(Path::new("/")).unwrap(), (10, 0));
    }

    #[test]
    fn a_broken_part_fails_by_name_and_operation_until_it_is_healed() {
        let disk = SimDisk::new(3);
        disk.create_dir_all(Path::new("/a")).unwrap();
        disk.create_dir_all(Path::new("/ab")).unwrap();
        let (broken, sound) = (write(&disk, "/a/f.log", b"x"), write(&disk, "/ab/f.log", b"y"));
        disk.fail(Operation::Write, "/a", ".log");
        assert!(broken.write_at(b"z", 0).is_err());
        sound.write_at(b"z", 0).unwrap();
        write(&disk, "/a/f.index", b"x");
        assert_eq!(content(&disk, "/a/f.log").unwrap(), b"x");
        disk.break_under("/a");
        assert!(disk.read_dir(Path::new("/a")).is_err());
        assert!(
            broken.sync().is_err() && disk.open(Path::new("/a/f.log"), OpenMode::Read).is_err()
        );
        disk.heal();
        assert_eq!(content(&disk, "/a/f.log").unwrap(), b"x");
    }

    #[test]
    fn each_file_system_has_a_capacity_of_its_own() {
        let disk = SimDisk::new(3);
        disk.create_dir_all(Path::new("/a")).unwrap();
        disk.create_dir_all(Path::new("/b")).unwrap();
        disk.set_capacity_under("/a", 4);
        let full = write(&disk, "/a/f", b"1234");
        let roomy = write(&disk, "/b/f", b"1234");
        assert_eq!(full.write_at(b"5", 4).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(full.reserve(5).unwrap_err().kind(), io::ErrorKind::StorageFull);
        roomy.write_at(b"5", 4).unwrap();
        assert_eq!(disk.space(Path::new("/a/f")).unwrap(), (4, 0));
    }

    #[test]
    fn a_file_system_is_synced_whole_with_its_names_and_no_other_is() {
        for seed in 0..32 {
            let disk = SimDisk::new(seed);
            for dir in ["/a", "/b"] {
                disk.create_dir_all(Path::new(dir)).unwrap();
                disk.set_capacity_under(dir, 100);
            }
            disk.sync_dir(Path::new("/")).unwrap();
            let file = write(&disk, "/a/one", b"1");
            write(&disk, "/a/two", b"2");
            file.sync_file_system().unwrap();
            disk.crash(Crash::PowerLoss);
            assert_eq!(content(&disk, "/a/two").unwrap(), b"2");
        }
        let lost = (0..32).filter(|seed| {
            let disk = SimDisk::new(*seed);
            for dir in ["/a", "/b"] {
                disk.create_dir_all(Path::new(dir)).unwrap();
                disk.set_capacity_under(dir, 100);
            }
            write(&disk, "/b/three", b"3");
            write(&disk, "/a/one", b"1").sync_file_system().unwrap();
            disk.crash(Crash::PowerLoss);
            content(&disk, "/b/three").is_none_or(|bytes| bytes != b"3")
        });
        assert!(lost.count() > 0);
    }

    #[test]
    fn a_failed_sync_loses_its_pages_for_good() {
        let disk = SimDisk::new(9);
        let file = write(&disk, "/f.log", b"");
        file.sync().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        file.write_at(b"lost", 0).unwrap();
        disk.fail_next_sync(".log");
        assert!(file.sync().is_err());
        assert_eq!(content(&disk, "/f.log").unwrap(), b"lost"); // the page cache still shows them
        file.sync().unwrap(); // "succeeds", and saves nothing
        disk.crash(Crash::PowerLoss);
        assert_ne!(content(&disk, "/f.log").unwrap(), b"lost");
    }

    #[test]
    fn a_dead_process_reaches_no_path() {
        let disk = SimDisk::new(5);
        let process = disk.for_process();
        write(&process, "/f", b"one");
        disk.crash(Crash::Kill);
        assert!(process.open(Path::new("/f"), OpenMode::Read).is_err());
        assert!(process.remove_file(Path::new("/f")).is_err());
        assert_eq!(content(&disk.for_process(), "/f").unwrap(), b"one");
    }

    #[test]
    fn an_ignored_write_is_acknowledged_and_not_done() {
        let disk = SimDisk::new(5);
        disk.create_dir_all(Path::new("/data/t-0")).unwrap();
        disk.ignore_writes("t-", ".log", 1);
        let other = write(&disk, "/data/t-0/f.index", b"one");
        assert_eq!(other.len().unwrap(), 3);
        let file = write(&disk, "/data/t-0/f.log", b"one");
        assert_eq!(file.len().unwrap(), 0);
        file.write_at(b"two", 0).unwrap();
        assert_eq!(content(&disk, "/data/t-0/f.log").unwrap(), b"two");
    }

    #[test]
    fn renamed_directories_keep_their_files_and_open_handles() {
        let disk = SimDisk::new(5);
        disk.create_dir_all(Path::new("/a/b")).unwrap();
        let file = write(&disk, "/a/b/f", b"one");
        disk.rename(Path::new("/a/b"), Path::new("/c")).unwrap();
        file.write_at(b"two", 0).unwrap();
        assert_eq!(content(&disk, "/c/f").unwrap(), b"two");
        assert!(!disk.exists(Path::new("/a/b")));
        let listed = disk.read_dir(Path::new("/")).unwrap();
        assert_eq!(listed.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }
}
