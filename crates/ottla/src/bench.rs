//! `ottla bench`: the referee. What is measured and how is in the crate `load`.

mod cases;
mod compare;
mod run;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use load::{CASES, Case, Contest, Results, Target, case_named};

use crate::context::Common;
use crate::duration::parse_duration;
use crate::failure::{Exit, Failure, Outcome, file_failure};
use crate::output::{self, Report};

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Measure one broker
    Run(run::RunArgs),
    /// Measure two brokers or more in turn, and say how they compare
    Compare(compare::CompareArgs),
    /// List the cases
    Cases,
}

/// What both verbs take.
#[derive(Args, Debug)]
struct ContestArgs {
    /// Only these cases, separated by commas [default: all]; `ottla bench cases` lists them
    #[arg(long = "case", value_name = "NAME", value_delimiter = ',')]
    cases: Vec<String>,

    /// How long each round is measured
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    seconds: Duration,

    /// Traffic before each round that is not counted
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    warm_up: Duration,

    /// Traffic before everything that is not counted, for virtual machines that compile what is hot
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    prime: Duration,

    /// Write a page with charts to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Connections of the largest case, and some.
const FILES: u64 = 10_500;

pub fn run(command: BenchCommand, common: &Common) -> Outcome {
    match command {
        BenchCommand::Run(args) => run::run(&args, common),
        BenchCommand::Compare(args) => compare::run(&args, common),
        BenchCommand::Cases => output::print(common.output, &cases::Listed { cases: CASES }),
    }
}

fn contest(args: &ContestArgs, rounds: usize) -> Result<Contest, Failure> {
    let cases: Vec<&Case> = match args.cases.is_empty() {
        true => CASES.iter().collect(),
        false => args.cases.iter().map(|name| named(name)).collect::<Result<_, Failure>>()?,
    };
    let files = cases.iter().map(|case| case.connections as u64).max().unwrap_or(0);
    if !load::raise_file_limit(files.min(FILES) + 100) {
        let why = format!("{files} connections are more than this user may open files");
        return Err(Failure::new(Exit::Denied, "FILE_LIMIT", "open the connections", why)
            .todo("raise the limit with: ulimit -n 20000"));
    }
    Ok(Contest {
        cases,
        rounds: rounds.max(1),
        window: args.seconds,
        warm_up: args.warm_up,
        prime: args.prime,
    })
}

fn named(name: &str) -> Result<&'static Case, Failure> {
    case_named(name).ok_or_else(|| {
        Failure::usage(format!("run the case {name}"), "there is no such case")
            .todo("ottla bench cases lists them")
    })
}

/// Runs the contest and tells what came of it.
fn hold(contest: &Contest, targets: &mut [Target], args: &ContestArgs, common: &Common) -> Outcome {
    let results = {
        let mut watcher = watch::Watcher::new(common.quiet);
        contest.run(targets, &mut watcher)
    };
    if let Some(path) = &args.report {
        write_page(path, &results)?;
    }
    output::print(common.output, &results)?;
    verdict(&results)
}

fn write_page(path: &Path, results: &Results) -> Outcome {
    std::fs::write(path, load::html(results))
        .map_err(|error| file_failure("write", &path.display().to_string(), &error))
}

fn verdict(results: &Results) -> Outcome {
    let failures = results.cases.iter().flat_map(|result| &result.failures);
    let count = failures.count();
    let what = "finish the measurement";
    if results.is_interrupted {
        return Err(Failure::new(Exit::Partial, "INTERRUPTED", what, "it was interrupted")
            .todo("the rounds above are whole; run the rest with --case"));
    }
    match count {
        0 => Ok(()),
        _ => {
            let why = format!("{count} of the rounds failed");
            Err(Failure::new(Exit::Partial, "CASES_FAILED", what, why)
                .todo("the results name them; run one alone with --case"))
        }
    }
}

impl Report for Results {
    fn write_text(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        out.write_all(load::text(self).as_bytes())
    }
}
