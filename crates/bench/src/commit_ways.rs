//! `bench commit`: ways to make the batches of many partitions survive power loss together.
//!
//! In each round a batch is appended to each of N files, untimed; then one way makes all of them
//! durable, timed. Ways take turns; everything else is clean when the clock runs. Then how fast
//! that goes on and on.

mod in_flight;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Instant;

use rustix::fs::{FallocateFlags, OFlags, fallocate, sync, syncfs};
use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;
use crate::options::CommitOptions;

const FILES: [usize; 4] = [1, 16, 64, 1000];
const BATCH_BYTES: [usize; 2] = [16 << 10, 128 << 10];
/// All files of a round together; more is no commit but a load test.
const ROUND_BYTES_MAX: usize = 64 << 20;
const JOURNAL_BYTES: u64 = 128 << 20;
const THREADS: usize = 16;
const PAGE: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Each,
    Threads,
    Ring,
    FileSystem,
    JournalBuffered,
    JournalDirect,
}

const WAYS: [(Way, &str); 6] = [
    (Way::Each, "fdatasync, file after file"),
    (Way::Threads, "fdatasync on 16 threads"),
    (Way::Ring, "fdatasync, one io_uring batch"),
    (Way::FileSystem, "syncfs"),
    (Way::JournalBuffered, "journal: read back, write, fdatasync"),
    (Way::JournalDirect, "journal: read back, O_DIRECT O_DSYNC"),
];

/// The files of one way, and where the next round appends.
struct Ground {
    files: Vec<File>,
    position: u64,
    journal: File,
    journal_at: u64,
    buffer: Vec<u8>,
}

pub fn measure(options: &CommitOptions) -> Outcome<()> {
    std::fs::create_dir_all(&options.dir).map_err(|error| error.to_string())?;
    let dir = tempfile::tempdir_in(&options.dir).map_err(|error| error.to_string())?;
    println!("| dirty files | batch | way | p50 µs | p99 µs | CPU µs |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for files in FILES {
        for batch in BATCH_BYTES.into_iter().filter(|batch| batch * files <= ROUND_BYTES_MAX) {
            let rounds = if files >= 1000 { options.rounds.div_ceil(4) } else { options.rounds };
            compare(dir.path(), files, batch, rounds).map_err(|error| error.to_string())?;
        }
    }
    in_flight::measure(dir.path(), options.rounds.div_ceil(8)).map_err(|error| error.to_string())
}

fn compare(dir: &Path, files: usize, batch: usize, rounds: usize) -> io::Result<()> {
    let mut grounds = Vec::new();
    for (number, (way, _)) in WAYS.iter().enumerate() {
        grounds.push(Ground::new(&dir.join(number.to_string()), *way, files, batch, rounds)?);
    }
    let bytes = vec![7; batch];
    let mut took = vec![Vec::new(); WAYS.len()];
    for _ in 0..rounds {
        for (number, (way, _)) in WAYS.iter().enumerate() {
            sync();
            let ground = &mut grounds[number];
            for file in &ground.files {
                file.write_all_at(&bytes, ground.position)?;
            }
            let (cpu, began) = (cpu_us(), Instant::now());
            ground.commit(*way, batch)?;
            took[number].push((began.elapsed().as_micros() as u64, cpu_us() - cpu));
            ground.position += batch as u64;
        }
    }
    for (number, (_, name)) in WAYS.iter().enumerate() {
        let mut times: Vec<u64> = took[number].iter().map(|(wall, _)| *wall).collect();
        let mut cpus: Vec<u64> = took[number].iter().map(|(_, cpu)| *cpu).collect();
        times.sort_unstable();
        cpus.sort_unstable();
        let at = |sorted: &[u64], percent: usize| sorted[(sorted.len() - 1) * percent / 100];
        println!(
            "| {files} | {} KiB | {name} | {} | {} | {} |",
            batch >> 10,
            at(&times, 50),
            at(&times, 99),
            at(&cpus, 50)
        );
    }
    for number in 0..WAYS.len() {
        std::fs::remove_dir_all(dir.join(number.to_string()))?;
    }
    Ok(())
}

