//! What producers keep up for longer than memory takes what the disk has not seen.
//!
//! Linux leaves what a program writes in memory until `dirty_background_ratio` of it is dirty, then
//! writes it out beside the program; where the disk does not keep up, who writes waits from half
//! way to `dirty_ratio` (`balance_dirty_pages`). What is written before the first point is not
//! counted, of either durability.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ::load::frames::ACKS_ALL;

use super::{BATCH, DEPTH, DURABILITIES, PARTITIONS, SPREAD_CONNECTIONS, spread};
use crate::Outcome;
use crate::load::{Ask, Load, run_slices};
use crate::machine::sync_file_system;
use crate::options::DurableOptions;
use crate::server::Server;
use crate::wire::{TOPIC, create_topic_with};

/// How often the kernel is asked, and the disk for room.
const SLICE_BYTES: u64 = 256 << 20;
/// If nothing is written out by then, nothing will.
const LEAD_BYTES_MAX: u64 = 12_000_000_000;
/// What stays free of the disk.
const SPARE_BYTES: u64 = 16_000_000_000;

/// What a run gave.
struct Sustained {
    gigabytes_per_second: f64,
    lead_gigabytes: f64,
}

pub fn measure(options: &DurableOptions, server: &Server) -> Outcome<()> {
    let loads = [("8, to all partitions", true), ("64, a partition each", false)];
    let mut all: [[Vec<Sustained>; 2]; 2] = Default::default();
    for round in 0..options.rounds {
        for ((name, to_all), figures) in loads.iter().zip(&mut all) {
            let mut lead = None;
            for (durability, figures) in DURABILITIES.iter().zip(figures) {
                eprintln!("round {}: {durability}, {name}", round + 1);
                let figure = run(options, server, (durability, *to_all), lead)?;
                lead = Some(figure.lead_gigabytes);
                figures.push(figure);
            }
        }
    }
    println!("| durability | producers | sustained GB/s | not counted, GB |");
    println!("| --- | --- | --- | --- |");
    for ((name, _), figures) in loads.iter().zip(&all) {
        for (durability, figures) in DURABILITIES.iter().zip(figures) {
            let rates = spread(figures.iter().map(|f| f.gigabytes_per_second));
            let leads = spread(figures.iter().map(|f| f.lead_gigabytes));
            println!("| {durability} | {name} | {rates} | {leads} |");
        }
    }
    for ((name, _), [cache, disk]) in loads.iter().zip(&all) {
        let pairs = disk.iter().zip(cache);
        let ratios = pairs.map(|(d, c)| d.gigabytes_per_second / c.gigabytes_per_second);
        println!("fsync of page cache, sustained, {name}: {}", spread(ratios));
    }
    Ok(())
}

/// `lead`: what the other durability wrote before it counted, in GB; without it, until the kernel
/// writes out.
fn run(
    options: &DurableOptions,
    server: &Server,
    (durability, to_all): (&str, bool),
    lead: Option<f64>,
) -> Outcome<Sustained> {
    sync_file_system(&options.dir).map_err(|error| format!("sync the file system: {error}"))?;
    let running = server.start(&options.dir)?;
    create_topic_with(running.address, TOPIC, PARTITIONS, &[("durability", durability)])?;
    let batch = BATCH.build();
    let batch_bytes = batch.len() as u64;
    let (ask, connections, request_bytes) = match to_all {
        true => {
            let ask = Ask::ProduceToAll { batch, acks: ACKS_ALL, partitions: PARTITIONS };
            (ask, SPREAD_CONNECTIONS, batch_bytes * PARTITIONS as u64)
        }
        false => (Ask::Produce { batch, acks: ACKS_ALL }, PARTITIONS as usize, batch_bytes),
    };
    let counted_bytes = (options.gigabytes * 1e9) as u64;
    let (mut ahead, mut counted, mut took) = (0, 0, Duration::ZERO);
    let mut is_steady = false;
    run_slices(running.address, &ask, Load { connections, depth: DEPTH, requests: 0 }, |last| {
        let (bytes, slice) = last.unwrap_or_default();
        if is_steady {
            counted += bytes;
            took += slice;
        } else {
            ahead += bytes;
            is_steady = match lead {
                Some(lead) => ahead as f64 >= lead * 1e9,
                None => is_written_out()?,
            };
        }
        check_room(&options.dir, ahead)?;
        Ok((counted < counted_bytes).then_some(SLICE_BYTES / request_bytes))
    })?;
    Ok(Sustained {
        gigabytes_per_second: counted as f64 / 1e9 / took.as_secs_f64(),
        lead_gigabytes: ahead as f64 / 1e9,
    })
}

fn check_room(dir: &Path, ahead: u64) -> Outcome<()> {
    let room = rustix::fs::statvfs(dir).map_err(|error| format!("free space: {error}"))?;
    let free = room.f_bavail * room.f_frsize;
    if free < SPARE_BYTES {
        return Err(format!("only {free} bytes of the disk are free: --gigabytes is too much"));
    }
    if ahead > LEAD_BYTES_MAX {
        let gigabytes = LEAD_BYTES_MAX / 1_000_000_000;
        return Err(format!("{gigabytes} GB were not enough for the kernel to write them out"));
    }
    Ok(())
}

/// Whether the kernel writes out whatever is dirty, and not only what has been so for long. Source:
/// Linux `balance_dirty_pages`.
fn is_written_out() -> Outcome<bool> {
    let counts = fs::read_to_string("/proc/vmstat").map_err(|error| format!("vmstat: {error}"))?;
    let pages = |name: &str| {
        let line = counts.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let pages = line.and_then(|pages| pages.parse::<u64>().ok());
        pages.ok_or_else(|| format!("/proc/vmstat has no {name}"))
    };
    let begins = pages("nr_dirty_background_threshold")?;
    // A slice may end just below.
    Ok((pages("nr_dirty")? + pages("nr_writeback")?) * 20 >= begins * 19)
}
