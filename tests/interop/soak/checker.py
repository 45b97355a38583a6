"""Judges a history: was everything that the node acknowledged true, and did it stay true?

    checker.py DIRECTORY      reads DIRECTORY/*.history and DIRECTORY/round.json, prints JSON

It knows nothing of the workload and asks no server. `selftest.py` proves that it can say no.
"""

import bisect
import collections
import functools
import json
import os
import sys

import history
from topics import FRONT_GOES

#: Every promise that is judged, in the words of the report.
PROMISES = {
    "lost": "no acknowledged record is lost",
    "duplicated": "no idempotent producer's record is there twice",
    "reordered": "each idempotent producer's records lie in the order it sent them",
    "changed": "what was at an offset stays there",
    "hole": "offsets follow on one another",
    "unknown": "nothing is there that nobody wrote",
    "skipped": "a reader is told every record, once and in order",
    "refused": "no idempotent producer is told that its sequence is broken",
    "commit-lost": "committed group offsets and altered configs never go back",
    "diverged": "every replica holds the same log up to what clients can read",
    "topic-lost": "created topics are there, deleted ones are not",
    "start-moved": "the log start is where DeleteRecords put it and never goes back",
    "stuck": "the node takes records again once it is up and its disk has space",
    "unproven": "the run did what it was to do",
}
EXAMPLES = 5
#: Clients come back within a second or two, a disk with space within three.
PATIENCE = 4_000_000_000
#: A cluster that has lost power starts, votes, elects and is found again by its clients.
CLUSTER_PATIENCE = 12_000_000_000
#: A broker of a cluster answers for topics and configs from what it has heard, and one that was frozen
#: has heard nothing for a while.
STALE = 15_000_000_000


class Verdict:
    """Counts and examples of what was broken."""

    def __init__(self):
        self.broken = collections.Counter()
        self.examples = collections.defaultdict(list)
        self.excused = collections.Counter()
        self.seen = collections.Counter()

    def add(self, promise, why):
        self.broken[promise] += 1
        if len(self.examples[promise]) < EXAMPLES:
            self.examples[promise].append(why)

    def judge(self, excused, promise, why):
        """Broken, unless the durability that was asked for allows it."""
        if excused:
            self.excused[promise] += 1
        else:
            self.add(promise, why)

    def as_json(self):
        return {
            "broken": dict(self.broken),
            "examples": dict(self.examples),
            "excused": dict(self.excused),
            "seen": dict(self.seen),
        }


def takes_away(fault):
    """Whether it takes away what was not synced. A clean stop syncs everything before its cut."""
    return fault.startswith("cut")


class Faults:
    """When power was cut, and what was safe by then."""

    def __init__(self, lines):
        began = [fields[0] for word, fields in lines if word == "fault" and takes_away(fields[1])]
        #: When the first cut began: from then on, what is weak may be gone.
        self.first = min(began, default=1 << 62)
        ups = sorted(fields[0] for word, fields in lines if word == "up")
        #: The end of each cut: what was told before the next start may be gone.
        self.cuts = sorted(next((up for up in ups if up > when), when) for when in began)
        self.clean = sorted(fields[0] for word, fields in lines if word == "clean")

    def may_take(self, when):
        """Whether a record that was in the page cache at `when` may be gone: power was cut before a clean stop."""
        cut = next((cut for cut in self.cuts if cut > when), None)
        clean = next((clean for clean in self.clean if clean > when), None)
        return cut is not None and (clean is None or cut < clean)


