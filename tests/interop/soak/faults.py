"""What is done to the node. Each fault ends with a node that is up.

    kill          kill -9 under load
    kill-starting kill -9 under load, and again while it starts
    cut           the power goes: nothing that was not synced is there afterwards
    cut-alive     the disk goes first and the node lives on for a moment: it must not acknowledge from memory
    cut-starting  a cut, and another one while the node recovers
    cut-stirred   a cut after some files, in no order, have reached the disk
    cut-journal   a cut that still writes the journal of the file system: names and sizes without much content
    stop          SIGTERM under load
    stop-cut      SIGTERM under load, and the power goes as soon as the process has ended
    fill          something else takes all space, and gives it back after a while
    fill-kill     kill -9 while the disk is full, a start that meets it full, and one when there is space
    failing       the disk takes no block that it has not had before, and is mended; the file system stays mounted
    failing-cut   the same, and when the node is up again the power goes
"""

import time

from disk import LOGFLUSH

KILLS = {"kill": 8, "kill-starting": 2}
CUTS = {"cut": 9, "cut-alive": 3, "cut-starting": 2, "cut-stirred": 3, "cut-journal": 1, "stop-cut": 2}
FILLS = {"fill": 2, "fill-kill": 1}
FAILURES = {"failing-cut": 2, "failing": 1}
#: After these so long, for the node to come to itself and the checker to see it.
PAUSES = {"fill": 5}
#: A start takes milliseconds; a fault is to meet it at any point.
START_SECONDS = 0.02
#: So long a node may serve on a disk that is gone.
ALIVE_SECONDS = 0.3
#: So long a disk fails: the kernel writes back what nobody syncs within seconds.
FAILING_SECONDS = (0.2, 3)


def plan(rng, asked):
    """The faults of a round, in the order of their coming."""
    some = [
        *deal(rng, KILLS, asked.kills),
        *deal(rng, CUTS, asked.power_cuts),
        *["stop"] * asked.stops,
        *deal(rng, FILLS, asked.fills),
        *deal(rng, FAILURES, asked.disk_failures),
    ]
    rng.shuffle(some)
    return some


def deal(rng, weights, count):
    """Each kind once, the common ones first; then as chance and their weights have it."""
    once = sorted(weights, key=weights.get, reverse=True)[:count]
    return once + rng.choices(list(weights), weights.values(), k=count - len(once))


class Faults:
    def __init__(self, node, disk, log, rng):
        self.node, self.disk, self.log, self.rng = node, disk, log, rng
        #: Sentences about what went wrong beside what clients can see.
        self.complaints = []

    def happen(self, kind):
        getattr(self, kind.replace("-", "_"))()

    def start(self):
        self.node.launch()
        self.node.wait_ready()
        self.log.write("up", time.monotonic_ns())

    def begins(self, kind):
        self.log.write("fault", time.monotonic_ns(), kind)

    def caught_starting(self):
        self.node.launch()
        time.sleep(self.rng.uniform(0, START_SECONDS))

    def power_goes(self, flag=None):
        """All at once: the process does nothing any more once its disk is gone."""
        self.node.freeze()
        self.disk.cut() if flag is None else self.disk.cut(flag)
        self.node.kill()
        self.disk.unmount()

    def kill(self):
        self.begins("kill")
        self.node.kill()
        self.start()

    def kill_starting(self):
        self.begins("kill-starting")
        self.node.kill()
        self.caught_starting()
        self.node.kill()
        self.start()

    def cut(self):
        self.begins("cut")
        self.power_goes()
        self.disk.mount()
        self.start()

    def cut_alive(self):
        self.begins("cut-alive")
        # A sync that is under way when ext4 is shut down can return success for what is not on the
        # disk (seen with Linux 6.18); no node can know better. What begins afterwards fails.
        self.node.freeze_between_calls()
        self.disk.cut()
        self.node.thaw()
        time.sleep(self.rng.uniform(0, ALIVE_SECONDS))
        self.node.kill()
        self.disk.unmount()
        self.disk.mount()
        self.start()

    def cut_starting(self):
        self.begins("cut-starting")
        self.power_goes()
        self.disk.mount()
        self.caught_starting()
        self.power_goes()
        self.disk.mount()
        self.start()

    def cut_stirred(self):
        self.begins("cut-stirred")
        self.disk.stir(self.rng)
        self.power_goes()
        self.disk.mount()
        self.start()

    def cut_journal(self):
        self.begins("cut-journal")
        self.power_goes(LOGFLUSH)
        self.disk.mount()
        self.start()

    def stop(self):
        self.begins("stop")
        self.stops_cleanly()
        self.start()

    def stop_cut(self):
        self.begins("stop-cut")
        self.stops_cleanly()
        self.disk.cut()
        self.disk.unmount()
        self.disk.mount()
        self.start()

    def stops_cleanly(self):
        code = self.node.stop()
        if code == 0:
            self.log.write("clean", time.monotonic_ns())
        else:
            self.complaints.append(f"SIGTERM: the node ended with {code}")

    def fill(self):
        self.begins("fill")
        self.disk.fill()
        time.sleep(self.rng.uniform(0.5, 1.5))
        lived = self.node.alive()
        self.disk.free()
        if lived:
            # It is to take records again by itself.
            self.log.write("up", time.monotonic_ns())
        else:
            self.complaints.append("the node ended when its disk was full")
            self.start()

    def fill_kill(self):
        self.begins("fill-kill")
        self.disk.fill()
        time.sleep(self.rng.uniform(0, 0.5))
        self.node.kill()
        self.caught_starting()
        time.sleep(self.rng.uniform(0, 0.5))
        self.node.kill()
        self.disk.free()
        self.start()

    def disk_fails(self):
        """Whatever the node made of it, it is started again on what is there."""
        self.disk.fail()
        time.sleep(self.rng.uniform(*FAILING_SECONDS))
        self.disk.mend()
        if self.node.alive():
            self.node.kill()
        if not self.disk.takes_writes():
            self.disk.unmount()
            self.disk.mount()
        self.start()

    def failing(self):
        self.begins("failing")
        self.disk_fails()

    def failing_cut(self):
        self.begins("failing-cut")
        self.disk_fails()
        time.sleep(self.rng.uniform(0, ALIVE_SECONDS))
        self.power_goes()
        self.disk.mount()
        self.start()
