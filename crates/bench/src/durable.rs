//! `bench durable`: what it costs that acknowledged means on disk.
//!
//! The same node, with topics of both kinds in turn: `durability=page-cache` and `fsync`. Once with
//! 64 producers that batch, each with a partition of its own and five requests in flight; once with
//! a lone one that sends a record at a time.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use ::load::frames::ACKS_ALL;

use crate::Outcome;
use crate::batches::BatchShape;
use crate::load::{self, Ask, Load};
use crate::machine::warm_up;
use crate::options::DurableOptions;
use crate::server::Server;
use crate::wire::{TOPIC, create_topic_with};

const CROWD_CONNECTIONS: usize = 64;
const CROWD_DEPTH: usize = 5;
const CROWD_BATCH: BatchShape = BatchShape { batch_bytes: 16 << 10, value_bytes: 1000 };
const LONE: Load = Load { connections: 1, depth: 1, requests: 4_000 };
const LONE_BATCH: BatchShape = BatchShape { batch_bytes: 0, value_bytes: 100 };
const DURABILITIES: [&str; 2] = ["page-cache", "fsync"];

/// What one run gave.
struct Figures {
    gigabytes_per_second: f64,
    cpu_seconds_per_gb: f64,
    requests_per_commit: f64,
    lone_micros: f64,
}

pub fn measure(options: &DurableOptions) -> Outcome<()> {
    let server = Server::ottla(options.server.clone())?;
    std::fs::create_dir_all(&options.dir).map_err(|error| error.to_string())?;
    let mut all: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
    for round in 0..options.rounds {
        for (durability, figures) in DURABILITIES.iter().zip(&mut all) {
            if !options.only.is_empty() && options.only.iter().all(|only| only != durability) {
                continue;
            }
            eprintln!("round {}: {durability}", round + 1);
            figures.push(run(options, &server, durability)?);
        }
    }
    println!(
        "| durability | 64 producers, GB/s | server CPU-s/GB | requests a commit | \
         lone producer, µs |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for (durability, figures) in DURABILITIES.iter().zip(&all).filter(|(_, all)| !all.is_empty()) {
        let median = |of: fn(&Figures) -> f64| {
            let mut values: Vec<f64> = figures.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            let (least, most) = (values[0], values[values.len() - 1]);
            format!("{:.2} [{least:.2}..{most:.2}]", values[values.len() / 2])
        };
        println!(
            "| {durability} | {} | {} | {} | {} |",
            median(|f| f.gigabytes_per_second),
            median(|f| f.cpu_seconds_per_gb),
            median(|f| f.requests_per_commit),
            median(|f| f.lone_micros)
        );
    }
    let ratios = all[1].iter().zip(&all[0]);
    let ratios = ratios.map(|(disk, cache)| disk.gigabytes_per_second / cache.gigabytes_per_second);
    let mut ratios: Vec<f64> = ratios.collect();
    ratios.sort_by(f64::total_cmp);
    if let Some(ratio) = ratios.get(ratios.len() / 2) {
        println!("fsync keeps {:.0} % of the page cache's rate", ratio * 100.0);
    }
    Ok(())
}

fn run(options: &DurableOptions, server: &Server, durability: &str) -> Outcome<Figures> {
    let batch = CROWD_BATCH.build();
    let requests = (options.gigabytes * 1e9 / batch.len() as f64) as u64;
    let crowd = Load { connections: CROWD_CONNECTIONS, depth: CROWD_DEPTH, requests };
    warm_up(&options.dir, requests * batch.len() as u64 * 5 / 4)
        .map_err(|error| format!("warm-up: {error}"))?;
    let running = server.start(&options.dir)?;
    let config = [("durability", durability)];
    create_topic_with(running.address, TOPIC, CROWD_CONNECTIONS as i32, &config)?;
    let ask = Ask::Produce { batch, acks: ACKS_ALL };
    let before = commits(running.http)?;
    let cost = load::run(running.address, running.pid(), &ask, crowd)?;
    let after = commits(running.http)?;
    let gigabytes = cost.bytes as f64 / 1e9;
    let ask = Ask::Produce { batch: LONE_BATCH.build(), acks: ACKS_ALL };
    let lone = load::run(running.address, running.pid(), &ask, LONE)?;
    Ok(Figures {
        gigabytes_per_second: gigabytes / cost.wall.as_secs_f64(),
        cpu_seconds_per_gb: cost.server_cpu.as_secs_f64() / gigabytes,
        requests_per_commit: (after.1 - before.1) / (after.0 - before.0).max(1.0),
        lone_micros: lone.wall.as_secs_f64() * 1e6 / LONE.requests as f64,
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
