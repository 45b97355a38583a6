//! One machine: a disk, and the process that runs on it, if one does.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use broker::{Endpoint, Node, NodeOptions};
use config::{BrokerConfig, Sources};
use env::{Disk, Env};
use env_sim::{Crash, SimEnv};
use types::{MonoTime, Uuid};

use super::MACHINES;
use crate::world::Faults;

pub(super) const CLIENT_PORT: u16 = 9092;
pub(super) const CONTROLLER_PORT: u16 = 9093;
const DIR: &str = "/data";

/// How long a disk takes over what is left to other hands, at most.
const BACKGROUND_MS_MAX: u64 = 4;

pub(super) struct Machine {
    pub(super) id: usize,
    pub(super) env: SimEnv,
    /// The machine as the running process has it.
    process: SimEnv,
    config: Arc<BrokerConfig>,
    pub(super) node: Option<Arc<Node<SimEnv>>>,
    /// Counts its processes.
    pub(super) life: u64,
    /// The process does nothing until then.
    pub(super) frozen_until: MonoTime,
    /// No power: nobody answers that nobody listens.
    pub(super) is_off: bool,
    /// Its controller is told where it listens, and so registers (KIP-919).
    pub(super) registers: bool,
    has_complained: bool,
}

impl Machine {
    /// The metadata log of one that `trims` is let go of as soon as two snapshots have it.
    pub(super) fn new(id: usize, env: SimEnv, faults: Faults, trims: bool) -> Machine {
        env.background().set_latency_max(Duration::from_millis(BACKGROUND_MS_MAX));
        format_disk(&env, id);
        Machine {
            id,
            process: env.for_process(),
            env,
            config: Arc::new(config_of(id, faults, trims)),
            node: None,
            life: 0,
            frozen_until: MonoTime(0),
            is_off: false,
            registers: true,
            has_complained: false,
        }
    }

    pub(super) fn next_job(&self) -> Option<MonoTime> {
        let due = self.process.background().next_due().filter(|_| self.node.is_some());
        due.map(|at| at.max(self.frozen_until))
    }

    pub(super) fn next_timer(&self) -> Option<MonoTime> {
        let due = self.node.as_ref().and_then(|node| node.timers().next_deadline());
        due.map(|at| at.max(self.frozen_until))
    }

    pub(super) fn run_job(&self) {
        self.process.background().run_one();
    }

    pub(super) fn expire(&self, now: MonoTime) {
        if let Some(node) = &self.node {
            node.timers().expire(now);
        }
    }

    /// Whether somebody accepts connections there.
    pub(super) fn listens(&self, port: u16) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.node
            .as_ref()
            .is_some_and(|node| port == CONTROLLER_PORT || node.poll_ready(&mut cx).is_ready())
    }

    pub(super) fn has_died(&self) -> bool {
        self.node.is_some() && self.env.disk().is_dead()
    }

    /// Why it stops although its disk is well, told once.
    pub(super) fn halted(&mut self) -> Option<String> {
        let reason = self.node.as_ref().and_then(|node| node.halt().reason());
        let first = reason.filter(|_| !self.has_complained);
        self.has_complained |= first.is_some();
        first
    }

    /// Starts a process. Returns false if its disk dies meanwhile.
    ///
    /// # Panics
    /// If it does not start although its disk works: nothing that happens here excuses that.
    pub(super) fn start(&mut self) -> bool {
        self.is_off = false;
        self.life += 1;
        self.process = self.env.for_process();
        let endpoint = Endpoint {
            listener: "PLAINTEXT".to_owned(),
            host: host_of(self.id),
            port: CLIENT_PORT,
        };
        let for_controllers = self.registers.then(|| Endpoint {
            listener: "CONTROLLER".to_owned(),
            port: CONTROLLER_PORT,
            ..endpoint.clone()
        });
        let options = NodeOptions {
            config: Arc::clone(&self.config),
            endpoints: vec![endpoint],
            controller_endpoints: for_controllers.into_iter().collect(),
        };
        match Node::open(self.process.clone(), options) {
            Ok(node) => {
                self.node = Some(node);
                true
            }
            Err(error) => {
                assert!(self.env.disk().is_dead(), "node {} does not start: {error}", self.id);
                false
            }
        }
    }

    /// The process is gone. Returns how many waiters outlive it.
    pub(super) fn end(&mut self, kind: Crash) -> usize {
        self.env.disk().crash(kind);
        self.process.background().forget();
        self.frozen_until = MonoTime(0);
        let Some(node) = self.node.take() else { return 0 };
        // Its disk is dead and nobody hears it: this only frees the memory.
        node.shutdown();
        self.process.background().run_due();
        self.process.background().forget();
        node.timers().forget();
        let timers = Arc::clone(node.timers());
        drop(node);
        Arc::strong_count(&timers) - 1
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        _ = self.end(Crash::Kill);
    }
}

