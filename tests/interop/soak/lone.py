"""A producer that is alone: a record at a time, each once the one before was acknowledged, while kills and power cuts come.

The thread that serves such a producer makes its commits itself and takes its next request as soon as it comes, which
the load of `soak.py` never lets it do. The client is a socket: one of several threads would send the next record later.
"""

import argparse
import json
import os
import pathlib
import random
import re
import socket
import struct
import sys
import threading
import time
import urllib.request

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka.protocol.producer import ProduceRequest
from kafka.record import MemoryRecordsBuilder

import node
from disk import LoopDisk, PlainDirectory
from topics import DURABILITIES
from verdicts import Verdicts, play

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python"))
from raw_client import encoded  # noqa: E402

TOPIC = "lone"
#: Of Produce: the last whose answer has no fields of varying length between those that are read.
VERSION = 7
#: Bytes of a record. The largest does not come with the first read.
SIZES = (20, 100, 1_500, 3_000)
IMAGE_MIB = 1_024
ANSWER_SECONDS = 60
#: With a disk that takes longer another thread waits for it: `HERE_MAX` is 500.
FAST_COMMIT_MICROS = 400


def options():
    parser = argparse.ArgumentParser(
        prog="cargo xtask soak --lone", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    for handed_on in ("--binary", "--judge", "--directory", "--result"):
        add(handed_on, required=True, help=argparse.SUPPRESS)
    add("--lone", action="store_true", help=argparse.SUPPRESS)
    add("--kills", type=int, default=10, metavar="N", help="kill -9 under load")
    add("--power-cuts", type=int, default=10, metavar="N", help="the file system is shut down under load")
    add("--durability", choices=("default", "page-cache"), default="default", help="of the topic")
    add("--pause", type=float, default=0.5, metavar="SECONDS", help="between faults, on average")
    add("--seed", type=int, default=1, metavar="N", help="which faults, when, and what is written")
    add("--port", type=int, default=29_870, metavar="N", help="of the node, on loopback; its metrics are behind the next")
    return parser.parse_args()


def produce_request(value):
    """One record, acks=all, with the length before it."""
    records = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=2 * max(SIZES))
    records.append(timestamp=int(time.time() * 1_000), key=None, value=value)
    records.close()
    data = {"name": TOPIC, "partition_data": [{"index": 0, "records": bytes(records.buffer())}]}
    frame = encoded(ProduceRequest, VERSION, {"acks": -1, "timeout_ms": 30_000, "topic_data": [data]})
    return struct.pack(">i", len(frame)) + frame


#: In the answer, length included: correlation id, topics, name, partitions, index come before.
ERROR_AT = 4 + 4 + 4 + 2 + len(TOPIC) + 4 + 4


class Producer(threading.Thread):
    """Lives until a fault ends it; nothing else may."""

    def __init__(self, port, number, seed):
        super().__init__(daemon=True)
        self.port, self.random = port, random.Random(f"{seed} {number}")
        self.sent, self.acked, self.why = 0, [], ""
        self.is_struck = False
        self.requests = [produce_request(b"%06d" % number + b"." * size) for size in SIZES]

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as link:
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.end(self.until_refused(link))
        except TimeoutError:
            self.why = f"no answer within {ANSWER_SECONDS} s"
        except OSError as error:
            self.end(str(error))

    def end(self, why):
        """After a power cut, before the kill, records are refused."""
        if not self.is_struck:
            self.why = why

    def until_refused(self, link):
        while (error := self.exchange(link)) == 0:
            pass
        return "it hung up" if error is None else f"error {error}"

    def exchange(self, link):
        """The error of the answer, 0 for none; None if the node hung up."""
        self.sent += 1
        link.sendall(self.random.choice(self.requests) if self.sent % 50 == 0 else self.requests[0])
        answer, wanted = b"", 4
        while len(answer) < wanted:
            more = link.recv(4_096)
            if not more:
                return None
            answer += more
            if len(answer) >= 4:
                wanted = 4 + struct.unpack_from(">i", answer)[0]
        error, offset = struct.unpack_from(">hq", answer, ERROR_AT)
        if error == 0:
            self.acked.append(offset)
        return error


