"""How long clients with default settings wait when a node goes.

Three nodes, three replicas of everything. A librdkafka producer with its defaults sends a record every few
milliseconds to partitions in turn; what counts of each event is the longest time from sending a record to its
acknowledgement. `cargo xtask failover` starts this.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

from confluent_kafka import ElectionType, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import replica_cost
from cluster import HEAL_SECONDS, NODES, Cluster
from cluster_faults import ClusterFaults
from network import Network, NoNetwork
from network_faults import ways, who_is_who
from node import die_with_parent

#: Kafka takes no more than 10,000 records of metadata in one request.
TOPIC_PARTITIONS = 1000
EVERY_SECONDS = 0.005
#: Before and after an event, so that what it did to the records on their way is seen.
SETTLE_SECONDS = 3
#: So exact is the time after which a producer that begins anew finds all leaders.
BEGIN_EVERY_SECONDS = 0.1
ADMIN_SECONDS = 10
JVM_SECONDS = 5
CREATE_SECONDS = 60
#: Ways of cutting a leader off (`network_faults.py`): from everybody, and from its peers but not from clients.
CUTS = {"cut": "from all", "mute": "what it sends is lost", "deaf": "what is sent to it is lost"}
PEER_CUTS = {
    "isolate": "from its peers",
    "mute-peers": "what it sends to peers is lost",
    "deaf-peers": "what peers send it is lost",
}
FENCED = "is fenced: it has not been heard of for too long"
ACTIVE = "this node is the active controller"


class Load(threading.Thread):
    """One producer, a record every few milliseconds, all with what became of them."""

    def __init__(self, bootstrap, places):
        super().__init__(daemon=True)
        self.producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
        self.places = places
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.done, self.failed, self.due = [], 0, {}

    def run(self):
        number = 0
        next_at = time.monotonic()
        while not self.ended.is_set():
            sent = time.monotonic()
            with self.lock:
                self.due[number] = sent
            topic, partition = self.places[number % len(self.places)]
            self.producer.produce(
                topic,
                b"x" * 100,
                partition=partition,
                on_delivery=lambda error, _, n=number: self.told(n, error),
            )
            number += 1
            next_at += EVERY_SECONDS
            self.producer.poll(max(0.0, next_at - time.monotonic()))
        self.producer.flush(60)

    def told(self, number, error):
        now = time.monotonic()
        with self.lock:
            sent = self.due.pop(number)
            self.failed += error is not None
            self.done.append((sent, now - sent))

    def settled(self, deadline):
        """Waits until everything sent before now is acknowledged."""
        until = time.monotonic()
        while time.monotonic() < deadline:
            with self.lock:
                if not any(sent <= until for sent in self.due.values()):
                    return True
            time.sleep(0.01)
        return False

    def longest(self, since):
        with self.lock:
            waits = [wait for sent, wait in self.done if sent + wait >= since]
            still = [time.monotonic() - sent for sent in self.due.values()]
        return max(waits + still, default=0.0)


class JavaLoad(threading.Thread):
    """Kafka's own producer with its defaults, by its performance tool, which tells the longest wait of each half second."""

    LINE = re.compile(r"([0-9.]+) ms max latency\.$")

    def __init__(self, jars, bootstrap, topic):
        super().__init__(daemon=True)
        argv = ["java", "-cp", f"{jars}/*", "org.apache.kafka.tools.ProducerPerformance", "--topic", topic]
        argv += ["--num-records", "100000000", "--record-size", "100", "--throughput", str(int(1 / EVERY_SECONDS))]
        argv += ["--reporting-interval", "500", "--bootstrap-server", bootstrap]
        self.process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=die_with_parent
        )
        self.told = []

    def run(self):
        for line in self.process.stdout:
            if found := self.LINE.search(line.strip()):
                self.told.append((time.monotonic(), float(found[1]) / 1000))

    def longest(self, since):
        return max((wait for at, wait in self.told if at >= since), default=0.0)


