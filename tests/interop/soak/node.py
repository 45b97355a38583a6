"""The node under test as a process."""

import ctypes
import json
import os
import signal
import subprocess
import time
from functools import partial

from network import enter

READY_MARK = b"Kafka Server started"
READY_SECONDS = 30
STOP_SECONDS = 30
VERIFY_SECONDS = 60
PR_SET_PDEATHSIG = 1


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class NotReady(Exception):
    """The node did not come up."""


def begins(room):
    """Between fork and exec of what is to live in a network namespace, or in this one."""
    if room is not None:
        enter(room)
    die_with_parent()


def alone(binary, port, data_directory, log_path, overrides):
    """`ottla dev` on one port."""
    argv = [binary, "dev", "--port", str(port), "--data-dir", data_directory]
    for override in overrides:
        argv += ["--override", override]
    return Node(argv, data_directory, log_path)


class Node:
    """An `ottla` with one data directory, started again and again; its output is kept."""

    def __init__(self, argv, data_directory, log_path, room=None):
        self.argv, self.room = argv, room
        self.data_directory, self.log_path, self.process = data_directory, log_path, None
        self.log_from = 0

    def launch(self):
        """Starts it and does not wait."""
        self.log_from = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=partial(begins, self.room)
            )

    def wait_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        with open(self.log_path, "rb") as log:
            log.seek(self.log_from)
            told = b""
            while READY_MARK not in told:
                if self.process.poll() is not None:
                    raise NotReady(f"it ended with {self.process.returncode} while it started")
                if time.monotonic() > deadline:
                    raise NotReady(f"it was not ready after {READY_SECONDS} s")
                time.sleep(0.002)
                told += log.read()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def freeze_between_calls(self):
        """Stops it once no thread is inside the kernel: what it has been told so far is true."""
        self.freeze()
        deadline = time.monotonic() + STOP_SECONDS
        while not all(self.is_stopped(thread) for thread in os.listdir(f"/proc/{self.process.pid}/task")):
            if time.monotonic() > deadline:
                raise NotReady("it did not stop within a system call")
            time.sleep(0.001)

    def is_stopped(self, thread):
        try:
            with open(f"/proc/{self.process.pid}/task/{thread}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] == "T"
        except FileNotFoundError:
            return True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """kill -9: no farewell, no flush, no checkpoint."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; the exit code, or None when it did not end."""
        self.ask_to_stop()
        return self.ended()

    def ask_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def ended(self):
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def verify(self):
        """What no start puts right in the directory of the stopped node, as `ottla log verify` sees it, or ""."""
        argv = [self.argv[0], "log", "verify", "-o", "json", self.data_directory]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=VERIFY_SECONDS)
        try:
            found = json.loads(done.stdout)
        except ValueError:
            return f"log verify ended with {done.returncode}: {done.stderr[:500]}"
        return f"log verify: {found['findings'][:3]}" if found["damages"] else ""

    def alive(self):
        return self.process is not None and self.process.poll() is None
