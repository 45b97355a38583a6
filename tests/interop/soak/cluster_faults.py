"""What is done to a cluster of three. Each fault ends with three nodes that are up.

    kill            kill -9 of one node, which is started again at once
    kill-away       kill -9 of one, which stays away for a while
    kill-leader     kill -9 of the node that leads the most partitions
    kill-two        kill -9 of two
    kill-all        kill -9 of all three
    kill-starting   kill -9 of one, and again while it starts
    kill-in-turn    kill -9 of one after the other, each before the last one is whole again
    pause           SIGSTOP of one for a while; it comes back as a leader that does not know that it is none
    pause-leader    the same of the node that leads the most partitions
    pause-two       SIGSTOP of two
    cut-all         the power of all goes at the same moment
    cut-all-stirred the same after some files, in no order, have reached the disk
    cut-all-journal the same, and the journals of the file systems are still written
    cut-all-again   the same, and once more while they recover
    cut-one         the power of one goes, the others go on
    cut-two         the power of two goes
    cut-alive       the disk of one goes, and its process lives on for a moment
    stop            SIGTERM of one
    roll            SIGTERM of one after the other, each when all is whole again
    fill            something else takes all space of one disk, and gives it back
    fill-two        of two disks, so that nothing can be acknowledged
    failing         the disk of one takes no block that it has not had before, and is mended
    failing-cut     the same, and when that node is up again the power of all goes
    net-…           of the network: network_faults.py
"""

import time
from collections import Counter

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

import faults
import network_faults
from cluster import NODES
from disk import LOGFLUSH, NOLOGFLUSH
from faults import ALIVE_SECONDS, FAILING_SECONDS

KILLS = {
    "kill": 4, "kill-leader": 4, "kill-away": 3, "kill-two": 3, "kill-all": 3, "kill-starting": 2, "kill-in-turn": 2
}  # fmt: skip
PAUSES = {"pause": 2, "pause-leader": 3, "pause-two": 1}
CUTS = {"cut-all": 6, "cut-all-stirred": 4, "cut-all-again": 2, "cut-all-journal": 1}
NODE_CUTS = {"cut-one": 3, "cut-two": 2, "cut-alive": 2}
STOPS = {"stop": 3, "roll": 1}
FILLS = {"fill": 2, "fill-two": 1}
FAILURES = {"failing": 2, "failing-cut": 1}
AWAY_SECONDS = (0.2, 4)
PAUSE_SECONDS = (0.1, 4)
#: A start takes tens of milliseconds; a fault is to meet it at any point.
START_SECONDS = 0.1


def plan(rng, asked):
    some = [
        *faults.deal(rng, KILLS, asked.kills),
        *faults.deal(rng, PAUSES, asked.pauses),
        *faults.deal(rng, CUTS, asked.power_cuts),
        *faults.deal(rng, NODE_CUTS, asked.node_cuts),
        *faults.deal(rng, STOPS, asked.stops),
        *faults.deal(rng, FILLS, asked.fills),
        *faults.deal(rng, FAILURES, asked.disk_failures),
        *faults.deal(rng, network_faults.KINDS, asked.network_faults),
    ]
    rng.shuffle(some)
    return some


