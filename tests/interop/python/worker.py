"""A consumer program that can be killed at an exact step; the promises run it as a process.

Arguments: topic, group, when it commits (first | last), sink (a file, or a database if it ends in .db), and the
value at which it stops between its two steps and waits to be killed (or "never").
Prints a line after each step: `committed N`, `worked N`.
"""

import os
import signal
import sqlite3
import sys

from confluent_kafka import Consumer

topic, group, commits, sink_path, stop_at = sys.argv[1:]


class FileSink:
    """Keeps every write, repeats too."""

    def __init__(self, path):
        self.file = open(path, "a", buffering=1)

    def write(self, message):
        self.file.write(message.value().decode() + "\n")


class IdempotentSink:
    """Remembers by topic, partition and offset, so that a repeat changes nothing."""

    def __init__(self, path):
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS done (partition, offset, value, PRIMARY KEY (partition, offset))"
        )

    def write(self, message):
        row = (message.partition(), message.offset(), message.value().decode())
        self.database.execute("INSERT OR IGNORE INTO done VALUES (?, ?, ?)", row)


sink = (IdempotentSink if sink_path.endswith(".db") else FileSink)(sink_path)
consumer = Consumer({
    "bootstrap.servers": os.environ["INTEROP_BOOTSTRAP"],
    "group.id": group,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 500,
})
consumer.subscribe([topic])


def commit(message):
    consumer.commit(message=message, asynchronous=False)
    print("committed", message.value().decode(), flush=True)


def work(message):
    sink.write(message)
    print("worked", message.value().decode(), flush=True)


first, last = (commit, work) if commits == "first" else (work, commit)
while True:
    message = consumer.poll(1)
    if message is None or message.error():
        continue
    first(message)
    if message.value().decode() == stop_at:
        signal.pause()
    last(message)
