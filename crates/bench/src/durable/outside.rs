//! What it costs producers that are not ours, with their defaults and `acks=all`.

use super::{DURABILITIES, PARTITIONS, spread};
use crate::Outcome;
use crate::kafka::tools::{Outside, PRODUCERS, RECORD_BYTES, Tool};
use crate::machine::{sync_file_system, warm_up};
use crate::options::DurableOptions;
use crate::process::cpu_time;
use crate::server::Server;
use crate::wire::{TOPIC, create_topic_with};

/// What one run gave.
struct Figure {
    records_per_second: f64,
    cpu_seconds_per_gb: f64,
}

pub fn measure(options: &DurableOptions, server: &Server) -> Outcome<()> {
    let records = (options.gigabytes * 1e9) as u64 / RECORD_BYTES;
    let outside = Outside { records, ..options.outside.clone() };
    let mut all: [[Vec<Figure>; 2]; PRODUCERS.len()] = Default::default();
    for round in 0..options.rounds {
        for (tool, figures) in PRODUCERS.iter().zip(&mut all) {
            for (durability, figures) in DURABILITIES.iter().zip(figures) {
                eprintln!("round {}: {durability}, {}", round + 1, tool.name);
                figures.push(run(options, server, (tool, &outside), durability)?);
            }
        }
    }
    print(&all);
    Ok(())
}

fn print(all: &[[Vec<Figure>; 2]]) {
    println!("| durability | producer | thousand records/s | server CPU-s/GB |");
    println!("| --- | --- | --- | --- |");
    for (tool, figures) in PRODUCERS.iter().zip(all) {
        for (durability, figures) in DURABILITIES.iter().zip(figures) {
            let rates = spread(figures.iter().map(|f| f.records_per_second / 1e3));
            let cpu = spread(figures.iter().map(|f| f.cpu_seconds_per_gb));
            println!("| {durability} | {} | {rates} | {cpu} |", tool.name);
        }
    }
    for (tool, [cache, disk]) in PRODUCERS.iter().zip(all) {
        let pairs = disk.iter().zip(cache);
        let ratios = pairs.map(|(disk, cache)| disk.records_per_second / cache.records_per_second);
        println!("fsync of page cache, {}: {}", tool.name, spread(ratios));
    }
}

fn run(
    options: &DurableOptions,
    server: &Server,
    (tool, outside): (&Tool, &Outside),
    durability: &str,
) -> Outcome<Figure> {
    let bytes = outside.records * RECORD_BYTES;
    warm_up(&options.dir, bytes * 5 / 4).map_err(|error| format!("warm-up: {error}"))?;
    sync_file_system(&options.dir).map_err(|error| format!("sync the file system: {error}"))?;
    let running = server.start(&options.dir)?;
    create_topic_with(running.address, TOPIC, PARTITIONS, &[("durability", durability)])?;
    let before = cpu_time(running.pid())?;
    let records_per_second = tool.run(outside, &running.address.to_string(), TOPIC)?;
    let used = cpu_time(running.pid())?.saturating_sub(before).as_secs_f64();
    Ok(Figure { records_per_second, cpu_seconds_per_gb: used * 1e9 / bytes as f64 })
}
