"""kafka-python: a client written from the protocol's description, with a codec of its own."""

import threading
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, OffsetSpec
from kafka.structs import OffsetAndMetadata

import sample
from check import BOOTSTRAP, Suite, equal, name, true, until

suite = Suite("kafka-python")
admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)


def topic(partitions=1, **configs):
    topic_name = name("kafka-python")
    configs = {key.replace("_", "."): str(value) for key, value in configs.items()}
    wanted = {"num_partitions": partitions, "replication_factor": 1, "configs": configs}
    admin.create_topics({topic_name: wanted})
    return topic_name


def raises(kind, call):
    try:
        call()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was not raised")


def produce(topic_name, records, partition=0, timestamps=None, **config):
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, linger_ms=20, **config)
    futures = [
        producer.send(
            topic_name, value, key=key, headers=list(headers), partition=partition,
            timestamp_ms=timestamps[i] if timestamps else None,
        )
        for i, (key, value, headers) in enumerate(records)
    ]
    producer.flush(30)
    delivered = [future.get(20) for future in futures]
    producer.close(5)
    return [(found.partition, found.offset) for found in delivered]


def consumer(group=None, topics=(), **config):
    defaults = {
        "bootstrap_servers": BOOTSTRAP,
        "group_id": group,
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "heartbeat_interval_ms": 500,
        "session_timeout_ms": 10_000,
    }
    return KafkaConsumer(*topics, **(defaults | config))


def take(client, count, seconds=30):
    found = []
    deadline = time.monotonic() + seconds
    while len(found) < count:
        true(time.monotonic() < deadline, f"only {len(found)} of {count} records came")
        for batch in client.poll(500, max_records=count - len(found)).values():
            found += batch
    return found


def read_assigned(topic_name, count, partition=0, offset=0, **config):
    client = consumer(**config)
    client.assign([TopicPartition(topic_name, partition)])
    client.seek(TopicPartition(topic_name, partition), offset)
    found = take(client, count)
    client.close()
    return found


@suite.check
def creates_and_describes_a_topic():
    topic_name = topic(3, retention_ms=123_456_789)
    (found,) = admin.describe_topics([topic_name])
    equal(sorted(p["partition_index"] for p in found["partitions"]), [0, 1, 2], "partitions")
    raises(errors.TopicAlreadyExistsError, lambda: admin.create_topics(
        {topic_name: {"num_partitions": 1, "replication_factor": 1}}))
    true(topic_name in admin.list_topics(), "the topic is listed")


@suite.check
def reads_and_alters_configs():
    topic_name = topic(retention_ms=123_456_789)
    resource = ConfigResource(ConfigResourceType.TOPIC, topic_name, {"max.message.bytes": "5000"})
    admin.alter_configs([resource])
    asked = ConfigResource(ConfigResourceType.TOPIC, topic_name)

    def values(filter):
        found = admin.describe_configs([asked], config_filter=filter)["topic"][topic_name]
        return {key: config["value"] for key, config in found.items()}

    wanted = {"retention.ms": "123456789", "max.message.bytes": "5000"}
    until("the new config", lambda: values("modified") == wanted, 10)
    true(values("all")["cleanup.policy"] == "delete", "defaults are reported too")
    admin.alter_configs([resource], incremental=False)
    until("the same config", lambda: values("modified") == wanted, 10)


def round_trip(codec):
    def check():
        topic_name = topic()
        delivered = produce(topic_name, sample.RECORDS_FOR_THE_STRICT, compression_type=codec)
        equal(delivered, [(0, i) for i in range(len(sample.RECORDS_FOR_THE_STRICT))], "offsets")
        found = read_assigned(topic_name, len(sample.RECORDS_FOR_THE_STRICT), check_crcs=True)
        records = [(r.key, r.value, [tuple(header) for header in r.headers]) for r in found]
        equal(records, sample.RECORDS_FOR_THE_STRICT, "records")

    return check


for codec in sample.CODECS:
    suite.add(f"every_byte_comes_back_{codec}", round_trip(None if codec == "none" else codec))


def acks(level):
    def check():
        topic_name = topic()
        records = [(None, b"%d" % i, []) for i in range(50)]
        produce(topic_name, records, acks=level, enable_idempotence=False)
        equal([r.value for r in read_assigned(topic_name, 50)], [value for _, value, _ in records])

    return check