class Try:
    """A producer that begins now, and when it has a record acknowledged in every partition."""

    def __init__(self, bootstrap, places):
        self.began, self.took, self.left = time.monotonic(), None, set(places)
        self.producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
        for topic, p in places:
            self.producer.produce(topic, b"x", partition=p, on_delivery=self.told)

    def told(self, error, record):
        if not error:
            self.left.discard((record.topic(), record.partition()))
        if not self.left and self.took is None:
            self.took = self.waited()

    def waited(self):
        return time.monotonic() - self.began if self.took is None else self.took


class Trial:
    def __init__(self, asked):
        shutil.rmtree(asked.directory, ignore_errors=True)
        os.makedirs(asked.directory)
        self.asked = asked
        self.between = Network(NODES) if asked.cuts else None
        self.cluster = Cluster(asked.binary, asked.port, asked.directory, 0, [], self.between)
        self.faults = ClusterFaults(self.cluster, Silent(), Fixed())
        counts = [TOPIC_PARTITIONS] * (asked.partitions // TOPIC_PARTITIONS) + [asked.partitions % TOPIC_PARTITIONS]
        self.topics = {f"failover-{at}": count for at, count in enumerate(counts) if count}
        self.places = [(topic, p) for topic, count in self.topics.items() for p in range(count)]
        self.figures, self.java = {}, None

    def note(self, what, seconds):
        self.figures.setdefault(what, []).append(round(seconds, 3))
        print(f"{what}: {seconds:.3f} s", flush=True)

    def logs(self, text):
        count = 0
        for node in NODES:
            with open(self.cluster.nodes[node].log_path) as log:
                count += log.read().count(text)
        return count

    def begin(self):
        self.faults.launch(NODES)
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap(), "log_level": 0})
        began = time.monotonic()
        for topic, count in self.topics.items():
            new = NewTopic(topic, num_partitions=count, replication_factor=3)
            admin.create_topics([new], operation_timeout=CREATE_SECONDS)[topic].result(CREATE_SECONDS)
        self.note("topics made", time.monotonic() - began)
        self.whole()
        # In sync is what new replicas are said to be; this shows that they are there.
        producer = Producer({"bootstrap.servers": self.cluster.bootstrap(), "log_level": 0})
        for topic, p in self.places:
            producer.produce(topic, b"x", partition=p)
        if producer.flush(CREATE_SECONDS):
            raise SystemExit(f"not every partition takes a record within {CREATE_SECONDS} s")
        self.note("topics made, a record in every partition", time.monotonic() - began)
        self.load = Load(self.cluster.bootstrap(), self.places)
        self.load.start()
        if self.asked.jars:
            self.java = JavaLoad(self.asked.jars, self.cluster.bootstrap(), next(iter(self.topics)))
            self.java.start()
            time.sleep(JVM_SECONDS)
        time.sleep(SETTLE_SECONDS)
        self.memory("once all are in sync")

    def memory(self, when):
        for node in NODES:
            with open(f"/proc/{self.cluster.nodes[node].process.pid}/status") as status:
                kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
            self.figures.setdefault(f"MiB of memory, {when}", {})[node] = round(kib / 1024, 1)
        print(f"MiB of memory, {when}: {self.figures[f'MiB of memory, {when}']}", flush=True)

    def comes_back(self, node):
        began = time.monotonic()
        self.faults.launch([node])
        self.note("ready again", time.monotonic() - began)
        self.whole()
        self.note("all replicas in sync again", time.monotonic() - began)
        self.spread()

    def whole(self):
        if missing := self.cluster.whole():
            raise SystemExit(missing)

    def spread(self):
        """Leadership back to the preferred replicas, so that every node leads something."""
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap(), "log_level": 0})
        some = [TopicPartition(topic, p) for topic, p in self.places]
        try:
            admin.elect_leaders(ElectionType.PREFERRED, some).result(ADMIN_SECONDS)
        except KafkaException as error:
            print(f"preferred leaders: {error}", flush=True)
        time.sleep(SETTLE_SECONDS)

    def settle(self):
        if not self.load.settled(time.monotonic() + HEAL_SECONDS):
            raise SystemExit(f"records wait for {HEAL_SECONDS} s")

    def waited(self, what, since):
        self.settle()
        self.note(what, self.load.longest(since))
        if self.java:
            time.sleep(SETTLE_SECONDS)
            self.note(f"Java {what}", self.java.longest(since))

    def kill_leader(self):
        node = self.faults.leading()[0]
        began = time.monotonic()
        self.cluster.nodes[node].kill()
        time.sleep(SETTLE_SECONDS)
        self.waited("producer, kill -9 of a leader", began)
        self.comes_back(node)

    def freeze_leader(self):
        """A client that has sent something to the frozen node waits for its own timeout: nothing tells it more.
        So who is asked is a producer that begins now, at a broker that lives."""
        node = self.faults.leading()[0]
        bootstrap = self.alive_without(node)
        began = time.monotonic()
        self.cluster.nodes[node].freeze()
        self.note("first record of a new producer, SIGSTOP of a leader", self.first_everywhere(bootstrap, began))
        self.cluster.nodes[node].thaw()
        self.whole()
        self.spread()

    def cut_leader_off(self, kind, words):
        """As with a frozen one, whoever has sent it something waits for his own timeout, or until it is back."""
        node = self.cut(kind)
        bootstrap, began = self.alive_without(node), time.monotonic()
        first = self.first_everywhere(bootstrap, began)
        self.note(f"first record of a new producer, a leader is cut off: {words}", first)
        self.between.set([])
        began = time.monotonic()
        self.settle()
        self.note(f"producer, after the healing of: {words}", time.monotonic() - began)
        self.whole()
        self.spread()

    def cut_leader_off_from_peers(self, kind, words):
        """Clients reach it, and it has to tell them that it leads no more."""
        began = time.monotonic()
        self.cut(kind)
        time.sleep(SETTLE_SECONDS)
        self.waited(f"producer, a leader is cut off: {words}", began)
        self.between.set([])
        self.whole()
        self.spread()

    def cut(self, kind):
        node = self.faults.leading()[0]
        who = who_is_who({"nodes": NODES, "x": "leader"}, node)
        self.between.set([[who[a], who[b], what] for a, b, what in ways(kind, None)])
        return node

    def alive_without(self, node):
        return self.cluster.bootstrap_of([other for other in NODES if other != node])

    def first_everywhere(self, bootstrap, began):
        """Until a producer has a record acknowledged in every partition, where another one begins all the time.
        None of them has been led astray before, and the longest that one waited says what happens to those that are."""
        tries = []
        while not any(t.took for t in tries):
            tries.append(Try(bootstrap, self.places))
            self.watch(tries, time.monotonic() + BEGIN_EVERY_SECONDS)
            if time.monotonic() - began > HEAL_SECONDS:
                raise SystemExit(f"no record for {HEAL_SECONDS} s")
        first = min(t.began + t.took for t in tries if t.took) - began
        self.watch(tries, time.monotonic() + SETTLE_SECONDS)
        self.note("  who began meanwhile waited at most", max(t.waited() for t in tries))
        for t in tries:
            t.producer.purge()
        return first

    @staticmethod
    def watch(tries, until):
        while time.monotonic() < until:
            for t in tries:
                t.producer.poll(0)
            time.sleep(0.002)

    def controller(self):
        """The node that said last that it is the active controller."""
        said = {}
        for node in NODES:
            with open(self.cluster.nodes[node].log_path) as log:
                lines = [line for line in log if ACTIVE in line]
            said[node] = lines[-1][:25] if lines else ""
        return max(said, key=said.get)

    def kill_controller(self):
        node = self.controller()
        admin = AdminClient({"bootstrap.servers": self.alive_without(node), "log_level": 0})
        admin.list_topics(timeout=ADMIN_SECONDS)
        name = f"made-{time.monotonic_ns()}"
        began = time.monotonic()
        self.cluster.nodes[node].kill()
        while True:
            try:
                topic = NewTopic(name, num_partitions=1, replication_factor=2)
                admin.create_topics([topic], request_timeout=2, operation_timeout=2)[name].result(ADMIN_SECONDS)
                break
            except KafkaException as error:
                if "already exists" in str(error):
                    break
                time.sleep(0.02)
        self.note("admin, kill -9 of the active controller", time.monotonic() - began)
        time.sleep(SETTLE_SECONDS)
        self.waited("producer, kill -9 of the active controller", began)
        self.faults.launch([node])
        admin.delete_topics([name], request_timeout=ADMIN_SECONDS)[name].result(ADMIN_SECONDS)
        self.whole()
        self.spread()

    def roll(self):
        began = time.monotonic()
        for node in NODES:
            if self.cluster.nodes[node].stop() != 0:
                raise SystemExit(f"node {node} did not stop when asked")
            self.faults.launch([node])
            self.whole()
        self.waited("producer, rolling restart", began)
        self.spread()

    def quiet(self, seconds):
        fenced = self.logs(FENCED)
        began = time.monotonic()
        time.sleep(seconds)
        self.figures["false alarms"] = {"seconds": seconds, "nodes": len(NODES), "fenced": self.logs(FENCED) - fenced}
        print(f"false alarms: {self.figures['false alarms']}", flush=True)
        self.waited("producer, nothing happens", began)

    def end(self):
        if self.java:
            self.java.process.kill()
        self.load.ended.set()
        self.load.join()
        self.figures["records"] = {"acknowledged": len(self.load.done) - self.load.failed, "failed": self.load.failed}
        self.cluster.kill()


