//! The servers that take turns: the floor, and one or more ottla binaries.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::options::Options;
use crate::{Outcome, wire};

const START_MAX: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_micros(200);

/// A program that can be started.
#[derive(Clone, Debug)]
pub struct Server {
    pub name: String,
    binary: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Floor,
    /// Of a lone producer: see `durable::lone::least`.
    Least,
    Ottla,
}

/// A started server, with a data directory of its own unless it was given one; both go when it is
/// dropped.
pub struct Running {
    pub address: SocketAddr,
    /// Of the metrics; the floor has none.
    pub http: SocketAddr,
    /// From the start of the process to the first answer.
    pub ready_after: Duration,
    child: Child,
    _dir: Option<TempDir>,
}

/// The floor first: it is what the others are compared with.
pub fn all(options: &Options) -> Outcome<Vec<Server>> {
    let own = std::env::current_exe().map_err(|error| format!("own binary: {error}"))?;
    let beside = own.with_file_name("ottla");
    let first = options.server.clone().unwrap_or(beside);
    let mut servers = vec![Server { name: "floor".to_owned(), binary: own, kind: Kind::Floor }];
    for (number, binary) in std::iter::once(&first).chain(&options.also).enumerate() {
        if !binary.is_file() {
            return Err(format!(
                "there is no {}: build it, or name it with --server",
                binary.display()
            ));
        }
        servers.push(match number {
            0 => Server::ottla(Some(binary.clone()))?,
            _ => Server::another(binary, number + 1),
        });
    }
    std::fs::create_dir_all(&options.dir).map_err(|error| format!("data directory: {error}"))?;
    Ok(servers)
}

impl Server {
    /// The node alone.
    pub fn ottla(binary: Option<PathBuf>) -> Outcome<Server> {
        let own = std::env::current_exe().map_err(|error| format!("own binary: {error}"))?;
        let binary = binary.unwrap_or_else(|| own.with_file_name("ottla"));
        Ok(Server { name: "ottla".to_owned(), binary, kind: Kind::Ottla })
    }

    /// A node besides: the `number`th.
    pub fn another(binary: &Path, number: usize) -> Server {
        Server { name: format!("ottla-{number}"), binary: binary.to_owned(), kind: Kind::Ottla }
    }

    /// What a lone producer waits for at best.
    pub fn least() -> Outcome<Server> {
        let own = std::env::current_exe().map_err(|error| format!("own binary: {error}"))?;
        Ok(Server { name: "the least".to_owned(), binary: own, kind: Kind::Least })
    }

    /// Starts a node on a directory that stays.
    pub fn start_in(&self, data: &Path) -> Outcome<Running> {
        self.start_with(data, &[])
    }

    /// The same, with properties as `KEY=VALUE`.
    pub fn start_with(&self, data: &Path, properties: &[&str]) -> Outcome<Running> {
        self.start_ottla(data, None, properties)
    }

    pub fn is_floor(&self) -> bool {
        self.kind == Kind::Floor
    }

    pub fn is_least(&self) -> bool {
        self.kind == Kind::Least
    }

    /// Starts it below `dir` and waits until it answers.
    pub fn start(&self, dir: &Path) -> Outcome<Running> {
        let made = tempfile::Builder::new().prefix("data-").tempdir_in(dir);
        let data = made.map_err(|error| format!("data directory: {error}"))?;
        match self.kind {
            Kind::Floor => self.start_own("floor", data),
            Kind::Least => self.start_own("least", data),
            Kind::Ottla => {
                let path = data.path().to_owned();
                self.start_ottla(&path, Some(data), &[])
            }
        }
    }

    /// This program again.
    fn start_own(&self, named: &str, data: TempDir) -> Outcome<Running> {
        let started = Instant::now();
        let mut command = Command::new(&self.binary);
        let command = command.arg(named).arg(data.path()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| self.cannot(&error))?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out).read_line(&mut line).map_err(|error| self.cannot(&error))?;
        let port: u16 = line.trim().parse().map_err(|_| self.cannot(&line))?;
        let address = ([127, 0, 0, 1], port).into();
        let http = address;
        Ok(Running { address, http, ready_after: started.elapsed(), child, _dir: Some(data) })
    }

    fn start_ottla(
        &self,
        data: &Path,
        dir: Option<TempDir>,
        properties: &[&str],
    ) -> Outcome<Running> {
        let address = free_address().map_err(|error| self.cannot(&error))?;
        let mut command = Command::new(&self.binary);
        let http = free_address().map_err(|error| self.cannot(&error))?;
        command.args(["dev", "--port", &address.port().to_string()]);
        command.args(["--http-port", &http.port().to_string(), "--data-dir"]);
        command.arg(data);
        for property in properties {
            command.args(["--override", property]);
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| self.cannot(&error))?;
        while !wire::is_ready(address) {
            let ended = child.try_wait().map_err(|error| self.cannot(&error))?.is_some();
            if ended || started.elapsed() > START_MAX {
                let mut said = String::new();
                if let (true, Some(mut errors)) = (ended, child.stderr.take()) {
                    let _ = errors.read_to_string(&mut said);
                }
                let _ = child.kill();
                return Err(self.cannot(&format!("it does not answer. {said}")));
            }
            std::thread::sleep(POLL);
        }
        Ok(Running { address, http, ready_after: started.elapsed(), child, _dir: dir })
    }

    fn cannot(&self, why: &dyn std::fmt::Display) -> String {
        format!("cannot start {} ({}): {why}", self.name, self.binary.display())
    }
}

/// Free now; the server binds it a moment later.
pub fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) -> Outcome<()> {
        let asked = Pid::from_raw(self.child.id() as i32).ok_or("no process id")?;
        kill_process(asked, Signal::TERM).map_err(|error| format!("stop: {error}"))?;
        let ended = self.child.wait().map_err(|error| format!("stop: {error}"))?;
        match ended.success() {
            true => Ok(()),
            false => Err(format!("the node ended badly: {ended}")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