class ClusterFaults:
    def __init__(self, cluster, log, rng):
        self.cluster, self.nodes, self.disks = cluster, cluster.nodes, cluster.disks
        self.log, self.rng = log, rng
        self.complaints = []
        #: What was done how often: kill -9 of processes, power cuts of disks.
        self.done = Counter()
        #: Faults of the network in the order of their coming, and what they did to frames.
        self.drawn, self.networked = [], []

    def happen(self, kind):
        self.log.write("fault", time.monotonic_ns(), kind)
        if kind in network_faults.KINDS:
            self.network(self.drawn.pop(0))
        else:
            getattr(self, kind.replace("-", "_"))()
        self.log.write("up", time.monotonic_ns())

    def start(self):
        self.launch(NODES)
        self.log.write("up", time.monotonic_ns())

    def launch(self, some):
        for node in some:
            self.nodes[node].launch()
        for node in some:
            self.nodes[node].wait_ready()

    def choose(self, count=1):
        return self.rng.sample(NODES, count)

    def leading(self):
        """Who leads the most partitions, as anybody would be told."""
        client = AdminClient({"bootstrap.servers": self.cluster.bootstrap(), "log_level": 0})
        try:
            topics = client.list_topics(timeout=2).topics.values()
        except KafkaException:
            return self.choose()
        count = Counter(p.leader for topic in topics for p in topic.partitions.values() if p.leader in NODES)
        return [node for node, _ in count.most_common(1)] or self.choose()

    def killed(self, some):
        for node in some:
            self.nodes[node].kill()
            self.done["kill -9"] += 1

    def away(self):
        time.sleep(self.rng.uniform(*AWAY_SECONDS))

    def killed_for_a_while(self, some):
        self.killed(some)
        self.away()
        self.launch(some)

    def kill(self):
        some = self.choose()
        self.killed(some)
        self.launch(some)

    def kill_leader(self):
        self.killed_for_a_while(self.leading())

    def kill_away(self):
        self.killed_for_a_while(self.choose())

    def kill_two(self):
        some = self.choose(2)
        self.killed(some)
        if self.rng.random() < 0.5:
            self.away()
        self.launch(some)

    def kill_all(self):
        some = self.choose(3)
        self.killed(some)
        self.launch(some)

    def kill_starting(self):
        some = self.choose()
        self.killed(some)
        self.nodes[some[0]].launch()
        time.sleep(self.rng.uniform(0, START_SECONDS))
        self.killed(some)
        self.launch(some)

    def kill_in_turn(self):
        for node in self.choose(3):
            self.killed([node])
            self.launch([node])

    def paused(self, some):
        for node in some:
            self.nodes[node].freeze()
        time.sleep(self.rng.uniform(*PAUSE_SECONDS))
        for node in some:
            self.nodes[node].thaw()

    def pause(self):
        self.paused(self.choose())

    def pause_leader(self):
        self.paused(self.leading())

    def pause_two(self):
        self.paused(self.choose(2))

    def power_goes(self, some, flag=NOLOGFLUSH):
        """All at once: no process does anything any more once a disk is gone."""
        for node in some:
            self.nodes[node].freeze()
        for node in some:
            self.disks[node].cut(flag)
            self.done["power cut of a node"] += 1
        for node in some:
            self.nodes[node].kill()
        for node in some:
            self.disks[node].unmount()
            self.disks[node].mount()

    def cut_all(self):
        self.power_goes(NODES)
        self.launch(NODES)

    def cut_all_stirred(self):
        for node in NODES:
            self.disks[node].stir(self.rng)
        self.cut_all()

    def cut_all_journal(self):
        self.power_goes(NODES, LOGFLUSH)
        self.launch(NODES)

    def cut_all_again(self):
        self.power_goes(NODES)
        for node in NODES:
            self.nodes[node].launch()
        time.sleep(self.rng.uniform(0, 2 * START_SECONDS))
        self.cut_all()

    def cut_one(self):
        some = self.choose()
        self.power_goes(some)
        self.away()
        self.launch(some)

    def cut_two(self):
        some = self.choose(2)
        self.power_goes(some)
        self.launch(some)

    def cut_alive(self):
        some = self.choose()
        node, disk = self.nodes[some[0]], self.disks[some[0]]
        # As for a node alone: a sync that is under way can return success for what is not on the disk.
        node.freeze_between_calls()
        disk.cut()
        node.thaw()
        self.done["power cut of a node"] += 1
        time.sleep(self.rng.uniform(0, ALIVE_SECONDS))
        node.kill()
        disk.unmount()
        disk.mount()
        self.launch(some)

    def stopped(self, node):
        code = self.nodes[node].stop()
        if code != 0:
            self.complaints.append(f"SIGTERM: node {node} ended with {code}")

    def stop(self):
        some = self.choose()
        self.stopped(some[0])
        self.launch(some)

    def roll(self):
        for node in NODES:
            self.stopped(node)
            self.launch([node])
            if behind := self.cluster.whole():
                self.complaints.append(f"after the restart of node {node}: {behind}")

    def filled(self, some):
        for node in some:
            self.disks[node].fill()
        time.sleep(self.rng.uniform(0.5, 2))
        for node in some:
            self.disks[node].free()
        for node in some:
            if not self.nodes[node].alive():
                self.complaints.append(f"node {node} ended when its disk was full")
                self.launch([node])

    def fill(self):
        self.filled(self.choose())

    def fill_two(self):
        self.filled(self.choose(2))

    def failing(self):
        some = self.choose()
        node, disk = self.nodes[some[0]], self.disks[some[0]]
        disk.fail()
        time.sleep(self.rng.uniform(*FAILING_SECONDS))
        disk.mend()
        self.done["disk that failed"] += 1
        if node.alive():
            node.kill()
        if not disk.takes_writes():
            disk.unmount()
            disk.mount()
        self.launch(some)

    def failing_cut(self):
        self.failing()
        self.cut_all()

    def network(self, fault):
        """What a fault says, step by step; then everything passes again, and who was killed is up."""
        between, fate = self.cluster.network, Counter()
        who = network_faults.who_is_who(fault, self.leading()[0])
        does, _, name = fault["meanwhile"].partition(" ")
        between.set([])
        try:
            for at, step in enumerate(fault["steps"]):
                links = [[who[a], who[b], what] for a, b, what in step["links"]]
                fate.update(between.set(links, f"{fault['seed']} {at}"))
                if does == "kill":
                    self.killed([who[name]])
                if does == "pause":
                    self.nodes[who[name]].freeze()
                time.sleep(step["seconds"])
                if does == "pause":
                    self.nodes[who[name]].thaw()
                if does == "kill":
                    self.nodes[who[name]].launch()
        finally:
            fate.update(between.set([]))
        if does == "kill":
            self.nodes[who[name]].wait_ready()
        self.networked.append({**fault, "x is": who["x"], "frames": dict(fate)})

    def stops_cleanly(self):
        """All at the same time, as an operator does it who wants the whole cluster down."""
        for node in self.nodes.values():
            node.ask_to_stop()
        for number, node in self.nodes.items():
            code = node.ended()
            if code != 0:
                self.complaints.append(f"SIGTERM of all: node {number} ended with {code}")
