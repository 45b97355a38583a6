//! `ottla dev --nodes 3`: a cluster on this machine, one process a node, so that one can be killed.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use storage::MetaProperties;

use crate::failure::{Exit, Failure, Outcome, file_failure};
use crate::interrupt::Interrupt;

/// What all nodes of a cluster for development have in common.
pub struct Plan<'a> {
    pub nodes: u16,
    /// Of the first node; the others follow. 0: whatever is free.
    pub port: u16,
    pub http_port: Option<u16>,
    pub data_dir: &'a Path,
    pub overrides: &'a [String],
}

/// One node and the process that it is.
struct Running {
    id: u16,
    address: String,
    file: PathBuf,
    process: Child,
    ended: bool,
}

/// How long a node may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(35);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs the cluster until Ctrl-C or SIGTERM.
///
/// # Errors
/// A node cannot be configured or started.
pub fn run(plan: &Plan<'_>) -> Outcome {
    let interrupt = Interrupt::listen();
    let files = configure(plan)?;
    let mut running = Vec::new();
    for (id, address, file) in files {
        let process = start(id, &file)?;
        running.push(Running { id, address, file, process, ended: false });
    }
    let all: Vec<&str> = running.iter().map(|node| node.address.as_str()).collect();
    say(&format!("a cluster of {} nodes, one process each:", running.len()));
    for node in &running {
        say(&format!("  node {}  {}  pid {}", node.id, node.address, node.process.id()));
    }
    say(&format!("  ottla cluster status -b {}", all.join(",")));
    while !interrupt.is_wished() {
        for node in running.iter_mut().filter(|node| !node.ended) {
            if let Ok(Some(status)) = node.process.try_wait() {
                node.ended = true;
                say_ended(node, status);
            }
        }
        if running.iter().all(|node| node.ended) {
            let why = "the log above says why";
            return Err(Failure::new(Exit::Failed, "NODES_ENDED", "all nodes have ended", why));
        }
        thread::sleep(LOOK_EVERY);
    }
    stop(&mut running);
    Ok(())
}

/// One line; if nobody reads our output, nobody is to be told.
fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn say_ended(node: &Running, status: ExitStatus) {
    say(&format!(
        "node {} has ended ({status}); start it again with: ottla start -c {}",
        node.id,
        node.file.display()
    ));
}

/// Writes each node's properties and formats its directory; returns id, address and file of each.
fn configure(plan: &Plan<'_>) -> Result<Vec<(u16, String, PathBuf)>, Failure> {
    let ports = free_ports(plan)?;
    let controllers: Vec<u16> = ports[usize::from(plan.nodes)..].to_vec();
    let cluster_id = cluster_id(plan)?;
    let mut files = Vec::new();
    for id in 1..=plan.nodes {
        let address = format!("127.0.0.1:{}", ports[usize::from(id) - 1]);
        let dir = plan.data_dir.join(format!("node-{id}"));
        let file = plan.data_dir.join(format!("node-{id}.properties"));
        let text = properties(plan, id, &address, &controllers, &dir);
        std::fs::create_dir_all(&dir)
            .and_then(|()| std::fs::write(&file, text))
            .map_err(|error| file_failure("write", &file.display().to_string(), &error))?;
        let file_name = file.display().to_string();
        let format =
            ["kafka-storage", "format", "-g", "-t", cluster_id.as_str(), "-c", file_name.as_str()];
        output_of(&format)?;
        files.push((id, address, file));
    }
    Ok(files)
}

fn properties(plan: &Plan<'_>, id: u16, address: &str, controllers: &[u16], dir: &Path) -> String {
    let voters = controllers.iter().enumerate().map(|(at, port)| {
        let voter = at + 1;
        format!("{voter}@127.0.0.1:{port}")
    });
    let voters = voters.collect::<Vec<_>>().join(",");
    let replicas = plan.nodes.min(3);
    let mut listeners = format!("PLAINTEXT://{address}");
    let roles = match controllers.get(usize::from(id) - 1) {
        Some(port) => {
            listeners.push_str(&format!(",CONTROLLER://127.0.0.1:{port}"));
            "broker,controller"
        }
        None => "broker",
    };
    let http = match plan.http_port {
        Some(0) => "HTTP://127.0.0.1:0".to_owned(),
        Some(port) => format!("HTTP://127.0.0.1:{}", port.saturating_add(id - 1)),
        None => String::new(),
    };
    let mut lines = vec![
        format!("node.id={id}"),
        format!("process.roles={roles}"),
        format!("listeners={listeners}"),
        "controller.listener.names=CONTROLLER".to_owned(),
        format!("controller.quorum.voters={voters}"),
        format!("log.dirs={}", dir.display()),
        format!("http.listeners={http}"),
        format!("default.replication.factor={replicas}"),
        format!("offsets.topic.replication.factor={replicas}"),
        "group.initial.rebalance.delay.ms=0".to_owned(),
    ];
    lines.extend(plan.overrides.iter().cloned());
    lines.join("\n") + "\n"
}

