"""A network of our own: each node in a network namespace, the clients in one more, a switch of ours between them.

    network.py          builds one, or says what is in the way

Whoever makes a `Network` is moved into the clients' namespace, and so is all that he starts afterwards. No
namespace has a name, and none leads out: they go with the last process in them. Each has one end of a veth pair,
`switch.py` holds the others.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys

CLIENTS = 0
CLONE_NEWNET = 0x40000000
#: linux/sockios.h and linux/ethtool.h.
SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO = 0x17, 0x1F, 0x24
HERE = os.path.dirname(os.path.abspath(__file__))
LIBC = ctypes.CDLL(None, use_errno=True)


class NoNetwork(Exception):
    """Namespaces or what they need are not to be had here."""


def address(port):
    """Of a range that is set aside for tests of networks (RFC 2544)."""
    return f"198.18.0.{10 + port}"


def mac(port):
    return f"02:00:00:00:00:{port:02x}"


def enter(room):
    if LIBC.setns(room, CLONE_NEWNET):
        raise NoNetwork(f"setns: {os.strerror(ctypes.get_errno())}")


def own_room():
    return os.open("/proc/self/ns/net", os.O_RDONLY)


def new_room():
    """Makes a namespace and is in it."""
    if LIBC.unshare(CLONE_NEWNET):
        raise NoNetwork(f"unshare of the network: {os.strerror(ctypes.get_errno())}")
    for family in ("all", "default"):
        # It would send frames of its own.
        with contextlib.suppress(OSError), open(f"/proc/sys/net/ipv6/conf/{family}/disable_ipv6", "w") as file:
            file.write("1")
    return own_room()


@contextlib.contextmanager
def inside(room):
    before = own_room()
    enter(room)
    try:
        yield
    finally:
        enter(before)
        os.close(before)


def ip(lines, rooms=()):
    try:
        done = subprocess.run(
            ["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, capture_output=True, pass_fds=rooms
        )
    except OSError as error:
        raise NoNetwork(f"ip: {error}") from error
    if done.returncode:
        raise NoNetwork(f"ip: {done.stderr.strip()}")


def sends_whole_frames(interface):
    """Checksums and segments are made before the switch sees a frame: no card does it afterwards."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
        for command in (ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO):
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(some, SIOCETHTOOL, request.ljust(40, b"\0"))


class Network:
    def __init__(self, nodes):
        ports = [CLIENTS, *nodes]
        self.ways = [(a, b) for a in ports for b in ports if a != b]
        switch = new_room()
        self.rooms = {}
        for port in [*nodes, CLIENTS]:
            self.rooms[port] = new_room()
            with inside(switch):
                peer = f"peer name eth0 address {mac(port)} netns /proc/self/fd/{self.rooms[port]}"
                ip([f"link add port-{port} type veth {peer}", f"link set port-{port} up"], [self.rooms[port]])
            others = [f"neigh add {address(p)} lladdr {mac(p)} dev eth0 nud permanent" for p in ports if p != port]
            up = ["link set lo up", f"addr add {address(port)}/24 dev eth0", "link set eth0 up"]
            ip([*up, *others])
            try:
                sends_whole_frames("eth0")
            except OSError as error:
                raise NoNetwork(f"offloads of a veth: {error}") from error
        self.switch = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "switch.py"), *map(str, ports)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: enter(switch),
        )  # fmt: skip
        os.close(switch)
        self.set([])

    def set(self, links, seed=""):
        """The state of all links, as `switch.py` takes it; what became of the frames before that."""
        try:
            self.switch.stdin.write(json.dumps({"seed": seed, "links": links}) + "\n")
            self.switch.stdin.flush()
            told = self.switch.stdout.readline()
        except OSError:
            told = ""
        if not told:
            raise NoNetwork("the switch has ended")
        return json.loads(told)

    def close(self):
        self.switch.stdin.close()
        self.switch.wait()
        for room in self.rooms.values():
            os.close(room)


if __name__ == "__main__":
    try:
        Network([1]).close()
    except NoNetwork as error:
        sys.exit(str(error))
