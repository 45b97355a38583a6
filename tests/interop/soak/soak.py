"""Kills and power cuts under load, round after round, each judged from outside.

A round has a disk of its own: the node starts on it, the workload runs, the faults of the round's plan
happen, the workload ends, a fresh client reads everything back, and `cargo xtask judge` judges. `cargo xtask soak`
starts this and says what is needed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time

import cluster_faults
import faults
import history
import network_faults
import network_selftest
import replicas
import topics
import writers_selftest
from cluster import NODES, Cluster
from disk import make, seeded
from network import Network
from node import NotReady, alone, die_with_parent
from verdicts import Verdicts, play

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOAD_SECONDS = 240
READBACK_SECONDS = 300
#: So many histories of failed rounds are kept, disk images too.
KEPT = 3
OVERRIDES = [
    "auto.create.topics.enable=false",
    "offsets.topic.num.partitions=4",
    "offsets.topic.segment.bytes=1048576",
    "group.initial.rebalance.delay.ms=0",
    "log.cleaner.backoff.ms=200",
    "log.retention.check.interval.ms=500",
]
#: The promise that a weak durability does not give, in the judge's words.
KEPT_PROMISE = "acknowledged records are kept"
#: Beside what clients see.
ALSO = {"starts": "the node starts after every fault, stops when asked and leaves a sound directory"}


def options():
    parser = argparse.ArgumentParser(
        prog="cargo xtask soak", formatter_class=argparse.ArgumentDefaultsHelpFormatter, add_help=True
    )
    add = parser.add_argument
    add("--binary", required=True, help=argparse.SUPPRESS)
    add("--judge", required=True, help=argparse.SUPPRESS)
    add("--directory", required=True, help=argparse.SUPPRESS)
    add("--kills", type=int, default=10, metavar="N", help="kill -9 under load")
    add("--power-cuts", type=int, default=10, metavar="N", help="the file system is shut down under load")
    add("--stops", type=int, default=2, metavar="N", help="SIGTERM under load")
    add("--fills", type=int, default=0, metavar="N", help="the disk is full for a while")
    add("--disk-failures", type=int, default=0, metavar="N", help="the disk fails writes for a while; it is in memory")
    add("--cluster", action="store_true", help="three nodes, three replicas of all; power cuts are of all at once")
    add("--pauses", type=int, default=0, metavar="N", help="SIGSTOP for a while, in a cluster")
    add("--node-cuts", type=int, default=0, metavar="N", help="power cuts of one node or two, in a cluster")
    add("--network-faults", type=int, default=0, metavar="N", help="cuts, loss, delay between a cluster's nodes")
    add("--seed", type=int, default=1, metavar="N", help="which faults, when, and what is written")
    add("--seconds", type=float, default=1e9, metavar="N", help="begins no fault after so long")
    add("--durability", choices=topics.DURABILITIES, default="default", help="of every topic")
    add("--partitions", type=int, default=64, metavar="N", help="of the widest topic")
    add("--load", type=float, default=1.0, metavar="X", help="times the usual load of about 5 MB/s")
    add("--pause", type=float, default=0.9, metavar="SECONDS", help="between faults, on average")
    add("--faults-a-round", type=int, default=25, metavar="N", help="until a fresh disk and a verdict")
    add("--image-mib", type=int, default=512, metavar="N", help="size of the disk")
    add("--port", type=int, default=29_870, metavar="N", help="of the node, on loopback")
    add("--result", default="", metavar="FILE", help="JSON of the whole campaign")
    add("--keep", action="store_true", help="keep the histories of rounds that passed, too")
    return parser.parse_args()


def plans(asked):
    """The faults of every round: all that were asked for, shuffled and shared out."""
    rng = seeded(asked.seed, "plan")
    if asked.cluster:
        everything = cluster_faults.plan(rng, asked)
    else:
        everything = faults.plan(rng, asked)
    size = asked.faults_a_round
    return [everything[at : at + size] for at in range(0, len(everything), size)]


class Round:
    """One disk, one workload, one verdict."""

    def __init__(self, number, plan, asked, between=None):
        self.number, self.plan, self.asked, self.network = number, plan, asked, between
        self.place = os.path.join(asked.directory, f"round-{number}")
        os.makedirs(self.place)
        self.rng = seeded(asked.seed, "round", number)
        self.log = history.History(self.place, "faults")
        needs_disk = asked.power_cuts or asked.fills or asked.node_cuts or asked.disk_failures
        self.image_mib = asked.image_mib if needs_disk else 0
        self.cluster, self.disks = None, []
        bootstrap = self.three() if asked.cluster else self.one()
        self.workload, self.happened, self.healed, self.again = None, 0, None, None
        self.info = {
            "bootstrap": bootstrap,
            "durability": asked.durability,
            "load": asked.load,
            "plan": plan,
            "network": getattr(self.faults, "drawn", []),
            "seed": f"{asked.seed} {number}",
            **topics.described(asked.durability, asked.partitions, len(NODES) if asked.cluster else 1),
        }
        with open(os.path.join(self.place, "round.json"), "w") as file:
            json.dump(self.info, file, indent=1)
        self.log.write("round", self.info["durability"], self.info["replicas"])
        for topic, kind in self.info["topics"].items():
            self.log.write("topic", topic, kind, self.info["partitions"][topic])
        for group in topics.GROUPS:
            self.log.write("group", group, "shared")

    def one(self):
        """Builds a node and what happens to it; returns where it is reached."""
        disk = make(self.place, self.image_mib, self.asked.disk_failures > 0)
        log = os.path.join(self.place, "node.log")
        self.disks = [disk]
        self.node = alone(self.asked.binary, self.asked.port, disk.directory, log, OVERRIDES)
        self.faults = faults.Faults(self.node, disk, self.log, self.rng)
        return f"127.0.0.1:{self.asked.port}"

    def three(self):
        asked = self.asked
        self.node = self.cluster = Cluster(
            asked.binary, asked.port, self.place, self.image_mib, OVERRIDES, self.network, asked.disk_failures > 0
        )
        self.disks = list(self.cluster.disks.values())
        self.faults = cluster_faults.ClusterFaults(self.cluster, self.log, self.rng)
        kinds = [(at, kind) for at, kind in enumerate(self.plan) if kind in network_faults.KINDS]
        self.faults.drawn = [network_faults.drawn(kind, asked.seed, self.number, at) for at, kind in kinds]
        return self.cluster.bootstrap()

    def play(self, deadline):
        """(verdict or None, complaints)"""
        complaints = self.faults.complaints
        complete = False
        try:
            self.faults.start()
            self.begin_workload()
            self.strike(deadline)
            self.calm()
            if self.network:
                self.heal()
            self.end_workload()
            self.read_back()
            complete = True
        except (NotReady, OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            complaints.append(f"after {self.happened} faults ({self.plan[: self.happened + 1][-1:]}): {error}")
        self.stop_processes()
        self.log.close()
        return self.judge() if complete else None, complaints

    def judge(self):
        argv = [self.asked.judge, "-o", "json", self.place]
        judged = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if judged.returncode not in (0, 1):
            self.faults.complaints.append(judged.stderr.strip())
            return None
        return json.loads(judged.stdout)

    def begin_workload(self):
        self.workload = self.python("workload.py", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.workload.stdout.readline().strip() != "working":
            raise RuntimeError("the workload did not begin")

    def strike(self, deadline):
        time.sleep(self.asked.pause)
        for kind in self.plan:
            if time.monotonic() > deadline:
                break
            self.faults.happen(kind)
            self.happened += 1
            time.sleep(faults.PAUSES.get(kind, self.rng.uniform(0.2, 1.8) * self.asked.pause))
            if self.workload.poll() is not None:
                raise RuntimeError("the workload ended early")

    def calm(self):
        """Nothing goes wrong any more, and all that is owed then is seen, or waited for in vain."""
        self.log.write("healed", time.monotonic_ns())
        self.workload.stdin.write("healed\n")
        self.workload.stdin.flush()
        said = self.workload.stdout.readline()
        if not said:
            raise RuntimeError("the workload ended early")
        said = json.loads(said)
        self.again = said["seconds"]
        if said["owed"]:
            print(f"round {self.number}: still owed after {self.again:.1f} s: {said['owed'][:20]}", flush=True)

    def heal(self):
        """Every replica is in sync again, under load."""
        began = time.monotonic()
        if behind := self.cluster.whole():
            self.faults.complaints.append(behind)
        self.healed = time.monotonic() - began

    def end_workload(self):
        told, _ = self.workload.communicate(timeout=WORKLOAD_SECONDS)
        told = json.loads(told)
        if self.asked.durability == "page-cache":
            # A producer whose acknowledged records are gone may never come to terms with its partition.
            told.pop("unanswered")
        if any(told.values()):
            raise RuntimeError(f"the workload did not finish: {told}. {self.last_words()}")

    def last_words(self):
        """What clients said last: of one that died, the end of a traceback."""
        with open(os.path.join(self.place, "clients.log")) as log:
            return " ".join(log.read()[-500:].split())

    def read_back(self):
        if self.cluster and (behind := self.cluster.whole()):
            self.faults.complaints.append(behind)
        if self.python("readback.py").wait(READBACK_SECONDS):
            raise RuntimeError("the logs could not be read back")
        self.faults.stops_cleanly()
        if self.cluster:
            for number, node in self.cluster.nodes.items():
                replicas.write_down(number, node.data_directory, self.log)
        if unsound := self.node.verify():
            self.faults.complaints.append(unsound)

    def python(self, script, **more):
        log = open(os.path.join(self.place, "clients.log"), "a")
        argv = [sys.executable, os.path.join(HERE, script), self.place]
        return subprocess.Popen(argv, stderr=log, preexec_fn=die_with_parent, **more)

    def stop_processes(self):
        if self.workload and self.workload.poll() is None:
            self.workload.kill()
            self.workload.wait()
        if self.node.alive():
            self.node.kill()

    def put_away(self, keep):
        for number, disk in enumerate(self.disks):
            if keep and hasattr(disk, "image"):
                disk.keep(os.path.join(self.place, f"image-{number}.kept"))
            disk.close()
        if not keep:
            shutil.rmtree(self.place)


def told(verdict):
    if verdict is None:
        return "not judged"
    seen = verdict["seen"]
    return (
        f"{seen['acks']} acks, {seen['reads']} reads, {seen['records']} records read back, "
        f"{sum(verdict['broken'].values())} broken, {sum(verdict['excused'].values())} excused"
    )


class Campaign(Verdicts):
    def __init__(self, asked):
        super().__init__()
        self.asked, self.kept = asked, 0
        self.faults, self.seen, self.excused, self.broken = {}, {}, {}, {}
        self.examples = []
        self.done = {}
        #: Between the nodes, and what was done to it, in the order of its coming; how long healing took, and all to
        #: be served again, by round.
        self.between, self.networked, self.healed, self.again = None, [], [], []

    def run(self):
        if self.asked.network_faults:
            self.between = Network(NODES)
            for what, why in network_selftest.results(self.between):
                self.check(f"in the network {what}", why)
        if self.asked.durability == "page-cache":
            self.check(*writers_selftest.result())
        began = time.monotonic()
        deadline = began + self.asked.seconds
        for number, plan in enumerate(plans(self.asked)):
            if time.monotonic() > deadline:
                break
            self.round(number, plan, deadline)
        self.judge_whole()
        self.report(time.monotonic() - began)

    def round(self, number, plan, deadline):
        began = time.monotonic()
        game = Round(number, plan, self.asked, self.between)
        for fault in getattr(game.faults, "drawn", []):
            print(f"round {number} has {json.dumps(fault)}", flush=True)
        keep = True
        try:
            verdict, complaints = game.play(deadline)
            self.add(game, complaints, verdict)
            keep = self.asked.keep or not verdict or bool(verdict["broken"] or complaints)
        finally:
            game.stop_processes()
            self.kept += keep
            game.put_away(keep and self.kept <= KEPT)
        took = time.monotonic() - began
        print(f"round {number}: {game.happened} faults in {took:.0f} s, {told(verdict)}", flush=True)

    def add(self, game, complaints, verdict):
        for kind in game.plan[: game.happened]:
            self.faults[kind] = self.faults.get(kind, 0) + 1
        for what, count in getattr(game.faults, "done", {}).items():
            self.done[what] = self.done.get(what, 0) + count
        self.networked += [{"round": game.number, **fault} for fault in getattr(game.faults, "networked", [])]
        self.healed += [] if game.healed is None else [round(game.healed, 2)]
        self.again += [] if game.again is None else [round(game.again, 2)]
        self.check(f"round {game.number}: {ALSO['starts']}", "; ".join(complaints))
        self.examples += complaints
        if verdict is None:
            return
        for total, part in ((self.seen, "seen"), (self.excused, "excused"), (self.broken, "broken")):
            for name, count in verdict[part].items():
                total[name] = total.get(name, 0) + count
        for promise in verdict["promises"]:
            count, examples = verdict["broken"].get(promise, 0), verdict["examples"].get(promise, [])
            why = f"{count} times, as in {' · '.join(examples[:2])}" if count else ""
            self.check(f"round {game.number}: {promise}", why)
        self.examples += [text for some in verdict["examples"].values() for text in some]

    def judge_whole(self):
        """A harness that sees no loss where there must be some proves nothing."""
        if self.asked.durability == "page-cache" and self.asked.power_cuts >= 5:
            lost = self.excused.get(KEPT_PROMISE, 0)
            self.check("page-cache loses records to power cuts, and this sees it", "" if lost else "none was lost")
        if self.asked.network_faults:
            for fate, causes in network_faults.FATES.items():
                some = [fault for fault in self.networked if network_faults.has(fault, causes)]
                if some:
                    why = "" if any(fault["frames"][fate] for fault in some) else f"none in {len(some)} faults"
                    self.check(f"frames were {fate} by faults that do so", why)

    def report(self, took):
        cycles = sum(self.faults.values())
        result = {
            "options": {k: v for k, v in vars(self.asked).items() if k not in ("binary", "judge", "directory", "result")},
            "seconds": round(took, 1),
            "faults": self.faults,
            "done": self.done,
            "network": self.networked,
            "seconds until all replicas were in sync": self.healed,
            "seconds until all was served again": self.again,
            "seen": self.seen,
            "broken": self.broken,
            "excused": self.excused,
            "examples": self.examples[:50],
            "passed": self.passed,
            "failed": self.failed,
        }
        if self.asked.result:
            with open(self.asked.result, "w") as file:
                json.dump(result, file, indent=1)
        print(f"{cycles} faults in {took:.0f} s: {json.dumps(self.faults)}")
        if self.done:
            print(f"of single nodes: {json.dumps(self.done)}")
        if self.healed:
            print(f"seconds until all replicas were in sync: {self.healed}")
        print(f"seconds until all was served again: {self.again}")
        print(f"seen: {json.dumps(self.seen)}")
        print(f"broken: {json.dumps(self.broken)}, allowed by the durability: {json.dumps(self.excused)}")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)


def main():
    asked = options()
    if asked.network_faults and not asked.cluster:
        sys.exit("--network-faults is about the network between nodes: add --cluster")
    play(Campaign, asked)


if __name__ == "__main__":
    main()
