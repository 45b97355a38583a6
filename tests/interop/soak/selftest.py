"""The checker judges a history that is true, and the same one with a lie in it: each lie must be found.

    selftest.py     prints a line a lie
"""

import sys

import checker

CLEAN, CUT, UP = 5_000, 6_000, 6_100
INFO = {
    "durability": "default",
    "topics": {"shared": "plain", "latest": "compacted", "trimmed": "trimmed"},
    "partitions": {"shared": 2, "latest": 1, "trimmed": 1},
}
RECORDS = 20


def true_history():
    """Two producers share the partitions of a topic, a reader and a group follow, and power is cut in the middle."""
    lines = [("up", (10,)), ("fault", (CUT, "cut")), ("up", (UP,))]
    lines += [("session", (1, name, kind)) for name, kind in (("a", "idempotent"), ("b", "plain"), ("w", "acks1"))]
    for topic, count in INFO["partitions"].items():
        lines.append(("create", (2, 3, topic, count)))
    for partition in range(2):
        lines += plain_partition(partition)
    lines += compacted_partition() + trimmed_partition() + asked_by_the_way()
    return lines


def when(i):
    """Half of everything is before the cut."""
    return 1_000 + 100 * i + (1_000 if 1_000 + 100 * i >= CUT else 0) if i < 40 else 20_000 + i


def record(i):
    return ("a", "b")[i % 2], i // 2


def plain_partition(partition):
    place, lines = ("shared", partition), [("assign", (500, "r", "shared", partition))]
    for i in range(2 * RECORDS):
        session, seq = record(i)
        lines.append(("ack", (when(i) * 10, session, seq, *place, i, "-")))
        lines.append(("read", (when(i) * 10 + 5, "r", *place, i, session, seq, "-", "ok")))
        lines.append(("read", (900_000, "final", *place, i, session, seq, "-", "ok")))
        if i % 5 == 4:
            lines.append(("commit", (when(i) * 10 + 6, when(i) * 10 + 7, "g", *place, i + 1)))
            lines.append(("committed", (when(i) * 10 + 8, when(i) * 10 + 9, "g", *place, i + 1)))
    lines += [("sent", (name, *place, RECORDS)) for name in "ab"]
    lines.append(("span", (900_001, "final", *place, 0, 2 * RECORDS)))
    return lines


def compacted_partition():
    """Ten records of three keys, of which the last of each is left."""
    lines = [("sent", ("a", "latest", 0, 10)), ("span", (900_001, "final", "latest", 0, 0, 10))]
    for i in range(10):
        lines.append(("ack", (2_000 + i, "a", i, "latest", 0, i, f"k{i % 3}")))
        if i >= 7:
            lines.append(("read", (900_000, "final", "latest", 0, i, "a", i, f"k{i % 3}", "ok")))
    return lines


def trimmed_partition():
    lines = [("sent", ("a", "trimmed", 0, 10)), ("span", (900_001, "final", "trimmed", 0, 4, 10))]
    lines += [("ack", (2_000 + i, "a", i, "trimmed", 0, i, "-")) for i in range(10)]
    lines += [("read", (900_000, "final", "trimmed", 0, i, "a", i, "-", "ok")) for i in range(4, 10)]
    return [*lines, ("trim", (2_100, 2_200, "trimmed", 0, 4)), ("start", (2_300, "trimmed", 0, 4))]


def asked_by_the_way():
    listed = "shared=2,latest=1,trimmed=1"
    return [
        ("create", (3_000, 3_100, "brief", 3)),
        ("topics", (3_200, 3_300, f"{listed},brief=3")),
        ("topics", (3_310, 3_320, f"{listed},brief=3")),
        ("delete", (3_400, 3_500, "brief")),
        ("topics", (70_000, 70_100, listed)),
    ]


def final(topic, offset):
    """Matches the record that is read back there, from partition 0."""
    return lambda word, f: word == "read" and f[1] == "final" and f[2:5] == (topic, 0, offset)


def only(word, matches):
    return lambda found, fields: found == word and matches(fields)


def drop(lines, matches):
    return [line for line in lines if not matches(*line)]


def change(lines, matches, at, value):
    """The lines that match with another value in field `at`."""

    def changed(fields):
        return (*fields[:at], value(fields[at]) if callable(value) else value, *fields[at + 1 :])

    return [(word, changed(fields)) if matches(word, fields) else (word, fields) for word, fields in lines]


def swapped(lines):
    """The records at offsets 10 and 12 of a partition, both of one producer, have changed places."""
    found = {offset: f for w, f in lines for offset in (10, 12) if final("shared", offset)(w, f)}
    rest = drop(drop(lines, final("shared", 10)), final("shared", 12))
    pairs = [(10, found[12]), (12, found[10])]
    return [*rest, *(("read", (*f[:4], offset, *f[5:])) for offset, f in pairs)]


def torn_off(lines):
    """The log ends below what was acknowledged."""
    kept = drop(drop(lines, final("shared", 39)), final("shared", 38))
    return change(kept, only("span", lambda f: f[2:4] == ("shared", 0)), 5, 38)


def weak_then_torn(lines):
    """acks=1 before a clean stop, which keeps it, and the cut comes after."""
    extra = [("ack", (4_000, "w", 0, "shared", 0, 40, "-")), ("sent", ("w", "shared", 0, 1)), ("clean", (CLEAN,))]
    return [*lines, *extra]


def of(topic, offset=None):
    """Matches acknowledgements of partition 0."""
    return only("ack", lambda f: f[3:5] == (topic, 0) and offset in (None, f[5]))


