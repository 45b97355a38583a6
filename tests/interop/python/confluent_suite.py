"""librdkafka through confluent-kafka: the client under most programs that are not Java."""

import threading
import time

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

import sample
from check import BOOTSTRAP, Suite, equal, name, true, until

suite = Suite("confluent")
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def results(futures):
    return {key: future.result(timeout=20) for key, future in futures.items()}


def refused(futures):
    """The error code of the one request in `futures`, which must fail."""
    (future,) = futures.values()
    try:
        future.result(timeout=20)
    except KafkaException as error:
        return error.args[0].code()
    raise AssertionError("the request succeeded")


def topic(partitions=1, **config):
    topic_name = name("confluent")
    config = {key.replace("_", "."): str(value) for key, value in config.items()}
    results(admin.create_topics([NewTopic(topic_name, partitions, 1, config=config)]))
    return topic_name


def producer(**config):
    config = {key.replace("_", "."): value for key, value in config.items()}
    return Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 20} | config)


def produce(topic_name, records, partition=0, timestamps=None, **config):
    """Produces and returns each record's (partition, offset)."""
    client = producer(**config)
    delivered = []

    def on_delivery(error, message):
        delivered.append(error or (message.partition(), message.offset()))

    for i, (key, value, headers) in enumerate(records):
        extra = {"timestamp": timestamps[i]} if timestamps else {}
        extra |= {"partition": partition} if partition is not None else {}
        client.produce(
            topic_name, value, key, headers=list(headers), on_delivery=on_delivery, **extra
        )
    equal(client.flush(30), 0, "records left in the producer's queue")
    errors = [found for found in delivered if isinstance(found, KafkaError)]
    equal(errors, [], "delivery errors")
    return delivered


def consumer(group=None, **config):
    config = {key.replace("_", "."): value for key, value in config.items()}
    defaults = {
        "bootstrap.servers": BOOTSTRAP,
        "group.id": group or name("group"),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 500,
    }
    return Consumer(defaults | config)


def take(client, count, seconds=30):
    """The next `count` records of a consumer."""
    found = []
    deadline = time.monotonic() + seconds
    while len(found) < count:
        true(time.monotonic() < deadline, f"only {len(found)} of {count} records came")
        for message in client.consume(count - len(found), timeout=0.5):
            if message.error():
                raise KafkaException(message.error())
            found.append(message)
    return found


def read_assigned(topic_name, count, partition=0, offset=0, **config):
    client = consumer(**config)
    client.assign([TopicPartition(topic_name, partition, offset)])
    found = take(client, count)
    client.close()
    return found


def as_record(message):
    return (message.key(), message.value(), message.headers() or [])


@suite.check
def creates_and_describes_a_topic():
    topic_name = topic(3, retention_ms=123_456_789, cleanup_policy="compact")
    metadata = admin.list_topics(topic_name, timeout=10).topics[topic_name]
    equal(sorted(metadata.partitions), [0, 1, 2], "partitions")
    equal([p.replicas for p in metadata.partitions.values()], [[metadata.partitions[0].leader]] * 3)
    resource = ConfigResource(ResourceType.TOPIC, topic_name)
    config = results(admin.describe_configs([resource]))[resource]
    equal(config["retention.ms"].value, "123456789", "retention.ms")
    equal(config["retention.ms"].source, ConfigSource.DYNAMIC_TOPIC_CONFIG.value, "its source")
    equal(config["cleanup.policy"].value, "compact", "cleanup.policy")
    true(config["segment.bytes"].is_default, "segment.bytes is a default")


@suite.check
def a_topic_that_exists_is_refused():
    topic_name = topic()
    code = refused(admin.create_topics([NewTopic(topic_name, 1, 1)]))
    equal(code, KafkaError.TOPIC_ALREADY_EXISTS, "error code")


@suite.check
def a_bad_topic_name_is_refused():
    code = refused(admin.create_topics([NewTopic("no/slash", 1, 1)]))
    equal(code, KafkaError.TOPIC_EXCEPTION, "error code")


