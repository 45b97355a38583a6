"""What lies in the log of each replica of a cluster that has stopped, batch by batch, as the files have it.

Kafka's record batch, version 2: base offset, length, leader epoch, magic, checksum, attributes, last
offset delta (`docs/formats`). A follower writes the bytes that its leader sent, so equal logs are
equal batches.
"""

import os
import struct

HEAD = struct.Struct(">qiibIhi")
LENGTH_FROM = 12


def batches(path):
    """(first offset, last offset, leader epoch, checksum) of each batch in a segment."""
    with open(path, "rb") as file:
        content = file.read()
    at = 0
    while at + HEAD.size <= len(content):
        base, length, epoch, _magic, checksum, _attributes, delta = HEAD.unpack_from(content, at)
        if length <= 0 or at + LENGTH_FROM + length > len(content):
            return
        yield base, base + delta, epoch, checksum
        at += LENGTH_FROM + length


def partitions(directory):
    """(topic, partition, path) of each partition that clients can have written to."""
    for name in sorted(os.listdir(directory)):
        topic, _, partition = name.rpartition("-")
        path = os.path.join(directory, name)
        if topic and partition.isdigit() and not topic.startswith("__") and os.path.isdir(path):
            yield topic, int(partition), path


def write_down(broker, directory, log):
    for topic, partition, path in partitions(directory):
        for segment in sorted(name for name in os.listdir(path) if name.endswith(".log")):
            for batch in batches(os.path.join(path, segment)):
                log.write("replica", broker, topic, partition, *batch)
