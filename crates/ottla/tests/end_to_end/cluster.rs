//! Three nodes, three processes, one cluster.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::node::{run, text};

const BINARY: &str = env!("CARGO_BIN_EXE_ottla");
/// On a machine that is busy with other tests.
const WITHIN: Duration = Duration::from_secs(60);

pub struct Cluster {
    data: tempfile::TempDir,
    addresses: Vec<String>,
    processes: Vec<Option<Child>>,
}

impl Cluster {
    /// Three nodes of which the first `voters` keep the metadata.
    pub fn start(voters: usize) -> Cluster {
        let data = tempfile::tempdir().expect("a directory");
        let sockets: Vec<TcpListener> =
            (0..6).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let address = |socket: &TcpListener| socket.local_addr().expect("bound").to_string();
        let addresses: Vec<String> = sockets[..3].iter().map(address).collect();
        let controllers: Vec<String> = sockets[3..].iter().map(address).collect();
        drop(sockets);
        let id = text(&run("", &["kafka-storage", "random-uuid"], "").stdout);
        let mut cluster = Cluster { data, addresses, processes: vec![None, None, None] };
        for node in 1..=3 {
            let file = cluster.file(node);
            std::fs::write(&file, cluster.properties(node, &controllers[..voters]))
                .expect("written");
            let format = ["kafka-storage", "format", "-t", id.trim(), "-c", &file];
            assert!(run("", &format, "").status.success());
        }
        for node in 1..=3 {
            cluster.spawn(node);
        }
        cluster
    }

    /// Three nodes that are brokers and controllers, the `first` of them the first voters, and a
    /// fourth that is a controller alone and was not started. Their voters change online.
    pub fn start_dynamic(first: usize) -> Cluster {
        let data = tempfile::tempdir().expect("a directory");
        let sockets: Vec<TcpListener> =
            (0..7).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let address = |socket: &TcpListener| socket.local_addr().expect("bound").to_string();
        let addresses: Vec<String> = sockets[..3].iter().map(address).collect();
        let controllers: Vec<String> = sockets[3..].iter().map(address).collect();
        drop(sockets);
        let random = || text(&run("", &["kafka-storage", "random-uuid"], "").stdout);
        let id = random();
        let voter = |(at, to): (usize, &String)| format!("{}@{to}:{}", at + 1, random().trim());
        let voters: Vec<String> = controllers[..first].iter().enumerate().map(voter).collect();
        let (voters, servers) = (voters.join(","), controllers[..first].join(","));
        let mut cluster = Cluster { data, addresses, processes: vec![None, None, None, None] };
        for node in 1..=4 {
            let (file, at) = (cluster.file(node), &controllers[node - 1]);
            let (roles, listeners) = match cluster.addresses.get(node - 1) {
                Some(client) => {
                    ("broker,controller", format!("PLAINTEXT://{client},CONTROLLER://{at}"))
                }
                None => ("controller", format!("CONTROLLER://{at}")),
            };
            let dir = cluster.data.path().join(format!("data-{node}"));
            let properties = format!(
                "node.id={node}\nprocess.roles={roles}\nlisteners={listeners}\n\
                 controller.listener.names=CONTROLLER\n\
                 controller.quorum.bootstrap.servers={servers}\nlog.dirs={}\nhttp.listeners=\n\
                 offsets.topic.replication.factor=3\noffsets.topic.num.partitions=3\n",
                dir.display()
            );
            std::fs::write(&file, properties).expect("written");
            let mut format = vec!["kafka-storage", "format", "-t", id.trim(), "-c", &file];
            match node {
                1 if first == 1 => format.push("--standalone"),
                _ if node > first => format.push("--no-initial-controllers"),
                _ => format.extend(["--initial-controllers", &voters]),
            }
            assert!(run("", &format, "").status.success());
        }
        for node in 1..=3 {
            cluster.spawn(node);
        }
        cluster
    }

    pub fn file(&self, node: usize) -> String {
        self.data.path().join(format!("{node}.properties")).display().to_string()
    }

    /// Has a node that is not running listen for controllers at another port; which.
    pub fn move_controller_listener(&self, node: usize) -> u16 {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("bound").port();
        let file = self.file(node);
        let properties = std::fs::read_to_string(&file).expect("its configuration");
        let moved = properties.lines().map(|line| match line.split_once(",CONTROLLER://") {
            Some((before, _)) => format!("{before},CONTROLLER://127.0.0.1:{port}\n"),
            None => format!("{line}\n"),
        });
        std::fs::write(&file, moved.collect::<String>()).expect("written");
        port
    }

