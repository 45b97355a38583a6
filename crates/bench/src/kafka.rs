//! `bench kafka`: the node beside Apache Kafka, on the same machine in the same run.
//!
//! Both are started here, on loopback, with their defaults; the referee (`load`) drives them in
//! turn, and so do tools that are not ours. A group of cases has fresh servers, so that one group's
//! memory is not charged to the next.

mod apache;
mod bars;
mod starts;
pub mod tools;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use load::{CASES, Case, Contest, Observer, Results, Stage, Target};
use tempfile::TempDir;

use crate::server::{Running, Server};
use crate::wire::said;
use crate::{FILES, Outcome};
use apache::Apache;
use tools::Outside;

/// `bench kafka`.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    pub rounds: usize,
    pub window: Duration,
    /// Before everything, for Kafka's compiler.
    pub prime: Duration,
    /// Names; empty is all.
    pub cases: Vec<String>,
    pub outside: Outside,
    pub server: Option<PathBuf>,
    pub dir: PathBuf,
    /// Where the JSON, the page and the tables go.
    pub out: PathBuf,
}

/// Kafka first: it is what the node is compared with.
pub const NAMES: [&str; 2] = ["kafka", "ottla"];
/// Of deleted topics, on both: the default minute would fill the disk with rounds that are over.
pub const DELETE_SOON: &str = "log.segment.delete.delay.ms=1000";
const WARM_UP: Duration = Duration::from_secs(1);
/// Cases that have servers of their own, by the start of their names.
const APART: [&str; 3] = ["partitions-1000", "partitions-10000", "connections"];

/// A server that runs.
pub enum Up {
    Kafka(Apache),
    Ottla(Running),
}

impl Up {
    pub fn address(&self) -> String {
        match self {
            Up::Kafka(kafka) => kafka.address.to_string(),
            Up::Ottla(node) => node.address.to_string(),
        }
    }

    pub fn pid(&self) -> u32 {
        match self {
            Up::Kafka(kafka) => kafka.pid(),
            Up::Ottla(node) => node.pid(),
        }
    }

    pub fn ready_after(&self) -> Duration {
        match self {
            Up::Kafka(kafka) => kafka.ready_after,
            Up::Ottla(node) => node.ready_after,
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        match self {
            Up::Kafka(kafka) => kafka.kill(),
            Up::Ottla(node) => node.kill(),
        }
    }
}

/// Starts the server of this number on a directory.
pub fn start(options: &KafkaOptions, number: usize, dir: &Path) -> Outcome<Up> {
    match NAMES[number] {
        "kafka" => Ok(Up::Kafka(Apache::start(&options.outside.classpath, dir)?)),
        _ => {
            let node = Server::ottla(options.server.clone())?;
            Ok(Up::Ottla(node.start_with(&dir.join("data"), &[DELETE_SOON])?))
        }
    }
}

pub fn fresh_dir(options: &KafkaOptions) -> Outcome<TempDir> {
    let made = tempfile::Builder::new().prefix("against-").tempdir_in(&options.dir);
    made.map_err(|error| format!("data directory: {error}"))
}

pub fn measure(options: &KafkaOptions) -> Outcome<()> {
    std::fs::create_dir_all(&options.dir).map_err(|error| format!("data directory: {error}"))?;
    if !load::raise_file_limit(FILES) {
        eprintln!("bench: cannot raise the file limit; many connections will fail");
    }
    let wanted: Vec<&'static Case> = CASES.iter().filter(|case| options.wants(case.name)).collect();
    let mut results = Contest { cases: Vec::new(), ..contest(options) }.run(&mut [], &mut Quiet);
    results.brokers = NAMES.map(str::to_owned).to_vec();
    if options.wants("start") {
        results.cases.extend(starts::measure(options)?);
    }
    let (apart, together): (Vec<_>, Vec<_>) = wanted.iter().partition(|case| group(case) > 0);
    play(options, &together, options.wants("tools"), &mut results)?;
    for number in 1..=APART.len() {
        let cases: Vec<_> = apart.iter().copied().filter(|case| group(case) == number).collect();
        play(options, &cases, false, &mut results)?;
    }
    write(options, &results)
}

impl KafkaOptions {
    pub fn wants(&self, name: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|case| case == name)
    }
}

fn contest(options: &KafkaOptions) -> Contest {
    Contest {
        cases: Vec::new(),
        rounds: options.rounds,
        window: options.window,
        warm_up: WARM_UP,
        prime: options.prime,
    }
}

/// 0 for those that share their servers.
fn group(case: &Case) -> usize {
    let own = APART.iter().position(|start| case.name == *start);
    let by_start = || APART.iter().position(|start| case.name.starts_with(start));
    own.or_else(by_start).map_or(0, |at| at + 1)
}

/// Starts both and has them play `cases`, and meet the tools that are not ours.
fn play(
    options: &KafkaOptions,
    cases: &[&'static Case],
    wants_tools: bool,
    results: &mut Results,
) -> Outcome<()> {
    if cases.is_empty() && !wants_tools {
        return Ok(());
    }
    let dirs = [fresh_dir(options)?, fresh_dir(options)?];
    let ups = [start(options, 0, dirs[0].path())?, start(options, 1, dirs[1].path())?];
    let connect = |number: usize| {
        let up = &ups[number];
        Target::connect(NAMES[number], &up.address(), Some(up.pid())).map_err(|e| said(&e))
    };
    let mut targets = [connect(0)?, connect(1)?];
    if !cases.is_empty() {
        let contest = Contest { cases: cases.to_vec(), ..contest(options) };
        results.cases.extend(contest.run(&mut targets, &mut Spoken::default()).cases);
        write(options, results)?;
    }
    if wants_tools {
        results.cases.extend(tools::measure(options, &mut targets)?);
        write(options, results)?;
    }
    Ok(())
}

/// Everything so far: a run that fails at its end has not been for nothing.
fn write(options: &KafkaOptions, results: &Results) -> Outcome<()> {
    let path = |ending: &str| options.out.with_extension(ending);
    let json = serde_json::to_string_pretty(results).map_err(|error| error.to_string())?;
    let tables = format!("{}\n{}", bars::table(results), load::markdown(results));
    for (ending, text) in [("json", &json), ("html", &load::html(results)), ("md", &tables)] {
        std::fs::write(path(ending), text).map_err(|error| format!("{ending}: {error}"))?;
    }
    eprintln!("{tables}");
    Ok(())
}

/// Says each round as it begins.
#[derive(Default)]
struct Spoken {
    last: String,
}

impl Observer for Spoken {
    fn watch(&mut self, stage: &Stage<'_>) -> ControlFlow<()> {
        let Stage { case, broker, round, rounds, .. } = stage;
        let line = format!("{case} on {broker}, round {round} of {rounds}");
        if line != self.last {
            eprintln!("{:3.0} %  {line}", stage.share_of_all * 100.0);
            self.last = line;
        }
        ControlFlow::Continue(())
    }
}

struct Quiet;

impl Observer for Quiet {
    fn watch(&mut self, _: &Stage<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_with_much_memory_have_servers_of_their_own() {
        let of = |name: &str| load::case_named(name).map(group);
        assert_eq!(of("batched-1k"), Some(0));
        assert_eq!((of("partitions-1000"), of("partitions-10000")), (Some(1), Some(2)));
        assert_eq!((of("connections-1000"), of("connections-10000")), (Some(3), Some(3)));
    }
}
