//! How fast any program can make appends durable that wait for no more than each other.
//!
//! 64 files as segments are (space reserved, not written), 5 appends of 16 KiB to each in flight:
//! what 64 producers with a partition each let a node have. No sockets, no records, no answers. The
//! files are shared out among a way's threads; each appends to all of its own, makes that durable,
//! and begins anew. Ways take turns, and the file system is clean when one begins.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustix::fs::{FallocateFlags, fallocate, sync, syncfs};

use super::cpu_us;
use crate::report::shown;

const FILES: usize = 64;
const APPEND_BYTES: usize = 16 << 10;
const APPENDS: usize = 5;
/// Of every way, in every round.
const TOTAL_BYTES: usize = 512 << 20;
const FILE_BYTES: usize = TOTAL_BYTES / FILES;
/// Of a thread's journal; what it holds is brought to the disk in the files beside it.
const JOURNAL_BYTES: u64 = 32 << 20;

#[derive(Clone, Copy, Debug)]
enum Way {
    /// `syncfs` after each turn.
    FileSystem,
    /// `fdatasync`, file after file.
    Each,
    /// Everything once more into a file whose blocks are written, and `fdatasync` of that.
    Journal,
    /// Only into such a file: no less reaches the disk.
    JournalAlone,
}

const WAYS: [(Way, usize, &str); 7] = [
    (Way::FileSystem, 1, "syncfs, one at a time"),
    (Way::FileSystem, 2, "syncfs, two at once"),
    (Way::FileSystem, 4, "syncfs, four at once"),
    (Way::Each, 64, "fdatasync of each file, 64 at once"),
    (Way::Journal, 1, "journal, one at a time"),
    (Way::Journal, 2, "journal, two at once"),
    (Way::JournalAlone, 1, "the journal alone, one at a time"),
];

/// What a way gave in each round.
#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    of_first: Vec<f64>,
    cpu: Vec<f64>,
}

/// Prints the table of all ways.
pub(super) fn measure(dir: &Path, rounds: usize) -> io::Result<()> {
    let mut all: Vec<Figures> = WAYS.iter().map(|_| Figures::default()).collect();
    for _ in 0..rounds {
        let mut first = None;
        for ((way, threads, _), figures) in WAYS.iter().zip(&mut all) {
            let place = tempfile::tempdir_in(dir)?;
            let (rate, cpu) = run(place.path(), *way, *threads)?;
            figures.rates.push(rate);
            figures.of_first.push(rate / *first.get_or_insert(rate));
            figures.cpu.push(cpu);
        }
    }
    println!("\n| 64 files, 5 × 16 KiB in flight | GB/s | of the first | CPU-s/GB |");
    println!("| --- | --- | --- | --- |");
    for ((_, _, name), figures) in WAYS.iter().zip(&all) {
        let Figures { rates, of_first, cpu } = figures;
        println!("| {name} | {} | {} | {} |", shown(rates, 2), shown(of_first, 2), shown(cpu, 2));
    }
    Ok(())
}

/// Gigabytes a second, and CPU seconds a gigabyte: of this process, not of the kernel's threads.
fn run(dir: &Path, way: Way, threads: usize) -> io::Result<(f64, f64)> {
    let mut files = Vec::new();
    for number in 0..FILES {
        let file = File::create(dir.join(format!("{number}.log")))?;
        fallocate(&file, FallocateFlags::KEEP_SIZE, 0, FILE_BYTES as u64)?;
        files.push(file);
    }
    let mut hands = Vec::new();
    for (number, files) in files.chunks(FILES / threads).enumerate() {
        let journal = match way {
            Way::Journal | Way::JournalAlone => {
                Some(written(&dir.join(format!("journal-{number}")))?)
            }
            Way::FileSystem | Way::Each => None,
        };
        // A file of one's own: the kernel tells of an error once for each.
        hands.push(Hand { way, files, any: File::open(dir)?, journal, journal_at: 0 });
    }
    sync();
    let unsynced = AtomicU64::new(0);
    let (cpu, began) = (cpu_us(), Instant::now());
    std::thread::scope(|scope| {
        let threads: Vec<_> = hands
            .into_iter()
            .map(|mut hand| {
                let unsynced = &unsynced;
                scope.spawn(move || hand.write_all(unsynced))
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    if matches!(way, Way::Journal) {
        syncfs(&files[0])?;
    }
    let gigabytes = (FILES * FILE_BYTES) as f64 / 1e9;
    let cpu = (cpu_us() - cpu) as f64 / 1e6;
    Ok((gigabytes / began.elapsed().as_secs_f64(), cpu / gigabytes))
}

/// A file whose blocks are there and were written once.
fn written(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create_new(true).write(true).open(path)?;
    let zeros = vec![0; 1 << 20];
    for at in (0..JOURNAL_BYTES).step_by(zeros.len()) {
        file.write_all_at(&zeros, at)?;
    }
    Ok(file)
}

/// A thread with the files that are its own.
struct Hand<'a> {
    way: Way,
    files: &'a [File],
    any: File,
    journal: Option<File>,
    journal_at: u64,
}

impl Hand<'_> {
    fn write_all(&mut self, unsynced: &AtomicU64) -> io::Result<()> {
        let bytes = vec![7; APPEND_BYTES];
        let turns = FILE_BYTES / (APPEND_BYTES * APPENDS);
        let all = bytes.repeat(APPENDS * self.files.len());
        for turn in 0..turns {
            let at = (turn * APPENDS * APPEND_BYTES) as u64;
            for file in self.files.iter().filter(|_| !matches!(self.way, Way::JournalAlone)) {
                for append in 0..APPENDS {
                    file.write_all_at(&bytes, at + (append * APPEND_BYTES) as u64)?;
                }
            }
            match (self.way, &self.journal) {
                (Way::FileSystem, _) => syncfs(&self.any)?,
                (Way::Each, _) => self.files.iter().try_for_each(File::sync_data)?,
                (_, None) => unreachable!("made above"),
                (way, Some(journal)) => {
                    if self.journal_at + all.len() as u64 > JOURNAL_BYTES {
                        self.journal_at = 0;
                    }
                    journal.write_all_at(&all, self.journal_at)?;
                    journal.sync_data()?;
                    self.journal_at += all.len() as u64;
                    self.settle(way, all.len() as u64, unsynced)?;
                }
            }
        }
        Ok(())
    }

    /// What a journal holds reaches the disk in the files before it is written anew. Nobody waits
    /// for that here: a node with two halves and a thread for it does not either.
    fn settle(&self, way: Way, bytes: u64, unsynced: &AtomicU64) -> io::Result<()> {
        if !matches!(way, Way::Journal) {
            return Ok(());
        }
        let so_far = unsynced.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if so_far < JOURNAL_BYTES {
            return Ok(());
        }
        unsynced.store(0, Ordering::Relaxed);
        let any = self.any.try_clone()?;
        std::thread::spawn(move || _ = syncfs(&any));
        Ok(())
    }
}
