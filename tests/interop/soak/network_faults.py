"""What is done to the network of a cluster, drawn from a seed before it happens.

A fault is about three nodes: x, who more often than not leads the most partitions, y and z; c are the clients. What
is cut leaves the processes alone: who is cut off does not know it, and nobody is told that a connection has ended.

    net-cut           x from all, both ways
    net-mute          x from all: what it sends vanishes, and it hears the others
    net-deaf          x from all: what is sent to it vanishes, and the others hear it
    net-isolate       x from its peers, and clients still reach it
    net-mute-peers    the same, one way
    net-deaf-peers    the same, the other way
    net-pair          x and y from each other; z sees both
    net-pair-one-way  what x sends to y vanishes
    net-clients       x from the clients, not from its peers
    net-all           every node from every other
    net-loss          every link loses frames
    net-late          every frame is late, some more
    net-slow          x has little of the network
    net-storm         each link, each way, has something of its own, again and again
    net-flap          x is cut off and back, again and again
    net-cut-kill      x is cut off, and y is killed meanwhile and starts
    net-cut-pause     x is cut off, and y is frozen meanwhile
    net-late-kill     everything is late and lossy, and x is killed and starts
"""

from cluster import NODES
from disk import seeded
from network import CLIENTS

#: By kind its weight.
KINDS = {
    "net-isolate": 6, "net-cut": 6, "net-storm": 5, "net-mute": 4, "net-deaf": 4, "net-cut-kill": 3,
    "net-mute-peers": 3, "net-deaf-peers": 3, "net-loss": 3, "net-late": 3, "net-late-kill": 2, "net-cut-pause": 2,
    "net-pair": 3, "net-pair-one-way": 2, "net-flap": 2, "net-slow": 2, "net-clients": 1, "net-all": 2,
}  # fmt: skip
CUT = {"cut": True}
LEADER_OFTEN = 0.7
#: A fault is shorter or longer than what it takes to be found out: a broker is fenced after a second or two.
SECONDS = (0.3, 5)
STORM_SECONDS, STORM_STEPS = (0.2, 1.5), (2, 5)
FLAP_SECONDS, FLAP_STEPS = (0.05, 1), (2, 5)
LOSS, LATE_SECONDS, RATE = (0.01, 0.3), (0.002, 0.15), (50_000, 1_000_000)
WHO = "xyzc"


def one_way(some, others, what):
    return [[a, b, what] for a in some for b in others if a != b]


def both(some, others, what):
    return one_way(some, others, what) + one_way(others, some, what)


def lossy(rng):
    return {"loss": round(rng.uniform(*LOSS), 3)}


def tardy(rng):
    late = rng.uniform(*LATE_SECONDS)
    return {"late": round(late, 3), "jitter": round(rng.uniform(0, late), 3)}


def anything(rng):
    return rng.choice([CUT, lossy(rng), tardy(rng), {**lossy(rng), **tardy(rng)}, {"rate": rng.randint(*RATE)}, {}])


def ways(kind, rng):
    """Which links have what, from whom to whom."""
    return {
        "cut": lambda: both("x", "yzc", CUT),
        "mute": lambda: one_way("x", "yzc", CUT),
        "deaf": lambda: one_way("yzc", "x", CUT),
        "isolate": lambda: both("x", "yz", CUT),
        "mute-peers": lambda: one_way("x", "yz", CUT),
        "deaf-peers": lambda: one_way("yz", "x", CUT),
        "pair": lambda: both("x", "y", CUT),
        "pair-one-way": lambda: one_way("x", "y", CUT),
        "clients": lambda: both("x", "c", CUT),
        "all": lambda: one_way("xyz", "xyz", CUT),
        "loss": lambda: one_way(WHO, WHO, lossy(rng)),
        "late": lambda: one_way(WHO, WHO, tardy(rng)),
        "slow": lambda: both("x", "yzc", {"rate": rng.randint(*RATE)}),
        "storm": lambda: [[a, b, anything(rng)] for a in WHO for b in WHO if a != b],
    }[kind]()


def step(rng, seconds, links):
    return {"seconds": round(rng.uniform(*seconds), 2), "links": links}


def steps(kind, rng):
    if kind == "storm":
        return [step(rng, STORM_SECONDS, ways(kind, rng)) for _ in range(rng.randint(*STORM_STEPS))]
    if kind == "flap":
        cuts = [step(rng, FLAP_SECONDS, ways("cut", rng)) for _ in range(rng.randint(*FLAP_STEPS))]
        return [one for cut in cuts for one in (cut, step(rng, FLAP_SECONDS, []))]
    if kind == "late-kill":
        return [step(rng, SECONDS, one_way(WHO, WHO, {**lossy(rng), **tardy(rng)}))]
    return [step(rng, SECONDS, ways(kind.removesuffix("-kill").removesuffix("-pause"), rng))]


def drawn(kind, *seed):
    """All of a fault that chance decides."""
    rng = seeded(*seed)
    nodes = rng.sample(NODES, len(NODES))
    meanwhile = {"net-cut-kill": "kill y", "net-cut-pause": "pause y", "net-late-kill": "kill x"}
    return {
        "kind": kind,
        "x": "leader" if rng.random() < LEADER_OFTEN else nodes[0],
        "nodes": nodes,
        "seed": " ".join(map(str, seed)),
        "meanwhile": meanwhile.get(kind, ""),
        "steps": steps(kind.removeprefix("net-"), rng),
    }


def who_is_who(fault, leader):
    """The letters of a fault as ports; `leader` is x if the fault says so."""
    nodes = list(fault["nodes"])
    if fault["x"] == "leader":
        nodes.remove(leader)
        nodes.insert(0, leader)
    return dict(zip(WHO, [*nodes, CLIENTS]))


#: What becomes of frames, and what in a fault makes it so.
FATES = {"dropped": ("cut", "loss"), "late": ("late", "rate")}


def has(fault, causes):
    return any(cause in link[2] for step in fault["steps"] for link in step["links"] for cause in causes)
