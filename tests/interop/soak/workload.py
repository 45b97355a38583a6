"""The load of one round: producers, consumers, groups and an administrator, until stdin ends.

    workload.py DIRECTORY     DIRECTORY/round.json says what to do; histories are written beside it

It says `working` when it does. A line on stdin says that the last fault is over: it answers with one of JSON once all
is served again, or will not be.
"""

import faulthandler
import json
import os
import random
import sys
import threading
import time

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

import aftermath
import history
from aftermath import Owed
from readers import Follower, Member, Onlooker
from topics import DURABILITIES, GROUPS, RETENTION, RETENTION_FROM
from writers import PROFILES, Session, Writer

ADMIN_SECONDS = 10
FINISH_SECONDS = 100
CLOSE_SECONDS = 3


class Asking(threading.Thread):
    """Somebody who asks for changes and writes down what was acknowledged."""

    def __init__(self, name, round_info, directory):
        super().__init__(name=name, daemon=True)
        self.info = round_info
        self.log = history.History(directory, name)
        self.random = random.Random(f"{round_info['seed']} {name}")
        self.stopping = threading.Event()
        self.client = AdminClient({
            "bootstrap.servers": round_info["bootstrap"],
            "reconnect.backoff.ms": 10,
            "reconnect.backoff.max.ms": 50,
            "log_level": 0,
        })

    def asked(self, call):
        """(when it was asked, when it was acknowledged, or 0)."""
        asked = history.now()
        try:
            for future in call().values():
                future.result(ADMIN_SECONDS)
        except (KafkaException, TimeoutError) as error:
            self.refused(error)
            return asked, 0
        return asked, history.now()

    def refused(self, error):
        """It may go on otherwise."""


class Administrator(Asking):
    """Creates topics, writes into them, deletes every other one. No name is used twice."""

    def __init__(self, name, owed, round_info, directory):
        super().__init__(name, round_info, directory)
        self.owed = owed

    def run(self):
        session = Session("brief.0", "plain", {"linger.ms": 1}, self.info["bootstrap"], self.log)
        number = 0
        while not self.stopping.wait(0.1):
            self.live_and_die(session, f"brief-{number}")
            self.alter(RETENTION_FROM + number)
            number += 1
        session.end()
        self.log.close()

    def live_and_die(self, session, topic):
        partitions = self.random.randint(1, 6)
        config = {"retention.ms": str(86_400_000 + partitions), **DURABILITIES[self.info["durability"]]}
        wanted = NewTopic(topic, partitions, self.info["replicas"], config=config)
        asked, acked = self.asked(lambda: self.client.create_topics([wanted]))
        self.log.write("create", asked, acked, topic, partitions)
        if not acked:
            return
        for _ in range(self.random.randint(0, 30)):
            session.send(topic, self.random.randrange(partitions), self.random.randint(40, 4_000))
        session.heed(lambda: session.producer.flush(ADMIN_SECONDS))
        if self.random.random() < 0.5:
            asked, acked = self.asked(lambda: self.client.delete_topics([topic]))
            self.log.write("delete", asked, acked, topic)

    def alter(self, value):
        """A config that only ever grows is judged like a committed offset."""
        entry = ConfigEntry("retention.ms", str(value), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, "single", incremental_configs=[entry])
        asked, acked = self.asked(lambda: self.client.incremental_alter_configs([resource]))
        self.log.write("commit", asked, acked, *RETENTION, value)
        if acked:
            self.owed.seen(*RETENTION)


