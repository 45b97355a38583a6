"""Consumers that write down what they are told, group members that commit, and an onlooker that asks."""

import struct
import threading

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

import history
from topics import FRONT_GOES, GROUPS, RETENTION, RETENTION_FROM

ASK_SECONDS = 5
COMMIT_SECONDS = 20
#: How librdkafka begins to tell that it was refused where to resume.
NOT_RESUMED = "Failed to fetch committed offset"
COMMON = {
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 50,
    "retry.backoff.ms": 20,
    "fetch.wait.max.ms": 100,
    "fetch.error.backoff.ms": 20,
    "enable.auto.commit": False,
    "session.timeout.ms": 8_000,
    "heartbeat.interval.ms": 500,
    "log_level": 0,
}


def identity(message):
    """(session, seq, key, state) of a message."""
    content = message.value()
    if content is None:
        content = dict(message.headers() or []).get("id", b"")
    session, seq, state = history.identify(content, message.topic(), message.partition())
    key = message.key()
    return session, seq, key.decode(errors="replace") if key else "-", state


def listed(client):
    """name=partitions,… of every topic."""
    topics = client.list_topics(timeout=ASK_SECONDS).topics.values()
    return ",".join(f"{topic.topic}={len(topic.partitions)}" for topic in topics)


def retention(admin):
    """What `retention.ms` of `single` is altered to; -1 while it is the default."""
    resource = ConfigResource(ResourceType.TOPIC, "single")
    told = next(iter(admin.describe_configs([resource]).values())).result(ASK_SECONDS)
    value = int(told["retention.ms"].value)
    return value if value >= RETENTION_FROM else -1


def assigned(content):
    """(topic, partition) of each that a member has: Kafka's ConsumerProtocolAssignment, any version."""
    if not content:
        return
    at = 6
    for _ in range(struct.unpack_from(">i", content, 2)[0]):
        (length,) = struct.unpack_from(">h", content, at)
        topic = content[at + 2 : at + 2 + length].decode()
        (count,) = struct.unpack_from(">i", content, at + 2 + length)
        at += 6 + length
        for partition in struct.unpack_from(f">{count}i", content, at):
            yield topic, partition
        at += 4 * count


class Reader(threading.Thread):
    def __init__(self, name, round_info, directory):
        super().__init__(name=name, daemon=True)
        self.info = round_info
        self.log = history.History(directory, f"reader-{name}")
        self.stopping = threading.Event()
        self.is_done = False

    def consumer(self, **configs):
        return Consumer({"bootstrap.servers": self.info["bootstrap"], **COMMON, **configs})

    def begins(self, places):
        for place in places:
            self.log.write("assign", history.now(), self.name, place.topic, place.partition)

    def told(self, message):
        said = identity(message)
        self.log.write("read", history.now(), self.name, message.topic(), message.partition(), message.offset(), *said)
        return said


class Follower(Reader):
    """Reads every partition of some topics along with the producers, without a group."""

    #: Of a partition.
    BEGINNING = 0

    def __init__(self, name, topics, round_info, directory):
        super().__init__(name, round_info, directory)
        self.topics = topics

    def run(self):
        client = self.consumer(**{"group.id": self.name, "auto.offset.reset": "error"})
        counts = self.info["partitions"]
        places = [TopicPartition(t, p, self.BEGINNING) for t in self.topics for p in range(counts[t])]
        self.begins(places)
        client.assign(places)
        while not self.stopping.is_set():
            for message in client.consume(500, timeout=0.1):
                if message.error() is None:
                    self.told(message)
                elif message.error().code() == KafkaError._AUTO_OFFSET_RESET:
                    self.lost_its_place(client, message)
        self.log.close()
        # It has said all it knows. librdkafka can hang in here after a leader has moved.
        self.is_done = True
        client.close()

    def lost_its_place(self, client, message):
        place = (message.topic(), message.partition())
        self.log.write("reset", history.now(), self.name, *place, message.error().str().replace("\t", " "))
        again = TopicPartition(*place, self.BEGINNING)
        self.begins([again])
        client.incremental_unassign([again])
        client.incremental_assign([again])


