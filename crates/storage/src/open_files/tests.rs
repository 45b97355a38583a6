use super::*;
use crate::error::StorageError;
use crate::log_dir_state::LogDirState;
use env::{DiskFile, OpenMode};
use env_sim::{Crash, SimDisk};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// In which a sync that nothing holds up is done.
const MOMENT: Duration = Duration::from_millis(100);

struct World {
    disk: SimDisk,
    home: Arc<LogDirState<SimDisk>>,
    files: Vec<Arc<LogFile<SimDisk>>>,
}

/// So many files by turns, of which `at_most` are open; each has its number in it, synced.
fn world(count: u8, at_most: usize) -> World {
    world_of(count, OpenFiles::at_most(at_most))
}

fn world_of(count: u8, files: Arc<OpenFiles<SimDisk>>) -> World {
    let disk = SimDisk::new(1);
    let home = LogDirState::new(disk.clone(), "/".into(), Default::default(), files);
    let home = Arc::new(home.unwrap());
    let file = |number: u8| {
        let path = PathBuf::from(format!("/{number}.log"));
        let file = LogFile::unopened(home.clone(), path, OpenMode::ReadWrite);
        file.create().unwrap();
        write(&file, &[number]).unwrap();
        file.sync().unwrap();
        file
    };
    let files = (0..count).map(file).collect();
    disk.sync_dir(Path::new("/")).unwrap();
    World { disk, home, files }
}

fn write(file: &Arc<LogFile<SimDisk>>, bytes: &[u8]) -> Result<(), StorageError> {
    file.change("write", |file| file.write_at(bytes, 0))
}

fn open(world: &World) -> Vec<usize> {
    (0..world.files.len()).filter(|at| world.files[*at].is_open()).collect()
}

#[test]
fn the_longest_unused_files_make_room_and_come_back_when_asked_for() {
    let world = world(6, 3);
    assert_eq!((open(&world), world.home.open_files().count()), (vec![3, 4, 5], 3));
    for number in [0, 4, 1, 0, 5, 2, 0] {
        let mut byte = [9];
        world.files[number].get().unwrap().read_at(&mut byte, 0).unwrap();
        assert_eq!(byte, [number as u8]);
        assert_eq!(open(&world).len(), 3);
    }
    assert!(world.files[0].is_open(), "it was used again and again");
}

#[test]
fn a_file_with_unsynced_bytes_stays_open_as_long_as_a_clean_one_can_go() {
    let world = world(6, 3);
    write(&world.files[0], b"x").unwrap();
    for number in [1, 2, 3, 4, 5, 1, 2, 3] {
        world.files[number].get().unwrap();
        assert!(world.files[0].is_open());
    }
    let syncs = world.disk.syncs();
    world.files[0].sync().unwrap();
    world.files[0].sync().unwrap();
    assert_eq!(world.disk.syncs() - syncs, 1, "a clean file is not synced");
    [4, 5, 1, 2].iter().for_each(|number| _ = world.files[*number].get().unwrap());
    assert!(!world.files[0].is_open());
}

#[test]
fn where_all_are_dirty_one_is_synced_before_it_is_closed() {
    let world = world(6, 3);
    world.files.iter().for_each(|file| write(file, b"y").unwrap());
    let closed: Vec<usize> = (0..6).filter(|at| !world.files[*at].is_open()).collect();
    assert_eq!(closed.len(), 3);
    world.disk.crash(Crash::PowerLoss);
    for number in closed {
        let path = PathBuf::from(format!("/{number}.log"));
        assert_eq!(world.disk.read_file(&path, 9).unwrap(), b"y");
    }
}

#[test]
fn a_failed_sync_is_never_forgotten_by_closing_the_file() {
    let world = world(4, 2);
    write(&world.files[0], b"z").unwrap();
    world.disk.fail_next_sync("0.log");
    // No clean file is left, so one of the dirty ones must be synced.
    [1, 2].iter().for_each(|number| write(&world.files[*number], b"z").unwrap());
    assert!(world.home.is_offline());
    assert!(world.files[0].is_open());
    assert!(world.files[0].get().is_err() && world.files[0].sync().is_err());
    assert!(write(&world.files[0], b"z").is_err());
}

