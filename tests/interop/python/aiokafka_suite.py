"""aiokafka: the client of asyncio programs, with hand-written message versions older than the others'."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import OffsetAndMetadata

import sample
from check import BOOTSTRAP, Suite, equal, name, true

suite = Suite("aiokafka")


def check(function):
    suite.add(function.__name__, lambda: asyncio.run(function()))
    return function


async def admin_does(action):
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    try:
        return await action(admin)
    finally:
        await admin.close()


async def topic(partitions=1, **configs):
    topic_name = name("aiokafka")
    configs = {key.replace("_", "."): str(value) for key, value in configs.items()}
    wanted = NewTopic(topic_name, partitions, 1, topic_configs=configs)
    answer = await admin_does(lambda admin: admin.create_topics([wanted]))
    equal([error[1] for error in answer.topic_errors], [0], "error codes")
    return topic_name


async def produce(topic_name, records, partition=0, timestamps=None, **config):
    """Sends batch after batch without waiting, then waits for all."""
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, linger_ms=20, **config)
    await producer.start()
    try:
        sent = []
        for i, (key, value, headers) in enumerate(records):
            sent.append(await producer.send(
                topic_name, value, key=key, headers=list(headers), partition=partition,
                timestamp_ms=timestamps[i] if timestamps else None,
            ))
        delivered = await asyncio.wait_for(asyncio.gather(*sent), 30)
    finally:
        await producer.stop()
    return [(found.partition, found.offset) for found in delivered if found]


def consumer(group=None, **config):
    defaults = {
        "bootstrap_servers": BOOTSTRAP,
        "group_id": group,
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "heartbeat_interval_ms": 500,
        "session_timeout_ms": 10_000,
    }
    return AIOKafkaConsumer(**(defaults | config))


async def take(client, count):
    return [await asyncio.wait_for(client.getone(), 30) for _ in range(count)]


async def read_assigned(topic_name, count, partition=0, **config):
    client = consumer(**config)
    client.assign([TopicPartition(topic_name, partition)])
    await client.start()
    try:
        return await take(client, count)
    finally:
        await client.stop()


def round_trip(codec):
    async def body():
        topic_name = await topic()
        delivered = await produce(topic_name, sample.RECORDS_WITH_SOMETHING, compression_type=codec)
        equal(delivered, [(0, i) for i in range(len(sample.RECORDS_WITH_SOMETHING))], "offsets")
        found = await read_assigned(topic_name, len(sample.RECORDS_WITH_SOMETHING), check_crcs=True)
        equal([(r.key, r.value, list(r.headers)) for r in found], sample.RECORDS_WITH_SOMETHING, "records")

    return lambda: asyncio.run(body())


for codec in sample.CODECS:
    suite.add(f"every_byte_comes_back_{codec}", round_trip(None if codec == "none" else codec))


def acks(level):
    async def body():
        topic_name = await topic()
        records = [(None, b"%d" % i, []) for i in range(50)]
        await produce(topic_name, records, acks=level)
        found = await read_assigned(topic_name, 50)
        equal([r.value for r in found], [value for _, value, _ in records], "values")

    return lambda: asyncio.run(body())


for level in [0, 1, "all"]:
    suite.add(f"produces_with_acks_{level}", acks(level))


@check
async def an_idempotent_producer_writes_each_record_once_and_in_order():
    topic_name = await topic()
    records = [(None, b"%d" % i, []) for i in range(2_000)]
    delivered = await produce(topic_name, records, enable_idempotence=True)
    equal(delivered, [(0, i) for i in range(2_000)], "offsets")
    found = await read_assigned(topic_name, 2_000)
    equal([r.value for r in found], [value for _, value, _ in records], "values")


@check
async def seeks_by_time():
    topic_name = await topic()
    stamps = sample.timestamps(20, int(time.time() * 1000))
    await produce(topic_name, [(None, b"%d" % i, []) for i in range(20)], timestamps=stamps)
    partition = TopicPartition(topic_name, 0)
    client = consumer()
    client.assign([partition])
    await client.start()
    found = (await client.offsets_for_times({partition: stamps[13]}))[partition]
    equal((found.offset, found.timestamp), (13, stamps[13]), "offset and timestamp")
    client.seek(partition, found.offset)
    equal([r.value for r in await take(client, 7)], [b"%d" % i for i in range(13, 20)], "values")
    equal((await client.beginning_offsets([partition]))[partition], 0, "beginning")
    equal((await client.end_offsets([partition]))[partition], 20, "end")
    await client.stop()


class Member(ConsumerRebalanceListener):
    """A group member on a task of its own."""

    def __init__(self, group, topic_name, changed, **config):
        self.client = consumer(group, **config)
        self.client.subscribe([topic_name], listener=self)
        self.assignment, self.seen, self.changed = set(), [], changed
        self.task = asyncio.create_task(self.run())

    async def on_partitions_assigned(self, assigned):
        self.assignment = {partition.partition for partition in assigned}
        self.changed.set()

    async def on_partitions_revoked(self, revoked):
        self.assignment = set()

    async def run(self):
        await self.client.start()
        try:
            async for record in self.client:
                self.seen.append(record)
                self.changed.set()
        finally:
            await self.client.stop()

    async def leave(self):
        self.task.cancel()
        await asyncio.wait([self.task], timeout=20)
        true(self.task.done(), "a member does not leave")


async def until(what, changed, condition):
    async def wait():
        while not condition():
            await changed.wait()
            changed.clear()

    try:
        await asyncio.wait_for(wait(), 40)
    except asyncio.TimeoutError:
        raise AssertionError(f"{what} did not happen within 40 s") from None


async def shared(members, partitions, changed):
    def even():
        parts = [member.assignment for member in members]
        sizes = {len(part) for part in parts}
        whole = set().union(*parts) == set(range(partitions)) and sum(map(len, parts)) == partitions
        return whole and max(sizes) - min(sizes) <= 1

    await until(f"{len(members)} members sharing {partitions} partitions", changed, even)


@check
async def three_members_join_and_leave():
    topic_name, group, changed = await topic(6), name("group"), asyncio.Event()
    members = [Member(group, topic_name, changed) for _ in range(3)]
    await shared(members, 6, changed)
    await produce(topic_name, [(b"%d" % i, b"%d" % i, []) for i in range(300)], partition=None)
    await until("all records", changed, lambda: sum(len(m.seen) for m in members) >= 300)
    values = sorted(int(record.value) for member in members for record in member.seen)
    equal(values, list(range(300)), "values, each read once")
    await members.pop().leave()
    await shared(members, 6, changed)
    members.append(Member(group, topic_name, changed))
    await shared(members, 6, changed)
    for member in members:
        await member.leave()


@check
async def a_group_resumes_where_it_committed():
    topic_name, group = await topic(), name("group")
    partition = TopicPartition(topic_name, 0)
    await produce(topic_name, [(None, b"%d" % i, []) for i in range(10)])
    first = consumer(group)
    first.subscribe([topic_name])
    await first.start()
    await take(first, 4)
    await first.commit({partition: OffsetAndMetadata(4, "four")})
    await first.stop()
    second = consumer(group)
    second.subscribe([topic_name])
    await second.start()
    equal(await second.committed(partition), 4, "committed offset")
    equal([r.value for r in await take(second, 6)], [b"%d" % i for i in range(4, 10)], "values")
    await second.stop()


@check
async def administers_topics():
    topic_name = await topic(2, retention_ms=123_456_789)

    async def body(admin):
        again = await admin.create_topics([NewTopic(topic_name, 1, 1)])
        equal([error[1] for error in again.topic_errors], [36], "error code of creating it again")
        (found,) = await admin.describe_topics([topic_name])
        equal(sorted(p["partition"] for p in found["partitions"]), [0, 1], "partitions")
        resource = ConfigResource(ConfigResourceType.TOPIC, topic_name)
        (answer,) = await admin.describe_configs([resource])
        configs = {config[0]: config[1] for config in answer.resources[0][4]}
        equal(configs["retention.ms"], "123456789", "retention.ms")
        resource = ConfigResource(ConfigResourceType.TOPIC, topic_name, {"retention.ms": "5000"})
        (answer,) = await admin.alter_configs([resource])
        equal([found[0] for found in answer.resources], [0], "error codes of altering")
        await admin.create_partitions({topic_name: NewPartitions(4)})
        answer = await admin.delete_topics([topic_name])
        equal([code for _, code in answer.topic_error_codes], [0], "error codes of deleting")

    await admin_does(body)


@check
async def administers_groups_and_records():
    topic_name, group, changed = await topic(), name("group"), asyncio.Event()
    await produce(topic_name, [(None, b"%d" % i, []) for i in range(10)])
    member = Member(group, topic_name, changed)
    await until("all records", changed, lambda: len(member.seen) == 10)
    await member.client.commit()

    async def body(admin):
        true((group, "consumer") in await admin.list_consumer_groups(), "the group is listed")
        (answer,) = await admin.describe_consumer_groups([group])
        error, found, state = answer.groups[0][:3]
        equal((error, found, state), (0, group, "Stable"), "description")
        offsets = await admin.list_consumer_group_offsets(group)
        partition = TopicPartition(topic_name, 0)
        equal(offsets[partition].offset, 10, "committed offset")
        low = await admin.delete_records({partition: RecordsToDelete(before_offset=6)})
        equal(low, {partition: 6}, "low watermark")

    await admin_does(body)
    await member.leave()
    equal((await read_assigned(topic_name, 4))[0].offset, 6, "first offset left")


suite.main()
