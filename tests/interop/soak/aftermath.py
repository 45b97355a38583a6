"""After the last fault: every partition is written and read again, and every group commits, or it is seen that not.

The load goes on. Somebody who comes then writes to every partition and reads it, for the others need not come to
every one of them: a few producers write where they like, and not all topics have a reader. It takes as long as it has
to; what is too long is the judge's business.
"""

import time

from confluent_kafka import OFFSET_END

import history
from readers import Follower
from topics import GROUPS, RETENTION
from writers import Session

#: Longer than anything may take, so that the history shows what came too late.
PATIENCE_SECONDS = 45
#: What is still owed is written again: who reads from the end may have come to a partition after the record.
AGAIN_SECONDS = 0.3
SIZE = 200
NAME = "aftermath"


class Owed:
    """What has to be seen once the faults are over: reads of partitions, commits of groups."""

    def __init__(self, round_info):
        self.partitions = round_info["partitions"]
        self.left = None

    def begin(self):
        places = [(topic, p) for topic, count in self.partitions.items() for p in range(count)]
        commits = {(group, "shared", p) for group in GROUPS for p in range(self.partitions["shared"])}
        self.left = {*places, *commits, RETENTION}

    def seen(self, *what):
        """A partition that was read, or a group and a partition that it has committed."""
        if self.left is not None:
            self.left.discard(what)

    def places(self):
        """Where a record is needed."""
        return sorted({what[-2:] for what in self.left if what != RETENTION})


class Newcomer(Follower):
    """Reads every partition from its end on."""

    BEGINNING = OFFSET_END

    def __init__(self, owed, round_info, directory):
        super().__init__(NAME, list(round_info["partitions"]), round_info, directory)
        self.owed = owed

    def told(self, message):
        session, *_ = super().told(message)
        if session == NAME:
            self.owed.seen(message.topic(), message.partition())


def serve(owed, round_info, directory):
    """Returns the reader, the seconds until nothing was owed any more, and what still is."""
    began = time.monotonic()
    owed.begin()
    log = history.History(directory, NAME)
    reader = Newcomer(owed, round_info, directory)
    reader.start()
    session = Session(NAME, "idempotent", {"linger.ms": 1}, round_info["bootstrap"], log)
    while owed.left and time.monotonic() < began + PATIENCE_SECONDS:
        again = time.monotonic() + AGAIN_SECONDS
        for topic, partition in owed.places():
            key = NAME if round_info["topics"][topic] == "compacted" else None
            session.send(topic, partition, SIZE, key)
        while owed.left and (left := again - time.monotonic()) > 0:
            session.poll(left)
    took = time.monotonic() - began
    session.end()
    log.close()
    return reader, took, sorted(map(str, owed.left))