@suite.check
def a_bad_topic_config_is_refused():
    wanted = NewTopic(name("confluent"), 1, 1, config={"retention.ms": "soon"})
    equal(refused(admin.create_topics([wanted])), KafkaError.INVALID_CONFIG, "error code")


@suite.check
def validate_only_creates_nothing():
    topic_name = name("confluent")
    results(admin.create_topics([NewTopic(topic_name, 1, 1)], validate_only=True))
    true(topic_name not in admin.list_topics(timeout=10).topics, "the topic was created")


def round_trip(codec):
    def check():
        topic_name = topic()
        delivered = produce(topic_name, sample.RECORDS, compression_type=codec)
        equal(delivered, [(0, i) for i in range(len(sample.RECORDS))], "offsets")
        found = read_assigned(topic_name, len(sample.RECORDS), check_crcs=True)
        equal([as_record(message) for message in found], sample.RECORDS, "records")

    return check


for codec in sample.CODECS:
    suite.add(f"every_byte_comes_back_{codec}", round_trip(codec))


def acks(level):
    def check():
        topic_name = topic()
        produce(topic_name, [(None, b"%d" % i, []) for i in range(50)], acks=level)
        found = read_assigned(topic_name, 50)
        equal([m.value() for m in found], [b"%d" % i for i in range(50)], "values")

    return check


for level in ["0", "1", "all"]:
    suite.add(f"produces_with_acks_{level}", acks(level))


@suite.check
def an_idempotent_producer_writes_each_record_once_and_in_order():
    topic_name = topic()
    records = [(None, b"%d" % i, []) for i in range(5_000)]
    delivered = produce(topic_name, records, enable_idempotence=True, linger_ms=0)
    equal(sorted(delivered), [(0, i) for i in range(5_000)], "offsets")
    found = read_assigned(topic_name, 5_000)
    equal([m.value() for m in found], [value for _, value, _ in records], "values")


@suite.check
def one_key_goes_to_one_partition():
    topic_name = topic(4)
    keys = [b"key-%d" % (i % 40) for i in range(400)]
    delivered = produce(topic_name, [(key, b"", []) for key in keys], partition=None)
    equal(len({partition for partition, _ in delivered}), 4, "partitions in use")
    client = consumer()
    client.assign([TopicPartition(topic_name, p, 0) for p in range(4)])
    places = {}
    for message in take(client, 400):
        places.setdefault(message.key(), set()).add(message.partition())
    client.close()
    true(all(len(place) == 1 for place in places.values()), "a key is in two partitions")


@suite.check
def a_record_too_large_is_refused():
    topic_name = topic(max_message_bytes=10_000)
    try:
        produce(topic_name, [(None, bytes(20_000), [])])
    except AssertionError as error:
        true("MSG_SIZE_TOO_LARGE" in str(error), f"the error is {error}")
        return
    raise AssertionError("the record was accepted")


@suite.check
def timestamps_are_kept():
    topic_name = topic()
    stamps = sample.timestamps(5, int(time.time() * 1000))
    produce(topic_name, [(None, b"x", [])] * 5, timestamps=stamps)
    equal([m.timestamp()[1] for m in read_assigned(topic_name, 5)], stamps, "timestamps")


