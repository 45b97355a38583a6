//! `bench durable`: what it costs that acknowledged means on disk.
//!
//! The same node, with topics of both kinds in turn: `durability=page-cache` and `fsync`, of 64
//! partitions. Once with 8 producers whose every request has a batch for each partition; once with
//! 64 that have a partition each; both with five requests in flight; and once with a lone one that
//! sends a record at a time, in turn with a bare `fdatasync`.
//!
//! With `--sustained` page-cache production is measured while the kernel writes it out: the rate
//! that it keeps for longer than memory lasts. With `--outside` the producers are Kafka's and
//! librdkafka. With `--lone` there is but the lone one, for several nodes and a program that only
//! receives, writes, syncs and answers.

pub mod lone;
mod outside;
mod sustained;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use ::load::frames::ACKS_ALL;

use crate::Outcome;
use crate::batches::BatchShape;
use crate::load::{self, Ask, Load};
use crate::machine::{sync_file_system, warm_up};
use crate::options::{DurableLoad, DurableOptions};
use crate::report::shown;
use crate::server::{Running, Server};
use crate::wire::{TOPIC, create_topic_with};

const PARTITIONS: i32 = 64;
/// Of a client that has records waiting for all partitions: a request is `max.request.size`.
const SPREAD_CONNECTIONS: usize = 8;
const DEPTH: usize = 5;
const BATCH: BatchShape = BatchShape { batch_bytes: 16 << 10, value_bytes: 1000 };
const DURABILITIES: [&str; 2] = ["page-cache", "fsync"];

/// What one run gave.
struct Figures {
    spread: Rate,
    crowd: Rate,
    lone: lone::Lone,
}

/// One of the figures.
type Of<T> = fn(&Figures) -> &T;

/// Of producers that batch.
struct Rate {
    gigabytes_per_second: f64,
    /// Counting the time until what is in the page cache has been written out as well.
    settled_gigabytes_per_second: f64,
    cpu_seconds_per_gb: f64,
    batches_per_commit: f64,
}

pub fn measure(options: &DurableOptions) -> Outcome<()> {
    let server = Server::ottla(options.server.clone())?;
    std::fs::create_dir_all(&options.dir).map_err(|error| error.to_string())?;
    match options.load {
        DurableLoad::Ours => ours(options, &server),
        DurableLoad::Sustained => sustained::measure(options, &server),
        DurableLoad::Outside => outside::measure(options, &server),
        DurableLoad::Lone => {
            let also = options.also.iter().zip(2..);
            let also = also.map(|(binary, number)| Server::another(binary, number));
            let servers: Vec<_> = [Server::least()?, server].into_iter().chain(also).collect();
            lone::compare(options, &servers)
        }
    }
}

fn ours(options: &DurableOptions, server: &Server) -> Outcome<()> {
    let mut all: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
    for round in 0..options.rounds {
        for (durability, figures) in DURABILITIES.iter().zip(&mut all) {
            if !options.only.is_empty() && options.only.iter().all(|only| only != durability) {
                continue;
            }
            eprintln!("round {}: {durability}", round + 1);
            figures.push(run(options, server, durability)?);
        }
    }
    print(&all);
    Ok(())
}

