"""Producers of several kinds, each writing down what was acknowledged to it."""

import random
import threading
import time
from functools import partial

from confluent_kafka import KafkaException, Producer

import history

#: A kill and a restart take far less; what fails later than this fails for another reason.
MESSAGE_TIMEOUT_MS = 120_000
FLUSH_SECONDS = 60
KEYS = 40

COMMON = {
    "message.timeout.ms": MESSAGE_TIMEOUT_MS,
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 50,
    "retry.backoff.ms": 10,
    "retry.backoff.max.ms": 50,
    "topic.metadata.refresh.interval.ms": 2_000,
    "queue.buffering.max.messages": 2_000,
    "socket.keepalive.enable": True,
    "log_level": 0,
}
IDEMPOTENT = {"enable.idempotence": True, "acks": "all", "max.in.flight": 5}
PLAIN = {"acks": "all", "retries": 0, "max.in.flight": 5}
ACKS_1 = {"acks": 1, "retries": 0}

#: name: (kind, topics, configs, smallest and largest record, bytes a second, records at a time)
PROFILES = {
    "wide": ("idempotent", ["wide"], {"linger.ms": 2}, (60, 400), 400_000, 64),
    "eager": ("idempotent", ["single", "shared"], {"linger.ms": 0}, (40, 200), 60_000, 2),
    "batches": ("idempotent", ["shared"], {"linger.ms": 20, "batch.size": 262_144}, (900, 1_100), 500_000, 400),
    "large": ("idempotent", ["shared", "single"], {"linger.ms": 5}, (65_536, 200_000), 1_000_000, 3),
    # Batches of half a megabyte and more: a commit for one of them syncs the segments themselves.
    "heavy": ("idempotent", ["heavy"], {"linger.ms": 30}, (60_000, 90_000), 2_000_000, 24),
    "plain": ("plain", ["single", "shared", "wide"], {"linger.ms": 1}, (60, 2_000), 300_000, 20),
    "weak": ("acks1", ["shared"], {"linger.ms": 1}, (60, 400), 40_000, 10),
    "rolling": ("idempotent", ["rolling"], {"linger.ms": 1}, (500, 8_000), 500_000, 8),
    "latest": ("idempotent", ["latest"], {"linger.ms": 1}, (100, 3_000), 300_000, 16),
    "trimmed": ("idempotent", ["trimmed"], {"linger.ms": 1}, (200, 2_000), 200_000, 8),
    "expiring": ("idempotent", ["expiring"], {"linger.ms": 1}, (4_000, 20_000), 600_000, 8),
}  # fmt: skip

#: Seconds between sessions. A commit that syncs the segments empties the journal, which is to fill up, too.
RESTS = {"heavy": (8, 20)}


class Session:
    """One producer object: its records count up from 0 in each partition."""

    def __init__(self, name, kind, configs, bootstrap, log, on_ack=None):
        self.name, self.kind, self.log, self.on_ack = name, kind, log, on_ack
        self.counts, self.broken = {}, False
        by_kind = {"idempotent": IDEMPOTENT, "plain": PLAIN, "acks1": ACKS_1}[kind]
        merged = {"bootstrap.servers": bootstrap, **COMMON, **by_kind, **configs, "error_cb": self.on_error}
        self.producer = Producer(merged)
        log.write("session", history.now(), name, kind)

    def send(self, topic, partition, size, key=None, tombstone=False):
        """False when the queue is full: time to poll."""
        seq = self.counts.get((topic, partition), 0)
        value = history.payload(self.name, topic, partition, seq, size)
        told = partial(self.delivered, history.now(), seq, key or "-")
        content = {"value": value}
        if tombstone:
            content = {"value": None, "headers": [("id", value)]}
        try:
            self.producer.produce(topic, partition=partition, key=key, on_delivery=told, **content)
        except BufferError:
            return False
        except KafkaException as error:
            self.on_error(error.args[0])
            return True
        self.counts[topic, partition] = seq + 1
        return True

    def delivered(self, sent, seq, key, error, message):
        place = (message.topic(), message.partition())
        if error is None:
            # librdkafka takes what came before an acknowledged record of an idempotent producer to be
            # acknowledged, too, and then knows no offset.
            offset = history.NOWHERE if message.offset() is None else message.offset()
            self.log.write("ack", history.now(), self.name, seq, *place, offset, key, sent)
            if self.on_ack:
                self.on_ack(*place, offset)
            return
        self.log.write("fail", history.now(), self.name, seq, *place, error.name(), sent)
        self.on_error(error)

    def on_error(self, error):
        if error.fatal() and not self.broken:
            self.broken = True
            self.log.write("fatal", history.now(), self.name, f"{error.name()}: {error.str()}")

    def poll(self, seconds):
        self.heed(lambda: self.producer.poll(seconds))

    def heed(self, call):
        """The Python client raises a fatal error out of whatever was called just then."""
        try:
            return call()
        except KafkaException as error:
            self.on_error(error.args[0])
        except SystemError as error:
            # A callback met the pending exception; the cause is the fatal error.
            self.on_error(error.__cause__.args[0])
        return None

    def end(self):
        """Waits for every answer, then says how much was asked."""
        left = 0
        if not self.broken:
            left = self.heed(lambda: self.producer.flush(FLUSH_SECONDS)) or 0
        if self.broken or left:
            self.producer.purge()
            # A fatal error that was heard of by a record, or by sending one, is raised only here.
            self.heed(lambda: self.producer.flush(FLUSH_SECONDS))
        for (topic, partition), count in self.counts.items():
            self.log.write("sent", self.name, topic, partition, count)
        return left


class Writer(threading.Thread):
    """Keeps one profile's load up, session after session."""

    def __init__(self, profile, round_info, directory, on_ack=None):
        super().__init__(name=f"writer-{profile}", daemon=True)
        self.profile, self.info, self.on_ack = profile, round_info, on_ack
        self.log = history.History(directory, self.name)
        self.random = random.Random(f"{round_info['seed']} {profile}")
        self.stopping = threading.Event()
        self.left = 0

    def run(self):
        kind, topics, configs, sizes, rate, burst = PROFILES[self.profile]
        number = 0
        while not self.stopping.is_set():
            name = f"{self.profile}.{number}"
            session = Session(name, kind, configs, self.info["bootstrap"], self.log, self.on_ack)
            # A producer that lives for long and one that comes and goes leave different snapshots.
            ends = time.monotonic() + self.random.choice([2, 5, 15])
            while time.monotonic() < ends and not session.broken and not self.stopping.is_set():
                self.burst(session, topics, sizes, rate * self.info["load"], burst)
            self.left += session.end()
            number += 1
            self.stopping.wait(self.random.uniform(*RESTS.get(self.profile, (0, 0))))
        self.log.close()

    def burst(self, session, topics, sizes, rate, burst):
        topic = self.random.choice(topics)
        count = self.info["partitions"][topic]
        sent, partition = 0, self.random.randrange(count)
        began = time.monotonic()
        for _ in range(self.random.randint(1, burst)):
            size = self.random.randint(*sizes)
            key, tombstone = None, False
            if topic == "latest":
                key = f"key-{self.random.randrange(KEYS)}"
                tombstone = self.random.random() < 0.1
            if not session.send(topic, partition, size, key, tombstone):
                session.poll(0.02)
                break
            sent += size
            # Runs in one partition make batches of several records.
            if self.random.random() < 0.5:
                partition = self.random.randrange(count)
        session.poll(0)
        while (left := began + sent / rate - time.monotonic()) > 0:
            session.poll(min(left, 0.05))