impl Ground {
    fn new(dir: &Path, way: Way, files: usize, batch: usize, rounds: usize) -> io::Result<Ground> {
        std::fs::create_dir_all(dir)?;
        let create = |name: String, flags: OFlags| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true);
            options.custom_flags(flags.bits() as i32).open(dir.join(name))
        };
        let mut all = Vec::with_capacity(files);
        for number in 0..files {
            let file = create(format!("{number}.log"), OFlags::empty())?;
            fallocate(&file, FallocateFlags::KEEP_SIZE, 0, (batch * rounds) as u64)?;
            all.push(file);
        }
        let zeros = vec![0; 1 << 20];
        let is_journal = matches!(way, Way::JournalBuffered | Way::JournalDirect);
        let file = create("journal".to_owned(), OFlags::empty())?;
        let mut at = 0;
        while is_journal && at < JOURNAL_BYTES {
            file.write_all_at(&zeros, at)?;
            at += zeros.len() as u64;
        }
        let journal = match way {
            Way::JournalDirect => OpenOptions::new()
                .write(true)
                .custom_flags((OFlags::DIRECT | OFlags::DSYNC).bits() as i32)
                .open(dir.join("journal"))?,
            _ => file,
        };
        let buffer = vec![0; files * batch + 2 * PAGE];
        Ok(Ground { files: all, position: 0, journal, journal_at: 0, buffer })
    }

    fn commit(&mut self, way: Way, batch: usize) -> io::Result<()> {
        match way {
            Way::Each => self.files.iter().try_for_each(File::sync_data),
            Way::Threads => self.commit_on_threads(),
            Way::Ring => self.commit_by_ring(),
            Way::FileSystem => Ok(syncfs(&self.files[0])?),
            Way::JournalBuffered => {
                let written = self.write_journal(batch)?;
                self.journal_at += written;
                self.journal.sync_data()
            }
            Way::JournalDirect => {
                self.journal_at += self.write_journal(batch)?;
                Ok(())
            }
        }
    }

    fn commit_on_threads(&self) -> io::Result<()> {
        let share = self.files.len().div_ceil(THREADS);
        std::thread::scope(|scope| {
            let sync = |files: &'_ [File]| files.iter().try_for_each(File::sync_data);
            let threads: Vec<_> =
                self.files.chunks(share).map(|files| scope.spawn(move || sync(files))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
        })
    }

    fn commit_by_ring(&self) -> io::Result<()> {
        use io_uring::{IoUring, opcode, types};
        use std::os::fd::AsRawFd;
        let mut ring = IoUring::new(1024)?;
        for file in &self.files {
            let sync = opcode::Fsync::new(types::Fd(file.as_raw_fd()));
            let entry = sync.flags(types::FsyncFlags::DATASYNC).build();
            // SAFETY: the file outlives the wait below, and no memory is handed over.
            unsafe { ring.submission().push(&entry) }.expect("room for every file");
        }
        ring.submit_and_wait(self.files.len())?;
        match ring.completion().find(|done| done.result() < 0) {
            Some(failed) => Err(io::Error::from_raw_os_error(-failed.result())),
            None => Ok(()),
        }
    }

    /// What the files got, read back from the page cache behind a head of its own.
    fn write_journal(&mut self, batch: usize) -> io::Result<u64> {
        let start = self.buffer.as_ptr().align_offset(PAGE);
        let mut end = start + 64;
        for file in &self.files {
            file.read_exact_at(&mut self.buffer[end..end + batch], self.position)?;
            end += batch;
        }
        let length = (end - start).next_multiple_of(PAGE);
        if self.journal_at + length as u64 > JOURNAL_BYTES {
            self.journal_at = 0;
        }
        self.journal.write_all_at(&self.buffer[start..start + length], self.journal_at)?;
        Ok(length as u64)
    }
}

/// Of this process, its threads included. Kernel workers that write pages out do not count.
fn cpu_us() -> u64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as u64 * 1_000_000 + spent.tv_nsec as u64 / 1000
}