/// Ports of the nodes, then one for each controller.
fn free_ports(plan: &Plan<'_>) -> Result<Vec<u16>, Failure> {
    let bind = |port: u16| {
        TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
            let what = format!("listen on 127.0.0.1:{port}");
            Failure::new(Exit::Failed, "LISTEN_FAILED", what, error.to_string())
                .todo("free the port, or choose others with --port")
        })
    };
    let mut held = Vec::new();
    for at in 0..plan.nodes {
        held.push(bind(if plan.port == 0 { 0 } else { plan.port.saturating_add(at) })?);
    }
    for _ in 0..controllers_of(plan.nodes) {
        held.push(bind(0)?);
    }
    let port = |socket: &TcpListener| socket.local_addr().map(|address| address.port());
    let ports: Result<Vec<u16>, io::Error> = held.iter().map(port).collect();
    ports.map_err(|error| {
        Failure::new(Exit::Failed, "LISTEN_FAILED", "choose ports", error.to_string())
    })
}

/// How many of the nodes vote on the metadata.
fn controllers_of(nodes: u16) -> u16 {
    match nodes {
        // One of two that is missed leaves no majority: a second voter would only do harm.
        1 | 2 => 1,
        3 | 4 => 3,
        _ => 5,
    }
}

/// The cluster that the directories belong to already, or a new one's id.
fn cluster_id(plan: &Plan<'_>) -> Result<String, Failure> {
    let path = plan.data_dir.join("node-1").join("meta.properties");
    let known = std::fs::read_to_string(path).ok();
    let known = known.and_then(|text| MetaProperties::decode(&text).ok()?.cluster_id);
    match known {
        Some(id) => Ok(id),
        None => Ok(output_of(&["kafka-storage", "random-uuid"])?.trim().to_owned()),
    }
}

fn binary() -> Result<Command, Failure> {
    let path = std::env::current_exe();
    let path = path.map_err(|error| file_failure("find", "this program", &error))?;
    let mut command = Command::new(path);
    // What the environment says is meant for one node.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KAFKA_") {
            command.env_remove(name);
        }
    }
    Ok(command)
}

fn output_of(arguments: &[&str]) -> Result<String, Failure> {
    let output = binary()?.args(arguments).output();
    let output = output.map_err(|error| file_failure("run", "this program", &error))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(Failure::new(Exit::Failed, "FORMAT_FAILED", arguments.join(" "), why))
        }
    }
}

/// Starts one node; its log appears here with its number in front.
fn start(id: u16, file: &Path) -> Result<Child, Failure> {
    let mut command = binary()?;
    command.arg("start").arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::piped());
    let started = command.spawn();
    let mut process = started.map_err(|error| file_failure("start", "a node", &error))?;
    let prefix: Arc<str> = format!("[{id}] ").into();
    if let Some(output) = process.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                say(&format!("{prefix}{line}"));
            }
        });
    }
    Ok(process)
}

/// Asks all nodes to stop, and kills those that do not.
fn stop(running: &mut [Running]) {
    for node in running.iter().filter(|node| !node.ended) {
        terminate(&node.process);
    }
    let deadline = Instant::now() + STOP_WITHIN;
    for node in running.iter_mut().filter(|node| !node.ended) {
        while node.process.try_wait().is_ok_and(|status| status.is_none()) {
            if Instant::now() >= deadline {
                let _ = node.process.kill();
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

fn terminate(process: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended meanwhile.
        let _ = kill_process(pid, Signal::TERM);
    }
}
