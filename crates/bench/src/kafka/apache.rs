//! Apache Kafka as anybody starts it: one node, KRaft, the settings and the flags that it ships.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::DELETE_SOON;
use crate::server::free_address;
use crate::{Outcome, wire};

const START_MAX: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(1);
const CLUSTER_ID: &str = "b3R0bGEtYmVuY2gtMDAwMA";

/// Of `bin/kafka-server-start.sh` and `bin/kafka-run-class.sh`.
const JVM: [&str; 8] = [
    "-Xmx1G",
    "-Xms1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
];

pub struct Apache {
    pub address: SocketAddr,
    /// From the start of the process to the first answer.
    pub ready_after: Duration,
    child: Child,
}

impl Apache {
    /// Starts it on `dir`, which it formats if it has not been.
    pub fn start(classpath: &str, dir: &Path) -> Outcome<Apache> {
        let free = || free_address().map_err(|error| format!("a free port: {error}"));
        let (address, controller) = (free()?, free()?);
        let properties = dir.join("server.properties");
        let text = properties_text(address, controller, &dir.join("data"));
        fs::write(&properties, text).map_err(|error| format!("server.properties: {error}"))?;
        if !dir.join("data").exists() {
            format_storage(classpath, &properties)?;
        }
        let log = File::create(dir.join("server.log")).map_err(|error| error.to_string())?;
        let again = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new("java");
        command.args(JVM).args(["-cp", classpath, "kafka.Kafka"]).arg(&properties);
        command.stdin(Stdio::null()).stdout(log).stderr(again);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("start java: {error}"))?;
        let mut kafka = Apache { address, ready_after: Duration::ZERO, child };
        while !wire::is_ready(address) {
            let ended = kafka.child.try_wait().map_err(|error| error.to_string())?.is_some();
            if ended || started.elapsed() > START_MAX {
                let said = fs::read_to_string(dir.join("server.log")).unwrap_or_default();
                let last: Vec<&str> = said.lines().rev().take(5).collect();
                return Err(format!("Apache Kafka does not answer: {}", last.join(" | ")));
            }
            std::thread::sleep(POLL);
        }
        kafka.ready_after = started.elapsed();
        Ok(kafka)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kafka's `config/server.properties`, with our addresses.
fn properties_text(address: SocketAddr, controller: SocketAddr, data: &Path) -> String {
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.bootstrap.servers={controller}\n\
         listeners=PLAINTEXT://{address},CONTROLLER://{controller}\n\
         inter.broker.listener.name=PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         num.network.threads=3\n\
         num.io.threads=8\n\
         socket.send.buffer.bytes=102400\n\
         socket.receive.buffer.bytes=102400\n\
         socket.request.max.bytes=104857600\n\
         log.dirs={data}\n\
         num.partitions=1\n\
         num.recovery.threads.per.data.dir=2\n\
         offsets.topic.replication.factor=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         log.retention.hours=168\n\
         log.segment.bytes=1073741824\n\
         log.retention.check.interval.ms=300000\n\
         {DELETE_SOON}\n",
        data = data.display(),
    )
}

fn format_storage(classpath: &str, properties: &Path) -> Outcome<()> {
    let mut command = Command::new("java");
    command.args(["-cp", classpath, "kafka.tools.StorageTool", "format", "--standalone"]);
    command.args(["-t", CLUSTER_ID, "-c"]).arg(properties);
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("start java: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("format: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
