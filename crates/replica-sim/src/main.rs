//! `replica-sim`: the replicas of a partition under faults, by seed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use replica_sim::{Course, Defect, Met, Outcome, run};

const HELP: &str = "\
The replicas of one partition, a controller, clients, a network, disks and faults on one queue,
decided by a seed.

  --seed N         the first seed (1)
  --seeds COUNT    how many seeds (1)
  --hours N        instead: as many seeds as make this many simulated hours
  --seconds N      how long things go wrong in each, simulated (60)
  --replicas WHICH `moving`: other replicas now and then; `fixed`: the same all the time; without
                   it they move in each third seed
  --meta           first run the first seed twice; the traces must be equal
  --defect NAME    the world does something wrong that must be found out; `all`: each in turn,
                   with up to --seeds seeds
";

struct Options {
    seed: u64,
    seeds: u64,
    seconds: u64,
    hours: Option<u64>,
    defect: Option<String>,
    /// Whether replicas move; by the seed.
    moving: Option<bool>,
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
            eprintln!("replica-sim: {why}");
            return ExitCode::from(2);
        }
    };
    if options.meta && !same_seed_same_trace(&options) {
        return ExitCode::FAILURE;
    }
    match options.defect.as_deref() {
        None => campaign(&options, None),
        Some("all") => find_all(&options),
        Some(name) => {
            match Defect::ALL.iter().chain(&Defect::RARE).find(|(known, _)| *known == name) {
                Some((_, defect)) => campaign(&options, Some(*defect)),
                None => {
                    eprintln!("replica-sim: --defect {name}: no such defect");
                    ExitCode::from(2)
                }
            }
        }
    }
}

fn campaign(options: &Options, defect: Option<Defect>) -> ExitCode {
    let began = Instant::now();
    let (mut simulated, mut events, mut met) = (Duration::ZERO, 0, Met::default());
    let mut seed = options.seed;
    let more = |seed: u64, simulated: Duration| match options.hours {
        Some(hours) => simulated < Duration::from_secs(hours * 3_600),
        None => seed < options.seed + options.seeds,
    };
    while more(seed, simulated) {
        let outcome = one(options, seed, defect);
        if !outcome.broken.is_empty() {
            report(options, seed, &outcome);
            println!("{} passed, 1 failed", seed - options.seed);
            return ExitCode::FAILURE;
        }
        simulated += outcome.simulated;
        events += outcome.events;
        met.add(&outcome.met);
        seed += 1;
    }
    let (hours, took) = (simulated.as_secs_f64() / 3_600.0, began.elapsed().as_secs_f64());
    println!(
        "{} seeds, {hours:.2} simulated hours, {events} events, {} faults; {:.0} simulated seconds \
         a second",
        seed - options.seed,
        met.faults(),
        simulated.as_secs_f64() / took
    );
    let named: Vec<String> = met.named().iter().map(|(name, n)| format!("{n} {name}")).collect();
    println!("{}", named.join(", "));
    println!("{} passed, 0 failed", seed - options.seed);
    ExitCode::SUCCESS
}

/// The proof that the runs could fail: each defect is found out.
fn find_all(options: &Options) -> ExitCode {
    let mut missed = 0;
    for (name, defect) in Defect::ALL {
        let seeds = options.seed..options.seed + options.seeds;
        let found = seeds.into_iter().find_map(|seed| {
            let broken = one(options, seed, Some(defect)).broken;
            (!broken.is_empty()).then_some((seed, broken))
        });
        match found {
            Some((seed, broken)) => println!("{name}: seed {seed}: {}", broken[0]),
            None => {
                missed += 1;
                println!("{name}: not found out by {} seeds", options.seeds);
            }
        }
    }
    println!("{} passed, {missed} failed", Defect::ALL.len() - missed);
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(options: &Options, seed: u64, defect: Option<Defect>) -> Outcome {
    let reassigns = options.moving.unwrap_or(Course::reassigns_by(seed));
    run(seed, Course { chaos: Duration::from_secs(options.seconds), reassigns, defect })
}

fn same_seed_same_trace(options: &Options) -> bool {
    let (first, second) = (one(options, options.seed, None), one(options, options.seed, None));
    let same = (first.trace, first.events) == (second.trace, second.events);
    println!(
        "seed {}: {} events, trace {:016x}{}",
        options.seed,
        first.events,
        first.trace,
        if same { ", twice the same" } else { ", and another one the second time" }
    );
    same
}

fn report(options: &Options, seed: u64, outcome: &Outcome) {
    println!("seed {seed} breaks {} promises:", outcome.broken.len());
    for broken in outcome.broken.iter().take(10) {
        println!("  {broken}");
    }
    let defect =
        options.defect.as_ref().map(|name| format!(" --defect {name}")).unwrap_or_default();
    let seconds = options.seconds;
    let replicas = match options.moving {
        None => "",
        Some(true) => " --replicas moving",
        Some(false) => " --replicas fixed",
    };
    println!(
        "again: cargo xtask sim --cluster --seed {seed} --seconds {seconds}{defect}{replicas}"
    );
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 1,
            seeds: 1,
            seconds: 60,
            hours: None,
            defect: None,
            moving: None,
            meta: false,
        }
    }
}

fn moving(which: &str) -> Result<bool, String> {
    match which {
        "moving" => Ok(true),
        "fixed" => Ok(false),
        other => Err(format!("--replicas {other}: moving or fixed")),
    }
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = arguments;
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{flag} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text}: not a number"));
        match flag.as_str() {
            "--seed" => options.seed = number(value()?)?,
            "--seeds" => options.seeds = number(value()?)?,
            "--seconds" => options.seconds = number(value()?)?,
            "--hours" => options.hours = Some(number(value()?)?),
            "--defect" => options.defect = Some(value()?),
            "--replicas" => options.moving = Some(moving(&value()?)?),
            "--meta" => options.meta = true,
            other => return Err(format!("{other} is no option")),
        }
    }
    Ok(options)
}