@suite.check
def log_append_time_replaces_the_producers():
    topic_name = topic(message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    produce(topic_name, [(None, b"x", [])] * 3, timestamps=[1, 2, 3])
    stamps = [message.timestamp() for message in read_assigned(topic_name, 3)]
    equal({kind for kind, _ in stamps}, {2}, "timestamp types")
    true(all(stamp >= before - 1000 for _, stamp in stamps), f"timestamps {stamps}")


@suite.check
def seeks_by_time():
    topic_name = topic()
    stamps = sample.timestamps(20, int(time.time() * 1000))
    for at in range(0, 20, 5):
        values = [(None, b"%d" % i, []) for i in range(at, at + 5)]
        produce(topic_name, values, timestamps=stamps[at : at + 5])
    client = consumer()

    def offset_at(timestamp):
        (found,) = client.offsets_for_times([TopicPartition(topic_name, 0, timestamp)], timeout=10)
        return found.offset

    equal([offset_at(stamp) for stamp in stamps], list(range(20)), "offsets at the timestamps")
    equal([offset_at(stamp - 1) for stamp in stamps], list(range(20)), "offsets just before them")
    equal(offset_at(stamps[-1] + 1), -1, "offset after the last record")
    client.assign([TopicPartition(topic_name, 0, offset_at(stamps[13]))])
    equal([m.value() for m in take(client, 7)], [b"%d" % i for i in range(13, 20)], "values")
    client.close()


@suite.check
def a_consumer_waits_for_records_that_come_later():
    topic_name = topic()
    client = consumer()
    client.assign([TopicPartition(topic_name, 0, 0)])
    equal(client.poll(0.3), None, "records of an empty topic")
    produce(topic_name, [(None, b"late", [])])
    equal(take(client, 1)[0].value(), b"late", "value")
    client.close()


@suite.check
def an_offset_out_of_range_is_reset_or_told():
    topic_name = topic()
    produce(topic_name, [(None, b"x", [])] * 3)
    equal(read_assigned(topic_name, 3, offset=1_000)[0].offset(), 0, "offset after the reset")
    client = consumer(auto_offset_reset="error")
    client.assign([TopicPartition(topic_name, 0, 1_000)])
    message = until("an answer", lambda: client.poll(1))
    equal(message.error().code(), KafkaError._AUTO_OFFSET_RESET, "error code")
    client.close()


@suite.check
def a_batch_larger_than_the_fetch_size_still_comes():
    topic_name = topic()
    produce(topic_name, [(None, bytes(500_000), [])] * 2)
    found = read_assigned(
        topic_name, 2, max_partition_fetch_bytes=1_000, fetch_max_bytes=1_000, message_max_bytes=1_000
    )
    equal([len(m.value()) for m in found], [500_000] * 2, "sizes")


@suite.check
def watermarks_are_the_ends_of_the_log():
    topic_name = topic()
    client = consumer()
    produce(topic_name, [(None, b"x", [])] * 7)
    equal(client.get_watermark_offsets(TopicPartition(topic_name, 0), timeout=10), (0, 7))
    client.close()


class Member(threading.Thread):
    """A group member on a thread of its own, as programs run them; `assignment` follows the callbacks."""

    def __init__(self, group, topics, **config):
        super().__init__(daemon=True)
        self.client = consumer(group, **config)
        self.cooperative = config.get("partition_assignment_strategy") == "cooperative-sticky"
        self.assignment, self.seen, self.assignments = set(), [], 0
        self.stopping = threading.Event()
        self.client.subscribe(topics, on_assign=self.on_assign, on_revoke=self.on_revoke)
        self.start()

    def on_assign(self, client, partitions):
        self.assignments += 1
        found = {(p.topic, p.partition) for p in partitions}
        self.assignment = self.assignment | found if self.cooperative else found

    def on_revoke(self, client, partitions):
        self.assignment = self.assignment - {(p.topic, p.partition) for p in partitions}

    def run(self):
        while not self.stopping.is_set():
            message = self.client.poll(0.1)
            if message is not None and not message.error():
                self.seen.append(message)
        self.client.close()

    def leave(self):
        self.stopping.set()
        self.join(20)
        true(not self.is_alive(), "a member does not leave")


def shared(members, topic_name, partitions):
    """Waits until the members share the partitions evenly, each partition with one reader."""
    every = {(topic_name, p) for p in range(partitions)}

    def even():
        parts = [member.assignment for member in members]
        sizes = {len(part) for part in parts}
        whole = set().union(*parts) == every and sum(map(len, parts)) == partitions
        return whole and max(sizes) - min(sizes) <= 1

    until(f"{len(members)} members sharing {partitions} partitions", even, 40)


def three_members(strategy):
    def check():
        topic_name, group = topic(6), name("group")
        join = lambda: Member(group, [topic_name], partition_assignment_strategy=strategy)
        members = [join()]
        shared(members, topic_name, 6)
        members += [join(), join()]
        shared(members, topic_name, 6)
        produce(topic_name, [(b"%d" % i, b"%d" % i, []) for i in range(300)], partition=None)
        until("all records", lambda: sum(len(m.seen) for m in members) >= 300)
        values = sorted(int(message.value()) for m in members for message in m.seen)
        equal(values, list(range(300)), "values, each read once")
        members.pop().leave()
        shared(members, topic_name, 6)
        members.append(join())
        shared(members, topic_name, 6)
        for member in members:
            member.leave()

    return check


for strategy in ["range", "roundrobin", "cooperative-sticky"]:
    suite.add(f"three_members_join_and_leave_{strategy}", three_members(strategy))


@suite.check
def a_static_member_returns_without_a_rebalance():
    topic_name, group = topic(2), name("group")
    stays = Member(group, [topic_name], group_instance_id="stays")
    returns = Member(group, [topic_name], group_instance_id="returns")
    shared([stays, returns], topic_name, 2)
    before = stays.assignments
    returns.leave()
    returns = Member(group, [topic_name], group_instance_id="returns")
    shared([stays, returns], topic_name, 2)
    equal(stays.assignments, before, "assignments that the other member saw")
    stays.leave()
    returns.leave()


@suite.check
def a_group_resumes_where_it_committed():
    topic_name, group = topic(), name("group")
    produce(topic_name, [(None, b"%d" % i, []) for i in range(10)])
    first = consumer(group)
    first.subscribe([topic_name])
    take(first, 4)
    first.commit(offsets=[TopicPartition(topic_name, 0, 4, metadata="four")], asynchronous=False)
    first.close()
    second = consumer(group)
    (committed,) = second.committed([TopicPartition(topic_name, 0)], timeout=10)
    equal((committed.offset, committed.metadata), (4, "four"), "committed offset and metadata")
    second.subscribe([topic_name])
    equal([m.value() for m in take(second, 6)], [b"%d" % i for i in range(4, 10)], "values")
    second.close()


@suite.check
def a_group_without_a_commit_has_no_offset():
    client = consumer()
    (committed,) = client.committed([TopicPartition(topic(), 0)], timeout=10)
    equal(committed.offset, -1001, "committed offset")
    client.close()


@suite.check
def alters_topic_configs():
    topic_name = topic(retention_ms=1_000_000)
    resource = ConfigResource(
        ResourceType.TOPIC,
        topic_name,
        incremental_configs=[
            ConfigEntry("max.message.bytes", "5000", incremental_operation=AlterConfigOpType.SET),
            ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE),
            ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND),
        ],
    )
    results(admin.incremental_alter_configs([resource]))
    wanted = ConfigResource(ResourceType.TOPIC, topic_name)

    def altered():
        config = results(admin.describe_configs([wanted]))[wanted]
        names = ["max.message.bytes", "retention.ms", "cleanup.policy"]
        return [config[key].value for key in names] == ["5000", "604800000", "delete,compact"]

    until("the new configs", altered, 10)


