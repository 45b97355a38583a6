"""kill -9 of the server: nothing that was acknowledged is lost. This suite owns its server."""

import collections
import threading

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

import check
from check import BOOTSTRAP, Suite, equal, name, true, until
from server import Server

suite = Suite("crash")
# Apache Kafka lets a killed broker's session run out (9 s) before it takes the same broker in again.
check.CHECK_SECONDS = 150
server = Server()
PARTITIONS = 4
#: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, LEADER_NOT_AVAILABLE,
#: NOT_LEADER_OR_FOLLOWER.
NOT_READY = {14, 15, 16, 5, 6}
admin = AdminClient({"bootstrap.servers": BOOTSTRAP, "log_level": 0})


def topic(partitions=PARTITIONS, **config):
    topic_name = name("crash")
    config = {key.replace("_", "."): str(value) for key, value in config.items()}
    wanted = NewTopic(topic_name, partitions, 1, config=config)
    admin.create_topics([wanted])[topic_name].result(20)
    return topic_name


def consumer(group=None):
    return Consumer({
        "bootstrap.servers": BOOTSTRAP,
        "group.id": group or name("group"),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    })


def retried(call):
    """A server that has just started may say that it is not ready; it never says anything untrue."""

    def attempt():
        try:
            return call()
        except KafkaException as error:
            code = error.args[0].code()
            true(error.args[0].retriable() or code in NOT_READY, str(error))

    return until("an answer", attempt)


def read_everything(topic_name):
    """Every record of the topic by (partition, offset)."""
    client = consumer()
    found = {}
    for p in range(PARTITIONS):
        place = TopicPartition(topic_name, p)
        low, high = retried(lambda: client.get_watermark_offsets(place, timeout=20))
        client.assign([TopicPartition(topic_name, p, low)])
        offset = low
        while offset < high:
            for message in client.consume(1_000, timeout=5):
                if message.error():
                    raise KafkaException(message.error())
                found[message.partition(), message.offset()] = message.value()
                offset = message.offset() + 1
    client.close()
    return found


class Writer(threading.Thread):
    """Produces without pause with acks=all and keeps what was acknowledged, where and in which order."""

    def __init__(self, topic_name):
        super().__init__(daemon=True)
        self.topic_name = topic_name
        self.acknowledged, self.failed = {}, []
        self.stopping = threading.Event()
        self.producer = Producer({
            "bootstrap.servers": BOOTSTRAP,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 1,
            "message.timeout.ms": 120_000,
            "reconnect.backoff.max.ms": 500,
        })
        self.start()

    def on_delivery(self, error, message):
        if error:
            self.failed.append(error)
        else:
            self.acknowledged[message.partition(), message.offset()] = message.value()

    def run(self):
        i = 0
        while not self.stopping.is_set():
            value = b"%d" % i
            try:
                self.producer.produce(
                    self.topic_name, value, partition=i % PARTITIONS, on_delivery=self.on_delivery
                )
                i += 1
            except BufferError:
                pass
            self.producer.poll(0.0005)
        self.producer.flush(60)

    def acknowledges(self, more):
        wanted = len(self.acknowledged) + more
        until(f"{more} more acknowledgements", lambda: len(self.acknowledged) >= wanted, 60)


@suite.check
def the_server_starts():
    server.start()


@suite.check
def kill_9_under_an_acks_all_producer_loses_nothing_acknowledged():
    topic_name = topic()
    writer = Writer(topic_name)
    for _ in range(3):
        writer.acknowledges(2_000)
        server.kill()
        server.start()
    writer.acknowledges(2_000)
    writer.stopping.set()
    writer.join(60)
    true(not writer.is_alive(), "the producer does not finish")
    equal(writer.failed, [], "delivery errors")
    found = read_everything(topic_name)
    lost = {place for place, value in writer.acknowledged.items() if found.get(place) != value}
    equal(len(lost), 0, f"acknowledged records lost, such as {sorted(lost)[:3]}; their count")
    offsets = collections.defaultdict(list)
    values = collections.defaultdict(list)
    for (partition, offset), value in sorted(found.items()):
        offsets[partition].append(offset)
        values[partition].append(int(value))
    for p in range(PARTITIONS):
        equal(offsets[p], list(range(len(offsets[p]))), f"offsets of partition {p}")
        true(values[p] == sorted(set(values[p])), f"partition {p} has repeats or another order")


@suite.check
def topics_configs_and_offsets_survive_kill_9():
    topic_name, group = topic(retention_ms=123_456_789), name("group")
    client = consumer(group)
    wanted = [TopicPartition(topic_name, p, 10 + p) for p in range(PARTITIONS)]
    client.commit(offsets=wanted, asynchronous=False)
    client.close()
    server.kill()
    server.start()
    client = consumer(group)
    asked = [TopicPartition(topic_name, p) for p in range(PARTITIONS)]
    found = retried(lambda: client.committed(asked, timeout=20))
    equal([p.offset for p in found], [10 + p for p in range(PARTITIONS)], "committed offsets")
    client.close()
    resource = ConfigResource(ResourceType.TOPIC, topic_name)
    config = list(admin.describe_configs([resource]).values())[0].result(20)
    equal(config["retention.ms"].value, "123456789", "retention.ms")


@suite.check
def a_member_keeps_its_place_through_kill_9():
    topic_name, group = topic(partitions=1), name("group")
    client = consumer(group)
    client.subscribe([topic_name])
    producer = Producer({"bootstrap.servers": BOOTSTRAP})
    seen = []

    def reads(count):
        def more():
            message = client.poll(0.5)
            if message is not None and not message.error():
                seen.append(int(message.value()))
            return len(seen) >= count

        until(f"{count} records", more, 50)

    producer.produce(topic_name, b"0")
    producer.flush(20)
    reads(1)
    client.commit(asynchronous=False)
    server.kill()
    server.start()
    producer.produce(topic_name, b"1")
    equal(producer.flush(40), 0, "records left in the producer's queue")
    reads(2)
    equal(seen, [0, 1], "values")
    client.close()


@suite.check
def a_clean_stop_and_start_keeps_everything():
    topic_name = topic()
    writer = Writer(topic_name)
    writer.acknowledges(1_000)
    writer.stopping.set()
    writer.join(60)
    server.stop()
    server.start()
    found = read_everything(topic_name)
    equal(len(found), len(writer.acknowledged), "records")
    true(found == writer.acknowledged, "other records came back")


@suite.check
def the_server_stops_when_asked():
    server.stop()


suite.main()
