//! The table of suites, and how one is run: a process whose lines are its checks.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::install::{Tool, Toolbox};
use super::options::Options;
use super::report::{Check, SuiteResult};
use super::server::{Server, ServerCommand};

/// One client's checks.
pub struct Suite {
    pub name: &'static str,
    pub needs: &'static [Tool],
    /// A suite that kills its server gets a command line instead of an address.
    pub owns_server: bool,
    /// Writes golden data instead of judging; runs only when it is named.
    records: bool,
    start: Start,
    /// After this the suite hangs and is killed.
    limit: Duration,
}

#[derive(Clone, Copy)]
enum Start {
    /// A script under `tests/interop`, run by the virtual environment's Python.
    Python(&'static str),
    Node(&'static str),
    /// A class of the compiled Java suites.
    Java(&'static str),
}

const fn suite(name: &'static str, needs: &'static [Tool], start: Start, seconds: u64) -> Suite {
    let limit = Duration::from_secs(seconds);
    Suite { name, needs, owns_server: false, records: false, start, limit }
}

/// Every suite; the slow ones first, so that two workers end at about the same time.
fn all() -> Vec<Suite> {
    use Tool::{Java, Kcat, Node, Python};
    let mut crash = suite("crash", &[Python], Start::Python("python/crash.py"), 400);
    crash.owns_server = true;
    let mut disks = suite("disks", &[Java, Python], Start::Python("disks/suite.py"), 400);
    disks.owns_server = true;
    let cluster_tools = Start::Python("tools/cluster.py");
    let mut cluster_tools = suite("cluster-tools", &[Java, Python], cluster_tools, 400);
    cluster_tools.owns_server = true;
    vec![
        suite("tools", &[Java, Python], Start::Python("tools/suite.py"), 300),
        suite("java", &[Java], Start::Java("JavaClientSuite"), 180),
        suite("promises", &[Python], Start::Python("python/promises.py"), 180),
        suite("confluent", &[Python], Start::Python("python/confluent_suite.py"), 180),
        suite("kafka-python", &[Python], Start::Python("python/kafka_python_suite.py"), 180),
        suite("aiokafka", &[Python], Start::Python("python/aiokafka_suite.py"), 180),
        suite("kafkajs", &[Node], Start::Node("kafkajs/suite.js"), 180),
        suite("versions", &[Python], Start::Python("versions/suite.py"), 120),
        suite("kcat", &[Kcat, Python], Start::Python("kcat/suite.py"), 120),
        suite("bad-input", &[Python], Start::Python("bad_input/suite.py"), 180),
        crash,
        disks,
        cluster_tools,
        recorder("record-wire", "golden/record.py"),
        recorder("record-log", "golden/record_log.py"),
    ]
}

fn recorder(name: &'static str, script: &'static str) -> Suite {
    let plain = suite(name, &[Tool::Java, Tool::Python], Start::Python(script), 1_800);
    Suite { owns_server: true, records: true, ..plain }
}

/// The suites named in `only`, or all.
pub fn choose(only: &[String]) -> Result<Vec<Suite>, String> {
    let all = all();
    if let Some(stranger) = only.iter().find(|name| !all.iter().any(|suite| suite.name == *name)) {
        let names: Vec<&str> = all.iter().map(|suite| suite.name).collect();
        return Err(format!("no suite is called {stranger}; there are {}", names.join(", ")));
    }
    let wanted = |suite: &Suite| match only.is_empty() {
        true => !suite.records,
        false => only.iter().any(|name| name == suite.name),
    };
    Ok(all.into_iter().filter(wanted).collect())
}

/// What a suite is told through its environment.
pub struct SuiteEnv<'a> {
    toolbox: &'a Toolbox,
    run_dir: &'a Path,
    variables: Vec<(&'static str, String)>,
}

impl<'a> SuiteEnv<'a> {
    /// For suites that share `server`.
    pub fn shared(
        toolbox: &'a Toolbox,
        options: &Options,
        run_dir: &'a Path,
        server: &Server,
    ) -> SuiteEnv<'a> {
        let mut env = SuiteEnv::common_to_all(toolbox, options, run_dir);
        env.variables.push(("INTEROP_BOOTSTRAP", server.bootstrap.clone()));
        if let Some(data_dir) = &server.data_dir {
            env.variables.push(("INTEROP_DATA_DIR", data_dir.display().to_string()));
        }
        env
    }

    /// For a suite that starts, kills and restarts the server itself.
    pub fn owning(
        toolbox: &'a Toolbox,
        options: &Options,
        run_dir: &'a Path,
        command: &ServerCommand,
    ) -> SuiteEnv<'a> {
        let mut env = SuiteEnv::common_to_all(toolbox, options, run_dir);
        env.variables.push(("INTEROP_BOOTSTRAP", command.bootstrap.clone()));
        env.variables.push(("INTEROP_DATA_DIR", command.data_dir.display().to_string()));
        env.variables.push(("INTEROP_START", command.argv.join("\n")));
        env
    }

    fn common_to_all(toolbox: &'a Toolbox, options: &Options, run_dir: &'a Path) -> SuiteEnv<'a> {
        let variables = vec![
            ("INTEROP_AGAINST", options.against.name().to_owned()),
            ("INTEROP_HOME", toolbox.home.display().to_string()),
            ("INTEROP_RUN_DIR", run_dir.display().to_string()),
            ("INTEROP_CLASSPATH", toolbox.classpath()),
            ("NODE_PATH", toolbox.home.join("node/node_modules").display().to_string()),
            ("PYTHONPATH", toolbox.sources.join("python").display().to_string()),
            ("PYTHONUNBUFFERED", "1".to_owned()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ];
        SuiteEnv { toolbox, run_dir, variables }
    }
}

/// Runs one suite to its end or its limit; its whole output is kept in the run's directory.
pub fn run(suite: &Suite, env: &SuiteEnv) -> SuiteResult {
    let started = Instant::now();
    let log = env.run_dir.join(format!("{}.log", suite.name));
    let mut result = SuiteResult::new(suite.name);
    match follow(suite, env, &log, &mut result) {
        Ok(()) if result.checks.is_empty() => result.fail("suite", "it made no check"),
        Ok(()) => {}
        Err(why) => result.fail("suite", &format!("{why}; see {}", log.display())),
    }
    result.took = started.elapsed();
    result
}

fn follow(
    suite: &Suite,
    env: &SuiteEnv,
    log: &PathBuf,
    result: &mut SuiteResult,
) -> Result<(), String> {
    let file = std::fs::File::create(log).map_err(|error| format!("create its log: {error}"))?;
    let mut child = command(suite, env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(file)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("start it: {error}"))?;
    let lines = lines_of(&mut child);
    let deadline = Instant::now() + suite.limit;
    let ended = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                println!("{line}");
                result.checks.extend(Check::parse(&line));
            }
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    // Also ends what the suite may have left behind; its group is its own.
    kill_group(child.id(), if ended { "TERM" } else { "KILL" });
    let status = child.wait().map_err(|error| format!("wait for it: {error}"))?;
    match (ended, status.success() || result.has_failures()) {
        (false, _) => Err(format!("it hung and was killed after {} s", suite.limit.as_secs())),
        (true, false) => Err(format!("it ended with {status}")),
        (true, true) => Ok(()),
    }
}

fn command(suite: &Suite, env: &SuiteEnv) -> Command {
    let sources = &env.toolbox.sources;
    let mut command = match suite.start {
        Start::Python(script) => {
            let mut command = Command::new(env.toolbox.python_program());
            command.arg(sources.join(script));
            command
        }
        Start::Node(script) => {
            let mut command = Command::new("node");
            command.arg(sources.join(script));
            command
        }
        Start::Java(class) => {
            let mut command = Command::new("java");
            command.args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
            command.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp"]);
            command.arg(env.toolbox.classpath()).arg(class);
            command
        }
    };
    command.envs(env.variables.iter().map(|(name, value)| (name, value)));
    command
}

/// The child's output, line by line; the channel closes when the child's output does.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

fn kill_group(leader: u32, signal: &str) {
    // The standard library can signal one process only. An empty group is no error to us.
    let _ = Command::new("kill")
        .args([&format!("-{signal}"), "--", &format!("-{leader}")])
        .stderr(Stdio::null())
        .status();
}