for level in [0, 1, "all"]:
    suite.add(f"produces_with_acks_{level}", acks(level))


@suite.check
def an_idempotent_producer_writes_each_record_once_and_in_order():
    topic_name = topic()
    records = [(None, b"%d" % i, []) for i in range(2_000)]
    delivered = produce(topic_name, records, enable_idempotence=True)
    equal(delivered, [(0, i) for i in range(2_000)], "offsets")
    equal([r.value for r in read_assigned(topic_name, 2_000)], [value for _, value, _ in records])


@suite.check
def seeks_by_time():
    topic_name = topic()
    partition = TopicPartition(topic_name, 0)
    stamps = sample.timestamps(20, int(time.time() * 1000))
    produce(topic_name, [(None, b"%d" % i, []) for i in range(20)], timestamps=stamps)
    client = consumer()
    client.assign([partition])
    found = client.offsets_for_times({partition: stamps[13]})[partition]
    equal((found.offset, found.timestamp), (13, stamps[13]), "offset and timestamp")
    equal(client.offsets_for_times({partition: stamps[19] + 1})[partition], None, "after the end")
    client.seek(partition, found.offset)
    equal([r.value for r in take(client, 7)], [b"%d" % i for i in range(13, 20)], "values")
    equal(client.beginning_offsets([partition])[partition], 0, "beginning")
    equal(client.end_offsets([partition])[partition], 20, "end")
    client.close()


JOIN_AND_MORE_MS = 3_000


class Member(threading.Thread, ConsumerRebalanceListener):
    """A group member on a thread of its own."""

    def __init__(self, group, topic_name, **config):
        super().__init__(daemon=True)
        self.client = consumer(group, **config)
        self.seen, self.stopping = [], threading.Event()
        self.client.subscribe([topic_name], listener=self)
        self.assignment = set()
        self.start()

    def on_partitions_assigned(self, assigned):
        self.assignment = {partition.partition for partition in self.client.assignment()}

    def on_partitions_revoked(self, revoked):
        self.assignment = self.assignment - {partition.partition for partition in revoked}

    def run(self):
        # kafka-python 3.0.12 loses an assignment whose SyncGroup answer comes just as a poll runs out
        # (`join_group_async` tests need_rejoin() before it looks at the finished task) and heartbeats no
        # more; no join here takes as long as this poll.
        while not self.stopping.is_set():
            for batch in self.client.poll(JOIN_AND_MORE_MS).values():
                self.seen += batch
        self.client.close()

    def leave(self):
        self.stopping.set()
        self.join(20)
        true(not self.is_alive(), "a member does not leave")


def shared(members, partitions):
    def even():
        parts = [member.assignment for member in members]
        sizes = {len(part) for part in parts}
        whole = set().union(*parts) == set(range(partitions)) and sum(map(len, parts)) == partitions
        return whole and max(sizes) - min(sizes) <= 1

    until(f"{len(members)} members sharing {partitions} partitions", even, 40)


@suite.check
def three_members_join_and_leave():
    topic_name, group = topic(6), name("group")
    members = [Member(group, topic_name) for _ in range(3)]
    shared(members, 6)
    produce(topic_name, [(b"%d" % i, b"%d" % i, []) for i in range(300)], partition=None)
    until("all records", lambda: sum(len(member.seen) for member in members) >= 300)
    values = sorted(int(record.value) for member in members for record in member.seen)
    equal(values, list(range(300)), "values, each read once")
    members.pop().leave()
    shared(members, 6)
    members.append(Member(group, topic_name))
    shared(members, 6)
    for member in members:
        member.leave()


@suite.check
def a_group_resumes_where_it_committed():
    topic_name, group = topic(), name("group")
    partition = TopicPartition(topic_name, 0)
    produce(topic_name, [(None, b"%d" % i, []) for i in range(10)])
    first = consumer(group, [topic_name])
    take(first, 4)
    first.commit({partition: OffsetAndMetadata(4, "four", -1)})
    first.close()
    second = consumer(group, [topic_name])
    equal([r.value for r in take(second, 6)], [b"%d" % i for i in range(4, 10)], "values")
    found = second.committed(partition, metadata=True)
    equal((found.offset, found.metadata), (4, "four"), "committed offset and metadata")
    second.close()


