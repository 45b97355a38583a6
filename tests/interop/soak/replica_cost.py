"""What three replicas cost in CPU time beside one: the same records to a topic of each kind in turn."""

import os
import statistics
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cluster import NODES

PARTITIONS = 12
RECORD_BYTES = 1000
RECORDS = 200_000
FLUSH_SECONDS = 120
CREATE_SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(cluster):
    """Of all nodes together, all threads."""
    total = 0
    for node in NODES:
        with open(f"/proc/{cluster.nodes[node].process.pid}/stat") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        total += int(user) + int(system)
    return total / TICKS


def one_round(cluster, topic):
    producer = Producer({"bootstrap.servers": cluster.bootstrap(), "acks": "all", "linger.ms": 5, "log_level": 0})
    noise = os.urandom(2 * RECORD_BYTES)
    failed = []

    def told(error, _record):
        if error:
            failed.append(error)

    before = cpu_seconds(cluster)
    for number in range(RECORDS):
        at = number % RECORD_BYTES
        while True:
            try:
                producer.produce(topic, noise[at : at + RECORD_BYTES], partition=number % PARTITIONS, callback=told)
                break
            except BufferError:
                producer.poll(0.01)
        producer.poll(0)
    if producer.flush(FLUSH_SECONDS) or failed:
        raise SystemExit(f"records failed or were not acknowledged within {FLUSH_SECONDS} s: {failed[:1]}")
    return (cpu_seconds(cluster) - before) / (RECORDS * RECORD_BYTES / 1e9)


def measure(cluster, rounds):
    """Medians in CPU seconds of all nodes a GB of records, and that of the ratios of one round each."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap(), "log_level": 0})
    topics = {1: "cost-of-one", 3: "cost-of-three"}
    for replicas, topic in topics.items():
        rules = {"min.insync.replicas": str(min(replicas, 2))}
        new = NewTopic(topic, num_partitions=PARTITIONS, replication_factor=replicas, config=rules)
        admin.create_topics([new], operation_timeout=CREATE_SECONDS)[topic].result(CREATE_SECONDS)
    time.sleep(1)
    for topic in topics.values():
        one_round(cluster, topic)
    costs = {replicas: [] for replicas in topics}
    for _ in range(rounds):
        for replicas, topic in topics.items():
            costs[replicas].append(round(one_round(cluster, topic), 3))
    ratios = [three / one for one, three in zip(costs[1], costs[3], strict=True)]
    for replicas, each in costs.items():
        print(f"CPU-s/GB, {replicas} replica(s): {statistics.median(each):.2f} {each}", flush=True)
    print(f"three of one: {statistics.median(ratios):.2f} [{min(ratios):.2f}..{max(ratios):.2f}]", flush=True)
    return {"one": costs[1], "three": costs[3], "ratio": round(statistics.median(ratios), 2)}