#: (what was done, the promise that is broken by it, the change)
LIES = [
    ("a record that is gone from the middle", "lost", lambda h: drop(h, final("shared", 8))),
    ("a hole", "hole", lambda h: drop(h, final("shared", 8))),
    ("an end that is torn off", "lost", torn_off),
    ("a read record that is torn off", "changed", torn_off),
    ("a record that is there twice", "duplicated", lambda h: change(h, final("shared", 12), 6, 5)),
    ("two records that changed places", "reordered", swapped),
    ("another record at an acknowledged offset", "changed", lambda h: change(h, final("shared", 8), 5, "b")),
    ("an acknowledgement with another offset", "lost", lambda h: change(h, of("shared", 39), 5, 40)),
    (
        "an acknowledgement without an offset of what is gone",
        "lost",
        lambda h: drop(change(h, of("shared", 39), 5, -1), final("shared", 39)),
    ),
    ("two acknowledgements of one offset", "changed", lambda h: change(h, of("trimmed", 1), 5, 2)),
    ("a record that nobody sent", "unknown", lambda h: change(h, only("sent", lambda f: f[0] == "b"), 3, 19)),
    ("bytes that changed", "unknown", lambda h: change(h, final("shared", 8), 8, "garbled")),
    ("a record of another partition", "unknown", lambda h: change(h, final("shared", 8), 8, "misplaced")),
    (
        "a read that was skipped",
        "skipped",
        lambda h: drop(h, only("read", lambda f: f[1] == "r" and f[4] == 8)),
    ),
    (
        "another value told to a reader",
        "changed",
        lambda h: change(h, only("read", lambda f: f[1:5] == ("r", "shared", 0, 8)), 6, 5),
    ),
    ("a reader whose place is gone", "changed", lambda h: [*h, ("reset", (7_000, "r", "shared", 0, "range"))]),
    ("a refused sequence", "refused", lambda h: [*h, ("fatal", (7_000, "a", "OUT_OF_ORDER"))]),
    (
        "a commit that went back",
        "commit-lost",
        lambda h: change(h, only("committed", lambda f: f[5] == 20), 5, 15),
    ),
    ("a commit that is gone", "commit-lost", lambda h: change(h, only("committed", lambda f: f[5] == 20), 5, -1)),
    (
        "a commit that nobody made",
        "commit-lost",
        lambda h: change(h, only("committed", lambda f: f[5] == 20), 5, 22),
    ),
    (
        "a topic that is gone",
        "topic-lost",
        lambda h: change(h, only("topics", lambda f: "brief" in f[2]), 2, "shared=2,latest=1,trimmed=1"),
    ),
    (
        "a topic with fewer partitions",
        "topic-lost",
        lambda h: change(h, only("topics", lambda f: "brief" in f[2]), 2, lambda text: text.replace("=3", "=2")),
    ),
    (
        "a deleted topic that is back",
        "topic-lost",
        lambda h: change(h, only("topics", lambda f: f[0] == 70_000), 2, lambda text: text + ",brief=3"),
    ),
    ("a log start that went back", "start-moved", lambda h: change(h, only("start", lambda f: True), 3, 2)),
    (
        "a log start that ran ahead",
        "start-moved",
        lambda h: change(h, only("span", lambda f: f[2] == "trimmed"), 4, 6),
    ),
    ("the last value of a key that is gone", "lost", lambda h: drop(h, final("latest", 7))),
    ("what a clean stop had to keep", "lost", weak_then_torn),
    ("a partition that was not read back", "unproven", lambda h: drop(h, lambda w, f: w == "span" and f[3] == 1)),
    ("a run without acknowledgements", "unproven", lambda h: drop(h, lambda w, f: w == "ack")),
    ("a node that is up and idle", "unproven", lambda h: [*h, *(("up", (800_000 + i,)) for i in range(3))]),
    (
        "a node that stays idle",
        "stuck",
        lambda h: [*h, ("up", (1_000_000,)), ("fail", (5_000_000_000, "b", 20, "shared", 0, "error"))],
    ),
]  # fmt: skip


def excuses():
    """What a weaker durability allows is not called broken, and is counted."""
    verdict = checker.check(change(true_history(), of("shared", 39), 5, -1), INFO)
    yield "nothing in an acknowledgement without an offset", f"{dict(verdict.examples)}" if verdict.broken else ""
    weak = {**INFO, "durability": "page-cache"}
    verdict = checker.check([line for line in torn_off(true_history())], weak)
    late = "lost after the last cut must not be excused"
    yield "loss after the last cut under page-cache", "" if verdict.broken["lost"] else late
    early = change(torn_off(true_history()), of("shared"), 0, 5_500)
    verdict = checker.check(early, weak)
    told = f"excused {dict(verdict.excused)}, broken {dict(verdict.broken)}"
    yield "that page-cache may lose to a cut", "" if verdict.excused["lost"] and not verdict.broken["lost"] else told


def results():
    """(what was to be found, why it was not or '')"""
    verdict = checker.check(true_history(), INFO)
    yield "nothing in a true history", f"it found {dict(verdict.examples)}" if verdict.broken else ""
    for what, promise, lie in LIES:
        verdict = checker.check(lie(true_history()), INFO)
        yield what, "" if verdict.broken[promise] else f"wanted {promise}, found {dict(verdict.broken)}"
    yield from excuses()


def main():
    failed = 0
    for what, why in results():
        failed += bool(why)
        print(f"FAIL soak the checker finds {what}: {why}" if why else f"ok soak the checker finds {what}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