pub(super) fn host_of(id: usize) -> String {
    format!("n{id}")
}

pub(super) fn id_of(host: &str) -> usize {
    let id = host.strip_prefix('n').and_then(|id| id.parse().ok());
    id.expect("nodes know each other by the names of the simulator")
}

fn config_of(id: usize, faults: Faults, trims: bool) -> BrokerConfig {
    let voters = (1..=MACHINES).map(|id| format!("{id}@{}:{CONTROLLER_PORT}", host_of(id)));
    let voters = voters.collect::<Vec<_>>().join(",");
    let host = host_of(id);
    let durability = if faults.power { "fsync" } else { "page-cache" };
    let mut overrides = vec![
        format!("node.id={id}"),
        "process.roles=broker,controller".to_owned(),
        format!("listeners=PLAINTEXT://{host}:{CLIENT_PORT},CONTROLLER://{host}:{CONTROLLER_PORT}"),
        format!("advertised.listeners=PLAINTEXT://{host}:{CLIENT_PORT}"),
        "controller.listener.names=CONTROLLER".to_owned(),
        format!("controller.quorum.voters={voters}"),
        format!("log.dirs={DIR}"),
        "min.insync.replicas=2".to_owned(),
        "offsets.topic.num.partitions=2".to_owned(),
        "auto.create.topics.enable=false".to_owned(),
        "group.initial.rebalance.delay.ms=100".to_owned(),
        "group.min.session.timeout.ms=1000".to_owned(),
        "leader.imbalance.check.interval.seconds=5".to_owned(),
        "log.index.size.max.bytes=4096".to_owned(),
        "log.flush.offset.checkpoint.interval.ms=3000".to_owned(),
        "log.retention.check.interval.ms=5000".to_owned(),
        format!("log.durability={durability}"),
    ];
    if trims {
        overrides.extend([
            "metadata.log.max.record.bytes.between.snapshots=500".to_owned(),
            "metadata.max.retention.bytes=1".to_owned(),
            "metadata.log.segment.ms=10000".to_owned(),
        ]);
    }
    let sources = Sources { overrides: &overrides, ..Sources::default() };
    config::load(sources).expect("the simulator's own configuration").config
}

/// All machines belong to one cluster from the start.
fn format_disk(env: &SimEnv, id: usize) {
    let cluster = Uuid::from_random([0x5a; 16]);
    let directory = Uuid::from_random([id as u8; 16]);
    let properties =
        format!("version=1\ncluster.id={cluster}\nnode.id={id}\ndirectory.id={directory}\n");
    let (disk, dir) = (env.disk(), Path::new(DIR));
    let formatted = disk
        .create_dir_all(dir)
        .and_then(|()| disk.sync_dir(Path::new("/")))
        .and_then(|()| disk.replace_file(&dir.join("meta.properties"), properties.as_bytes()));
    formatted.expect("a disk that nobody has used");
}
