"""What Kafka promises its users, one check a promise, in their words."""

import collections
import os
import pathlib
import sqlite3
import subprocess
import sys
import threading

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from check import BOOTSTRAP, Suite, equal, name, true, until

suite = Suite("promises")
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
RUN_DIR = pathlib.Path(os.environ.get("INTEROP_RUN_DIR", "/tmp"))
WORKER = pathlib.Path(__file__).with_name("worker.py")


def topic(partitions=1, topic_name=None):
    topic_name = topic_name or name("promise")
    admin.create_topics([NewTopic(topic_name, partitions, 1)])[topic_name].result(20)
    return topic_name


def produce(topic_name, pairs):
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 5})
    for key, value in pairs:
        producer.produce(topic_name, value, key)
    equal(producer.flush(30), 0, "records left in the producer's queue")


def consumer(group, **config):
    config = {key.replace("_", "."): value for key, value in config.items()}
    return Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 500,
    } | config)


def take(client, count):
    found = []

    def more():
        for message in client.consume(count - len(found), timeout=0.5):
            true(not message.error(), f"the consumer reports {message.error()}")
            found.append(message)
        return len(found) >= count

    until(f"reading {count} records", more, 30)
    return found


@suite.check
def unrelated_keys_run_in_parallel_and_one_key_stays_in_order():
    keys, each = 40, 25
    topic_name, group = topic(3), name("group")
    at_work_together = threading.Barrier(3)
    seen, lock = collections.defaultdict(list), threading.Lock()
    done, shares = threading.Event(), {}

    def member():
        client = consumer(group)

        def on_assign(_, partitions):
            shares[threading.get_ident()] = len(partitions)

        client.subscribe([topic_name], on_assign=on_assign)
        first = True
        while not done.is_set():
            message = client.poll(0.2)
            if message is None or message.error():
                continue
            if first:
                # Passes only when all three hold a record at the same time.
                at_work_together.wait(40)
                first = False
            with lock:
                seen[message.key()].append(int(message.value()))
        client.close()

    threads = [threading.Thread(target=member, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    until("a partition for each", lambda: list(shares.values()) == [1, 1, 1], 40)
    produce(topic_name, [(f"key-{k}", f"{i}") for i in range(each) for k in range(keys)])

    def whole():
        true(not at_work_together.broken, "the three members never worked at the same time")
        with lock:
            return all(len(seen[f"key-{k}".encode()]) >= each for k in range(keys))

    until("every record", whole, 50)
    done.set()
    for thread in threads:
        thread.join(10)
    for key, values in seen.items():
        in_order = [value for i, value in enumerate(values) if value not in values[:i]]
        equal(in_order, list(range(each)), f"values of {key}")


@suite.check
def one_partition_has_one_reader_in_a_group():
    partitions = 6
    topic_name, group = topic(partitions), name("group")
    owners, lock, quarrels = {}, threading.Lock(), []

    class Member(threading.Thread):
        def __init__(self):
            super().__init__(daemon=True)
            self.stopping = threading.Event()
            self.client = consumer(group)
            self.client.subscribe([topic_name], on_assign=self.take, on_revoke=self.give_back)
            self.start()

        def take(self, _, assigned):
            with lock:
                for partition in assigned:
                    if owners.get(partition.partition, self) is not self:
                        quarrels.append(partition.partition)
                    owners[partition.partition] = self

        def give_back(self, _, revoked):
            with lock:
                for partition in revoked:
                    if owners.get(partition.partition) is self:
                        del owners[partition.partition]

        def run(self):
            while not self.stopping.is_set():
                self.client.poll(0.1)
            self.client.close()

        def leave(self):
            self.stopping.set()
            self.join(20)

    def settled(members):
        def even():
            with lock:
                count = collections.Counter(owners.values())
            sizes = [count[member] for member in members]
            return sum(sizes) == partitions and max(sizes) - min(sizes) <= 1

        until(f"{len(members)} members owning everything", even, 40)

    members = [Member()]
    settled(members)
    for _ in range(2):
        members.append(Member())
        settled(members)
    while len(members) > 1:
        members.pop(0).leave()
        settled(members)
    members[0].leave()
    equal(quarrels, [], "partitions that had two readers")


@suite.check
def two_groups_read_the_same_data_independently():
    topic_name = topic()
    produce(topic_name, [(None, str(i)) for i in range(10)])
    groups = {name("group"): 3, name("group"): 8}
    for group, count in groups.items():
        client = consumer(group)
        client.subscribe([topic_name])
        found = [int(message.value()) for message in take(client, count)]
        equal(found, list(range(count)), "values")
        client.commit(offsets=[TopicPartition(topic_name, 0, count)], asynchronous=False)
        client.close()
    for group, count in groups.items():
        client = consumer(group)
        client.subscribe([topic_name])
        found = [int(message.value()) for message in take(client, 10 - count)]
        equal(found, list(range(count, 10)), "values after coming back")
        client.close()


class Worker:
    """The consumer program of worker.py as a process."""

    def __init__(self, topic_name, group, commits, sink, stop_at="never"):
        command = [sys.executable, str(WORKER), topic_name, group, commits, str(sink), str(stop_at)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def until(self, line):
        for printed in self.process.stdout:
            if printed.strip() == line:
                return
        raise AssertionError(f"the worker ended before {line!r}")

    def kill(self):
        """kill -9: it cannot leave the group, so the group waits out its session."""
        self.process.kill()
        self.process.wait()


def crash_and_return(commits, sink, stop_line):
    """A worker dies at record 5 between its steps; another finishes. Returns the topic and group."""
    topic_name, group = topic(), name("group")
    produce(topic_name, [(None, str(i)) for i in range(10)])
    first = Worker(topic_name, group, commits, sink, stop_at=5)
    first.until(stop_line)
    first.kill()
    second = Worker(topic_name, group, commits, sink)
    second.until("worked 9" if commits == "first" else "committed 9")
    second.kill()
    return topic_name, group


def lines_of(sink):
    return [int(line) for line in sink.read_text().split()]


@suite.check
def a_crashed_consumer_resumes_from_its_committed_offset():
    sink = RUN_DIR / name("sink")
    topic_name, group = crash_and_return("last", sink, "worked 5")
    # Committed were 0 to 4, so the second begins with 5, neither earlier nor later.
    equal(lines_of(sink), [0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9], "values worked on")
    client = consumer(group)
    (committed,) = client.committed([TopicPartition(topic_name, 0)], timeout=10)
    equal(committed.offset, 10, "offset committed in the end")
    client.close()


@suite.check
def committing_before_the_work_loses_what_a_crash_interrupts():
    sink = RUN_DIR / name("sink")
    crash_and_return("first", sink, "committed 5")
    equal(lines_of(sink), [0, 1, 2, 3, 4, 6, 7, 8, 9], "values worked on")


@suite.check
def committing_after_the_work_repeats_what_a_crash_interrupts():
    sink = RUN_DIR / name("sink")
    crash_and_return("last", sink, "worked 5")
    equal(lines_of(sink).count(5), 2, "times that 5 was worked on")
    equal(sorted(set(lines_of(sink))), list(range(10)), "values worked on")


@suite.check
def an_idempotent_sink_makes_repeats_harmless():
    sink = RUN_DIR / f"{name('sink')}.db"
    crash_and_return("last", sink, "worked 5")
    rows = sqlite3.connect(sink).execute("SELECT value FROM done ORDER BY offset").fetchall()
    equal([int(value) for (value,) in rows], list(range(10)), "values in the sink")


@suite.check
def a_recreated_topic_is_not_the_old_one():
    """A consumer that was ahead in the old topic begins anew; it neither skips nor waits."""
    topic_name = topic()
    produce(topic_name, [(None, f"old {i}") for i in range(10)])
    client = consumer(name("group"), topic_metadata_refresh_interval_ms=500)
    client.assign([TopicPartition(topic_name, 0, 0)])
    take(client, 10)
    admin.delete_topics([topic_name])[topic_name].result(20)
    until("its end", lambda: topic_name not in admin.list_topics(timeout=10).topics)
    topic(topic_name=topic_name)
    produce(topic_name, [(None, "new")])
    found = []

    def arrives():
        message = client.poll(0.5)
        # Until its metadata is fresh the client may be told that the id or the topic is unknown.
        if message is not None and not message.error():
            found.append(message)
        return found

    until("the new record", arrives, 40)
    equal((found[0].value(), found[0].offset()), (b"new", 0), "first record")
    client.close()


suite.main()
