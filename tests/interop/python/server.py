"""Starts, kills and restarts the server under test, for the suites that own theirs."""

import os
import signal
import subprocess
import threading

from check import true

READY_MARKS = ("Kafka Server started", "started (kafka.server.KafkaServer)")
READY_SECONDS = 90


class Server:
    """The process that the runner described in INTEROP_START, one line a word."""

    def __init__(self, *extra):
        self.argv = os.environ["INTEROP_START"].split("\n") + list(extra)
        self.log = os.path.join(os.environ["INTEROP_RUN_DIR"], f"owned-server-{os.getpid()}.log")
        self.process = None

    def start(self):
        ready = threading.Event()
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self._follow, args=(self.process, ready), daemon=True).start()
        true(ready.wait(READY_SECONDS), f"the server did not become ready, see {self.log}")
        true(self.process.poll() is None, f"the server ended while it started, see {self.log}")
        return self

    def _follow(self, process, ready):
        with open(self.log, "ab") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                if any(mark in line.decode(errors="replace") for mark in READY_MARKS):
                    ready.set()
        # Its end wakes the one who waits for its readiness, too.
        ready.set()

    def kill(self):
        """kill -9: no farewell, no flush, no checkpoint."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM, as `kafka-server-stop` does; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)
