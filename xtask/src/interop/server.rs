//! Starts and stops the server that is judged, Ottla or Apache Kafka, always on loopback.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use super::install::{Tool, Toolbox, quietly};
use super::options::{Options, Target};

/// A JVM on a busy two-core machine needs seconds; anything slower is stuck.
const READY_WAIT: Duration = Duration::from_secs(90);

/// Reference servers stay out of the way of whatever the machine's user runs.
const FIRST_PORT: u16 = 29_100;

/// Both lines that people's scripts wait for; Ottla prints them too.
const READY_MARKS: [&str; 2] = ["Kafka Server started", "started (kafka.server.KafkaServer)"];

/// A command line that starts a server on a fresh data directory, and where it will be.
pub struct ServerCommand {
    pub argv: Vec<String>,
    pub bootstrap: String,
    pub data_dir: PathBuf,
}

/// Knows how to start the server under test.
pub struct Launcher {
    kind: Kind,
}

enum Kind {
    Ottla { binary: String },
    Kafka { classpath: String },
}

impl Launcher {
    /// Builds or installs the server, unless one runs elsewhere.
    pub fn prepare(options: &Options, toolbox: &Toolbox) -> Result<Launcher, String> {
        let kind = match options.against {
            Target::Kafka => {
                if options.bootstrap.is_none() {
                    toolbox.provide(Tool::Java)?;
                }
                Kind::Kafka { classpath: toolbox.classpath() }
            }
            Target::Ottla => Kind::Ottla { binary: ottla_binary(options)? },
        };
        Ok(Launcher { kind })
    }

    /// Lays out `directory` and returns what starts a server there.
    pub fn command(&self, directory: &Path) -> Result<ServerCommand, String> {
        fs::create_dir_all(directory)
            .map_err(|error| format!("create {}: {error}", directory.display()))?;
        let data_dir = directory.join("data");
        let port = free_port()?;
        let argv = match &self.kind {
            Kind::Ottla { binary } => ottla_argv(binary, port, &data_dir),
            Kind::Kafka { classpath } => kafka_argv(classpath, port, directory, &data_dir)?,
        };
        Ok(ServerCommand { argv, bootstrap: format!("127.0.0.1:{port}"), data_dir })
    }

    /// Starts a server and waits for its ready line.
    pub fn launch(&self, directory: &Path) -> Result<Server, String> {
        let command = self.command(directory)?;
        let log = directory.join("server.log");
        let mut child = Command::new(&command.argv[0])
            .args(&command.argv[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("start {}: {error}", command.argv[0]))?;
        let ready = watch(&mut child, &log)?;
        let server = Server {
            bootstrap: command.bootstrap,
            data_dir: Some(command.data_dir),
            child: Some(child),
        };
        match ready.recv_timeout(READY_WAIT) {
            Ok(()) => Ok(server),
            Err(_) => Err(format!("the server did not become ready; see {}", log.display())),
        }
    }
}

/// A running server; stopped when dropped.
pub struct Server {
    pub bootstrap: String,
    /// Where its log directories are; unknown for a server that runs elsewhere.
    pub data_dir: Option<PathBuf>,
    child: Option<Child>,
}

impl Server {
    /// A server that somebody else started and will stop.
    pub fn elsewhere(address: &str) -> Server {
        Server { bootstrap: address.to_owned(), data_dir: None, child: None }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // The data is thrown away; nothing is gained by a graceful stop.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Copies the child's output to `log`; the channel gets one message when the server says it is
/// ready.
fn watch(child: &mut Child, log: &Path) -> Result<mpsc::Receiver<()>, String> {
    let (sender, receiver) = mpsc::channel();
    let file = File::create(log).map_err(|error| format!("create {}: {error}", log.display()))?;
    let again = file.try_clone().map_err(|error| format!("open {}: {error}", log.display()))?;
    copy_lines(child.stdout.take(), file, sender.clone());
    copy_lines(child.stderr.take(), again, sender);
    Ok(receiver)
}

fn copy_lines(from: Option<impl Read + Send + 'static>, mut to: File, ready: Sender<()>) {
    let Some(from) = from else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let _ = to.write_all(&[&line[..], b"\n"].concat());
            let text = String::from_utf8_lossy(&line);
            if READY_MARKS.iter().any(|mark| text.contains(mark)) {
                let _ = ready.send(());
            }
        }
    });
}

fn ottla_binary(options: &Options) -> Result<String, String> {
    if let Some(path) = &options.binary {
        return Ok(path.clone());
    }
    if options.bootstrap.is_some() {
        return Ok("ottla".to_owned());
    }
    let root = super::repository_root();
    quietly(Command::new(cargo()).args(["build", "-q", "-p", "ottla"]).current_dir(&root))?;
    Ok(crate::target().join("debug/ottla").display().to_string())
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn ottla_argv(binary: &str, port: u16, data_dir: &Path) -> Vec<String> {
    let port = port.to_string();
    let data_dir = data_dir.display().to_string();
    let mut argv = vec![binary.to_owned()];
    argv.extend(["dev", "--port", &port, "--data-dir", &data_dir].map(str::to_owned));
    argv
}

/// One process that is broker and controller, with the single-node settings everybody uses.
fn kafka_argv(
    classpath: &str,
    port: u16,
    directory: &Path,
    data_dir: &Path,
) -> Result<Vec<String>, String> {
    let properties = directory.join("server.properties");
    let controller = free_port_above(port + 1)?;
    let text = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         log.dirs={data}\n\
         num.partitions=1\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=100\n",
        data = data_dir.display(),
    );
    fs::write(&properties, text)
        .map_err(|error| format!("write {}: {error}", properties.display()))?;
    let properties = properties.display().to_string();
    quietly(
        Command::new("java")
            .args(["-cp", classpath, "kafka.tools.StorageTool", "format", "--standalone"])
            .args(["-t", "b3R0bGEtaW50ZXJvcC0xMA", "-c", &properties]),
    )?;
    let flags = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
    let log = "-Dorg.slf4j.simpleLogger.logFile=System.out";
    let tail = [log, "-cp", classpath, "kafka.Kafka", &properties];
    let argv = ["java"].iter().chain(&flags).chain(&tail);
    Ok(argv.map(|word| (*word).to_owned()).collect())
}

/// Two runs at a time begin to look in different places: a port that is free now is taken only once
/// its server is up.
fn free_port() -> Result<u16, String> {
    let own = std::process::id() % 100;
    free_port_above(FIRST_PORT + 20 * own as u16)
}

fn free_port_above(first: u16) -> Result<u16, String> {
    (first..first + 1_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| format!("no free port from {first} up"))
}
