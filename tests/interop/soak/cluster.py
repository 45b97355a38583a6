"""Three nodes as processes, each with its own disk: controller and broker in one, every partition on all of them."""

import os
import subprocess
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

import network
from disk import make
from node import Node

NODES = (1, 2, 3)
HEAL_SECONDS = 60
ASK_SECONDS = 5

PROPERTIES = """\
node.id={node}
process.roles=broker,controller
listeners=PLAINTEXT://{address}:{port},CONTROLLER://{address}:{controller_port}
controller.listener.names=CONTROLLER
controller.quorum.voters={voters}
log.dirs={directory}
http.listeners=
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
"""


class Cluster:
    def __init__(self, binary, port, place, image_mib, overrides, between=None, fails=False):
        """With a `Network` between them, each node lives in its own namespace."""
        self.binary, self.port, self.network = binary, port, between
        self.disks, self.nodes = {}, {}
        for node in NODES:
            home = os.path.join(place, f"node-{node}")
            os.makedirs(home)
            self.disks[node] = make(home, image_mib, fails)
            self.nodes[node] = self.configured(node, home, overrides)
        self.format()

    def bootstrap(self):
        return self.bootstrap_of(NODES)

    def bootstrap_of(self, some):
        return ",".join(f"{self.address(node)}:{self.port + node}" for node in some)

    def address(self, node):
        return network.address(node) if self.network else "127.0.0.1"

    def configured(self, node, home, overrides):
        voters = [f"{other}@{self.address(other)}:{self.port + len(NODES) + other}" for other in NODES]
        text = PROPERTIES.format(
            node=node,
            address=self.address(node),
            port=self.port + node,
            controller_port=self.port + len(NODES) + node,
            voters=",".join(voters),
            directory=self.disks[node].directory,
        )
        file = os.path.join(home, "server.properties")
        with open(file, "w") as properties:
            properties.write(text + "".join(f"{line}\n" for line in overrides))
        argv = [self.binary, "start", "-c", file]
        room = self.network.rooms[node] if self.network else None
        return Node(argv, self.disks[node].directory, os.path.join(home, "node.log"), room)

    def format(self):
        """One id of the cluster for all directories; what is formatted is on the disk."""
        told = subprocess.run([self.binary, "kafka-storage", "random-uuid"], capture_output=True, text=True, check=True)
        for node in NODES:
            file = self.nodes[node].argv[-1]
            argv = [self.binary, "kafka-storage", "format", "-t", told.stdout.strip(), "-c", file]
            subprocess.run(argv, capture_output=True, check=True)
        os.sync()

    def whole(self):
        """Waits until every replica of every partition is in sync; what is missing, or ""."""
        client = AdminClient({"bootstrap.servers": self.bootstrap(), "log_level": 0})
        deadline = time.monotonic() + HEAL_SECONDS
        while missing := self.behind(client):
            if time.monotonic() > deadline:
                return f"{len(missing)} partitions are not whole after {HEAL_SECONDS} s: {missing[:5]}"
            time.sleep(0.2)
        return ""

    def behind(self, client):
        try:
            topics = client.list_topics(timeout=ASK_SECONDS).topics.values()
        except KafkaException as error:
            return [str(error)]
        partitions = [(topic.topic, p) for topic in topics for p in topic.partitions.values()]
        if not partitions:
            return ["no topic is told of"]
        return [f"{name}-{p.id} has {sorted(p.isrs)}" for name, p in partitions if len(p.isrs) < len(NODES)]

    def verify(self):
        found = {node: self.nodes[node].verify() for node in NODES}
        return "; ".join(f"node {node}: {what}" for node, what in found.items() if what)

    def alive(self):
        return any(node.alive() for node in self.nodes.values())

    def kill(self):
        for node in self.nodes.values():
            if node.alive():
                node.kill()
