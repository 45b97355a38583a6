"""What happened, as lines that are only ever appended: clients write them, `cargo xtask judge` reads them.

`docs/formats/soak-history.md` has the words and what each means to the judge.
"""

import os
import threading
import time
import zlib

FIELDS = {
    "round": "sn", "topic": "ssn", "group": "ss",
    "session": "nss", "ack": "nsnsnnsn", "fail": "nsnsnsn", "fatal": "nss", "sent": "ssnn",
    "assign": "nssn", "read": "nssnnsnss", "reset": "nssns", "span": "nssnnn",
    "commit": "nnssnn", "committed": "nnssnn", "commit-end": "nssnn", "owner": "nsssn",
    "create": "nnsn", "delete": "nns", "topics": "nns", "topics-end": "ns", "trim": "nnsnn", "start": "nsnn", "replica": "nsnnnnn", "fault": "ns", "up": "n", "clean": "n", "healed": "n",
}  # fmt: skip

now = time.monotonic_ns
NOWHERE = -1


class History:
    """One file of lines; threads may share it."""

    def __init__(self, directory, name):
        self.file = open(os.path.join(directory, f"{name}.history"), "a", buffering=1 << 16)
        self.lock = threading.Lock()

    def write(self, word, *fields):
        line = "\t".join([word, *map(str, fields)]) + "\n"
        with self.lock:
            self.file.write(line)

    def flush(self):
        with self.lock:
            self.file.flush()

    def close(self):
        with self.lock:
            self.file.close()


def read(directory):
    """Every line of a directory's histories as (word, fields), file by file."""
    for name in sorted(os.listdir(directory)):
        if name.endswith(".history"):
            with open(os.path.join(directory, name)) as file:
                for line in file:
                    yield parse(line)


def parse(line):
    word, *fields = line.rstrip("\n").split("\t")
    kinds = FIELDS[word]
    if len(kinds) != len(fields):
        raise ValueError(f"{len(fields)} fields in {line!r}, {word} has {len(kinds)}")
    return word, tuple(int(text) if kind == "n" else text for kind, text in zip(kinds, fields))


def unparse(word, fields):
    return "\t".join([word, *map(str, fields)]) + "\n"


def payload(session, topic, partition, seq, size):
    """Bytes that say what they are and would show a change of any of them."""
    body = b"%s|%s|%d|%d|" % (session.encode(), topic.encode(), partition, seq)
    body += bytes([65 + seq % 26]) * max(0, size - len(body) - 9)
    return b"%08x|" % zlib.crc32(body) + body


def identify(value, topic, partition):
    """(session, seq, state) of bytes that somebody read at this place."""
    try:
        crc, body = value[:8], value[9:]
        session, wrote_topic, wrote_partition, seq, _ = body.split(b"|", 4)
        session, seq = session.decode(), int(seq)
        place, crc = (wrote_topic.decode(), int(wrote_partition)), int(crc, 16)
    except (ValueError, TypeError):
        return "?", 0, "garbled"
    if crc != zlib.crc32(body):
        return session, seq, "garbled"
    return session, seq, "ok" if place == (topic, partition) else "misplaced"