    fn properties(&self, node: usize, controllers: &[String]) -> String {
        let dir = self.data.path().join(format!("data-{node}"));
        let client = &self.addresses[node - 1];
        let (roles, listeners) = match controllers.get(node - 1) {
            Some(at) => ("broker,controller", format!("PLAINTEXT://{client},CONTROLLER://{at}")),
            None => ("broker", format!("PLAINTEXT://{client}")),
        };
        let voters = controllers.iter().enumerate().map(|(at, to)| format!("{}@{to}", at + 1));
        let voters: Vec<String> = voters.collect();
        format!(
            "node.id={node}\nprocess.roles={roles}\nlisteners={listeners}\n\
             controller.listener.names=CONTROLLER\n\
             controller.quorum.voters={}\nlog.dirs={}\nhttp.listeners=\n\
             offsets.topic.replication.factor=3\noffsets.topic.num.partitions=3\n\
             group.initial.rebalance.delay.ms=0\n",
            voters.join(","),
            dir.display()
        )
    }

    pub fn spawn(&mut self, node: usize) {
        let mut process = Command::new(BINARY)
            .args(["start", "-c", &self.file(node)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start a node");
        let output = process.stdout.take().expect("its log");
        let log = Path::new(self.data.path()).join(format!("{node}.log"));
        std::thread::spawn(move || {
            use std::io::Write;
            let mut file = std::fs::File::create(log).expect("a log file");
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = writeln!(file, "{line}");
            }
        });
        self.processes[node - 1] = Some(process);
    }

    /// `kill -9`
    pub fn kill(&mut self, node: usize) {
        let mut process = self.processes[node - 1].take().expect("a running node");
        process.kill().expect("killed");
        process.wait().expect("its end");
    }

    /// SIGSTOP
    pub fn freeze(&self, node: usize) {
        signal(self.processes[node - 1].as_ref().expect("a running node"), "-STOP");
    }

    /// SIGCONT
    pub fn wake(&self, node: usize) {
        signal(self.processes[node - 1].as_ref().expect("a running node"), "-CONT");
    }

    /// SIGTERM to all at once; how long the last one took.
    fn stop(&mut self) -> Duration {
        let began = Instant::now();
        for process in self.processes.iter().flatten() {
            signal(process, "-TERM");
        }
        let stopping: Vec<Child> = self.processes.iter_mut().filter_map(Option::take).collect();
        for mut process in stopping {
            assert!(process.wait().expect("its end").success(), "{}", self.logs());
        }
        began.elapsed()
    }

    pub fn address(&self, node: usize) -> &str {
        &self.addresses[node - 1]
    }

    pub fn all(&self) -> String {
        self.addresses.join(",")
    }

    pub fn json(&self, arguments: &[&str], input: &str) -> Option<Value> {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        let output = run(&self.all(), &arguments, input);
        let parsed = serde_json::from_slice(&output.stdout).ok();
        parsed.filter(|_| output.status.success())
    }

    /// Asks until the answer is the one that is waited for.
    pub fn wait_for<T>(&self, what: &str, look: impl Fn(&Cluster) -> Option<T>) -> T {
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what}: not within {WITHIN:?}\n{}", self.logs());
            std::thread::yield_now();
        }
    }

    /// Tries until it is there: a client that is told of an error, as when the controller dies
    /// meanwhile, may have had it made all the same.
    pub fn create_topic(&self, what: &str, arguments: &[&str]) {
        let create = [&["topic", "create", "--if-not-exists"], arguments].concat();
        self.wait_for(what, |cluster| cluster.json(&create, ""));
    }

    pub fn logs(&self) -> String {
        let log = |node: usize| {
            let path = self.data.path().join(format!("{node}.log"));
            std::fs::read_to_string(path).unwrap_or_default()
        };
        (1..=self.processes.len()).map(log).collect()
    }

    fn leader_of(&self, topic: &str) -> Option<usize> {
        let described = self.json(&["topic", "describe", topic], "")?;
        let leader = described["topics"][0]["partitions"][0]["leader"].as_u64()?;
        usize::try_from(leader).ok()
    }

    pub fn in_sync(&self, topic: &str) -> Option<usize> {
        let described = self.json(&["topic", "describe", topic], "")?;
        described["topics"][0]["partitions"][0]["isr"].as_array().map(Vec::len)
    }

    /// The node that has said last that it is.
    fn active_controller(&self) -> Option<usize> {
        let said = |node: &usize| {
            let path = self.data.path().join(format!("{node}.log"));
            let log = std::fs::read_to_string(path).unwrap_or_default();
            log.contains("this node is the active controller")
        };
        (1..=3).find(said)
    }

    /// Of a cluster that need not be healthy.
    fn status(&self) -> Option<Value> {
        let output = run(&self.all(), &["cluster", "status", "-o", "json"], "");
        serde_json::from_slice(&output.stdout).ok()
    }

    pub fn brokers(&self) -> Option<usize> {
        let status = self.status()?;
        let brokers = status["brokers"].as_array()?;
        Some(brokers.iter().filter(|broker| broker["state"] == "in service").count())
    }

    pub fn produce(&self, lines: &[&str]) {
        let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.wait_for("a record is acknowledged by all in sync", |cluster| {
            cluster.json(&["produce", "t"], &input)
        });
    }

    pub fn read(&self, count: usize) -> Vec<String> {
        let count = count.to_string();
        let read = run(&self.all(), &["consume", "t", "--from", "beginning", "-n", &count], "");
        text(&read.stdout).lines().map(str::to_owned).collect()
    }
}

