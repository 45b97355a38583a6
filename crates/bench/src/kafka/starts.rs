//! Start to ready, idle memory, and restart after kill -9 with a gigabyte on the disk.

use std::path::Path;
use std::time::{Duration, Instant};

use load::{Better, CaseResult, Codec, Durability, Figure, Pace, Readers, Target, Unit, usage};

use super::{KafkaOptions, NAMES, Up, fresh_dir, start};
use crate::Outcome;
use crate::batches::BatchShape;
use crate::load as closed_loop;
use crate::wire::{TOPIC, said};

const PARTITIONS: usize = 10;
const GIGABYTE: u64 = 1_000_000_000;
const BATCH: BatchShape = BatchShape { batch_bytes: 16 << 10, value_bytes: 1000 };
/// For what a server does after it is ready.
const SETTLE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(5);

/// What stands in the tables for something that has no load.
pub fn own_case(name: &'static str, about: &'static str) -> load::Case {
    load::Case {
        name,
        about,
        value_bytes: 0,
        batch_bytes: 0,
        codec: Codec::None,
        durability: Durability::PageCache,
        partitions: 0,
        connections: 0,
        depth: 0,
        pace: Pace::Silent,
        readers: Readers::None,
        is_long: false,
    }
}

pub fn measure(options: &KafkaOptions) -> Outcome<Vec<CaseResult>> {
    let about = "an empty node: start to the first answer, and what it uses while nobody asks";
    let mut first = CaseResult::new(&own_case("start", about));
    let about = "1 GB in 10 partitions, kill -9 right after, start to the first answer";
    let mut again = CaseResult::new(&own_case("restart", about));
    for round in 1..=options.rounds {
        for (number, name) in NAMES.iter().enumerate() {
            eprintln!("start and restart of {name}, round {round}");
            let dir = fresh_dir(options)?;
            let mut up = start(options, number, dir.path())?;
            let add = |result: &mut CaseResult, name, unit, value| {
                let figure = Figure { name, unit, better: Better::Less, value };
                result.add(NAMES.len(), number, figure);
            };
            add(&mut first, "ready", Unit::Milliseconds, millis(up.ready_after()));
            let (memory, cpu) = idle(&up)?;
            add(&mut first, "idle memory", Unit::Mebibytes, memory);
            add(&mut first, "idle CPU", Unit::CpuPercent, cpu);
            let ready_after = kill_and_restart(options, number, &mut up, dir.path())?;
            add(&mut again, "ready", Unit::Milliseconds, millis(ready_after));
        }
    }
    Ok(vec![first, again])
}

fn idle(up: &Up) -> Outcome<(f64, f64)> {
    std::thread::sleep(SETTLE);
    let look = || usage(up.pid()).map_err(|error| format!("usage: {error}"));
    let (before, began) = (look()?, Instant::now());
    std::thread::sleep(IDLE);
    let after = look()?;
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    Ok((after.rss_bytes as f64 / f64::from(1 << 20), cpu * 100.0))
}

fn kill_and_restart(
    options: &KafkaOptions,
    number: usize,
    up: &mut Up,
    dir: &Path,
) -> Outcome<Duration> {
    let address = up.address();
    let mut target = Target::connect(NAMES[number], &address, None).map_err(|e| said(&e))?;
    target.make_topic(TOPIC, PARTITIONS, Durability::PageCache).map_err(|e| said(&e))?;
    let address = address.parse().map_err(|error| format!("{address}: {error}"))?;
    let batches = GIGABYTE / (BATCH.batch_bytes * PARTITIONS) as u64;
    closed_loop::fill(address, BATCH.build(), PARTITIONS, batches)?;
    up.kill();
    *up = start(options, number, dir)?;
    Ok(up.ready_after())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
