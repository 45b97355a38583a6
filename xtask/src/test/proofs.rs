use std::time::Duration;

use super::step::Step;
use crate::counts::Counts;
use crate::process::{self, Finished};
use crate::{fuzz, instructions, sim, soak};

const LIMIT: Duration = Duration::from_secs(30 * 60);
const FUZZ: Duration = Duration::from_secs(60);
/// The same seeds in every run: a red check has one cause, the change.
const FUZZ_FIRST_SEED: u64 = 1;
/// Each with crashes and with power losses.
const SIM_SEEDS: usize = 100;
/// The same for three nodes.
const SIM_SEEDS_OF_SEVERAL: &str = "5";
/// A run keeps what its seeds left in memory; shorter runs keep less.
const SIM_SEEDS_AT_A_TIME: usize = 25;

/// Judges of the behaviour. A failure does not hide the next.
pub const PROOFS: &[Step] = &[
    Step { name: "tests", what: "unit, scenario, property, model, golden", run: tests },
    Step {
        name: "sim",
        what: "the same seed gives the same trace; 200 seeds with crashes, 10 of three nodes",
        run: simulate,
    },
    Step {
        name: "replicas",
        what: "250 simulated hours of replicas under faults; 19 defects are found out",
        run: simulate_replicas,
    },
    Step {
        name: "models",
        what: "every order of events in ten small worlds; 20 defects are found out",
        run: explore_models,
    },
    Step { name: "fuzz", what: "the fuzz_ tests for a minute", run: short_fuzz },
    Step {
        name: "instructions",
        what: "what the hot paths execute is within their limits",
        run: instructions::check,
    },
    Step { name: "soak", what: "kills and power cuts under load", run: short_soak },
    Step { name: "interop", what: "unmodified Kafka clients", run: interop },
];

fn tests() -> Result<Counts, String> {
    let command = process::cargo(&["test", "--workspace", "--no-fail-fast"]);
    judged(process::watch(command, LIMIT, true)?)
}

fn simulate() -> Result<Counts, String> {
    sim::exists(&crate::root(), sim::CRATE)?;
    let mut counts = simulate_some(&["--meta"])?;
    for first in (1..=SIM_SEEDS).step_by(SIM_SEEDS_AT_A_TIME) {
        let (first, count) = (first.to_string(), SIM_SEEDS_AT_A_TIME.to_string());
        let seeds = ["--seed", &first, "--seeds", &count];
        // Crashes of the process keep what the page cache has; power loss keeps what was synced.
        counts += simulate_some(&seeds)?;
        counts += simulate_some(&[&seeds[..], &["--power-loss"]].concat())?;
    }
    let several = ["--nodes", "3", "--seconds", "10", "--seeds", SIM_SEEDS_OF_SEVERAL];
    counts += simulate_some(&[&several[..], &["--meta"]].concat())?;
    counts += simulate_some(&[&several[..], &["--power-loss"]].concat())?;
    Ok(counts)
}

fn simulate_replicas() -> Result<Counts, String> {
    sim::exists(&crate::root(), sim::CLUSTER_CRATE)?;
    let mut counts = Counts::default();
    for args in ["--meta --hours 250", "--defect all --seeds 2000"] {
        let run = ["run", "--quiet", "--release", "--package", sim::CLUSTER_CRATE, "--"];
        let mut command = process::cargo(&run);
        command.args(args.split(' '));
        counts += judged(process::watch(command, LIMIT, true)?)?;
    }
    Ok(counts)
}

fn explore_models() -> Result<Counts, String> {
    let mut counts = Counts::default();
    for args in [&[][..], &["--defects"]] {
        let run = ["run", "--quiet", "--release", "--package", "models", "--"];
        let mut command = process::cargo(&run);
        command.args(args);
        counts += judged(process::watch(command, LIMIT, true)?)?;
    }
    Ok(counts)
}

fn simulate_some(args: &[&str]) -> Result<Counts, String> {
    let run = ["run", "--quiet", "--release", "--package", sim::CRATE, "--"];
    let mut command = process::cargo(&run);
    command.args(args);
    judged(process::watch(command, LIMIT, true)?)
}

fn short_fuzz() -> Result<Counts, String> {
    fuzz::rounds(FUZZ, FUZZ_FIRST_SEED)
}

/// The disk that loses what was not synced, and the proof that its loss would be seen.
fn short_soak() -> Result<Counts, String> {
    let durable = "--debug --kills 10 --power-cuts 10 --stops 2";
    let weak = "--debug --kills 0 --power-cuts 24 --stops 0 --durability page-cache";
    let cluster = "--debug --cluster --kills 5 --pauses 2 --stops 0 --power-cuts 0 \
                   --load 0.2 --partitions 6 --pause 0.5";
    let network = "--debug --cluster --network-faults 7 --kills 0 --stops 0 --power-cuts 0 \
                   --load 0.2 --partitions 6 --pause 0.5";
    let lone = "--debug --lone --kills 6 --power-cuts 6";
    let lone_weak = "--debug --lone --kills 0 --power-cuts 6 --durability page-cache";
    let mut counts = Counts::default();
    for flags in [durable, weak, cluster, network, lone, lone_weak] {
        let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
        counts += judged(soak::campaign(&flags, LIMIT)?)?;
        if counts.failed > 0 {
            // The next one would put away what this one has left to look at.
            break;
        }
    }
    Ok(counts)
}

fn interop() -> Result<Counts, String> {
    judged(process::watch(process::cargo(&["xtask", "interop"]), LIMIT, true)?)
}

/// What the child counted. If it failed and counted no failure, that is one.
fn judged(finished: Finished) -> Result<Counts, String> {
    let mut counts = Counts::of(&finished.lines);
    if !finished.success && counts.failed == 0 {
        counts.failed = 1;
    }
    if finished.success && counts == Counts::default() {
        counts.passed = 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(success: bool, line: &str) -> Counts {
        judged(Finished { success, lines: vec![line.to_owned()] }).expect("counts")
    }

    #[test]
    fn a_child_that_fails_without_saying_what_counts_as_one_failure() {
        assert_eq!(finished(false, "3 passed, 0 failed"), Counts { passed: 3, failed: 1 });
        assert_eq!(finished(false, "3 passed, 2 failed"), Counts { passed: 3, failed: 2 });
        assert_eq!(finished(true, "3 passed, 0 failed"), Counts { passed: 3, failed: 0 });
    }
}
