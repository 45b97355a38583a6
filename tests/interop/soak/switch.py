"""A switch between the network namespaces of a run: it hands frames on, late, not at all, or as fast as it may.

    switch.py PORT…     ports are numbers; port-N is the interface that leads to N

Each line on its standard input is the whole state of its links, `{"seed": …, "links": [[from, to, what], …]}`, and
is answered with a line of what became of the frames since the line before. A link leads one way; `what` is any of

    cut      true: no frame passes, those on their way included
    loss     share of the frames that are lost
    late     seconds that each takes
    jitter   seconds more, at most; frames of a link never overtake each other
    rate     bytes a second; what does not fit into the queue before it is lost

Links that are not named pass everything. The same seed loses the same frames of a link, counted from the line.
"""

import heapq
import json
import os
import random
import select
import socket
import sys
import time

ETH_P_ALL = 3
#: linux/if_packet.h and asm-generic/socket.h.
SOL_PACKET, PACKET_IGNORE_OUTGOING, SO_RCVBUFFORCE = 263, 23, 33
FRAME_BYTES = 1 << 17
#: So many frames of a port before the others have their turn.
BURST = 64
RECEIVE_BYTES, RECEIVE_FRAMES = 8 << 20, 8 << 10
#: What waits for a slow link, as in the queue of a switch.
QUEUE_BYTES = 256 << 10


class Link:
    """One way from a port to another."""

    def __init__(self, seed="", cut=False, loss=0.0, late=0.0, jitter=0.0, rate=0.0):
        self.cut, self.loss, self.late, self.jitter, self.rate = cut, loss, late, jitter, rate
        self.random = random.Random(seed)
        self.free_at = self.last_at = 0.0
        self.is_plain = not (cut or loss or late or jitter or rate)

    def arrives(self, now, size):
        """When a frame is there, or None if it is lost."""
        if self.cut or (self.loss and self.random.random() < self.loss):
            return None
        if self.rate:
            if (self.free_at - now) * self.rate > QUEUE_BYTES:
                return None
            now = self.free_at = max(now, self.free_at) + size / self.rate
        self.last_at = max(self.last_at, now + self.late + self.random.random() * self.jitter)
        return self.last_at


class Switch:
    def __init__(self, ports):
        self.sockets = {port: opened(f"port-{port}") for port in ports}
        self.links = {(a, b): Link() for a in ports for b in ports if a != b}
        self.count = dict.fromkeys(("passed", "late", "dropped"), 0)
        #: Frames on their way: (when, number, link, port, frame).
        self.due, self.number = [], 0

    def take(self, come_from, frame):
        # The last byte of the address says the port; nobody needs to ask for addresses.
        link = self.links.get((come_from, frame[5]))
        if link is None:
            return
        if link.is_plain and not self.due:
            self.put(frame[5], frame, "passed")
            return
        now = time.monotonic()
        at = link.arrives(now, len(frame))
        if at is None:
            self.count["dropped"] += 1
        else:
            self.number += 1
            heapq.heappush(self.due, (at, self.number, (come_from, frame[5]), frame, "late" if at > now else "passed"))

    def put(self, port, frame, how):
        try:
            self.sockets[port].send(frame)
            self.count[how] += 1
        except OSError:
            # The interface has no room for it, as can be with any.
            self.count["dropped"] += 1

    def deliver(self):
        """What is due; how long nothing else is, or None."""
        while self.due:
            wait = self.due[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, way, frame, how = heapq.heappop(self.due)
            if self.links[way].cut:
                self.count["dropped"] += 1
            else:
                self.put(way[1], frame, how)
        return None

    def told(self, line):
        """The links as the line has them; what became of the frames before."""
        order = json.loads(line)
        fresh = {way: Link() for way in self.links}
        for come_from, to, what in order["links"]:
            fresh[come_from, to] = Link(f"{order['seed']} {come_from} {to}", **what)
        # What is late stays in its order: a link that is fast again does not overtake it.
        for way, link in fresh.items():
            link.last_at = self.links[way].last_at
        self.links = fresh
        counted, self.count = self.count, dict.fromkeys(self.count, 0)
        return json.dumps(counted)

    def run(self):
        poll = select.epoll()
        by_file = {some.fileno(): (port, some) for port, some in self.sockets.items()}
        for file in [0, *by_file]:
            poll.register(file, select.EPOLLIN)
        os.set_blocking(0, False)
        orders = b""
        while True:
            wait = self.deliver()
            for file, _ in poll.poll(wait):
                if file == 0:
                    heard = os.read(0, 1 << 16)
                    if not heard:
                        return
                    *lines, orders = (orders + heard).split(b"\n")
                    for line in lines:
                        # What was sent before the line is of the state before it.
                        for port, some in self.sockets.items():
                            self.burst(port, some, RECEIVE_FRAMES)
                        print(self.told(line), flush=True)
                else:
                    self.burst(*by_file[file])

    def burst(self, port, some, most=BURST):
        try:
            for _ in range(most):
                self.take(port, some.recv(FRAME_BYTES))
        except OSError:
            # Nothing is left, or the interface is away for a moment.
            return


def opened(interface):
    some = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    some.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
    some.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    some.bind((interface, ETH_P_ALL))
    some.setblocking(False)
    return some


if __name__ == "__main__":
    Switch([int(port) for port in sys.argv[1:]]).run()
