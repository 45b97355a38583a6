"""Three nodes, Kafka's own tools for clusters, and ours beside them: what they print is the same."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import suite as single
from check import AGAINST, BOOTSTRAP, Skip, Suite, equal, name, true, until

suite = Suite("cluster-tools")
NODES = 3
JAVA_ONLY = re.compile(r"^(\tat |\t\.\.\. |\tSuppressed: |Caused by: |java\.|org\.apache\.kafka\.tools\.)")
HOST, FIRST_PORT = BOOTSTRAP.rsplit(":", 1)
ALL = ",".join(f"{HOST}:{int(FIRST_PORT) + node}" for node in range(NODES))
TOOLS = {
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
}
single.TOOLS.update(TOOLS)


class Cluster:
    """`ottla dev --nodes 3`; its nodes are processes of their own."""

    def __init__(self):
        self.binary = os.environ["INTEROP_START"].split("\n")[0]
        data = os.environ["INTEROP_DATA_DIR"]
        argv = [self.binary, "dev", "--nodes", str(NODES), "--port", FIRST_PORT, "--data-dir", data]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.pids, self.lines = {}, []
        threading.Thread(target=self._follow, daemon=True).start()
        until("three nodes are ready", lambda: sum("Kafka Server started" in l for l in self.lines) == NODES, 60)
        until("three brokers are known", lambda: len(self.endpoints()) == NODES, 30)

    def _follow(self):
        for line in self.process.stdout:
            self.lines.append(line)
            sys.stderr.write(line)
            node = re.match(r"  node (\d+)  \S+  pid (\d+)", line)
            if node:
                self.pids[int(node.group(1))] = int(node.group(2))

    def endpoints(self):
        out = ours("kafka-cluster", "list-endpoints").stdout
        return [line.split()[0] for line in out.splitlines()[1:]]

    def kill(self, node):
        os.kill(self.pids[node], signal.SIGKILL)

    def end(self):
        self.process.terminate()
        self.process.wait(60)


def with_server(tool, args):
    # ClusterTool wants its command first.
    return [*args, "--bootstrap-server", ALL] if tool == "kafka-cluster" else ["--bootstrap-server", ALL, *args]


def ours(tool, *args):
    binary = os.environ["INTEROP_START"].split("\n")[0]
    argv = [binary, tool, *with_server(tool, [str(arg) for arg in args])]
    return subprocess.run(argv, text=True, timeout=55, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def theirs(tool, *args):
    argv = single.command(tool, *with_server(tool, args))
    return subprocess.run(argv, text=True, timeout=55, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def told(text):
    """What a tool says, without where in Java it says it."""
    lines = [line.rstrip("\n") for line in text.splitlines() if not JAVA_ONLY.match(line)]
    kept = []
    for line in lines:
        # The stack trace begins with the sentence once more.
        again = kept and kept[-1].startswith("Error: ") and line.startswith("org.apache.kafka.common.errors.")
        if not again and not line.startswith("joptsimple."):
            kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def same(tool, *args, mask=lambda lines: lines):
    java, own = theirs(tool, *args), ours(tool, *args)
    what = f"{tool} {' '.join(map(str, args))}"
    equal(own.returncode, java.returncode, f"exit code of {what}: {own.stderr}{java.stderr}")
    equal(mask(told(own.stdout)), mask(told(java.stdout)), f"stdout of {what}")
    errors = [line for line in told(java.stderr) if "kafka-admin-client-thread" not in line]
    equal(told(own.stderr), errors, f"stderr of {what}")
    return own.stdout


def json_file(value):
    file = tempfile.NamedTemporaryFile("w", suffix=".json", delete=False, dir=os.environ["INTEROP_RUN_DIR"])
    with file:
        json.dump(value, file)
    return file.name


def reassignment(moves):
    partitions = [{"topic": t, "partition": p, "replicas": replicas} for (t, p), replicas in moves.items()]
    return json_file({"version": 1, "partitions": partitions})


def topic(assignment):
    made = name("moving")
    done = ours("kafka-topics", "--create", "--topic", made, "--replica-assignment", assignment)
    equal(done.returncode, 0, f"kafka-topics: {done.stdout}{done.stderr}")
    return made


def settled(file):
    def is_done():
        text = ours("kafka-reassign-partitions", "--verify", "--preserve-throttles", "--reassignment-json-file", file)
        return "still in progress" not in text.stdout and text.stdout
    return until("the partitions are there", is_done, 30)


CLUSTER = []


@suite.check
def three_nodes_start():
    if AGAINST != "ottla":
        raise Skip("it compares our tools, which another server does not come with")
    CLUSTER.append(Cluster())
    single.keep_loaded_classes()


def cluster():
    if not CLUSTER:
        raise Skip("there is no cluster")
    return CLUSTER[0]


@suite.check
def features_are_told_alike():
    cluster()
    # Offsets go on, so that the epoch may differ between two runs.
    def without_epoch(lines):
        return [re.sub(r"Epoch: \d+", "Epoch: N", line) for line in lines]
    same("kafka-features", "describe", mask=without_epoch)
    same("kafka-features", "describe", "--node-id", 2, mask=without_epoch)
    same("kafka-features", "upgrade", "--feature", "foo=1")
    same("kafka-features", "upgrade", "--feature", "metadata.version")
    same("kafka-features", "upgrade")
    same("kafka-features", "upgrade", "--release-version", "4.2-IV1")
    same("kafka-features", "downgrade", "--feature", "metadata.version=10")
    same("kafka-features", "disable", "--feature", "eligible.leader.replicas.version", "--dry-run")
    same("kafka-features", "version-mapping", "--release-version", "4.0-IV3")
    same("kafka-features", "feature-dependencies", "--feature", "eligible.leader.replicas.version=1")


@suite.check
def the_quorum_is_told_alike():
    cluster()
    tool = "kafka-metadata-quorum"
    # What moves between two looks: offsets and times.
    def still(lines):
        moving = "HighWatermark|MaxFollowerLag|MaxFollowerLagTimeMs"
        return [re.sub(rf"^({moving}):( +)-?\d+", r"\1:\2N", line) for line in lines]
    same(tool, "describe", "--status", mask=still)
    def columns(lines):
        return [re.sub(r" +", " ", re.sub(r"\b\d{2,}\b", "N", line)) for line in lines]
    same(tool, "describe", "--replication", mask=columns)
    same(tool, "describe")
    same(tool, "describe", "--status", "--replication")
    same(tool, "describe", "--status", "--human-readable")
    directory = "AAAAAAAAAAAAAAAAAAAAAQ"
    same(tool, "remove-controller", "-i", 1, "-d", directory, "--dry-run")
    same(tool, "remove-controller", "-i", -1, "-d", directory)
    same(tool, "add-controller")
    properties = pathlib.Path(os.environ["INTEROP_DATA_DIR"]) / "node-2.properties"
    same(tool, "--command-config", properties, "add-controller", "--dry-run")


@suite.check
def log_directories_are_told_alike():
    cluster()
    made = topic("1:2")
    def sorted_json(lines):
        found = json.loads(lines[-1])
        for broker in found["brokers"]:
            for log_dir in broker["logDirs"]:
                log_dir["partitions"].sort(key=lambda p: p["partition"])
        return [*lines[:-1], json.dumps(found)]
    same("kafka-log-dirs", "--describe", "--topic-list", made, mask=sorted_json)
    same("kafka-log-dirs", "--describe", "--broker-list", "1,2", mask=sorted_json)
    same("kafka-log-dirs", "--describe", "--broker-list", "1,8")
    same("kafka-cluster", "cluster-id")
    same("kafka-cluster", "list-endpoints")


@suite.check
def moves_that_cannot_be_meant_are_refused_alike():
    cluster()
    made, tool = topic("1:2"), "kafka-reassign-partitions"
    for moves in [{("nope", 0): [2]}, {(made, 0): [2, 9]}, {(made, 0): [2, 2]}, {(made, 0): []}, {}]:
        same(tool, "--execute", "--reassignment-json-file", reassignment(moves))
    resize = reassignment({(made, 0): [1, 2, 3]})
    flag = "--disallow-replication-factor-change"
    same(tool, "--execute", "--reassignment-json-file", resize, flag)
    same(tool, "--execute", "--reassignment-json-file", "/nowhere.json")
    topics = json_file({"version": 1, "topics": [{"topic": made}]})
    for brokers in ["1", "1,1", "1,x"]:
        same(tool, "--generate", "--topics-to-move-json-file", topics, "--broker-list", brokers)
    same(tool, "--list")
    same(tool, "--cancel", "--reassignment-json-file", resize)


@suite.check
def moves_begun_by_one_are_verified_by_the_other():
    cluster()
    made, tool = topic("1:2,2:3"), "kafka-reassign-partitions"
    there = reassignment({(made, 0): [3, 1], (made, 1): [1, 2]})
    begun = theirs(tool, "--execute", "--reassignment-json-file", there, "--throttle", 50_000_000)
    equal(begun.returncode, 0, f"theirs: {begun.stdout}")
    settled(there)
    configs = single_configs(made)
    true("leader.replication.throttled.replicas=" in configs, f"no throttle: {configs}")
    text = same(tool, "--verify", "--reassignment-json-file", there)
    true(f"Reassignment of partition {made}-0 is completed." in text, text)
    true("throttled" not in single_configs(made), "the throttle is still there")
    back = reassignment({(made, 0): [1, 2], (made, 1): [2, 3]})
    begun = ours(tool, "--execute", "--reassignment-json-file", back, "--throttle", 50_000_000)
    equal(begun.returncode, 0, f"ours: {begun.stdout}")
    settled(back)
    true("follower.replication.throttled.replicas=" in single_configs(made), "no throttle")
    same(tool, "--verify", "--reassignment-json-file", back)
    true("throttled" not in single_configs(made), "the throttle is still there")


def single_configs(made):
    return ours("kafka-configs", "--describe", "--entity-type", "topics", "--entity-name", made).stdout


@suite.check
def leaders_are_elected_alike():
    cluster()
    made, tool = topic("1:2:3"), "kafka-leader-election"
    one = ["--topic", made, "--partition", 0]
    same(tool, "--election-type", "preferred", *one)
    for first, elect in [(2, ours), (3, theirs)]:
        order = [first] + [node for node in (1, 2, 3) if node != first]
        file = reassignment({(made, 0): order})
        moved = ours("kafka-reassign-partitions", "--execute", "--reassignment-json-file", file)
        equal(moved.returncode, 0, f"reordered: {moved.stdout}")
        settled(file)
        text = elect(tool, "--election-type", "preferred", *one).stdout
        wanted = f"Successfully completed leader election (PREFERRED) for partitions {made}-0\n"
        equal(text, wanted, f"elected by {elect.__name__}")
    same(tool, "--election-type", "preferred", "--topic", "nope", "--partition", 0)
    same(tool, "--election-type", "unclean", *one)
    same(tool, "--election-type", "preferred", "--topic", made)
    same(tool, "--topic", made, "--partition", 0)


@suite.check
def metadata_logs_are_dumped_alike():
    cluster()
    topic("1:2")
    text = dumped_alike(pathlib.Path(os.environ["INTEROP_DATA_DIR"]))
    true('"type":"TOPIC_RECORD"' in text and " LeaderChange: {" in text, text)


def dumped_alike(home):
    """What is in the metadata log of one node and in its snapshots, by Kafka's tool as by ours."""
    logs = sorted(home.rglob("__cluster_metadata-0"))
    true(logs, f"no metadata log in {home}")
    with tempfile.TemporaryDirectory() as copies:
        # The node writes on.
        kept = shutil.copytree(logs[0], pathlib.Path(copies) / "log")
        files = sorted(path for kind in ("*.checkpoint", "*.log") for path in kept.glob(kind))
        flags = ["--cluster-metadata-decoder", "--files", ",".join(map(str, files))]
        binary = os.environ["INTEROP_START"].split("\n")[0]
        found, wanted = (
            subprocess.run(argv, text=True, timeout=55, stdout=subprocess.PIPE, check=True).stdout
            for argv in ([binary, "kafka-dump-log", *flags], single.command("kafka-dump-log", *flags)))
    equal(found.splitlines(), wanted.splitlines(), "lines")
    return wanted