@suite.check
def lists_describes_and_deletes_groups():
    topic_name, group = topic(), name("group")
    member = Member(group, topic_name, client_id="a-member")
    shared([member], 1)
    listed = [found for found in admin.list_groups() if found["group_id"] == group]
    equal([(g["protocol_type"], g["group_state"]) for g in listed], [("consumer", "Stable")])
    found = admin.describe_groups([group])[group]
    equal(found["group_state"], "Stable", "state")
    equal([m["client_id"] for m in found["members"]], ["a-member"], "members")
    equal(admin.delete_groups([group]), {group: "NonEmptyGroupError"}, "deleting it in use")
    member.leave()
    equal(admin.delete_groups([group]), {group: "OK"}, "deleting it")


@suite.check
def reads_alters_and_deletes_group_offsets():
    topic_name, group = topic(2), name("group")
    partitions = [TopicPartition(topic_name, p) for p in range(2)]
    offsets = {p: OffsetAndMetadata(3 + p.partition, "", -1) for p in partitions}
    admin.alter_group_offsets(group, offsets)
    found = admin.list_group_offsets(group)[group]
    equal({p.partition: offset.offset for p, offset in found.items()}, {0: 3, 1: 4}, "offsets")
    admin.delete_group_offsets(group, [partitions[0]])
    found = admin.list_group_offsets(group)[group]
    equal({p.partition: offset.offset for p, offset in found.items()}, {1: 4}, "offsets left")


@suite.check
def lists_offsets():
    topic_name = topic()
    now = int(time.time() * 1000)
    stamps = [now - 40, now - 10, now - 30, now - 20]
    produce(topic_name, [(None, b"x", [])] * 4, timestamps=stamps)
    partition = TopicPartition(topic_name, 0)

    def offset(spec):
        return admin.list_partition_offsets({partition: spec})[partition].offset

    equal(offset(OffsetSpec.EARLIEST), 0, "earliest")
    equal(offset(OffsetSpec.LATEST), 4, "latest")
    equal(offset(OffsetSpec.MAX_TIMESTAMP), 1, "offset of the largest timestamp")
    equal(offset(now - 30), 1, "first at or after a timestamp")


@suite.check
def deletes_records():
    topic_name = topic()
    partition = TopicPartition(topic_name, 0)
    produce(topic_name, [(None, b"%d" % i, []) for i in range(10)])
    found = admin.delete_records({partition: 6})[partition]
    equal(found["low_watermark"], 6, "low watermark")
    equal(read_assigned(topic_name, 4)[0].offset, 6, "first offset left")


@suite.check
def creates_partitions_and_deletes_topics():
    topic_name = topic()
    admin.create_partitions({topic_name: 4})
    equal(produce(topic_name, [(None, b"x", [])], partition=3), [(3, 0)], "delivery")
    admin.delete_topics([topic_name])
    until("the topic's end", lambda: topic_name not in admin.list_topics())
    raises(errors.UnknownTopicOrPartitionError, lambda: admin.delete_topics([topic_name]))


@suite.check
def describes_log_dirs_and_the_cluster():
    topic_name = topic(2)
    produce(topic_name, [(None, bytes(1000), [])])
    (broker,) = admin.describe_log_dirs({topic_name: [0, 1]})
    sizes = [p["partition_size"] for d in broker["log_dirs"] for t in d["topics"]
        for p in t["partitions"]]
    true(len(sizes) == 2 and max(sizes) > 1000, f"the sizes are {sizes}")
    cluster = admin.describe_cluster()
    equal(len(cluster["brokers"]), 1, "brokers")
    true(cluster["cluster_id"], "there is a cluster id")


@suite.check
def elects_leaders_and_lists_reassignments():
    topic_name = topic()
    outcome = admin.elect_leaders(0, {topic_name: [0]})
    codes = [p.error_code for t in outcome.replica_election_results for p in t.partition_result]
    equal(codes, [84], "error codes: an election that is not needed")
    equal(dict(admin.list_partition_reassignments()), {}, "reassignments")


@suite.check
def describes_the_metadata_quorum():
    quorum = admin.describe_metadata_quorum()
    true("__cluster_metadata" in str(quorum), f"the answer is {quorum}")


suite.main()
