"""What the campaigns share: they count what they check, and an interrupt ends them."""

import os
import shutil
import signal
import sys


class Verdicts:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, why=""):
        if why:
            self.failed += 1
            print(f"FAIL soak {name}: {why}", flush=True)
        else:
            self.passed += 1
            print(f"ok soak {name}", flush=True)


def interrupted(_signal, _frame):
    raise KeyboardInterrupt


def play(campaign, asked):
    """Makes a campaign in a directory that is empty, runs it, and ends the process as it went."""
    signal.signal(signal.SIGTERM, interrupted)
    shutil.rmtree(asked.directory, ignore_errors=True)
    os.makedirs(asked.directory)
    campaign = campaign(asked)
    try:
        campaign.run()
    except KeyboardInterrupt:
        print("interrupted")
        sys.exit(130)
    sys.exit(1 if campaign.failed else 0)
