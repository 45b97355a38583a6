"""Reads every record that is in the logs at the end, and what topics and groups there are, as a client that knows nothing of what went before.

    readback.py DIRECTORY     writes DIRECTORY/final.history
"""

import json
import os
import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

import history
from readers import identity, listed, retention
from topics import GROUPS, RETENTION

#: Without a record for so long the rest will not come.
PATIENCE_SECONDS = 20


def surviving_topics(directory, round_info):
    """The topics of the round, and those that were created by the way and that nobody asked to delete."""
    partitions = dict(round_info["partitions"])
    deleted = set()
    for word, fields in history.read(directory):
        if word == "create" and fields[1]:
            partitions.setdefault(fields[2], fields[3])
        elif word == "delete":
            deleted.add(fields[2])
    return {topic: count for topic, count in partitions.items() if topic not in deleted}


def spans(client, partitions):
    """{(topic, partition): (low, high)} of all that the node tells of."""
    found = {}
    for topic, count in partitions.items():
        for p in range(count):
            try:
                found[topic, p] = client.get_watermark_offsets(TopicPartition(topic, p), timeout=PATIENCE_SECONDS)
            except KafkaException as error:
                # Without its span the judge calls it lost.
                print(f"{topic}-{p}: {error}", file=sys.stderr)
    return found


def read_back(client, partitions, log):
    """Reads every partition up to its end, as far as it comes."""
    ends = spans(client, partitions)
    client.assign([TopicPartition(topic, p, low) for (topic, p), (low, _) in ends.items()])
    waiting, heard = set(ends), time.monotonic()
    while waiting and time.monotonic() - heard < PATIENCE_SECONDS:
        for message in client.consume(1_000, timeout=0.5):
            place, error = (message.topic(), message.partition()), message.error()
            if error is None:
                heard = time.monotonic()
                log.write("read", history.now(), "final", *place, message.offset(), *identity(message))
            elif error.code() == KafkaError._PARTITION_EOF and message.offset() >= ends[place][1]:
                waiting.discard(place)
            elif error.code() != KafkaError._PARTITION_EOF:
                print(f"{place}: {error.str()}", file=sys.stderr)
    for place in set(ends) - waiting:
        log.write("span", history.now(), "final", *place, *ends[place])
    for place in sorted(waiting):
        print(f"{place}: not read to its end {ends[place]}", file=sys.stderr)


def what_stands(round_info, log):
    """Topics, and what groups have committed."""
    client = {"bootstrap.servers": round_info["bootstrap"], "log_level": 0}
    admin = AdminClient(client)
    log.write("topics-end", history.now(), listed(admin))
    log.write("commit-end", history.now(), *RETENTION, retention(admin))
    for group in GROUPS:
        consumer = Consumer({**client, "group.id": group})
        places = [TopicPartition("shared", p) for p in range(round_info["partitions"]["shared"])]
        for place in consumer.committed(places, timeout=PATIENCE_SECONDS):
            if place.error is None:
                offset = max(place.offset, -1)
                log.write("commit-end", history.now(), group, "shared", place.partition, offset)
        consumer.close()


def main():
    directory = sys.argv[1]
    with open(os.path.join(directory, "round.json")) as file:
        round_info = json.load(file)
    client = Consumer({
        "bootstrap.servers": round_info["bootstrap"],
        "group.id": "final",
        "auto.offset.reset": "error",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "check.crcs": True,
        "log_level": 0,
    })
    log = history.History(directory, "final")
    read_back(client, surviving_topics(directory, round_info), log)
    what_stands(round_info, log)
    log.close()
    client.close()


if __name__ == "__main__":
    main()
