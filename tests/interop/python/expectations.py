"""Outcomes recorded from Apache Kafka, one line a case, which another server must repeat.

    # ours: why another outcome is as good
    <case>: <Kafka's outcome> [ | <outcome that is as good>]…

`UPDATE=1` against Kafka writes the file anew and keeps the alternatives with their reasons.
"""

import os

from check import AGAINST, true

UPDATING = os.environ.get("UPDATE") == "1" and AGAINST == "kafka"
BAR = " | "


class Expectations:
    def __init__(self, path):
        self.path = path
        self.lines = path.read_text().splitlines() if path.exists() else []
        self.outcomes = {}
        for line in self.lines:
            if line and not line.startswith("#"):
                case, outcomes = line.split(": ", 1)
                self.outcomes[case] = outcomes.split(BAR)
        self.found = {}

    def judge(self, case, outcome, explain="Kafka: {}; here: {}".format):
        self.found[case] = outcome
        if UPDATING:
            return
        true(case in self.outcomes, "no outcome is recorded; run with UPDATE=1 --against kafka")
        wanted = self.outcomes[case]
        if outcome not in wanted:
            raise AssertionError(explain(wanted[0], outcome))

    def write(self):
        head = [line for line in self.lines[:4] if line.startswith("#") and not line.startswith("# ours")]
        lines = head or ["# Recorded from Apache Kafka 4.2.0; see tests/interop/python/expectations.py."]
        for case, outcome in self.found.items():
            ours = self.outcomes.get(case, [])[1:]
            lines += self._reasons(case) + [f"{case}: " + BAR.join([outcome, *ours])]
        self.path.write_text("\n".join(lines) + "\n")

    def _reasons(self, case):
        at = next((i for i, line in enumerate(self.lines) if line.startswith(case + ": ")), 0)
        first = at
        while first and self.lines[first - 1].startswith("# ours: "):
            first -= 1
        return self.lines[first:at]