/// The kernel reports an error once through an open file.
#[test]
fn of_two_syncs_of_a_file_at_the_same_time_none_succeeds_where_one_has_failed() {
    for closes in [false, true] {
        let world = world(1, 2);
        write(&world.files[0], b"z").unwrap();
        world.disk.fail_next_sync("0.log");
        let (told, hears) = std::sync::mpsc::channel();
        let (file, hears) = (Arc::clone(&world.files[0]), Arc::new(Mutex::new(hears)));
        let waits = Arc::clone(&hears);
        world.disk.after_next_sync(move || {
            std::thread::spawn(move || told.send(file.sync().is_err()).unwrap());
            // It must not end before the error is known.
            assert!(waits.lock().unwrap().recv_timeout(MOMENT).is_err());
        });
        match closes {
            true => assert!(world.files[0].sync_and_close()),
            false => assert!(world.files[0].sync().is_err()),
        }
        assert!(hears.lock().unwrap().recv().unwrap(), "closes: {closes}");
    }
}

#[test]
fn a_sync_that_ends_late_takes_nothing_back() {
    let world = world(1, 2);
    let file = &world.files[0];
    let early = file.changes();
    write(file, b"z").unwrap();
    file.note_synced(file.changes());
    file.note_synced(early);
    assert!(!file.is_dirty());
}

#[test]
fn connections_take_the_room_of_clean_files_and_give_it_back() {
    let world = world_of(6, OpenFiles::sharing(6, |all, sockets| all - sockets));
    assert_eq!(open(&world).len(), 6);
    world.home.open_files().note_sockets(4);
    assert_eq!(open(&world), [4, 5]);
    world.home.open_files().note_sockets(0);
    world.files.iter().for_each(|file| _ = file.get().unwrap());
    assert_eq!(open(&world).len(), 6);
}

#[test]
fn before_clean_files_become_few_the_dirty_ones_are_synced_at_once() {
    let world = world(8, 8);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let dirty_files = &world.home.dirty_files;
    dirty_files.on_crowded(Box::new(move || _ = count.fetch_add(1, Ordering::Relaxed)));
    let asked = || asked.load(Ordering::Relaxed);
    world.files[..6].iter().for_each(|file| write(file, b"y").unwrap());
    write(&world.files[0], b"y").unwrap();
    assert_eq!(asked(), 0, "a quarter is clean");
    write(&world.files[6], b"y").unwrap();
    write(&world.files[7], b"y").unwrap();
    assert_eq!(asked(), 1, "while it is being done nobody asks again");
    world.files.iter().for_each(|file| file.note_synced(file.changes()));
    dirty_files.were_synced();
    world.files[..6].iter().for_each(|file| write(file, b"z").unwrap());
    assert_eq!(asked(), 1);
    write(&world.files[7], b"z").unwrap();
    assert_eq!(asked(), 2);
    drop(world.files);
    assert_eq!(world.home.dirty_files.count(), 0);
}

#[test]
fn many_dirty_files_are_not_all_looked_through_for_a_clean_one() {
    let dirty = DIRTY_SKIPPED_MAX + 10;
    let world = world(dirty as u8 + 1, dirty + 1);
    world.files[..dirty].iter().for_each(|file| write(file, b"y").unwrap());
    let mut ring = world.home.open_files().lock();
    // Their second chances.
    (0..=dirty).for_each(|_| {
        let weak = ring.pop_front().unwrap();
        weak.upgrade().unwrap().try_close();
        ring.push_back(weak);
    });
    assert!(matches!(sweep(&mut ring), Swept::OnlyDirty(_)), "the clean one comes too late");
    assert_eq!(ring.len(), dirty);
}

#[test]
fn files_of_logs_have_what_connections_leave_them() {
    let max = |sockets| log_files_open_max(20_000, sockets);
    assert_eq!([0, 3_750, 5_000, 13_750, 30_000].map(max), [15_000, 15_000, 13_750, 5_000, 5_000]);
    assert_eq!([1, 1_024, usize::MAX].map(|all| log_files_open_max(all, 0)), [4, 768, 16_384]);
}
