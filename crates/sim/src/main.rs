//! `sim`: whole nodes under faults, by seed.

use std::process::ExitCode;

use sim::cluster;
use sim::run::{Outcome, run};
use sim::world::{Faults, Lie, Met};

const HELP: &str = "\
Whole nodes, their clients, a network and faults on one queue, decided by a seed.

  --seed N         the first seed (1)
  --seeds COUNT    how many seeds (1)
  --hours N        instead: as many seeds as make this many simulated hours
  --seconds N      how long things go wrong in each, simulated (30)
  --nodes 3        three of them, brokers and voters all, and the network between them
  --power-loss     the power fails, too: what was not synced survives in part
  --meta           first run the first seed twice; the traces must be equal
  --lie NAME       the world has a defect that must be found out: log-write-dropped,
                   commits-dropped (of one node alone), syncs-ignored, produce-repeated,
                   woken-confirmed (of three)
";

struct Options {
    seed: u64,
    seeds: u64,
    seconds: u64,
    hours: Option<u64>,
    nodes: u64,
    power: bool,
    lie: Option<(&'static str, Lie)>,
    meta: bool,
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--help") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("sim: {why}");
            return ExitCode::from(2);
        }
    };
    if options.meta && !same_seed_same_trace(&options) {
        return ExitCode::FAILURE;
    }
    let mut simulated_ms = 0;
    let mut records = 0;
    let mut met = Met::default();
    let mut seed = options.seed;
    let more = |seed: u64, simulated_ms: u64| match options.hours {
        Some(hours) => simulated_ms < hours * 3_600_000,
        None => seed < options.seed + options.seeds,
    };
    while more(seed, simulated_ms) {
        let outcome = one(&options, seed);
        if !outcome.broken.is_empty() {
            report(&options, seed, &outcome);
            println!("{} passed, 1 failed", seed - options.seed);
            return ExitCode::FAILURE;
        }
        simulated_ms += outcome.simulated_ms;
        records += outcome.records;
        met += outcome.met;
        seed += 1;
        if (seed - options.seed).is_multiple_of(100) {
            println!("… {} seeds", seed - options.seed);
        }
    }
    println!(
        "{} seeds, {:.2} simulated hours, {records} records kept",
        seed - options.seed,
        simulated_ms as f64 / 3_600_000.0
    );
    println!(
        "{} crashes, {} power losses; {} in the middle of a write, {} of these while starting; \
         {} clean shutdowns, {} cut connections",
        met.kills, met.power_losses, met.deaths, met.deaths_at_start, met.shutdowns, met.cuts
    );
    if options.nodes > 1 {
        println!(
            "{} times all nodes without power, {} frozen, {} of these active controllers, \
             {} cut off, {} of these one way",
            met.blackouts,
            met.freezes + met.sleeping_controllers,
            met.sleeping_controllers,
            met.isolations + met.one_way_isolations,
            met.one_way_isolations
        );
    }
    println!("{} passed, 0 failed", seed - options.seed);
    ExitCode::SUCCESS
}

fn one(options: &Options, seed: u64) -> Outcome {
    let faults = Faults { power: options.power, lie: options.lie.map(|(_, lie)| lie) };
    match options.nodes {
        1 => run(seed, faults, options.seconds * 1000),
        _ => cluster::run(seed, Some(faults), options.seconds * 1000),
    }
}

fn same_seed_same_trace(options: &Options) -> bool {
    let (first, second) = (one(options, options.seed), one(options, options.seed));
    let same = first.trace == second.trace;
    println!(
        "seed {}: {} events, trace {:016x}{}",
        options.seed,
        first.trace.events,
        first.trace.fingerprint(),
        if same { ", twice the same" } else { ", and another one the second time" }
    );
    same
}

fn report(options: &Options, seed: u64, outcome: &Outcome) {
    println!("seed {seed} breaks {} promises:", outcome.broken.len());
    for broken in outcome.broken.iter().take(10) {
        println!("  {broken}");
    }
    let power = if options.power { " --power-loss" } else { "" };
    let lie = options.lie.map(|(name, _)| format!(" --lie {name}")).unwrap_or_default();
    let nodes = if options.nodes > 1 { " --nodes 3" } else { "" };
    println!(
        "again: cargo xtask sim --seed {seed} --seconds {}{nodes}{power}{lie}",
        options.seconds
    );
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        seed: 1,
        seeds: 1,
        seconds: 30,
        hours: None,
        nodes: 1,
        power: false,
        lie: None,
        meta: false,
    };
    let mut arguments = arguments;
    while let Some(flag) = arguments.next() {
        let mut number = || -> Result<u64, String> {
            let text = arguments.next().ok_or(format!("{flag} needs a number"))?;
            text.parse().map_err(|_| format!("{flag} {text}: not a number"))
        };
        match flag.as_str() {
            "--seed" => options.seed = number()?,
            "--seeds" => options.seeds = number()?,
            "--seconds" => options.seconds = number()?,
            "--hours" => options.hours = Some(number()?),
            "--nodes" => options.nodes = number()?,
            "--power-loss" => options.power = true,
            "--lie" => {
                let name = arguments.next().unwrap_or_default();
                let known = Lie::ALL.iter().find(|(known, _)| *known == name);
                options.lie = Some(*known.ok_or(format!("--lie {name}: no such lie"))?);
            }
            "--meta" => options.meta = true,
            other => return Err(format!("{other} is no option")),
        }
    }
    match options.nodes {
        1 => Ok(options),
        nodes if nodes == cluster::MACHINES as u64 => Ok(options),
        nodes => Err(format!("--nodes {nodes}: there is one, or {}", cluster::MACHINES)),
    }
}
