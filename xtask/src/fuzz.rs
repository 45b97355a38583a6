//! `cargo xtask fuzz`: bytes that nobody meant, thrown at every parser.
//!
//! Two forms. Without a target, on stable Rust: the tests named `fuzz_…` of all crates run again
//! and again, each round with the next `OTTLA_FUZZ_SEED`, until the time is up. With a target:
//! cargo-fuzz on nightly, guided by coverage.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::counts::Counts;
use crate::process;

/// The variable from which `fuzz_…` tests take their seed.
const SEED: &str = "OTTLA_FUZZ_SEED";
const ROUND_LIMIT: Duration = Duration::from_secs(15 * 60);
const SECONDS_DEFAULT: u64 = 60;

#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    seconds: Option<u64>,
    seed: Option<u64>,
    target: Option<String>,
}

pub fn run(args: &[String]) -> Result<(), String> {
    let wanted = parse(args)?;
    let seconds = wanted.seconds.unwrap_or(SECONDS_DEFAULT);
    match &wanted.target {
        Some(target) => guided(target, seconds),
        None => {
            let counts = rounds(Duration::from_secs(seconds), wanted.seed.unwrap_or(1))?;
            println!("{counts}");
            if counts.failed == 0 { Ok(()) } else { Err("fuzzing found something".to_owned()) }
        }
    }
}

fn parse(args: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || {
            let value = args.next().ok_or(format!("{arg} needs a number"))?;
            value.parse::<u64>().map_err(|_| format!("{arg} needs a number, not `{value}`"))
        };
        match arg.as_str() {
            "--minutes" => wanted.seconds = Some(number()?.saturating_mul(60)),
            "--seconds" => wanted.seconds = Some(number()?),
            "--seed" => wanted.seed = Some(number()?),
            flag if flag.starts_with('-') => return Err(format!("fuzz does not know `{flag}`")),
            target => wanted.target = Some(target.to_owned()),
        }
    }
    Ok(wanted)
}

/// Runs the `fuzz_…` tests with one seed after another. Every seed is one round of all of them.
pub fn rounds(time: Duration, first_seed: u64) -> Result<Counts, String> {
    let started = Instant::now();
    let mut total = Counts::default();
    let mut seed = first_seed;
    while total.failed == 0 && (seed == first_seed || started.elapsed() < time) {
        let mut command = process::cargo(&["test", "--workspace", "--tests", "--quiet", "fuzz_"]);
        command.env(SEED, seed.to_string()).stderr(Stdio::inherit());
        let finished = process::watch(command, ROUND_LIMIT, false)?;
        let counts = Counts::of(&finished.lines);
        if counts.passed + counts.failed == 0 && finished.success {
            return Err("there is no test named `fuzz_…`".to_owned());
        }
        if counts.failed > 0 || !finished.success {
            println!("{}", finished.lines.join("\n"));
            println!("again: {SEED}={seed} cargo test --workspace fuzz_");
            total.failed += counts.failed.max(1);
        }
        total.passed += counts.passed;
        seed += 1;
    }
    println!("{} rounds of the fuzz_ tests, seeds from {first_seed}", seed - first_seed);
    Ok(total)
}

fn guided(target: &str, seconds: u64) -> Result<(), String> {
    let has = |args: &[&str]| {
        let mut command = Command::new("cargo");
        let quiet = command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    if !has(&["+nightly", "fuzz", "--version"]) {
        return Err("a target needs nightly Rust and cargo-fuzz: `rustup toolchain install \
                    nightly` and `cargo install cargo-fuzz`; without a target stable is enough"
            .to_owned());
    }
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz", "run", target, "--"]).current_dir(crate::root());
    command.arg(format!("-max_total_time={seconds}"));
    process::pass_through(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Wanted, String> {
        parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<String>>())
    }

    #[test]
    fn time_seed_and_target_are_read() {
        let wanted = parsed(&["--minutes", "2", "request_decode", "--seed", "7"]).unwrap();
        let target = Some("request_decode".to_owned());
        assert_eq!(wanted, Wanted { seconds: Some(120), seed: Some(7), target });
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        assert!(parsed(&["--minutes"]).is_err());
        assert!(parsed(&["--minutes", "x"]).is_err());
        assert!(parsed(&["--hours", "1"]).is_err());
    }
}