@suite.check
def creates_partitions():
    topic_name = topic(1)
    results(admin.create_partitions([NewPartitions(topic_name, 4)]))
    until("four partitions", lambda: len(
        admin.list_topics(topic_name, timeout=10).topics[topic_name].partitions) == 4)
    equal(produce(topic_name, [(None, b"x", [])], partition=3), [(3, 0)], "delivery")
    code = refused(admin.create_partitions([NewPartitions(topic_name, 2)]))
    equal(code, KafkaError.INVALID_PARTITIONS, "error code of shrinking")


@suite.check
def deletes_topics():
    topic_name = topic()
    results(admin.delete_topics([topic_name]))
    until("the topic's end", lambda: topic_name not in admin.list_topics(timeout=10).topics)
    code = refused(admin.delete_topics([topic_name]))
    equal(code, KafkaError.UNKNOWN_TOPIC_OR_PART, "error code of deleting it again")


@suite.check
def deletes_records():
    topic_name = topic()
    produce(topic_name, [(None, b"%d" % i, []) for i in range(10)])
    (answer,) = results(admin.delete_records([TopicPartition(topic_name, 0, 6)])).values()
    equal(answer.low_watermark, 6, "low watermark")
    equal(read_assigned(topic_name, 4)[0].offset(), 6, "first offset left")


