//! `bench restart`: how long a node takes to be ready again with much on its disk, and what it
//! holds while nobody uses it.
//!
//! A node is filled, killed at once (nothing is written down of what is durable), left alone until
//! its checkpoint, killed again and again, and at last stopped and started. Each start is timed
//! until it answers; CPU time, memory and open files are those of the node right after.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::batches::BatchShape;
use crate::machine;
use crate::options::RestartOptions;
use crate::report::shown;
use crate::server::{Running, Server};
use crate::wire::{TOPIC, create_topic_with};
use crate::{Outcome, load, process};

const BATCH: BatchShape = BatchShape { batch_bytes: 16 << 10, value_bytes: 1000 };
/// Partitions of one topic, and connections that fill it.
const TOPIC_PARTITIONS_MAX: usize = 1000;
const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// Twice the default interval of checkpoints, and some.
const CHECKPOINT_WAIT: Duration = Duration::from_secs(150);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// One start.
struct Started {
    what: &'static str,
    ready_ms: f64,
    cpu_ms: f64,
    rss_mib: f64,
    files: usize,
}

pub fn measure(options: &RestartOptions) -> Outcome<()> {
    machine::limit_files(options.files_max)?;
    let server = Server::ottla(options.server.clone())?;
    fs::create_dir_all(&options.dir).map_err(|error| format!("data directory: {error}"))?;
    let made = tempfile::Builder::new().prefix("restart-").tempdir_in(&options.dir);
    let data = made.map_err(|error| format!("data directory: {error}"))?;
    let data = data.path();
    let mut starts = Vec::new();

    let mut running = server.start_in(data)?;
    let began = Instant::now();
    create(&running, options.partitions)?;
    eprintln!("{} partitions made in {:.1?}", options.partitions, began.elapsed());
    fill(&running, options)?;
    look(&running, "after they were made and filled", &mut starts)?;
    running.kill();

    let restart = |running: &mut Running, what, starts: &mut Vec<Started>| {
        *running = server.start_in(data)?;
        look(running, what, starts)
    };
    restart(&mut running, "killed before a checkpoint", &mut starts)?;
    wait_for_checkpoint(data, options.partitions)?;
    for _ in 0..options.rounds {
        running.kill();
        restart(&mut running, "killed after a checkpoint", &mut starts)?;
    }
    for _ in 0..options.rounds {
        let began = Instant::now();
        running.stop()?;
        eprintln!("stopped in {:.1?}", began.elapsed());
        restart(&mut running, "stopped", &mut starts)?;
    }
    print(options, &starts);
    Ok(())
}

/// Topics of at most [`TOPIC_PARTITIONS_MAX`] partitions, whose batches get the time of the append:
/// as in life, it goes on.
fn create(running: &Running, partitions: usize) -> Outcome<()> {
    let counts = (0..partitions).step_by(TOPIC_PARTITIONS_MAX);
    for (number, from) in counts.enumerate() {
        let count = TOPIC_PARTITIONS_MAX.min(partitions - from);
        let name = if number == 0 { TOPIC.to_owned() } else { format!("{TOPIC}-{number}") };
        let config = [("message.timestamp.type", "LogAppendTime")];
        create_topic_with(running.address, &name, count as i32, &config)?;
    }
    Ok(())
}

fn fill(running: &Running, options: &RestartOptions) -> Outcome<()> {
    let filled = options.partitions.min(TOPIC_PARTITIONS_MAX);
    let batches = options.bytes / (BATCH.batch_bytes as u64 * filled as u64);
    if batches > 0 {
        let began = Instant::now();
        load::fill(running.address, BATCH.build(), filled, batches)?;
        eprintln!("{batches} batches a partition written in {:.1?}", began.elapsed());
    }
    Ok(())
}

fn look(running: &Running, what: &'static str, starts: &mut Vec<Started>) -> Outcome<()> {
    let cpu = process::whole_cpu_time(running.pid())?;
    let memory = process::memory(running.pid())?;
    let started = Started {
        what,
        ready_ms: running.ready_after.as_secs_f64() * 1e3,
        cpu_ms: cpu.as_secs_f64() * 1e3,
        rss_mib: memory.rss_kib as f64 / 1024.0,
        files: process::open_files(running.pid())?,
    };
    let Started { ready_ms, cpu_ms, rss_mib, .. } = started;
    eprintln!("{what}: {ready_ms:.0} ms, CPU {cpu_ms:.0} ms, {rss_mib:.0} MiB");
    starts.push(started);
    Ok(())
}

/// Until the checkpoint speaks of every partition and says the same twice in a row.
fn wait_for_checkpoint(data: &Path, partitions: usize) -> Outcome<()> {
    let path = data.join(RECOVERY_POINTS);
    let written = || fs::metadata(&path).and_then(|of| of.modified()).ok();
    let (began, before) = (Instant::now(), written());
    while began.elapsed() < CHECKPOINT_WAIT {
        std::thread::sleep(LOOK_AGAIN);
        let text = fs::read_to_string(&path).unwrap_or_default();
        if written() != before && text.lines().count() >= partitions {
            return Ok(());
        }
    }
    Err(format!("{} was not written within {CHECKPOINT_WAIT:?}", path.display()))
}

fn print(options: &RestartOptions, starts: &[Started]) {
    println!(
        "{} partitions, {:.1} GB; medians [least..most]\n",
        options.partitions,
        options.bytes as f64 / 1e9
    );
    println!("| start | ready, ms | CPU, ms | RSS, MiB | open files |");
    println!("| --- | --- | --- | --- | --- |");
    let mut names: Vec<&str> = starts.iter().map(|started| started.what).collect();
    names.dedup();
    for name in names {
        let of: Vec<&Started> = starts.iter().filter(|started| started.what == name).collect();
        let spread = |value: fn(&Started) -> f64| {
            shown(&of.iter().map(|started| value(started)).collect::<Vec<_>>(), 0)
        };
        let ready = spread(|started| started.ready_ms);
        let cpu = spread(|started| started.cpu_ms);
        let rss = spread(|started| started.rss_mib);
        let files = spread(|started| started.files as f64);
        println!("| {name} | {ready} | {cpu} | {rss} | {files} |");
    }
}
