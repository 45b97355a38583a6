"""Each fault of the network is shown on datagrams and streams between two namespaces: what is cut does not pass.

    network_selftest.py     prints a line a fault; needs root
"""

import socket
import sys
import threading
import time

from network import CLIENTS, Network, address, inside

A, B = 1, 2
#: In which what does not come is taken to be lost, and in which what comes is waited for.
GONE_SECONDS, COMES_SECONDS = 0.2, 10
DATAGRAMS = 400
STREAM_BYTES = 4 << 20
LATE_SECONDS = 0.1
RATE = 1_000_000


class Ends:
    """A socket for datagrams in each namespace."""

    def __init__(self, network):
        self.network, self.sockets = network, {}
        for port, room in network.rooms.items():
            with inside(room):
                self.sockets[port] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.sockets[port].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                self.sockets[port].bind((address(port), 1))

    def send(self, come_from, to, text):
        self.sockets[come_from].sendto(text, (address(to), 1))

    def heard(self, at, seconds):
        self.sockets[at].settimeout(seconds)
        try:
            return self.sockets[at].recv(1 << 16)
        except TimeoutError:
            return None

    def passes(self, come_from, to):
        self.send(come_from, to, b"?")
        return self.heard(to, COMES_SECONDS) == b"?"

    def is_gone(self, come_from, to):
        self.send(come_from, to, b"?")
        return self.heard(to, GONE_SECONDS) is None

    def numbered(self, count):
        """The numbers of the datagrams that come from A to B."""
        for number in range(count):
            self.send(A, B, b"%d" % number)
        self.network.set([])
        self.send(A, B, b"end")
        came = []
        while (text := self.heard(B, COMES_SECONDS)) not in (b"end", None):
            came.append(int(text))
        return came


def whole_streams(ends):
    room_a, room_b = ends.network.rooms[A], ends.network.rooms[B]
    with inside(room_b):
        listening = socket.create_server((address(B), 2))
    with inside(room_a):
        sending = socket.create_connection((address(B), 2), COMES_SECONDS)
    content = bytes(range(256)) * (STREAM_BYTES // 256)
    sender = threading.Thread(target=lambda: (sending.sendall(content), sending.close()), daemon=True)
    sender.start()
    receiving, _ = listening.accept()
    receiving.settimeout(COMES_SECONDS)
    came = b""
    with receiving, listening:
        while some := receiving.recv(1 << 20):
            came += some
    return "" if came == content else f"{len(came)} of {len(content)} bytes came"


def cut_both_ways(ends):
    ends.network.set([[A, B, {"cut": True}], [B, A, {"cut": True}]])
    if not (ends.is_gone(A, B) and ends.is_gone(B, A)):
        return "a datagram came"
    if not (ends.passes(A, CLIENTS) and ends.passes(CLIENTS, B)):
        return "ways that are not cut are closed, too"
    dropped = ends.network.set([])["dropped"]
    if not (ends.passes(A, B) and ends.passes(B, A)):
        return "it stays cut"
    return "" if dropped >= 2 else f"{dropped} frames counted"


def cut_one_way(ends):
    ends.network.set([[A, B, {"cut": True}]])
    if not ends.is_gone(A, B):
        return "a datagram came"
    return "" if ends.passes(B, A) else "the way back is cut, too"


def late(ends):
    ends.network.set([[A, B, {"late": LATE_SECONDS}]])
    began = time.monotonic()
    if not ends.passes(A, B):
        return "nothing came"
    took = time.monotonic() - began
    return "" if took >= LATE_SECONDS else f"it took {took:.4f} s"


def in_order(ends):
    ends.network.set([[A, B, {"late": 0.001, "jitter": 0.02}]], "order")
    came = ends.numbered(DATAGRAMS)
    return "" if came == list(range(DATAGRAMS)) else f"{len(came)} came, in another order or not all"


def lost_by_seed(ends):
    came = []
    for seed in ("one", "one", "other"):
        ends.network.set([[A, B, {"loss": 0.3}]], seed)
        came.append(ends.numbered(DATAGRAMS))
    if not all(0.55 < len(some) / DATAGRAMS < 0.85 for some in came):
        return f"{[len(some) for some in came]} of {DATAGRAMS} came"
    return "" if came[0] == came[1] != came[2] else "another seed loses the same, or one seed does not"


def slow(ends):
    ends.network.set([[A, B, {"rate": RATE}]])
    began = time.monotonic()
    for _ in range(100):
        ends.send(A, B, b"x" * 1000)
    came = sum(ends.heard(B, COMES_SECONDS) is not None for _ in range(100))
    took = time.monotonic() - began
    if came < 100:
        return f"{came} of 100 came"
    return "" if took >= 100 * 1000 / RATE else f"it took {took:.4f} s"


SHOWN = {
    "streams pass whole": whole_streams,
    "what is cut both ways does not pass, and passes again": cut_both_ways,
    "what is cut one way comes back the other": cut_one_way,
    "what is late takes that long": late,
    "frames do not overtake each other": in_order,
    "the seed says which frames are lost": lost_by_seed,
    "a slow link takes its time": slow,
}


def results(network):
    """(what was to be seen, why it was not or '')"""
    ends = Ends(network)
    for what, show in SHOWN.items():
        network.set([])
        yield what, show(ends)
    network.set([])


def main():
    failed = 0
    for what, why in results(Network([A, B])):
        failed += bool(why)
        print(f"FAIL network {what}: {why}" if why else f"ok network {what}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