class Silent:
    def write(self, *_):
        pass


class Fixed:
    def sample(self, some, count):
        return list(some)[:count]


def options():
    parser = argparse.ArgumentParser(
        prog="cargo xtask failover", formatter_class=argparse.ArgumentDefaultsHelpFormatter, add_help=True
    )
    add = parser.add_argument
    add("--binary", required=True, help=argparse.SUPPRESS)
    add("--directory", required=True, help=argparse.SUPPRESS)
    add("--result", required=True, help=argparse.SUPPRESS)
    add("--kills", type=int, default=20, metavar="N", help="kill -9 of the node that leads most")
    add("--freezes", type=int, default=5, metavar="N", help="SIGSTOP of the node that leads most")
    add("--controllers", type=int, default=5, metavar="N", help="kill -9 of the active controller")
    add("--cuts", type=int, default=0, metavar="N", help="the node that leads most is cut off, each way; needs root")
    add("--rolls", type=int, default=1, metavar="N", help="SIGTERM of one node after the other")
    add("--costs", type=int, default=0, metavar="N", help="rounds that compare the CPU time of one and three replicas")
    add("--partitions", type=int, default=12, metavar="N", help="each with three replicas")
    add("--jars", metavar="DIRECTORY", help="Kafka's jars: its own producer is under way, too")
    add("--quiet", type=float, default=30, metavar="S", help="seconds in which nothing happens")
    add("--port", type=int, default=31970, metavar="N", help="the nodes take six ports from here")
    return parser.parse_args()