class Trimmer(Asking):
    """Deletes records from the front of one topic, as far as its writer was acknowledged."""

    def __init__(self, name, round_info, directory):
        super().__init__(name, round_info, directory)
        self.acked, self.trimmed = {}, {}
        self.partition = None

    def on_ack(self, _topic, partition, offset):
        self.acked[partition] = max(offset, self.acked.get(partition, 0))

    def refused(self, error):
        """librdkafka asks the leader that it knows, and a refusal does not make it look for another.

        After a leader had moved it asked the one before, millisecond after millisecond, for as long as its
        metadata lived, 15 minutes. Kafka's own client looks again (KAFKA-8982).
        """
        code = error.args[0].code() if isinstance(error, KafkaException) else None
        if code == KafkaError.OFFSET_OUT_OF_RANGE:
            # What was acknowledged there is gone: it lay in a page cache.
            self.acked[self.partition] = self.trimmed[self.partition] = 0
        try:
            self.client.list_topics("trimmed", timeout=ADMIN_SECONDS)
        except KafkaException:
            # It is asked again soon.
            return

    def run(self):
        while not self.stopping.wait(0.1):
            self.trim(self.random.randrange(self.info["partitions"]["trimmed"]))
        self.log.close()

    def trim(self, partition):
        upto, before = self.acked.get(partition, 0), self.trimmed.get(partition, 0)
        offset = self.random.randint(before, max(before, upto))
        if offset == before:
            return
        self.partition, self.trimmed[partition] = partition, offset
        place = TopicPartition("trimmed", partition, offset)
        asked, acked = self.asked(lambda: self.client.delete_records([place]))
        self.log.write("trim", asked, acked, "trimmed", partition, offset)


def create_topics(round_info, log):
    client = AdminClient({"bootstrap.servers": round_info["bootstrap"], "log_level": 0})
    wanted = [
        NewTopic(topic, count, round_info["replicas"], config=round_info["configs"][topic])
        for topic, count in round_info["partitions"].items()
    ]
    asked = history.now()
    for future in client.create_topics(wanted).values():
        future.result(30)
    for topic, count in round_info["partitions"].items():
        log.write("create", asked, history.now(), topic, count)


def main():
    directory = sys.argv[1]
    with open(os.path.join(directory, "round.json")) as file:
        round_info = json.load(file)
    log = history.History(directory, "setup")
    create_topics(round_info, log)
    log.close()
    owed = Owed(round_info)
    administrator = Administrator("administrator", owed, round_info, directory)
    trimmer = Trimmer("trimmer", round_info, directory)
    writers = [
        Writer(profile, round_info, directory, trimmer.on_ack if profile == "trimmed" else None)
        for profile in PROFILES
    ]
    readers = [
        Follower("follower", ["single", "rolling"], round_info, directory),
        Follower("wide-follower", ["wide"], round_info, directory),
        *(Member(group, n, owed, round_info, directory) for group in GROUPS for n in range(2)),
        Onlooker("onlooker", round_info, directory),
    ]
    askers = [administrator, trimmer]
    workers = [*askers, *writers, *readers]
    for worker in workers:
        worker.start()
    print("working", flush=True)
    while sys.stdin.readline():
        # The faults are over.
        newcomer, seconds, left = aftermath.serve(owed, round_info, directory)
        workers.append(newcomer)
        readers.append(newcomer)
        print(json.dumps({"seconds": seconds, "owed": left}), flush=True)
    died = [worker.name for worker in workers if not worker.is_alive()]
    finish([*askers, *writers])
    # Readers catch up with the last acknowledgements.
    time.sleep(0.3)
    finish(readers)
    unanswered = sum(writer.left for writer in writers)
    alive = [worker for worker in workers if worker.is_alive()]
    stuck = [worker.name for worker in alive if not getattr(worker, "is_done", False)]
    if alive:
        faulthandler.dump_traceback()
    print(json.dumps({"unanswered": unanswered, "stuck": stuck, "died": died}), flush=True)
    os._exit(0)


def finish(workers):
    for worker in workers:
        worker.stopping.set()
    deadline = time.monotonic() + FINISH_SECONDS
    for worker in workers:
        while worker.is_alive() and time.monotonic() < deadline:
            worker.join(CLOSE_SECONDS)
            if getattr(worker, "is_done", False):
                break


if __name__ == "__main__":
    main()