@suite.check
def lists_offsets():
    topic_name = topic()
    now = int(time.time() * 1000)
    produce(topic_name, [(None, b"x", [])] * 4, timestamps=[now - 40, now - 10, now - 30, now - 20])

    def offset(spec):
        futures = admin.list_offsets({TopicPartition(topic_name, 0): spec})
        return list(results(futures).values())[0].offset

    equal(offset(OffsetSpec.earliest()), 0, "earliest")
    equal(offset(OffsetSpec.latest()), 4, "latest")
    equal(offset(OffsetSpec.max_timestamp()), 1, "offset of the largest timestamp")
    equal(offset(OffsetSpec.for_timestamp(now - 30)), 1, "first at or after a timestamp")


@suite.check
def lists_describes_and_deletes_groups():
    topic_name, group = topic(2), name("group")
    member = Member(group, [topic_name], client_id="a-member")
    shared([member], topic_name, 2)
    listed = admin.list_consumer_groups(request_timeout=10).result(20).valid
    equal([g.state.name for g in listed if g.group_id == group], ["STABLE"], "state listed")
    found = results(admin.describe_consumer_groups([group]))[group]
    equal((found.state.name, found.partition_assignor), ("STABLE", "range"), "description")
    equal([m.client_id for m in found.members], ["a-member"], "members")
    owned = found.members[0].assignment.topic_partitions
    equal(sorted((p.topic, p.partition) for p in owned), [(topic_name, 0), (topic_name, 1)])
    equal(refused(admin.delete_consumer_groups([group])), KafkaError.NON_EMPTY_GROUP, "error code")
    member.leave()
    results(admin.delete_consumer_groups([group]))
    code = refused(admin.delete_consumer_groups([group]))
    equal(code, KafkaError.GROUP_ID_NOT_FOUND, "error code of deleting it again")


@suite.check
def reads_and_alters_group_offsets():
    topic_name, group = topic(2), name("group")
    offsets = [TopicPartition(topic_name, 0, 3), TopicPartition(topic_name, 1, 5)]
    wanted = ConsumerGroupTopicPartitions(group, offsets)
    results(admin.alter_consumer_group_offsets([wanted]))
    asked = [ConsumerGroupTopicPartitions(group)]
    found = results(admin.list_consumer_group_offsets(asked))[group]
    found = sorted((p.partition, p.offset) for p in found.topic_partitions)
    equal(found, [(0, 3), (1, 5)], "offsets")


@suite.check
def describes_the_cluster():
    cluster = admin.describe_cluster(request_timeout=10).result(20)
    true(cluster.cluster_id, "there is a cluster id")
    equal(len(cluster.nodes), 1, "nodes")
    equal(f"{cluster.nodes[0].host}:{cluster.nodes[0].port}", BOOTSTRAP, "address")
    equal(cluster.controller.id, cluster.nodes[0].id, "controller")


@suite.check
def an_unknown_topic_is_told():
    client = consumer(allow_auto_create_topics=False)
    client.subscribe([name("missing")])
    message = until("an answer", lambda: client.poll(1))
    equal(message.error().code(), KafkaError.UNKNOWN_TOPIC_OR_PART, "error code")
    client.close()


@suite.check
def producing_creates_a_missing_topic():
    topic_name = name("auto")
    equal(produce(topic_name, [(None, b"x", [])]), [(0, 0)], "delivery")


@suite.check
def read_committed_sees_plain_records():
    topic_name = topic()
    produce(topic_name, [(None, b"x", [])] * 3)
    equal(len(read_assigned(topic_name, 3, isolation_level="read_committed")), 3, "records")
    futures = admin.list_offsets(
        {TopicPartition(topic_name, 0): OffsetSpec.latest()},
        isolation_level=IsolationLevel.READ_COMMITTED,
    )
    equal(list(results(futures).values())[0].offset, 3, "last stable offset")


suite.main()
