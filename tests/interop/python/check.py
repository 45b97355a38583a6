"""The result protocol of the suites: one line per check, exit 1 when any failed.

    ok <client> <check>
    FAIL <client> <check>: why
    skip <client> <check>: why
"""

import os
import signal
import sys
import threading
import time
import traceback
import uuid

#: One check that takes longer than this hangs.
CHECK_SECONDS = 60

BOOTSTRAP = os.environ.get("INTEROP_BOOTSTRAP", "127.0.0.1:9092")
AGAINST = os.environ.get("INTEROP_AGAINST", "ottla")
RUN = uuid.uuid4().hex[:8]


class Skip(Exception):
    """A check that cannot be made here, and why."""


class TookTooLong(BaseException):
    """Not an Exception, so that a client's own retry loops do not swallow it."""


def name(what):
    """A topic or group name of this run only, so that suites can share a server."""
    return f"{what}-{RUN}-{uuid.uuid4().hex[:6]}"


def equal(found, wanted, what="value"):
    if found != wanted:
        raise AssertionError(f"{what}: wanted {short(wanted)}, found {short(found)}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def short(value):
    text = repr(value)
    return text if len(text) < 300 else text[:300] + "…"


def until(what, condition, seconds=20):
    """Polls an outside state that announces itself to nobody; returns the first truthy answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)


class Suite:
    """Collects the functions marked `@suite.check` and runs them in the order of their definition."""

    def __init__(self, client):
        self.client = client
        self.checks = []

    def check(self, function):
        self.checks.append((function.__name__, function))
        return function

    def add(self, name_of_check, function):
        self.checks.append((name_of_check, function))

    def main(self):
        """Runs the checks (or those whose name contains an argument) and ends the process."""
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
        failed = 0
        for check, function in self.checks:
            if sys.argv[1:] and not any(part in check for part in sys.argv[1:]):
                continue
            line, good = self._run(check, function)
            failed += not good
            print(line, flush=True)
        sys.stdout.flush()
        # Clients leave threads behind that would keep the process; what was to be said is said.
        os._exit(1 if failed else 0)

    def _run(self, check, function):
        signal.signal(signal.SIGALRM, _took_too_long)
        signal.alarm(CHECK_SECONDS)
        try:
            function()
            return f"ok {self.client} {check}", True
        except Skip as why:
            return f"skip {self.client} {check}: {why}", True
        except TookTooLong:
            traceback.print_exc()
            return f"FAIL {self.client} {check}: took more than {CHECK_SECONDS} s", False
        except Exception as error:
            traceback.print_exc()
            why = " ".join(f"{type(error).__name__}: {error}".split())
            return f"FAIL {self.client} {check}: {why[:600]}", False
        finally:
            signal.alarm(0)


def _took_too_long(_signal, _frame):
    raise TookTooLong()


def _end_with_parent(parent):
    # A runner that was interrupted leaves no suites behind.
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