fn print([cache, disk]: &[Vec<Figures>; 2]) {
    println!(
        "| durability | producers | GB/s | GB/s until all is on the disk | server CPU-s/GB | \
         batches a commit |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    let loads: [(&str, Of<Rate>); 2] =
        [("8, to all partitions", |f| &f.spread), ("64, a partition each", |f| &f.crowd)];
    for (name, rate) in loads {
        for (durability, figures) in DURABILITIES.iter().zip([cache, disk]) {
            let of = |value: fn(&Rate) -> f64| spread(figures.iter().map(|f| value(rate(f))));
            println!(
                "| {durability} | {name} | {} | {} | {} | {} |",
                of(|rate| rate.gigabytes_per_second),
                of(|rate| rate.settled_gigabytes_per_second),
                of(|rate| rate.cpu_seconds_per_gb),
                of(|rate| rate.batches_per_commit)
            );
        }
    }
    for (durability, figures) in DURABILITIES.iter().zip([cache, disk]) {
        println!(
            "lone producer, {durability}: {} µs, {} of a bare write and fdatasync",
            spread(figures.iter().map(|f| f.lone.micros)),
            spread(figures.iter().map(|f| f.lone.of_bare)),
        );
    }
    for (name, rate) in loads {
        let pairs = disk.iter().zip(cache).map(|(disk, cache)| (rate(disk), rate(cache)));
        let plain = pairs.clone().map(|(d, c)| d.gigabytes_per_second / c.gigabytes_per_second);
        let settled =
            pairs.map(|(d, c)| d.settled_gigabytes_per_second / c.settled_gigabytes_per_second);
        println!(
            "fsync of page cache, {name}: {}; until all is on the disk: {}",
            spread(plain),
            spread(settled)
        );
    }
}

fn spread(values: impl Iterator<Item = f64>) -> String {
    shown(&values.collect::<Vec<_>>(), 2)
}

fn run(options: &DurableOptions, server: &Server, durability: &str) -> Outcome<Figures> {
    let batch = BATCH.build();
    let total = (options.gigabytes * 1e9) as u64;
    warm_up(&options.dir, total * 2 * 5 / 4).map_err(|error| format!("warm-up: {error}"))?;
    let running = server.start(&options.dir)?;
    create_topic_with(running.address, TOPIC, PARTITIONS, &[("durability", durability)])?;
    let spread = Load {
        connections: SPREAD_CONNECTIONS,
        depth: DEPTH,
        requests: total / (batch.len() as u64 * PARTITIONS as u64),
    };
    let to_all = Ask::ProduceToAll { batch: batch.clone(), acks: ACKS_ALL, partitions: PARTITIONS };
    let spread = rate(options, &running, &to_all, spread)?;
    let crowd = Load {
        connections: PARTITIONS as usize,
        depth: DEPTH,
        requests: total / batch.len() as u64,
    };
    let crowd = rate(options, &running, &Ask::Produce { batch, acks: ACKS_ALL }, crowd)?;
    let lone = lone::measure(&options.dir, std::slice::from_ref(&running))?;
    Ok(Figures { spread, crowd, lone: lone[0] })
}

fn rate(options: &DurableOptions, running: &Running, ask: &Ask, load: Load) -> Outcome<Rate> {
    let before = commits(running.http)?;
    let cost = load::run(running.address, running.pid(), ask, load)?;
    let after = commits(running.http)?;
    let started = Instant::now();
    sync_file_system(&options.dir).map_err(|error| format!("sync the file system: {error}"))?;
    let settled = cost.wall + started.elapsed();
    let gigabytes = cost.bytes as f64 / 1e9;
    Ok(Rate {
        gigabytes_per_second: gigabytes / cost.wall.as_secs_f64(),
        settled_gigabytes_per_second: gigabytes / settled.as_secs_f64(),
        cpu_seconds_per_gb: cost.server_cpu.as_secs_f64() / gigabytes,
        batches_per_commit: (after.1 - before.1) / (after.0 - before.0).max(1.0),
    })
}

/// How many commits there were, and how many appends they made durable.
fn commits(http: SocketAddr) -> Outcome<(f64, f64)> {
    let ask = || -> std::io::Result<String> {
        let mut socket = TcpStream::connect(http)?;
        socket.write_all(
            format!("GET /metrics HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )?;
        let mut page = String::new();
        socket.read_to_string(&mut page)?;
        Ok(page)
    };
    let page = ask().map_err(|error| format!("cannot read the metrics: {error}"))?;
    let value = |name: &str| {
        let line = page.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        number.ok_or_else(|| format!("the metrics have no {name}"))
    };
    let name = "ottla_log_dir_commit_appends";
    Ok((value(&format!("{name}_count"))?, value(&format!("{name}_sum"))?))
}
