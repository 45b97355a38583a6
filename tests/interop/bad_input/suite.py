"""Bad input: the server answers as Apache Kafka 4.2 does, and serves the next client all the same.

`expectations.txt` holds what Apache Kafka did, as expectations.py says. An outcome is `closed`, `silent`
(nothing came and the connection stays), `ok`, or `error` with Kafka's codes.
"""

import itertools
import pathlib
import resource
import sys

from kafka.protocol.admin import CreateTopicsRequest
from kafka.protocol.metadata import MetadataRequest

import framing
import produce
import recreated
import requests
import wire
from check import Suite, equal, name, until
from expectations import UPDATING, Expectations
from raw_client import RawClient

suite = Suite("bad-input")
IDLE_CONNECTIONS = 10_000
expectations = Expectations(pathlib.Path(__file__).with_name("expectations.txt"))


def setup():
    topics = [{"name": name("bad"), "num_partitions": 2, "replication_factor": 1},
        {"name": name("bad"), "num_partitions": 1, "replication_factor": 1,
            "configs": [{"name": "cleanup.policy", "value": "compact"}]}]
    wire.ask(CreateTopicsRequest, 4, timeout_ms=10_000, topics=topics)
    answer = RawClient().ask(MetadataRequest, 12, topics=[{"name": topics[0]["name"]}])
    warm_up(topics[0]["name"])
    return topics[0]["name"], answer.topics[0].topic_id, topics[1]["name"]


def warm_up(topic):
    """The coordinator's first answers may be that it is loading; none of our cases is about that."""
    member = {"group_id": requests.GROUP, "generation_id": 3, "member_id": "stranger"}
    settled = lambda: wire.ask(requests.HeartbeatRequest, 3, **member) == "error 25"
    find = lambda: wire.ask(requests.FindCoordinatorRequest, 2, key=requests.GROUP, key_type=0)
    until("a coordinator", lambda: find() == "ok" and settled())
    data = {"name": topic, "partition_data": [{"index": 0, "records": wire.batch()}]}
    first = {"acks": -1, "timeout_ms": 5_000, "topic_data": [data]}
    until("a leader", lambda: wire.ask(produce.ProduceRequest, 9, **first) == "ok")


def still_serves():
    equal(wire.ask(MetadataRequest, 9, topics=[], allow_auto_topic_creation=False), "ok",
        "Metadata afterwards")


def add(case, act):
    def check():
        quiet = "silent" in expectations.outcomes.get(case, [])
        wire.Connection.patience = 2 if quiet else 10
        outcome = act()
        wire.Connection.patience = 10
        still_serves()
        expectations.judge(case, outcome)

    suite.add("_".join(case.split()), check)


def connections(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
    made = []
    while len(made) < count:
        made += [wire.Connection() for _ in range(25)]
        # An answer proves that the server has accepted these; more at once would overrun its backlog of 50.
        equal(wire.outcome(made[-1].frame(wire.header(18, 0)), 18, 0), "ok", "ApiVersions")
    return made


def many_idle_connections():
    idle = connections(IDLE_CONNECTIONS)
    try:
        still_serves()
        last = idle[-1].frame(wire.header(18, 0))
        equal(wire.outcome(last, 18, 0), "ok", "ApiVersions on the last of them")
    finally:
        for connection in idle:
            connection.socket.close()
    still_serves()


def half_open_connections():
    """Requests whose senders are gone before the answer, and halves of requests from those that stay."""
    for _ in range(200):
        with wire.Connection() as connection:
            connection.frame(wire.encoded(MetadataRequest, 9, {"topics": None}))
    waiting = [wire.Connection().send(b"\0\0\1\0half of a frame") for _ in range(200)]
    still_serves()
    for connection in waiting:
        connection.socket.close()


def a_client_that_does_not_read():
    """Its answers pile up on its side of the bargain only."""
    greedy = wire.Connection()
    greedy.socket.settimeout(1)
    frame = wire.encoded(requests.DescribeConfigsRequest, 1,
        {"resources": [{"resource_type": 4, "resource_name": "1", "configuration_keys": None}]})
    for _ in range(3_000):
        try:
            greedy.socket.sendall(len(frame).to_bytes(4, "big") + frame)
        except OSError:
            # The server stopped reading, which is how it pushes back.
            break
    still_serves()
    greedy.socket.close()
    still_serves()


topic, topic_id, compacted = setup()
everything = (framing.cases(), requests.cases(topic, topic_id), produce.cases(topic, compacted),
    recreated.cases())
for case, act in itertools.chain(*everything):
    add(case, act)
suite.check(half_open_connections)
suite.check(a_client_that_does_not_read)
suite.add(f"{IDLE_CONNECTIONS}_idle_connections", many_idle_connections)
if UPDATING and not sys.argv[1:]:
    suite.add("expectations_written", expectations.write)
suite.main()