@suite.check
def a_killed_broker_is_told_alike():
    made = topic("3:1:2")
    cluster().kill(3)
    until("it is out of service", lambda: len(cluster().endpoints()) == NODES - 1, 30)
    until("another leads", lambda: f"Topic: {made}\tPartition: 0\tLeader: 1" in describe(made), 30)
    same("kafka-cluster", "list-endpoints", "--include-fenced-brokers")
    same("kafka-log-dirs", "--describe", "--broker-list", "3")
    same("kafka-leader-election", "--election-type", "preferred", "--topic", made, "--partition", 0)
    same("kafka-reassign-partitions", "--execute", "--reassignment-json-file", reassignment({(made, 0): [1, 3]}))


def describe(made):
    return ours("kafka-topics", "--describe", "--topic", made).stdout


@suite.check
def the_nodes_stop():
    cluster().end()


class Joining:
    """A quorum that begins with one controller, and two nodes that may join it."""

    NAME, FIRST, COUNT = "joining", 20, 3

    def __init__(self):
        self.binary = os.environ["INTEROP_START"].split("\n")[0]
        self.home = pathlib.Path(os.environ["INTEROP_DATA_DIR"]) / self.NAME
        self.home.mkdir(parents=True)
        self.processes, cluster_id = [], subprocess.check_output(
            [self.binary, "kafka-storage", "random-uuid"], text=True).strip()
        for node in range(1, self.COUNT + 1):
            here = f"PLAINTEXT://{self.address(node)}"
            if "controller" in self.roles_of(node):
                here += f",CONTROLLER://{self.address(node, 10)}"
            self.file(node).write_text(
                f"node.id={node}\nprocess.roles={self.roles_of(node)}\nlisteners={here}\n"
                f"controller.listener.names=CONTROLLER\n{self.quorum(node)}\n"
                f"log.dirs={self.home / f'data-{node}'}\nhttp.listeners=\n")
            argv = [self.binary, "kafka-storage", "format", *self.kind(node), "-t", cluster_id, "-c", self.file(node)]
            subprocess.check_call(argv)
            if self.begins(node):
                self.start(node)
        self.servers = ",".join(self.address(node) for node in range(1, self.COUNT + 1))

    def start(self, node):
        self.processes.append(subprocess.Popen([self.binary, "start", "-c", self.file(node)], stdout=sys.stderr))

    def roles_of(self, node):
        return "broker,controller"

    def begins(self, node):
        return True

    def address(self, node, beyond=0):
        return f"{HOST}:{int(FIRST_PORT) + self.FIRST + beyond + node}"

    def quorum(self, node):
        return f"controller.quorum.bootstrap.servers={self.address(1, 10)}"

    def kind(self, node):
        return ["--standalone" if node == 1 else "--no-initial-controllers"]

    def file(self, node):
        return self.home / f"{node}.properties"

    def directory(self, node):
        text = (self.home / f"data-{node}" / "meta.properties").read_text()
        return re.search(r"^directory.id=(.*)$", text, re.M).group(1)

    def tool(self, *args, of="kafka-metadata-quorum"):
        argv = single.command(of, "--bootstrap-server", self.servers, *args)
        return subprocess.run(argv, text=True, timeout=55, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def roles(self):
        rows = [line.split() for line in self.tool("describe", "--replication").stdout.splitlines()[1:]]
        return {int(row[0]): row[-1] for row in rows if row}

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait(60)


@suite.check
def controllers_join_and_leave_by_kafkas_own_tool():
    joining = Joining()
    try:
        until("two observe", lambda: joining.roles() == {1: "Leader", 2: "Observer", 3: "Observer"}, 60)
        for node in (2, 3):
            added = joining.tool("--command-config", joining.file(node), "add-controller")
            true(added.stdout.startswith(f"Added controller {node} with directory id"), f"{added.stdout}{added.stderr}")
        twice = joining.tool("--command-config", joining.file(2), "add-controller")
        true("DuplicateVoterException" in twice.stderr, twice.stderr)
        until("three vote", lambda: sorted(joining.roles().values()) == ["Follower", "Follower", "Leader"], 30)
        removed = joining.tool("remove-controller", "-i", 1, "-d", joining.directory(1))
        true("KRaft controller 1 with directory id" in removed.stdout, f"{removed.stdout}{removed.stderr}")
        until("one of two leads", lambda: sorted(joining.roles().values()) == ["Follower", "Leader", "Observer"], 30)
        gone = joining.tool("remove-controller", "-i", 1, "-d", joining.directory(1))
        true("VoterNotFoundException" in gone.stderr, gone.stderr)
        text = dumped_alike(joining.home)
        true(" SnapshotHeader {" in text and " KRaftVoters {" in text, text)
    finally:
        joining.end()


class Static(Joining):
    """Three controllers that are named by their node ids alone, a broker, and a node that may join later."""

    NAME, FIRST, COUNT = "static", 40, 5

    def roles_of(self, node):
        return "broker" if node == 4 else "broker,controller"

    def begins(self, node):
        return node < 5

    def quorum(self, node):
        if node == 5:
            return super().quorum(node)
        voters = ",".join(f"{voter}@{self.address(voter, 10)}" for voter in (1, 2, 3))
        return f"controller.quorum.voters={voters}"

    def kind(self, node):
        return ["--no-initial-controllers"] if node == 5 else []

    def ours(self, tool, *args):
        argv = [self.binary, tool, "--bootstrap-server", self.servers, *args]
        return subprocess.run(argv, text=True, timeout=55, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def own_level(self, node):
        return self.told_level(self.ours("kafka-features", "describe", "--node-id", str(node)).stdout)

    def level(self, node):
        """What both tools say of `kraft.version`."""
        java, own = self.tool("describe", "--node-id", str(node), of="kafka-features"), self.own_level(node)
        equal(own, self.told_level(java.stdout), f"kafka-features describe: {java.stderr}")
        return own

    def told_level(self, text):
        found = re.search(r"kraft.version\t.*FinalizedVersionLevel: (\d+)", text)
        return found and found.group(1)


STATIC = []


@suite.check
def static_controllers_and_a_broker_start():
    if AGAINST != "ottla":
        raise Skip("it starts our nodes")
    STATIC.append(Static())
    until("three vote", lambda: STATIC[0].roles().get(4) == "Observer" and len(STATIC[0].roles()) == 4, 50)


def static():
    if not STATIC:
        raise Skip("there is no cluster")
    return STATIC[0]


@suite.check
def the_kraft_version_of_static_controllers_is_raised_by_kafkas_own_tool():
    nodes, upgrade = static(), ["upgrade", "--feature", "kraft.version=1"]
    equal(nodes.level(4), "0", "before it is raised")
    refused = nodes.tool("remove-controller", "-i", "3", "-d", nodes.directory(3))
    true("UnsupportedVersionException" in refused.stderr, refused.stderr)
    tried = nodes.tool(*upgrade, "--dry-run", of="kafka-features")
    equal(tried.stdout.strip(), "kraft.version can be upgraded to 1.", tried.stderr)
    done = nodes.tool(*upgrade, of="kafka-features")
    equal(done.stdout.strip(), "kraft.version was upgraded to 1.", done.stderr)
    for node in (1, 2, 3, 4):
        until(f"node {node} knows", lambda: nodes.own_level(node) == "1", 30)
    equal(nodes.level(4), "1", "after it was raised")


@suite.check
def what_else_is_asked_of_kraft_version_is_answered_alike():
    nodes = static()
    for args in (["upgrade", "kraft.version=1"], ["downgrade", "kraft.version=0"], ["upgrade", "kraft.version=2"]):
        args = [args[0], "--feature", args[1]]
        java, own = nodes.tool(*args, of="kafka-features"), nodes.ours("kafka-features", *args)
        equal(told(own.stdout), told(java.stdout), f"kafka-features {args}")
        equal(own.returncode, java.returncode, f"exit code of kafka-features {args}")


@suite.check
def registered_controllers_are_listed_by_kafkas_own_tool():
    nodes = static()
    controllers = ",".join(nodes.address(node, 10) for node in (1, 2, 3))
    def asked(command, *where):
        argv = single.command("kafka-cluster", command, *where)
        java = subprocess.run(argv, text=True, timeout=55, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        equal(java.returncode, 0, f"{command}: {java.stdout}{java.stderr}")
        return [line.split() for line in java.stdout.splitlines()]
    head, *rows = asked("list-endpoints", "--bootstrap-controller", controllers)
    equal(head, ["ID", "HOST", "PORT", "RACK", "ENDPOINT_TYPE"], "the columns")
    expected = [[str(node), *nodes.address(node, 10).split(":"), "null", "controller"] for node in (1, 2, 3)]
    equal(sorted(rows), expected, "the controllers")
    own = asked("cluster-id", "--bootstrap-controller", controllers)
    equal(own, asked("cluster-id", "--bootstrap-server", nodes.servers), "the cluster's id")


@suite.check
def static_controllers_change_once_the_kraft_version_is_raised():
    nodes = static()
    try:
        nodes.start(5)
        until("the fifth observes", lambda: nodes.roles().get(5) == "Observer", 50)
        until("a node that came later knows", lambda: nodes.own_level(5) == "1", 30)
        added = nodes.tool("--command-config", nodes.file(5), "add-controller")
        true(added.stdout.startswith("Added controller 5 with directory id"), f"{added.stdout}{added.stderr}")
        removed = nodes.tool("remove-controller", "-i", "3", "-d", nodes.directory(3))
        true("KRaft controller 3 with directory id" in removed.stdout, f"{removed.stdout}{removed.stderr}")
        until("1, 2 and 5 vote", lambda: nodes.roles().get(3) == "Observer" and nodes.roles().get(5) != "Observer", 30)
    finally:
        nodes.end()


if __name__ == "__main__":
    suite.main()
