//! `cargo xtask bench`: what a node costs, beside the floor that no broker can beat.
//!
//! Every figure is CPU time of the server process, taken from the kernel's scheduler, over a load
//! that is the same bytes for every server. The floor is this binary again, as a server that only
//! does what must be done (`floor`). Servers take turns, so that the machine's moods hit all alike.

mod batches;
mod commit_ways;
mod durable;
mod floor;
mod idle;
mod kafka;
mod load;
mod machine;
mod options;
mod process;
mod report;
mod restart;
mod scenarios;
mod server;
mod walk;
mod wire;

use std::process::ExitCode;

use options::Command;

/// Connections of the largest measurement, and some.
const FILES: u64 = 12_000;

type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = options::parse(&arguments).and_then(|command| match command {
        Command::Floor { dir } => floor::serve(&dir),
        Command::Least { dir } => durable::lone::least::serve(&dir),
        Command::Durable(options) => durable::measure(&options),
        Command::Commit(options) => commit_ways::measure(&options),
        Command::Kafka(options) => kafka::measure(&options),
        Command::Restart(options) => restart::measure(&options),
        Command::Measure(options) => measure(&options),
        Command::Help => {
            print!("{}", options::HELP);
            Ok(())
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &options::Options) -> Outcome<()> {
    if !::load::raise_file_limit(FILES) {
        eprintln!("bench: cannot raise the file limit; many connections will fail");
    }
    let facts = machine::facts(options);
    let servers = server::all(options)?;
    let mut results = report::Results::new(facts, options, &servers);
    idle::measure(options, &servers, &mut results)?;
    scenarios::measure(options, &servers, &mut results)?;
    results.print(options.json)
}