class Campaign(Verdicts):
    def __init__(self, asked):
        super().__init__()
        self.asked, self.random = asked, random.Random(asked.seed)
        self.address = f"127.0.0.1:{asked.port}"
        place = asked.directory
        self.disk = LoopDisk(place, IMAGE_MIB) if asked.power_cuts else PlainDirectory(place)
        http = f"http.listeners=http://127.0.0.1:{asked.port + 1}"
        self.node = node.alone(asked.binary, asked.port, self.disk.directory, os.path.join(place, "node.log"), [http])
        self.producers, self.here, self.commits, self.commit_seconds = [], 0, 0, 0.0

    def run(self):
        try:
            self.strike_and_judge()
        finally:
            self.disk.close()
        with open(self.asked.result, "w") as file:
            json.dump({"passed": self.passed, "failed": self.failed}, file)

    def strike_and_judge(self):
        faults = ["kill"] * self.asked.kills + ["cut"] * self.asked.power_cuts
        self.random.shuffle(faults)
        self.start()
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        config = DURABILITIES[self.asked.durability]
        admin.create_topics([NewTopic(TOPIC, 1, 1, config=config)])[TOPIC].result(ANSWER_SECONDS)
        for number, fault in enumerate(faults):
            self.producers.append(Producer(self.asked.port, number, self.asked.seed))
            self.producers[-1].start()
            time.sleep(self.random.uniform(0.2, 1.8) * self.asked.pause)
            self.note_commits()
            self.producers[-1].is_struck = True
            self.strike(fault)
            self.producers[-1].join()
            self.start()
        self.judge()
        self.node.stop()
        self.check("what lies on the disk is sound", self.node.verify())
        print(f"{len(faults)} faults, {sum(len(p.acked) for p in self.producers)} acks, {self.here} commits here")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)

    def start(self):
        self.node.launch()
        self.node.wait_ready()

    def strike(self, fault):
        if fault == "cut":
            if self.random.random() < 0.3:
                self.disk.stir(self.random)
            self.disk.cut()
            time.sleep(self.random.choice([0, 0.01]))
        self.node.kill()
        if fault == "cut":
            self.disk.unmount()
            self.disk.mount()

    def note_commits(self):
        """Since the last start."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.asked.port + 1}/metrics") as page:
            text = page.read().decode()

        def total(name):
            return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))

        self.here += int(total("ottla_log_dir_commits_here_total"))
        self.commits += int(total("ottla_log_dir_sync_seconds_count"))
        self.commit_seconds += total("ottla_log_dir_sync_seconds_sum")

    def judge(self):
        found = self.read_back()
        whys = {"order": "", "lost": "", "nowhere": "", "answer": ""}
        if found != sorted(found):
            whys["order"] = "records of an earlier producer lie behind a later one's"
        for number, producer in enumerate(self.producers):
            there = {offset for offset, of in enumerate(found) if of == number}
            if missing := [offset for offset in producer.acked if offset not in there]:
                whys["lost"] = f"producer {number}: {missing[:5]} of {len(producer.acked)} acknowledged"
            if len(there) > producer.sent:
                whys["nowhere"] = f"producer {number}: {len(there)} records, {producer.sent} sent"
            if producer.acked != sorted(set(producer.acked)):
                whys["order"] = f"producer {number} was told an offset that does not lie behind the one before"
            if producer.why or not producer.acked:
                whys["answer"] = f"producer {number}, after {len(producer.acked)} records: {producer.why}"
        self.check("no record comes from nowhere or twice", whys["nowhere"])
        self.check("records lie in the order of their producers", whys["order"])
        self.check("every producer is acknowledged what it sends until it is struck", whys["answer"])
        if self.asked.durability == "page-cache":
            # A harness that sees no loss where there must be some proves nothing.
            self.check("page-cache loses records to power cuts, and this sees it", "" if whys["lost"] else "none was lost")
            return
        self.check("every record that was acknowledged is where it was said to be", whys["lost"])
        self.judge_commits()

    def judge_commits(self):
        micros = self.commit_seconds / max(self.commits, 1) * 1e6
        if micros > FAST_COMMIT_MICROS:
            print(f"skip soak lone: commits by the thread that serves: one takes {micros:.0f} µs")
            return
        few = "" if 2 * self.here > self.commits else f"{self.here} of {self.commits}, {micros:.0f} µs each"
        self.check("the thread that serves it makes most commits", few)

    def read_back(self):
        """The numbers of the producers of all records; offsets without gaps."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "lone", "log_level": 0})
        _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), ANSWER_SECONDS)
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        found, deadline = [], time.monotonic() + ANSWER_SECONDS
        while len(found) < end and time.monotonic() < deadline:
            for message in consumer.consume(10_000, 0.2):
                if message.error() is None:
                    found += [None] * (message.offset() - len(found)) + [int(message.value()[:6])]
        consumer.close()
        gaps = [offset for offset, of in enumerate(found) if of is None]
        is_whole = len(found) == end and not gaps
        why = "" if is_whole else f"{len(found)} of {end}, gaps {gaps[:5]}"
        self.check("offsets are dense and all can be read", why)
        return [of for of in found if of is not None]


if __name__ == "__main__":
    play(Campaign, options())