def main():
    asked = options()
    try:
        trial = Trial(asked)
    except NoNetwork as error:
        raise SystemExit(f"no leader can be cut off here: {error}") from error
    trial.begin()
    for _ in range(asked.kills):
        trial.kill_leader()
    for _ in range(asked.freezes):
        trial.freeze_leader()
    for _ in range(asked.controllers):
        trial.kill_controller()
    for _ in range(asked.cuts):
        for kind, words in CUTS.items():
            trial.cut_leader_off(kind, words)
        for kind, words in PEER_CUTS.items():
            trial.cut_leader_off_from_peers(kind, words)
    for _ in range(asked.rolls):
        trial.roll()
    if asked.quiet:
        trial.quiet(asked.quiet)
    if asked.costs:
        trial.figures["CPU-s/GB by replicas"] = replica_cost.measure(trial.cluster, asked.costs)
    trial.memory("at the end")
    trial.end()
    print(f"{'':72} {'count':>5} {'median':>8} {'most':>8}")
    for what, waits in trial.figures.items():
        if isinstance(waits, list):
            print(f"{what:72} {len(waits):5} {statistics.median(waits):8.3f} {max(waits):8.3f}")
    print(f"records: {trial.figures['records']}")
    with open(asked.result, "w") as file:
        json.dump(trial.figures, file, indent=1)
    return 0 if trial.figures["records"]["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