class Member(Reader):
    """A member of a group: reads, and commits what it has read, one commit at a time.

    It does not block in a commit: librdkafka can hang in there for good after the coordinator was killed.
    """

    def __init__(self, group, number, owed, round_info, directory):
        super().__init__(f"{group}-{number}", round_info, directory)
        self.group, self.owed = group, owed
        #: By partition: what is read and not asked for yet, and what is (when, {partition: offset}).
        self.ends, self.asked = {}, None

    def run(self):
        client = self.consumer(
            **{"group.id": self.group, "auto.offset.reset": "earliest", "on_commit": self.answered}
        )
        client.subscribe(["shared"], on_assign=self.assigned, on_revoke=self.revoked)
        while not self.stopping.is_set() or self.waits():
            for message in client.consume(100, timeout=0.1):
                if message.error() is None:
                    self.told(message)
                    self.ends[message.partition()] = message.offset() + 1
                elif message.error().str().startswith(NOT_RESUMED):
                    self.resume_again(client)
            if self.ends and not self.waits() and not self.stopping.is_set():
                self.commit(client)
        self.log.close()
        # It has said all it knows. librdkafka can hang in here after a leader has moved.
        self.is_done = True
        client.close()

    def assigned(self, _, places):
        self.begins(places)

    def revoked(self, *_):
        # Whoever has them now may have committed more.
        self.ends = {}

    def resume_again(self, client):
        """librdkafka asks once where to resume: refused it tells the application, and reads nothing any more.

        What it asked about is not among what it tries again (`rd_kafka_assignment_apply_offsets`).
        """
        places = [TopicPartition(place.topic, place.partition) for place in client.assignment()]
        if places:
            self.ends = {}
            self.begins(places)
            client.assign(places)

    def commit(self, client):
        self.asked, self.ends = (history.now(), self.ends), {}
        places = [TopicPartition("shared", partition, offset) for partition, offset in self.asked[1].items()]
        try:
            client.commit(offsets=places, asynchronous=True)
        except KafkaException:
            self.settle(())

    def answered(self, error, places):
        """Called from within consume()."""
        if self.asked and {place.partition: place.offset for place in places} == self.asked[1]:
            self.settle({place.partition for place in places if error is None and place.error is None})

    def waits(self):
        """Whether a commit is on its way. After a while it is not waited for any more."""
        if self.asked and history.now() > self.asked[0] + COMMIT_SECONDS * 1_000_000_000:
            self.settle(())
        return self.asked is not None

    def settle(self, kept):
        """Of the partitions that are not in `kept` nobody knows."""
        (asked, ends), self.asked = self.asked, None
        for partition, offset in ends.items():
            when = history.now() if partition in kept else 0
            self.log.write("commit", asked, when, self.group, "shared", partition, offset)
            if when:
                self.owed.seen(self.group, "shared", partition)


class Onlooker(Reader):
    """Asks again and again for what was acknowledged to others: offsets, topics, log starts."""

    def run(self):
        admin = AdminClient({"bootstrap.servers": self.info["bootstrap"], "log_level": 0})
        clients = {group: self.consumer(**{"group.id": group}) for group in GROUPS}
        while not self.stopping.wait(0.1):
            groups = (self.committed(group) for group in GROUPS)
            for ask in (self.topics, self.starts, self.configs, *groups, self.owners):
                try:
                    ask(admin, clients)
                except (KafkaException, TimeoutError):
                    pass
        self.log.close()

    def topics(self, admin, _):
        asked = history.now()
        text = listed(admin)
        self.log.write("topics", asked, history.now(), text)

    def starts(self, _, clients):
        for topic in self.info["partitions"]:
            if self.info["topics"][topic] in FRONT_GOES:
                for partition in range(self.info["partitions"][topic]):
                    asked, place = history.now(), TopicPartition(topic, partition)
                    low, _ = clients[GROUPS[0]].get_watermark_offsets(place, timeout=ASK_SECONDS)
                    self.log.write("start", asked, topic, partition, low)

    def configs(self, admin, _):
        asked = history.now()
        offset = retention(admin)
        self.log.write("committed", asked, history.now(), *RETENTION, offset)

    def owners(self, admin, _):
        """Whom a coordinator says that each partition belongs to.

        Not by `describe_consumer_groups`: librdkafka aborts in it when the coordinator goes
        (`rd_kafka_enq_once_del_source_return: Assertion`).
        """
        for group in admin.list_groups(timeout=ASK_SECONDS):
            told = history.now()
            for member in group.members if group.id in GROUPS else ():
                for topic, partition in assigned(member.assignment):
                    self.log.write("owner", told, group.id, member.id, topic, partition)

    def committed(self, group):
        def ask(_, clients):
            asked = history.now()
            places = [TopicPartition("shared", p) for p in range(self.info["partitions"]["shared"])]
            for place in clients[group].committed(places, timeout=ASK_SECONDS):
                if place.error is None:
                    offset = max(place.offset, -1)
                    self.log.write("committed", asked, history.now(), group, "shared", place.partition, offset)

        return ask