class Checker:
    def __init__(self, lines, round_info):
        self.info = round_info
        self.lines = collections.defaultdict(list)
        for word, fields in lines:
            self.lines[word].append(fields)
        faults = [(word, fields) for word in ("fault", "clean", "up") for fields in self.lines[word]]
        self.faults = Faults(faults)
        self.weak = round_info["durability"] == "page-cache"
        self.clustered = round_info.get("replicas", 1) > 1
        self.stale = STALE if self.clustered else 0
        self.sessions = {session: kind for _, session, kind in self.lines["session"]}
        self.verdict = Verdict()
        self.final, self.spans = self.read_back()

    def read_back(self):
        """What lies in the logs at the end: {(topic, partition): {offset: (session, seq, key, state)}}."""
        final = collections.defaultdict(dict)
        for _, reader, topic, partition, offset, session, seq, key, state in self.lines["read"]:
            if reader == "final":
                place = (topic, partition)
                if offset in final[place]:
                    self.verdict.add("skipped", f"{topic}-{partition} told offset {offset} twice at the end")
                final[place][offset] = (session, seq, key, state)
        spans = {}
        for _, reader, topic, partition, low, high in self.lines["span"]:
            if reader == "final":
                spans[topic, partition] = (low, high)
        return final, spans

    def run(self):
        self.acknowledged()
        self.places()
        self.sequences()
        self.readers()
        self.refusals()
        self.commits()
        self.topics()
        self.log_starts()
        self.replicas()
        self.alive()
        self.proven()
        return self.verdict

    def excused(self, when, session=None):
        """Whether durability allows what was acknowledged or read at `when` to be gone."""
        if self.clustered and self.sessions.get(session) == "acks1":
            # The next leader need not have heard of it.
            return True
        weak = self.weak or self.sessions.get(session) == "acks1"
        return weak and self.faults.may_take(when)

    def shaken(self, when):
        """Whether what a weak durability promises may have been taken back by then."""
        return self.weak and self.faults.first < when

    def kind_of(self, topic):
        return self.info["topics"].get(topic, "plain")

    def acknowledged(self):
        """Every acknowledged record is where its acknowledgement said."""
        newest_key = self.newest_of_each_key()
        deleted = {topic for _, _, topic in self.lines["delete"]}
        told = {}
        for when, session, seq, topic, partition, offset, key in self.lines["ack"]:
            self.verdict.seen["acks"] += 1
            place, record = (topic, partition), (session, seq)
            excused = self.excused(when, session)
            if offset == history.NOWHERE:
                if self.kind_of(topic) == "plain" and topic not in deleted and record not in self.lying(place):
                    self.verdict.judge(excused, "lost", f"{topic}-{partition}: {record} acknowledged at {when}")
                continue
            before = told.setdefault((topic, partition, offset), (record, excused))
            if before[0] != record:
                text = f"{topic}-{partition}@{offset}: {before[0]} and {record} were both told this offset"
                self.verdict.judge(excused or before[1], "changed", text)
            low, high = self.spans.get(place, (0, 0))
            if topic in deleted or (offset < low and self.kind_of(topic) in FRONT_GOES):
                continue
            found = self.final[place].get(offset)
            if found is not None and found[:2] == record:
                continue
            text = f"{topic}-{partition}@{offset}: {record} acknowledged at {when}, found {found}, log {low}..{high}"
            if found is not None:
                self.verdict.judge(excused, "changed", text)
            elif self.kind_of(topic) == "compacted" and newest_key.get((*place, key), -1) > offset:
                continue
            self.verdict.judge(excused, "lost", text)

    @functools.cache
    def lying(self, place):
        """The records that are in a partition in the end, wherever."""
        return {record[:2] for record in self.final[place].values()}

    def newest_of_each_key(self):
        """The last offset of each key that is in a compacted log."""
        newest = {}
        for (topic, partition), records in self.final.items():
            if self.kind_of(topic) == "compacted":
                for offset, (_, _, key, _) in records.items():
                    newest[topic, partition, key] = max(offset, newest.get((topic, partition, key), -1))
        return newest

    def places(self):
        """Logs have no holes and hold only what somebody sent."""
        sent = {(session, topic, p): count for session, topic, p, count in self.lines["sent"]}
        for place, (low, high) in self.spans.items():
            offsets = self.final[place]
            self.verdict.seen["records"] += len(offsets)
            outside = [offset for offset in offsets if not low <= offset < high]
            if outside:
                self.verdict.add("hole", f"{place}: offsets {outside[:3]} outside of {low}..{high}")
            if self.kind_of(place[0]) != "compacted" and len(offsets) - len(outside) != high - low:
                missing = next(offset for offset in range(low, high) if offset not in offsets)
                self.verdict.add("hole", f"{place}: {missing} is missing between {low} and {high}")
            for offset, (session, seq, _, state) in offsets.items():
                if state != "ok" or seq >= sent.get((session, *place), 0):
                    self.verdict.add("unknown", f"{place}@{offset}: {session} {seq} {state}")

    def sequences(self):
        """Per producer and partition each record once, in the order of sending."""
        for place, records in self.final.items():
            last = {}
            for offset in sorted(records):
                session, seq, _, _ = records[offset]
                before = last.get(session)
                if before is not None and seq <= before[0]:
                    promise = "duplicated" if self.is_there(records, before, session, seq) else "reordered"
                    # A node that stops or whose disk dies refuses what it has appended with an error
                    # that says "again", as Kafka's does, and who is not idempotent writes it twice.
                    again = self.sessions.get(session) != "idempotent"
                    weak = again or (self.weak and bool(self.faults.cuts))
                    text = f"{place}: {session} {seq} at {offset} after {before[0]} at {before[1]}"
                    self.verdict.judge(weak, promise, text)
                else:
                    last[session] = (seq, offset)

    def is_there(self, records, before, session, seq):
        """Whether the same record lies below as well; looked up only once something is wrong."""
        return any(
            record[:2] == (session, seq) for offset, record in records.items() if offset <= before[1]
        )

    def readers(self):
        """What consumers were told while the node lived, against what is there in the end."""
        for when, reader, topic, partition, offset, session, seq, _, state in self.lines["read"]:
            if reader == "final":
                continue
            self.verdict.seen["reads"] += 1
            if state != "ok":
                self.verdict.add("unknown", f"{reader} {topic}-{partition}@{offset}: {session} {seq} {state}")
            self.still_there(when, reader, (topic, partition), offset, (session, seq))
        self.no_skips()
        for when, reader, topic, partition, why in self.lines["reset"]:
            if self.kind_of(topic) not in FRONT_GOES:
                text = f"{reader} lost its place in {topic}-{partition} at {when}: {why}"
                self.verdict.judge(self.shaken(when), "changed", text)

    def still_there(self, when, reader, place, offset, record):
        low, high = self.spans.get(place, (0, 0))
        found = self.final[place].get(offset)
        gone_rightly = offset < low and self.kind_of(place[0]) in FRONT_GOES
        compacted = found is None and offset < high and self.kind_of(place[0]) == "compacted"
        if gone_rightly or compacted or (found is not None and found[:2] == record):
            return
        text = f"{reader} read {record} at {place}@{offset} at {when}, in the end it is {found}, log {low}..{high}"
        # A reader may be told late what was fetched before the cut.
        excused = self.excused(when, record[0]) or self.shaken(when)
        self.verdict.judge(excused, "changed", text)

    def no_skips(self):
        """Between two assignments a reader's offsets of a partition follow on one another."""
        events = collections.defaultdict(list)
        for when, reader, topic, partition in self.lines["assign"]:
            events[reader, topic, partition].append((when, None))
        for when, reader, topic, partition, offset, *_ in self.lines["read"]:
            events[reader, topic, partition].append((when, offset))
        for (reader, topic, partition), told in events.items():
            if reader != "final" and self.kind_of(topic) == "plain":
                self.follow_on(reader, f"{topic}-{partition}", told)

    def follow_on(self, reader, place, told):
        position = None
        for when, offset in sorted(told, key=lambda event: event[0]):
            if offset is not None and position is not None and offset != position:
                text = f"{reader} at {place}: wanted {position}, was told {offset} at {when}"
                self.verdict.judge(self.shaken(when), "skipped", text)
            position = None if offset is None else offset + 1

    def refusals(self):
        for when, session, why in self.lines["fatal"]:
            self.verdict.judge(self.shaken(when), "refused", f"{session} at {when}: {why}")

    def commits(self):
        """A query is answered with at least what was acknowledged before it was asked, and with something that was asked for."""
        acked, asked = collections.defaultdict(list), collections.defaultdict(set)
        for began, ended, group, topic, partition, offset in self.lines["commit"]:
            asked[group, topic, partition].add(offset)
            if ended:
                self.verdict.seen["commits"] += 1
                acked[group, topic, partition].append((ended, offset))
        for began, answered, group, topic, partition, offset in self.lines["committed"]:
            place = (group, topic, partition)
            self.verdict.seen["committed"] += 1
            known = began - (self.stale if group == "retention.ms" else 0)
            least = max((o for ended, o in acked[place] if ended < known), default=-1)
            if offset < least:
                # A member whose records are gone begins anew, and commits less.
                text = f"{place}: {least} acknowledged, then told {offset} at {began}"
                self.verdict.judge(self.shaken(answered), "commit-lost", text)
            elif offset >= 0 and offset not in asked[place]:
                self.verdict.add("commit-lost", f"{place}: told {offset}, which nobody committed")

    def topics(self):
        """A listing holds what was created and not deleted before it was asked; names are used once."""
        deleting = {topic: (asked, acked) for asked, acked, topic in self.lines["delete"]}
        creating = {topic: (acked, partitions) for _, acked, topic, partitions in self.lines["create"]}
        for asked, answered, text in self.lines["topics"]:
            self.verdict.seen["listings"] += 1
            there = dict(pair.split("=") for pair in text.split(",") if pair)
            for topic, (acked, partitions) in creating.items():
                began, gone = deleting.get(topic, (None, 0))
                if gone and gone < asked:
                    if topic in there and gone < asked - self.stale:
                        self.verdict.add("topic-lost", f"{topic} was deleted, and is there at {asked}")
                elif acked and acked < asked - self.stale and (began is None or began > answered):
                    if there.get(topic) != str(partitions):
                        found = there.get(topic, "no")
                        text = f"{topic} was created with {partitions}, has {found} partitions at {asked}"
                        self.verdict.add("topic-lost", text)

    def log_starts(self):
        """The log start never goes back, is at least what DeleteRecords acknowledged, and nothing that nobody asked for."""
        acked, asked = collections.defaultdict(list), collections.defaultdict(set)
        for _, ended, topic, partition, offset in self.lines["trim"]:
            asked[topic, partition].add(offset)
            if ended:
                self.verdict.seen["trims"] += 1
                acked[topic, partition].append((ended, offset))
        ends = [(1 << 62, *place, low) for place, (low, _) in self.spans.items()]
        highest = {}
        for when, topic, partition, low in sorted([*self.lines["start"], *ends]):
            place = (topic, partition)
            # Retention is each replica's own business, and so is a trim until all have heard of it.
            if low < highest.get(place, 0) and not self.clustered:
                self.verdict.add("start-moved", f"{place}: {highest[place]} and then {low} at {when}")
            highest[place] = max(low, highest.get(place, 0))
            least = max((offset for ended, offset in acked[place] if ended < when), default=0)
            if low < least:
                self.verdict.add("start-moved", f"{place}: {least} acknowledged, then {low} at {when}")
            elif low > 0 and low not in asked[place] and self.kind_of(topic) != "expiring":
                self.verdict.add("start-moved", f"{place}: starts at {low}, which nobody asked for")

    def replicas(self):
        """Batch by batch, from where the last log starts to what clients were told is the end."""
        logs = collections.defaultdict(dict)
        for broker, topic, partition, first, last, epoch, checksum in self.lines["replica"]:
            logs[topic, partition].setdefault(broker, []).append((first, last, epoch, checksum))
        for place, (_, high) in self.spans.items():
            if not self.clustered or high == 0 or self.kind_of(place[0]) == "compacted":
                continue
            missing = self.info["replicas"] - len(logs[place])
            if missing:
                self.verdict.add("diverged", f"{place}: {missing} replicas have nothing")
                continue
            low = max(log[0][0] for log in logs[place].values())
            cut = {b: [x for x in log if low <= x[1] and x[0] < high] for b, log in logs[place].items()}
            self.verdict.seen["batches"] += sum(map(len, cut.values()))
            first = min(cut)
            for broker, log in cut.items():
                end = log[-1][1] + 1 if log else low
                if log != cut[first] or end < high:
                    differs = next((pair for pair in zip(log, cut[first]) if pair[0] != pair[1]), "where one ends")
                    text = f"{place}: brokers {broker} and {first} differ: {differs}, ends at {end} of {high}"
                    self.verdict.add("diverged", text)

    def proven(self):
        """A run that did nothing proves nothing."""
        wanted = {(topic, p) for topic, count in self.info["partitions"].items() for p in range(count)}
        for place in sorted(wanted - set(self.spans)):
            self.verdict.add("unproven", f"{place} was not read back")
        lives = self.lives()
        idle = sum(first is None for _, _, first in lives)
        self.verdict.seen["lives"] = len(lives)
        self.verdict.seen["lives without acks"] = idle
        for what in ("acks", "reads", "commits", "committed", "listings"):
            if self.verdict.seen[what] * 2 <= len(lives):
                self.verdict.add("unproven", f"{self.verdict.seen[what]} {what} in {len(lives)} lives")
        if idle * 4 > len(lives):
            text = f"{idle} of {len(lives)} times the node was up without an acknowledgement"
            self.verdict.add("unproven", text)

    def alive(self):
        """Long enough without a fault, the node acknowledges something."""
        for up, end, first in self.lives():
            waited = min(end, first or end) - up
            if waited > (CLUSTER_PATIENCE if self.clustered else PATIENCE):
                self.verdict.add("stuck", f"up at {up}, nothing acknowledged for {waited // 1_000_000} ms")

    def lives(self):
        """[(up, the next fault or the last line, when something was acknowledged first, or None)]."""
        acks = sorted(fields[0] for fields in self.lines["ack"])
        faults = sorted(fields[0] for fields in self.lines["fault"])
        last = max([fields[0] for fields in [*self.lines["ack"], *self.lines["fail"]]], default=0)
        lives = []
        for (up,) in sorted(self.lines["up"]):
            at, fault = bisect.bisect_left(acks, up), bisect.bisect_left(faults, up)
            end = faults[fault] if fault < len(faults) else max(up, last)
            first = acks[at] if at < len(acks) and acks[at] <= end else None
            lives.append((up, end, first))
        return lives


def check(lines, round_info):
    return Checker(lines, round_info).run()


def main():
    directory = sys.argv[1]
    with open(os.path.join(directory, "round.json")) as file:
        round_info = json.load(file)
    print(json.dumps(check(history.read(directory), round_info).as_json(), indent=1))


if __name__ == "__main__":
    main()
