//! `cargo xtask interop`: unmodified Kafka clients judge a server.
//!
//! The judges are Kafka's own Java client and tools, librdkafka (through Python and kcat), kafka-
//! python, aiokafka and kafkajs. They run against `ottla dev`, or with `--against kafka` against
//! Apache Kafka itself, which is the proof that a check asks for what Kafka does. `docs/testing.md`
//! tells how to read the result.

pub mod install;
mod options;
mod report;
mod server;
mod suites;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use install::Toolbox;
use options::{Options, Target};
use report::{Report, SuiteResult};
use server::Server;
use suites::{Suite, SuiteEnv};

/// Two suites at a time: the smallest machine we promise to run on has two cores.
const PARALLEL_SUITES: usize = 2;

/// Runs the suites that `args` ask for and prints the table.
///
/// # Errors
/// A sentence when a check failed, a suite hung, or (with `CI=true`) a suite could not run.
pub fn run(args: &[String]) -> Result<(), String> {
    let options = Options::parse(args)?;
    if options.help {
        println!("{}", options::USAGE);
        return Ok(());
    }
    let started = Instant::now();
    let home = repository_root().join("target/interop");
    let run_dir = fresh_run_dir(&home)?;
    let chosen = suites::choose(&options.only)?;
    let toolbox = Toolbox::new(&repository_root(), &home);
    let mut report = Report::default();
    let runnable = install_for(&toolbox, chosen, &mut report);
    if !runnable.is_empty() {
        judge(&options, &toolbox, &run_dir, runnable, &mut report)?;
    }
    report.print(started.elapsed());
    report.verdict(std::env::var("CI").is_ok_and(|ci| ci == "true"))
}

/// Splits the chosen suites into those whose tools are here and those that the report calls
/// skipped.
fn install_for(toolbox: &Toolbox, chosen: Vec<Suite>, report: &mut Report) -> Vec<Suite> {
    let mut runnable = Vec::new();
    for suite in chosen {
        match suite.needs.iter().try_for_each(|tool| toolbox.provide(*tool)) {
            Ok(()) => runnable.push(suite),
            Err(why) => report.suites.push(SuiteResult::skipped(suite.name, why)),
        }
    }
    runnable
}

/// Runs the suites that share one server side by side, then those that own theirs, one by one.
fn judge(
    options: &Options,
    toolbox: &Toolbox,
    run_dir: &Path,
    suites: Vec<Suite>,
    report: &mut Report,
) -> Result<(), String> {
    let launcher = server::Launcher::prepare(options, toolbox)?;
    let (owning, sharing): (Vec<_>, Vec<_>) =
        suites.into_iter().partition(|suite| suite.owns_server);
    if !sharing.is_empty() {
        let server = match &options.bootstrap {
            Some(address) => Server::elsewhere(address),
            None => launcher.launch(&run_dir.join("server"))?,
        };
        let env = SuiteEnv::shared(toolbox, options, run_dir, &server);
        report.suites.extend(run_side_by_side(&sharing, &env));
    }
    for suite in owning {
        if options.bootstrap.is_some() {
            let why = "it kills its server, so it needs one of its own".to_owned();
            report.suites.push(SuiteResult::skipped(suite.name, why));
            continue;
        }
        let command = launcher.command(&run_dir.join(suite.name))?;
        let env = SuiteEnv::owning(toolbox, options, run_dir, &command);
        report.suites.push(suites::run(&suite, &env));
    }
    Ok(())
}

fn run_side_by_side(suites: &[Suite], env: &SuiteEnv) -> Vec<SuiteResult> {
    let next = Mutex::new(suites.iter());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL_SUITES {
            scope.spawn(|| {
                loop {
                    let Some(suite) = next.lock().expect("no panic under this lock").next() else {
                        break;
                    };
                    let result = suites::run(suite, env);
                    results.lock().expect("no panic under this lock").push(result);
                }
            });
        }
    });
    results.into_inner().expect("workers are done")
}

fn repository_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask lies in the workspace").to_path_buf()
}

/// A directory of its own for each run's logs and data; the ten newest are kept.
fn fresh_run_dir(home: &Path) -> Result<PathBuf, String> {
    let runs = home.join("runs");
    std::fs::create_dir_all(&runs)
        .map_err(|error| format!("create {}: {error}", runs.display()))?;
    let mut old: Vec<PathBuf> = std::fs::read_dir(&runs)
        .map_err(|error| format!("list {}: {error}", runs.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    old.sort();
    for path in old.iter().rev().skip(9) {
        // A leftover costs disk space only.
        let _ = std::fs::remove_dir_all(path);
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let run = runs.join(format!("{}", now.unwrap_or(Duration::ZERO).as_millis()));
    std::fs::create_dir_all(&run).map_err(|error| format!("create {}: {error}", run.display()))?;
    Ok(run)
}

impl Target {
    /// The word on the command line and in the suites' environment.
    fn name(self) -> &'static str {
        match self {
            Target::Ottla => "ottla",
            Target::Kafka => "kafka",
        }
    }
}
