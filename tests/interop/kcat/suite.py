"""kcat: librdkafka's command line, in the version that Debian ships (librdkafka 2.0)."""

import json
import os
import pathlib
import subprocess
import sys
import time

import sample
from check import BOOTSTRAP, Suite, equal, name, true, until

suite = Suite("kcat")


def environment():
    """Finds the unpacked Debian package first, then what is on the path."""
    root = pathlib.Path(os.environ.get("INTEROP_HOME", "target/interop")) / "kcat"
    libraries = [str(path.parent) for path in root.rglob("librdkafka.so.1")]
    programs = [str(root / "usr/bin")] if libraries else []
    found = dict(os.environ)
    found["PATH"] = os.pathsep.join(programs + [found["PATH"]])
    found["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    return found


ENVIRONMENT = environment()


def kcat(*args, stdin=b"", binary=False, fails=False):
    done = subprocess.run(
        ["kcat", "-b", BOOTSTRAP, *map(str, args)], input=stdin, capture_output=True,
        timeout=40, env=ENVIRONMENT,
    )
    sys.stderr.write(f"--- kcat {' '.join(map(str, args))}\n{done.stderr.decode(errors='replace')}")
    true((done.returncode != 0) == fails, f"kcat ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout if binary else done.stdout.decode()


def produce(topic, lines, *flags):
    text = "".join(line + "\n" for line in lines).encode()
    kcat("-P", "-t", topic, *flags, stdin=text)


def consume(topic, *flags):
    """Reads to the end of every partition."""
    return kcat("-C", "-t", topic, "-e", "-q", *flags).splitlines()


@suite.check
def lists_metadata():
    topic = name("kcat")
    produce(topic, ["one"])
    found = json.loads(kcat("-L", "-J", "-t", topic))
    equal([broker["name"] for broker in found["brokers"]], [BOOTSTRAP], "brokers")
    equal([t["topic"] for t in found["topics"]], [topic], "topics")
    (partition,) = found["topics"][0]["partitions"]
    equal(partition["leader"], found["brokers"][0]["id"], "leader")


def round_trip(codec):
    def check():
        topic = name("kcat")
        lines = [f"{codec} {i}" for i in range(500)]
        produce(topic, lines, "-z", codec)
        equal(consume(topic, "-o", "beginning"), lines, "lines")

    return check


for codec in sample.CODECS:
    suite.add(f"lines_come_back_{codec}", round_trip(codec))


def acks(level):
    def check():
        topic = name("kcat")
        produce(topic, ["a", "b", "c"], "-X", f"acks={level}")
        equal(consume(topic, "-o", "beginning"), ["a", "b", "c"], "lines")

    return check


for level in ["0", "1", "all"]:
    suite.add(f"produces_with_acks_{level}", acks(level))


@suite.check
def keys_headers_and_nulls_come_back():
    topic = name("kcat")
    kcat("-P", "-t", topic, "-K:", "-H", "h=x", "-H", "g=y", stdin=b"key:value\n")
    kcat("-P", "-t", topic, "-K:", "-Z", stdin=b"tombstone:\n")
    found = [json.loads(line) for line in consume(topic, "-o", "beginning", "-J")]
    shown = [(m["key"], m["payload"], m.get("headers")) for m in found]
    equal(shown, [("key", "value", ["h", "x", "g", "y"]), ("tombstone", None, None)], "records")


@suite.check
def binary_values_come_back():
    topic = name("kcat")
    file = pathlib.Path(os.environ["INTEROP_RUN_DIR"]) / f"{topic}.bin"
    file.write_bytes(sample.ALL_BYTES * 300)
    kcat("-P", "-t", topic, str(file))
    found = kcat("-C", "-t", topic, "-e", "-q", "-o", "beginning", "-D", "", binary=True)
    true(found == sample.ALL_BYTES * 300, f"{len(found)} other bytes came back")


@suite.check
def an_idempotent_producer_writes_each_record_once_and_in_order():
    topic = name("kcat")
    lines = [str(i) for i in range(5_000)]
    produce(topic, lines, "-X", "enable.idempotence=true")
    equal(consume(topic, "-o", "beginning"), lines, "lines")


@suite.check
def reads_from_offsets_and_times():
    topic = name("kcat")
    produce(topic, [str(i) for i in range(10)])
    now = int(time.time() * 1000)
    equal(consume(topic, "-o", "6"), ["6", "7", "8", "9"], "from offset 6")
    equal(consume(topic, "-o", "-2"), ["8", "9"], "the last two")
    equal(consume(topic, "-o", f"s@{now - 3_600_000}"), [str(i) for i in range(10)], "from a time")
    equal(consume(topic, "-o", "beginning", "-c", "3"), ["0", "1", "2"], "the first three")
    query = kcat("-Q", "-t", f"{topic}:0:{now - 3_600_000}")
    true("offset 0" in query, f"the query says {query}")


@suite.check
def the_client_checks_crcs():
    topic = name("kcat")
    produce(topic, ["checked"] * 100, "-z", "lz4")
    equal(len(consume(topic, "-o", "beginning", "-X", "check.crcs=true")), 100, "lines")


class Member:
    """A `kcat -G` process; what it prints goes to a file that the check reads."""

    def __init__(self, group, topic):
        self.path = pathlib.Path(os.environ["INTEROP_RUN_DIR"]) / f"{name('member')}.txt"
        self.errors = self.path.with_suffix(".err")
        config = ["auto.offset.reset=earliest", "heartbeat.interval.ms=500", "session.timeout.ms=10000"]
        flags = [word for setting in config for word in ("-X", setting)]
        command = ["kcat", "-b", BOOTSTRAP, "-u", "-G", group, *flags, "-f", "%s\n", topic]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.path.open("wb"),
            stderr=self.errors.open("wb"), env=ENVIRONMENT,
        )

    def seen(self):
        return self.path.read_text().split()

    def assigned(self):
        """How many partitions the last rebalance gave it."""
        lines = [line for line in self.errors.read_text().splitlines() if "assigned" in line]
        return lines[-1].count("[") if lines and "revoked" not in lines[-1] else 0

    def leave(self):
        self.process.terminate()
        self.process.wait(20)


@suite.check
def three_members_join_and_leave():
    topic, group = name("kcat"), name("group")
    make_topic(topic, 6)
    members = [Member(group, topic) for _ in range(3)]
    until("an even share", lambda: [m.assigned() for m in members] == [2, 2, 2], 40)
    lines = [str(i) for i in range(300)]
    produce(topic, lines, "-X", "topic.partitioner=random", "-p", "-1")
    until("all lines", lambda: sum(len(m.seen()) for m in members) >= 300)
    equal(sorted(line for m in members for line in m.seen()), sorted(lines), "lines, each once")
    members.pop().leave()
    until("an even share", lambda: [m.assigned() for m in members] == [3, 3], 40)
    members.append(Member(group, topic))
    until("an even share", lambda: [m.assigned() for m in members] == [2, 2, 2], 40)
    for member in members:
        member.leave()


@suite.check
def a_group_resumes_where_it_left():
    topic, group = name("kcat"), name("group")
    produce(topic, [str(i) for i in range(10)])
    first = Member(group, topic)
    until("ten lines", lambda: len(first.seen()) == 10)
    first.leave()
    produce(topic, ["more"])
    second = Member(group, topic)
    until("a line", lambda: second.seen())
    second.leave()
    equal(second.seen(), ["more"], "lines of the second member")


def make_topic(topic, partitions):
    """kcat cannot create topics; its sister can."""
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(20)


suite.main()
