//! What the upkeep of a log costs, and what readers notice of it.
//!
//! `cargo run --release -p storage --example upkeep -- compact DIR [MEGABYTES] [CODEC]` fills a
//! compacted log in `DIR` with records of 1 000 bytes, every key ten times over, 16 to a batch;
//! reads at random places for a while; then cleans it while the same reads go on.
//!
//! `… upkeep -- retain DIR [MEGABYTES]` lets retention have three quarters of such a log instead,
//! in 8 MiB segments, and removes their files while the rest is read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use env::{Clock, Env};
use env_os::OsEnv;
use records::validate::{AppendOrigin, ValidatedBatch};
use records::{BatchBuilder, Compression, NewRecord};
use storage::cleaner::{Assessment, CleanerSettings, Step, assess};
use storage::{AppendContext, LogConfig, LogDir, LogReader, LogSettings, PartitionLog};
use types::{LeaderEpoch, Offset, TopicPartition, Uuid};

type Disk = <OsEnv as Env>::Disk;

const VALUE_BYTES: usize = 1000;
const RECORDS_PER_BATCH: u64 = 16;
const VALUES_PER_KEY: u64 = 10;
const PIECE_BYTES: u64 = 4 << 20;
const QUIET_READS: usize = 100_000;

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().expect("compact or retain");
    let dir = args.next().expect("a directory to fill");
    let megabytes: u64 = args.next().map_or(1000, |text| text.parse().expect("a number"));
    let codec: Compression = args.next().map_or(Compression::None, |text| text.parse().unwrap());
    let upkeep = match what.as_str() {
        "compact" => compact,
        "retain" => retain,
        other => panic!("{other} is neither compact nor retain"),
    };
    let (quiet, busy) = upkeep(Path::new(&dir), megabytes, codec);
    println!("reads, quiet:     {quiet}");
    println!("reads, meanwhile: {busy}");
}

fn compact(dir: &Path, megabytes: u64, codec: Compression) -> (Latencies, Latencies) {
    let env = OsEnv::new();
    let config = LogConfig {
        compacts: true,
        deletes: false,
        segment_bytes: 128 << 20,
        ..LogConfig::default()
    };
    let (_dir, mut log) = open(&env, dir, config);
    fill(&env, &mut log, megabytes, codec);
    log.flush().expect("a flush");
    let reader = log.reader();
    let before = reader.size_bytes().expect("a size");

    let quiet = Latencies::of(read(&reader, Offset(0), |taken| taken < QUIET_READS));
    let (wall, cpu) = (Instant::now(), thread_cpu());
    let mut spent = (Duration::ZERO, Duration::ZERO);
    let mut keys = 0;
    let busy = reads_during(&reader, Offset(0), || {
        keys = clean(&env, &mut log);
        spent = (wall.elapsed(), thread_cpu() - cpu);
    });
    let gb = before as f64 / 1e9;
    let after = reader.size_bytes().expect("a size");
    println!("{gb:.2} GB became {:.2}; {keys} keys; codec {codec}", after as f64 / 1e9);
    println!(
        "time {:.2} s/GB, CPU {:.2} s/GB",
        spent.0.as_secs_f64() / gb,
        spent.1.as_secs_f64() / gb
    );
    (quiet, busy)
}

fn retain(dir: &Path, megabytes: u64, codec: Compression) -> (Latencies, Latencies) {
    let env = OsEnv::new();
    let config = LogConfig { segment_bytes: 8 << 20, ..LogConfig::default() };
    let (dir, mut log) = open(&env, dir, config.clone());
    fill(&env, &mut log, megabytes, codec);
    log.flush().expect("a flush");
    let reader = log.reader();
    let bytes = reader.size_bytes().expect("a size");
    // What stays, with a segment to spare.
    let kept = Offset(log.log_end().0 / 5 * 4);

    let quiet = Latencies::of(read(&reader, kept, |taken| taken < QUIET_READS));
    let mut spent = Duration::ZERO;
    let busy = reads_during(&reader, kept, || {
        let wall = Instant::now();
        log.set_config(Arc::new(LogConfig { retention_bytes: Some(bytes / 4), ..config }));
        let plan = log.retention_plan(log.log_end(), env.clock().wall()).expect("facts");
        log.advance_log_start(plan.expect("too much").log_start).expect("a log start");
        dir.remover().remove_files(&log.take_deleted()).expect("files");
        spent = wall.elapsed();
    });
    let after = reader.size_bytes().expect("a size");
    println!("{:.2} GB became {:.2} in {spent:.2?}", bytes as f64 / 1e9, after as f64 / 1e9);
    (quiet, busy)
}

