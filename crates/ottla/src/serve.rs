//! `ottla dev` and `ottla start`: the node itself.

use std::path::Path;
use std::time::Instant;

use clap::Args;
use config::{Loaded, Sources, load};
use server::{ServeOptions, StartError};
use tempfile::TempDir;

use crate::dev_cluster::{self, Plan};
use crate::failure::{Exit, Failure, Outcome, file_failure};

#[derive(Args, Debug)]
pub struct DevArgs {
    /// The port on 127.0.0.1
    #[arg(short, long, value_name = "PORT", default_value = "9092")]
    port: u16,

    /// The port on 127.0.0.1 for metrics and health; 0 takes any [default: 8080, or none if it is
    /// taken]
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,

    /// Where data is kept [default: a new directory that is removed at the end]
    #[arg(short, long, value_name = "DIR")]
    data_dir: Option<String>,

    /// How many nodes, one process each, on ports that follow --port
    #[arg(
        long,
        value_name = "N",
        default_value = "1",
        value_parser = clap::value_parser!(u8).range(1..=9)
    )]
    nodes: u8,

    /// A property that replaces the default; may be repeated
    #[arg(long = "override", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

#[derive(Args, Debug)]
pub struct StartArgs {
    /// The file, in the syntax of server.properties [default: only the environment]
    #[arg(short, long, value_name = "FILE")]
    config: Option<String>,

    /// A property that replaces the file's; may be repeated
    #[arg(long = "override", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

pub fn dev(args: &DevArgs) -> Outcome {
    let started = Instant::now();
    let DevArgs { port, http_port, data_dir, overrides, nodes } = args;
    let (dir, temporary) = data_dir_or_new(data_dir.as_deref())?;
    if *nodes > 1 {
        let plan = Plan {
            nodes: u16::from(*nodes),
            port: *port,
            http_port: *http_port,
            data_dir: Path::new(&dir),
            overrides,
        };
        let outcome = dev_cluster::run(&plan);
        drop(temporary);
        return outcome;
    }
    let mut properties = vec![
        format!("listeners=PLAINTEXT://127.0.0.1:{port}"),
        "group.initial.rebalance.delay.ms=0".to_owned(),
        "offsets.topic.replication.factor=1".to_owned(),
    ];
    properties.push(format!("log.dirs={dir}"));
    properties.extend(http_port.map(|port| format!("http.listeners=HTTP://127.0.0.1:{port}")));
    properties.extend(overrides.iter().cloned());
    let sources = Sources { file: None, environment: Vec::new(), overrides: &properties };
    run(load_or_fail("the development configuration", sources)?, started, temporary)
}

/// The directory asked for, or a new one that goes with the returned guard.
fn data_dir_or_new(asked: Option<&str>) -> Result<(String, Option<TempDir>), Failure> {
    if let Some(dir) = asked {
        return Ok((dir.to_owned(), None));
    }
    let made = tempfile::Builder::new().prefix("ottla-dev-").tempdir();
    let made = made.map_err(|error| {
        file_failure("make a directory in", &std::env::temp_dir().display().to_string(), &error)
    })?;
    Ok((made.path().display().to_string(), Some(made)))
}

pub fn start(args: &StartArgs) -> Outcome {
    let started = Instant::now();
    run(load_file(args.config.as_deref(), &args.overrides)?, started, None)
}

/// Runs a node for `kafka-server-start`.
pub fn start_file(file: &str, overrides: &[String]) -> Outcome {
    run(load_file(Some(file), overrides)?, Instant::now(), None)
}

/// The configuration of a file, the environment and the command line.
pub fn load_file(file: Option<&str>, overrides: &[String]) -> Result<Loaded, Failure> {
    let text = match file {
        Some(path) => Some(
            std::fs::read_to_string(path).map_err(|error| file_failure("read", path, &error))?,
        ),
        None => None,
    };
    let sources = Sources { file: text.as_deref(), environment: environment(), overrides };
    load_or_fail(file.unwrap_or("the environment"), sources)
}

fn environment() -> Vec<(String, String)> {
    let texts = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.collect()
}

fn load_or_fail(name: &str, sources: Sources<'_>) -> Result<Loaded, Failure> {
    load(sources).map_err(|error| {
        Failure::new(Exit::Usage, "CONFIG", format!("read {name}"), error.to_string())
            .todo("ottla config check FILE checks a file, ottla config explain PROPERTY explains")
    })
}

/// Runs a node until it is told to stop.
fn run(loaded: Loaded, started: Instant, temporary: Option<TempDir>) -> Outcome {
    server::logging::init(log::LevelFilter::Info);
    for warning in &loaded.warnings {
        log::warn!(target: "kafka.server.KafkaConfig", "{warning}");
    }
    let served = server::run(ServeOptions { config: loaded.config, started });
    drop(temporary);
    served.map_err(|error| start_failure(&error))
}

/// The server's errors come in the four parts already.
fn start_failure(error: &StartError) -> Failure {
    let text = error.to_string();
    let mut parts = text.split(" · ");
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (what, why, todo) = (next(), next(), next());
    Failure::new(Exit::Failed, "START", what, why).todo(todo)
}
