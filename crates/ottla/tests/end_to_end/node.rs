//! A node of the binary under test, on a port that the system chose.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_ottla");

/// A running `ottla dev`. Ends when dropped; its data goes with it.
pub struct Node {
    process: Child,
    address: String,
    http: String,
    data: tempfile::TempDir,
}

impl Node {
    /// Starts a node and waits until it says where it listens.
    pub fn start() -> Node {
        let data = tempfile::tempdir().expect("a directory for the node");
        let mut process = Command::new(BINARY)
            .args(["dev", "--port", "0", "--http-port", "0", "--data-dir"])
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("start the node");
        let output = process.stdout.take().expect("the node's log");
        let mut lines = BufReader::new(output).lines();
        let mut http = String::new();
        let address = loop {
            let line = lines.next().expect("the node ended before it was ready").expect("a line");
            if let Some((_, rest)) = line.split_once(" on http://") {
                http = rest.split(' ').next().unwrap_or_default().to_owned();
            }
            if let Some((_, rest)) = line.split_once(" on PLAINTEXT://") {
                break rest.split([' ', ',']).next().unwrap_or_default().to_owned();
            }
        };
        // Somebody has to read on, or the node would wait for room in the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Node { process, address, http, data }
    }

    /// `host:port`
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Its log directory.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Where metrics and health are: `host:port`.
    pub fn http(&self) -> &str {
        &self.http
    }

    /// Runs the binary against this node and waits for its end.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        run(&self.address, arguments, input)
    }

    /// Standard output of a command that must succeed.
    pub fn ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {}\n{out}{err}", output.status);
        out
    }

    /// The JSON that a command prints.
    pub fn json(&self, arguments: &[&str], input: &str) -> serde_json::Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        let out = self.ok(&arguments, input);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the binary with `address` as its cluster.
pub fn run(address: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments);
    let knows_no_cluster = ["kafka-storage", "kafka-dump-log", "log"];
    match arguments.first() {
        Some(tool) if knows_no_cluster.contains(tool) => {}
        Some(tool) if tool.starts_with("kafka-") => {
            command.args(["--bootstrap-server", address]);
        }
        _ => {
            command.env("OTTLA_BOOTSTRAP_SERVER", address);
        }
    }
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run the binary");
    let mut stdin = process.stdin.take().expect("its input");
    // A command that reads nothing may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    process.wait_with_output().expect("its end")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