fn signal(process: &Child, name: &str) {
    let pid = process.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().expect("kill").success());
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for mut process in self.processes.drain(..).flatten() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[test]
fn acknowledged_records_survive_the_kill_of_their_leader_which_comes_back_in_sync() {
    let mut cluster = Cluster::start(1);
    cluster.wait_for("three brokers", |c| c.brokers().filter(|brokers| *brokers == 3));
    // The controller is in the first process; the leader that is killed is another.
    let leader = loop {
        let created =
            cluster.json(&["topic", "create", "t", "-p", "1", "--replication-factor", "3"], "");
        assert!(created.is_some(), "{}", cluster.logs());
        let leader = cluster.wait_for("a leader", |c| c.leader_of("t"));
        if leader != 1 {
            break leader;
        }
        assert!(cluster.json(&["topic", "delete", "t", "--yes"], "").is_some());
    };
    cluster.produce(&["a", "b"]);
    cluster.kill(leader);
    cluster.wait_for("another leader", |c| c.leader_of("t").filter(|other| *other != leader));
    cluster.produce(&["c"]);
    assert_eq!(cluster.read(3), ["a", "b", "c"]);
    cluster.spawn(leader);
    cluster.wait_for("all replicas in sync", |c| c.in_sync("t").filter(|count| *count == 3));
    let other = (1..=3).find(|node| *node != leader && *node != 1).expect("a third node");
    cluster.kill(other);
    cluster.produce(&["d"]);
    assert_eq!(cluster.read(4), ["a", "b", "c", "d"]);
}

#[test]
fn topics_are_made_and_records_acknowledged_after_the_death_of_the_active_controller() {
    let mut cluster = Cluster::start(3);
    cluster.wait_for("three brokers", |c| c.brokers().filter(|brokers| *brokers == 3));
    let create = ["topic", "create", "t", "-p", "3", "--replication-factor", "3"];
    assert!(cluster.json(&create, "").is_some(), "{}", cluster.logs());
    cluster.produce(&["a"]);
    let active = cluster.wait_for("an active controller", |c| c.active_controller());
    cluster.kill(active);
    cluster.create_topic("a topic is made", &["u", "-p", "3", "--replication-factor", "3"]);
    cluster.produce(&["b"]);
    let left: Vec<usize> = (1..=3).filter(|node| *node != active).collect();
    let moved = cluster.json(&["partition", "move", "u-0", "--to", &left[1].to_string()], "");
    assert!(moved.is_some(), "{}", cluster.logs());
    cluster.wait_for("the partition has moved", |c| {
        let listed = c.json(&["partition", "list"], "")?;
        let mut all = listed["partitions"].as_array()?.iter();
        let moved = all.find(|p| p["topic"] == "u" && p["partition"] == 0)?;
        (moved["replicas"] == serde_json::json!([left[1]])).then_some(())
    });
    let quorum = cluster.json(&["cluster", "quorum"], "").expect("a quorum");
    assert_eq!(quorum["voters"].as_array().map(Vec::len), Some(3), "{quorum}");
    cluster.wait_for("the status names who leads the quorum", |c| {
        let quorum = c.json(&["cluster", "quorum"], "")?;
        (c.status()?["controller"] == quorum["leader"]).then_some(())
    });
    cluster.spawn(active);
    cluster.wait_for("all replicas in sync", |c| c.in_sync("t").filter(|count| *count == 3));
    let mut read = cluster.read(2);
    read.sort_unstable();
    assert_eq!(read, ["a", "b"]);
}

#[test]
fn a_cluster_that_is_stopped_as_a_whole_does_not_wait_for_itself() {
    let mut cluster = Cluster::start(3);
    cluster.wait_for("three brokers", |c| c.brokers().filter(|brokers| *brokers == 3));
    let create = ["topic", "create", "t", "-p", "3", "--replication-factor", "3"];
    assert!(cluster.json(&create, "").is_some(), "{}", cluster.logs());
    // A broker that finds a controller waits 30 s for others to take over.
    assert!(cluster.stop() < Duration::from_secs(25), "{}", cluster.logs());
}

#[test]
fn more_replicas_than_brokers_are_refused() {
    let cluster = Cluster::start(1);
    cluster.wait_for("three brokers", |c| c.brokers().filter(|brokers| *brokers == 3));
    let create = ["topic", "create", "t", "--replication-factor", "4"];
    let output = run(&cluster.addresses[1], &create, "");
    assert!(!output.status.success());
    let told = text(&output.stderr);
    assert!(told.contains("INVALID_REPLICATION_FACTOR"), "{told}");
}

#[test]
fn the_referee_waits_for_brokers_that_hear_of_its_topics_late() {
    let cluster = Cluster::start(1);
    cluster.wait_for("three brokers", |c| c.brokers().filter(|brokers| *brokers == 3));
    let mut bench = vec!["bench", "run", "--case", "latency-idle", "--rounds", "3"];
    bench.extend(["--seconds", "200ms", "--warm-up", "100ms", "--prime", "0"]);
    let output = run(&cluster.addresses[2], &bench, "");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