fn open(env: &OsEnv, path: &Path, config: LogConfig) -> (LogDir<Disk>, PartitionLog<Disk>) {
    let dir = LogDir::open(*env.disk(), path).expect("a log directory");
    let settings =
        LogSettings { config: Arc::new(config), now: env.clock().wall(), jitter_seed: 1 };
    let id = Uuid::from_random([1; 16]);
    let log = dir.create_log(&TopicPartition::new("upkeep", 0), id, settings);
    (dir, log.expect("an empty directory"))
}

fn fill(env: &OsEnv, log: &mut PartitionLog<Disk>, megabytes: u64, codec: Compression) {
    let records = megabytes * 1_000_000 / VALUE_BYTES as u64;
    let keys = (records / VALUES_PER_KEY).max(1);
    let mut chance = 1u64;
    let mut next = 0;
    while next < records {
        let mut builder = BatchBuilder::new().compression(codec);
        for number in next..next + RECORDS_PER_BATCH {
            // Half of a value is noise and half is not: about what JSON compresses to.
            let mut value = vec![b'x'; VALUE_BYTES];
            for piece in value[..VALUE_BYTES / 2].chunks_exact_mut(4) {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                piece.copy_from_slice(&((chance >> 32) as u32).to_be_bytes());
            }
            let key = format!("key-{:012}", (number * 7919) % keys);
            builder.push(NewRecord {
                timestamp: env.clock().wall(),
                key: Some(key.as_bytes()),
                value: Some(&value),
                headers: &[],
            });
        }
        let context = AppendContext {
            leader_epoch: LeaderEpoch(0),
            now: env.clock().wall(),
            origin: AppendOrigin::Client,
        };
        let batch = ValidatedBatch::trusted(builder.build());
        log.append(batch, context).expect("an append");
        next += RECORDS_PER_BATCH;
    }
    log.roll(env.clock().wall()).expect("a roll");
    log.note_high_watermark(log.log_end());
}

/// Cleans everything; says how many keys there were.
fn clean(env: &OsEnv, log: &mut PartitionLog<Disk>) -> usize {
    let now = env.clock().wall();
    let config = log.config().clone();
    let facts = log.reader().cleaning_facts(log.log_end(), &config).expect("facts");
    let Assessment::Clean(to_clean) = assess(&facts, &config, now) else { return 0 };
    let settings =
        CleanerSettings { dedupe_buffer_bytes: 128 << 20, load_factor: 0.9, secret: [3; 16] };
    let begun = log.begin_cleaning(&to_clean, &settings, now).expect("a durable log");
    let mut cleaning = begun.expect("something to clean");
    loop {
        match cleaning.step(PIECE_BYTES).expect("a sound log") {
            Step::Worked(_) => {}
            Step::Ready => _ = log.put_in_place(&mut cleaning).expect("a swap"),
            Step::Done => break,
        }
    }
    log.finish_cleaning(&cleaning).expect("a checkpoint");
    cleaning.report().keys
}

/// Runs `act` while another thread reads.
fn reads_during(reader: &LogReader<Disk>, from: Offset, act: impl FnOnce()) -> Latencies {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(reader, from, |_| !stop.load(Ordering::Relaxed)));
        act();
        stop.store(true, Ordering::Relaxed);
        Latencies::of(reading.join().expect("the reader"))
    })
}

/// 16 KiB at random places behind `from`, one after another, while `goes_on` with their number.
fn read(reader: &LogReader<Disk>, from: Offset, goes_on: impl Fn(usize) -> bool) -> Vec<Duration> {
    let mut taken = Vec::new();
    let mut chance = 7u64;
    while goes_on(taken.len()) {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let end = reader.log_end();
        let span = end.since(from) as u128;
        let at = from.plus(((u128::from(chance) * span) >> 64) as i64);
        let began = Instant::now();
        reader.read(at, 16 << 10, end, true).expect("a read");
        taken.push(began.elapsed());
    }
    taken
}

struct Latencies {
    count: usize,
    p50: Duration,
    p99: Duration,
    max: Duration,
}

impl Latencies {
    fn of(mut taken: Vec<Duration>) -> Latencies {
        taken.sort();
        let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize];
        Latencies { count: taken.len(), p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let us = |d: Duration| d.as_micros();
        let (p50, p99, max) = (us(self.p50), us(self.p99), us(self.max));
        write!(f, "{} reads, p50 {p50} µs, p99 {p99} µs, max {max} µs", self.count)
    }
}

/// CPU time of this thread.
fn thread_cpu() -> Duration {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
}
