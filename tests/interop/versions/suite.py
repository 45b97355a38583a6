"""Every API that a node serves, in every version: the whole decoded answer, compared with Apache Kafka's.

`expectations.txt` holds Kafka's answers as JSON, as expectations.py says.
"""

import json
import pathlib
import sys

from kafka.protocol import admin, consumer, metadata, producer
from kafka.record.default_records import DefaultRecordBatchBuilder

import normal
import waiting
from check import Suite, equal, name, until
from expectations import UPDATING, Expectations
from raw_client import RawClient

suite = Suite("versions")
expectations = Expectations(pathlib.Path(__file__).with_name("expectations.txt"))
TIME = 1_700_000_000_000
#: The keys that a node serves today.
MUST_SERVE = [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 32, 33, 35, 37, 42, 43,
    44, 46, 47, 55, 60, 61, 75]


class Line:
    """The connection in use; each check has its own, so that one that is closed spoils no other."""

    client = RawClient()


def ask(request_class, version, **fields):
    return Line.client.ask(request_class, version, **fields)


def explain(wanted, found):
    places = normal.differences(json.loads(wanted), json.loads(found))
    return f"{len(places)} places differ (Kafka ≠ here), {'; '.join(places[:6])}"


def each(api, versions):
    """Marks a function of a version that returns the answers to compare."""

    def mark(function):
        for version in versions:
            case = f"{api} v{version}"

            def check(case=case, version=version):
                Line.client.close()
                Line.client = RawClient()
                answers = function(version)
                answers = answers if isinstance(answers, (list, tuple)) else [answers]
                expectations.judge(case, normal.line(*answers), explain)

            suite.add(case.replace(" ", "_"), check)
        return function

    return mark


def span(low, high):
    return range(low, high + 1)


def new_topic(partitions=1, **configs):
    made = name("versions")
    wanted = {"name": made, "num_partitions": partitions, "replication_factor": 1, "configs": [
        {"name": key.replace("_", "."), "value": value} for key, value in configs.items()]}
    ask(admin.CreateTopicsRequest, 4, timeout_ms=10_000, topics=[wanted])
    topic_id = until("a topic id", lambda: settled_id(made))
    until("its leaders", lambda: all(leads(made, partition) for partition in range(partitions)))
    return made, topic_id


def leads(topic, partition):
    wanted = {"partition_index": partition, "current_leader_epoch": -1, "timestamp": -1}
    answer = ask(consumer.ListOffsetsRequest, 7, replica_id=-1, isolation_level=0,
        topics=[{"name": topic, "partitions": [wanted]}])
    return answer.topics[0].partitions[0].error_code == 0


def settled_id(topic):
    (found,) = ask(metadata.MetadataRequest, 12, topics=[{"name": topic}]).topics
    ready = found.error_code == 0 and all(p.error_code == 0 for p in found.partitions)
    return found.topic_id if ready else None


def batch(*values):
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 16_384)
    for i, value in enumerate(values):
        builder.append(i, TIME + 10 * i, b"key", value, [("header", b"x")])
    return bytes(builder.build())


def produce(topic, topic_id, *values, version=9, partition=0):
    data = {"name": topic, "topic_id": topic_id,
        "partition_data": [{"index": partition, "records": batch(*values)}]}
    return ask(producer.ProduceRequest, version, acks=-1, timeout_ms=5_000, topic_data=[data])


def setup():
    """One topic with two batches, and coordinators that have found themselves."""
    made, topic_id = new_topic(2)
    until("a leader", lambda: produce(made, topic_id, b"a", b"b")
        .responses[0].partition_responses[0].error_code == 0)
    produce(made, topic_id, b"c")
    until("a coordinator", lambda: ask(metadata.FindCoordinatorRequest, 1, key="g", key_type=0)
        .error_code == 0)
    until("a loaded coordinator", lambda: ask(consumer.HeartbeatRequest, 3, group_id=name("none"),
        generation_id=1, member_id="x").error_code == 25)
    until("a block of producer ids", lambda: ask(producer.InitProducerIdRequest, 1,
        transactional_id=None, transaction_timeout_ms=1_000).error_code == 0)
    return made, topic_id


TOPIC, TOPIC_ID = setup()
MISSING = name("versions-missing")


@suite.check
def advertises_what_kafka_does_in_kafkas_versions():
    """Later work adds APIs; none is offered in a version that Kafka does not serve."""
    answer = ask(metadata.ApiVersionsRequest, 0)
    ours = {str(api.api_key): [api.min_version, api.max_version] for api in answer.api_keys}
    if UPDATING:
        return expectations.judge("ApiVersions", json.dumps(ours))
    kafkas = json.loads(expectations.outcomes["ApiVersions"][0])
    equal({key: kafkas.get(key) for key in ours}, ours, "versions by API key")
    equal([key for key in MUST_SERVE if str(key) not in ours], [], "APIs that are missing")


@each("Metadata", span(0, 13))
def _(version):
    ours = lambda found: found.name == TOPIC
    flags = {"allow_auto_topic_creation": False, "include_topic_authorized_operations": version >= 8,
        "include_cluster_authorized_operations": version >= 8}
    of = lambda topics: ask(metadata.MetadataRequest, version, topics=topics, **flags)
    everything = of([] if version == 0 else None)
    normal.keep(everything.topics, ours)
    answers = [of([{"name": TOPIC}]), everything]
    if version >= 1:
        answers.append(of([]))
    if version >= 4:
        # Before that asking for a missing topic creates it.
        answers.append(of([{"name": MISSING}]))
    if version >= 12:
        answers.append(of([{"name": None, "topic_id": TOPIC_ID}]))
        answers.append(of([{"name": None, "topic_id": "00000000-0000-0000-0000-00000000002a"}]))
    return answers


@each("Produce", span(3, 13))
def _(version):
    made, topic_id = new_topic()
    answers = [produce(made, topic_id, b"a", b"b", version=version)]
    answers.append(produce(made, topic_id, b"c", version=version))
    answers.append(produce(made, topic_id, b"d", version=version, partition=7))
    return answers


def fetch(version, offset=0, isolation=0, session=(0, -1), named=TOPIC, topic_id=None, **more):
    partition = {"partition": 0, "current_leader_epoch": -1, "fetch_offset": offset,
        "last_fetched_epoch": -1, "log_start_offset": -1, "partition_max_bytes": 10_000}
    topics = [{"topic": named, "topic_id": topic_id or TOPIC_ID, "partitions": [partition]}]
    fields = {"replica_id": -1, "max_wait_ms": 10, "min_bytes": 1, "max_bytes": 100_000,
        "isolation_level": isolation, "session_id": session[0], "session_epoch": session[1],
        "topics": topics, "rack_id": ""}
    return ask(consumer.FetchRequest, version, **(fields | more))


@each("Fetch", span(4, 18))
def _(version):
    return [fetch(version), fetch(version, offset=2, isolation=1), fetch(version, offset=3),
        fetch(version, offset=99)]


@each("Fetch_in_a_session", span(7, 18))
def _(version):
    made, topic_id = new_topic()
    until("a leader", lambda: produce(made, topic_id, b"a")
        .responses[0].partition_responses[0].error_code == 0)
    first = fetch(version, session=(0, 0), named=made, topic_id=topic_id)
    session = first.session_id
    again = lambda epoch, **more: fetch(version, session=(session, epoch), **more)
    read_on = again(1, offset=1, named=made, topic_id=topic_id)
    no_news = again(2, topics=[])
    produce(made, topic_id, b"b")
    news = again(3, topics=[])
    delete = {"name": made, "partitions": [{"partition_index": 0, "offset": 1}]}
    ask(admin.DeleteRecordsRequest, 2, topics=[delete], timeout_ms=5_000)
    again(4, offset=2, named=made, topic_id=topic_id)
    wrong_epoch = again(9, topics=[])
    forgotten = {"topic": made, "topic_id": topic_id, "partitions": [0]}
    forgets = again(5, topics=[], forgotten_topics_data=[forgotten])
    closes = again(-1, topics=[])
    gone = again(6, topics=[])
    return [first, read_on, no_news, news, wrong_epoch, forgets, closes, gone]


@each("ListOffsets", span(1, 11))
def _(version):
    def at(timestamp, partition=0):
        wanted = {"partition_index": partition, "current_leader_epoch": -1, "timestamp": timestamp}
        return ask(consumer.ListOffsetsRequest, version, replica_id=-1, isolation_level=0,
            topics=[{"name": TOPIC, "partitions": [wanted]}], timeout_ms=1_000)

    special = {-3: 7, -4: 8, -5: 9, -6: 11}
    answers = [at(-1), at(-2), at(TIME), at(TIME + 5), at(TIME + 11), at(-1, partition=1)]
    return answers + [at(what) for what, since in special.items() if version >= since]


@each("OffsetForLeaderEpoch", span(2, 4))
def _(version):
    def of(epoch, current=-1, partition=0):
        wanted = {"partition": partition, "current_leader_epoch": current, "leader_epoch": epoch}
        return ask(consumer.OffsetForLeaderEpochRequest, version, replica_id=-1,
            topics=[{"topic": TOPIC, "partitions": [wanted]}])

    return [of(0), of(5), of(-1), of(0, current=0), of(0, current=9), of(0, partition=9)]


@each("FindCoordinator", span(0, 6))
def _(version):
    if version >= 4:
        return ask(metadata.FindCoordinatorRequest, version, key_type=0, coordinator_keys=["a", "b"])
    return ask(metadata.FindCoordinatorRequest, version, key="a", key_type=0)


@each("OffsetCommit", span(2, 10))
def _(version):
    def commit(partition, **more):
        wanted = {"partition_index": partition, "committed_offset": 5, "committed_leader_epoch": 0,
            "committed_metadata": "five"}
        fields = {"group_id": name("versions-group"), "generation_id_or_member_epoch": -1, "member_id": "",
            "topics": [{"name": TOPIC, "topic_id": TOPIC_ID, "partitions": [wanted]}]}
        return ask(consumer.OffsetCommitRequest, version, **(fields | more))

    return [commit(0), commit(9), commit(0, generation_id_or_member_epoch=3, member_id="stranger")]


@each("OffsetFetch", span(1, 10))
def _(version):
    group = name("versions-group")
    wanted = {"partition_index": 0, "committed_offset": 5, "committed_leader_epoch": 0,
        "committed_metadata": "five"}
    ask(consumer.OffsetCommitRequest, 8, group_id=group, generation_id_or_member_epoch=-1,
        member_id="", topics=[{"name": TOPIC, "partitions": [wanted]}])
    named = {"name": TOPIC} if version < 10 else {"topic_id": TOPIC_ID}
    some = [named | {"partition_indexes": [0, 1]}]

    def offsets(of, topics):
        if version >= 8:
            groups = [{"group_id": of, "member_id": None, "member_epoch": -1, "topics": topics}]
            return ask(consumer.OffsetFetchRequest, version, groups=groups, require_stable=True)
        return ask(consumer.OffsetFetchRequest, version, group_id=of, topics=topics)

    answers = [offsets(group, some), offsets(name("versions-none"), some)]
    if version >= 2:
        answers.append(offsets(group, None))
    return answers


def joined(group, version=5, **more):
    """Joins, with the second round that v4 and later ask for; returns all answers."""
    fields = {"group_id": group, "session_timeout_ms": 30_000, "rebalance_timeout_ms": 30_000,
        "member_id": "", "group_instance_id": None, "protocol_type": "consumer", "reason": "test",
        "protocols": [{"name": "range", "metadata": b"\x00\x01"}]} | more
    answers = [ask(consumer.JoinGroupRequest, version, **fields)]
    if answers[0].error_code == 79:
        fields["member_id"] = answers[0].member_id
        answers.append(ask(consumer.JoinGroupRequest, version, **fields))
    return answers


def synced(group, member, version=3):
    return ask(consumer.SyncGroupRequest, version, group_id=group, generation_id=member.generation_id,
        member_id=member.member_id, protocol_type="consumer", protocol_name="range",
        assignments=[{"member_id": member.member_id, "assignment": b"\x00\x01\x02"}])


def stable():
    """A group with one member, and that member."""
    group = name("versions-group")
    member = joined(group)[-1]
    synced(group, member)
    return group, member


@each("JoinGroup", span(0, 9))
def _(version):
    return joined(name("versions-group"), version)


@each("JoinGroup_of_a_static_member", span(5, 9))
def _(version):
    group = name("versions-group")
    first = joined(group, version, group_instance_id="the-one")
    synced(group, first[-1])
    # It comes back without its member id, and the group notices no more than a new id.
    return [*first, *joined(group, version, group_instance_id="the-one")]


@each("SyncGroup", span(0, 5))
def _(version):
    group = name("versions-group")
    member = joined(group)[-1]
    return [synced(group, member, version), synced(group, member, version)]


@each("Heartbeat", span(0, 4))
def _(version):
    group, member = stable()
    beat = lambda generation, who: ask(consumer.HeartbeatRequest, version, group_id=group,
        generation_id=generation, member_id=who)
    return [beat(member.generation_id, member.member_id), beat(99, member.member_id),
        beat(member.generation_id, "stranger")]


@each("LeaveGroup", span(0, 5))
def _(version):
    group, member = stable()
    leave = lambda who: ask(consumer.LeaveGroupRequest, version, group_id=group, member_id=who,
        members=[{"member_id": who, "reason": "done"}])
    return [leave("stranger"), leave(member.member_id), leave(member.member_id)]


@each("DescribeGroups", span(0, 6))
def _(version):
    group, member = stable()

    def describe():
        answer = ask(admin.DescribeGroupsRequest, version, groups=[group, name("versions-none")],
            include_authorized_operations=version >= 3)
        # Kafka asks its coordinators side by side.
        answer.groups.sort(key=lambda found: found.group_id)
        return answer

    alive = describe()
    ask(consumer.LeaveGroupRequest, 1, group_id=group, member_id=member.member_id)
    return [alive, describe()]


@each("ListGroups", span(0, 5))
def _(version):
    group, _ = stable()

    def groups(**filters):
        found = ask(admin.ListGroupsRequest, version, **filters)
        normal.keep(found.groups, lambda listed: listed.group_id == group)
        return found

    answers = [groups()]
    if version >= 4:
        answers += [groups(states_filter=["Stable"]), groups(states_filter=["Empty"])]
    if version >= 5:
        answers += [groups(types_filter=["classic"]), groups(types_filter=["consumer"])]
    return answers


@each("DeleteGroups", span(0, 2))
def _(version):
    group, member = stable()
    delete = lambda: ask(admin.DeleteGroupsRequest, version, groups_names=[group])
    in_use = delete()
    ask(consumer.LeaveGroupRequest, 1, group_id=group, member_id=member.member_id)
    return [in_use, delete(), delete()]


@each("OffsetDelete", span(0, 0))
def _(version):
    group = name("versions-group")
    wanted = {"partition_index": 0, "committed_offset": 5, "committed_metadata": ""}
    ask(consumer.OffsetCommitRequest, 7, group_id=group, generation_id_or_member_epoch=-1,
        member_id="", topics=[{"name": TOPIC, "partitions": [wanted]}])
    topics = [{"name": TOPIC, "partitions": [{"partition_index": 0}, {"partition_index": 1}]}]
    delete = lambda of: ask(consumer.OffsetDeleteRequest, version, group_id=of, topics=topics)
    return [delete(group), delete(name("versions-none"))]


@each("CreateTopics", span(2, 7))
def _(version):
    configs = [{"name": "retention.ms", "value": "5000"}]
    made = name("versions")

    def create(count=2, topic=made, dry=False, **more):
        wanted = {"name": topic, "num_partitions": count, "replication_factor": 1, "configs": configs}
        answer = ask(admin.CreateTopicsRequest, version, topics=[wanted | more], timeout_ms=5_000,
            validate_only=dry)
        for topic in answer.topics:
            # Kafka's list has no order, and its whole content is DescribeConfigs' to tell.
            normal.keep(topic.configs or [], lambda config: config.name == "retention.ms")
        return answer

    answers = [create(dry=True), create(), create(), create(topic="bad/name")]
    if version >= 4:
        answers.append(create(count=-1, topic=name("versions")))
    return answers


@each("DeleteTopics", span(1, 6))
def _(version):
    made, topic_id = new_topic()
    delete = lambda topic: ask(admin.DeleteTopicsRequest, version, topic_names=[topic],
        topics=[{"name": topic, "topic_id": "00000000-0000-0000-0000-000000000000"}], timeout_ms=5_000)
    answers = [delete(made), delete(MISSING)]
    if version >= 6:
        _, topic_id = new_topic()
        answers.append(ask(admin.DeleteTopicsRequest, version, timeout_ms=5_000,
            topics=[{"name": None, "topic_id": topic_id}]))
    return answers


@each("CreatePartitions", span(0, 3))
def _(version):
    made, _ = new_topic()
    grow = lambda topic, count, dry=False: ask(admin.CreatePartitionsRequest, version,
        topics=[{"name": topic, "count": count, "assignments": None}], timeout_ms=5_000,
        validate_only=dry)
    return [grow(made, 3, dry=True), grow(made, 3), grow(made, 2), grow(MISSING, 3)]


@each("DeleteRecords", span(0, 2))
def _(version):
    made, topic_id = new_topic()
    produce(made, topic_id, b"a", b"b", b"c")
    before = lambda offset, partition=0: ask(admin.DeleteRecordsRequest, version, timeout_ms=5_000,
        topics=[{"name": made, "partitions": [{"partition_index": partition, "offset": offset}]}])
    return [before(2), before(1), before(-1), before(99), before(0, partition=9)]


@each("InitProducerId", span(0, 5))
def _(version):
    return ask(producer.InitProducerIdRequest, version, transactional_id=None,
        transaction_timeout_ms=60_000, producer_id=-1, producer_epoch=-1)


def configs_of(version, topic, keys=None, kind=2, **flags):
    return ask(admin.DescribeConfigsRequest, version, **flags, resources=[
        {"resource_type": kind, "resource_name": topic, "configuration_keys": keys}])


@each("DescribeConfigs", span(1, 4))
def _(version):
    made, _ = new_topic(retention_ms="5000")
    keys = ["retention.ms", "cleanup.policy", "max.message.bytes", "no.such.key"]
    flags = {"include_synonyms": True, "include_documentation": True}
    described = configs_of(version, made, keys, **flags)
    without = configs_of(version, made, keys)
    for answer in (described, without):
        for result in answer.results:
            result.configs.sort(key=lambda config: config.name)
    return [described, without, configs_of(version, MISSING)]


@each("DescribeConfigs_of_everything", span(4, 4))
def _(version):
    made, _ = new_topic()
    answer = configs_of(version, made)
    # What an acknowledgement promises is ours to say: Kafka has no such property.
    answer.results[0].configs = [c for c in answer.results[0].configs if c.name != "durability"]
    answer.results[0].configs.sort(key=lambda config: config.name)
    return answer


@each("AlterConfigs", span(0, 2))
def _(version):
    made, _ = new_topic(retention_ms="5000")
    alter = lambda key, value, dry=False: ask(admin.AlterConfigsRequest, version, validate_only=dry,
        resources=[{"resource_type": 2, "resource_name": made, "configs": [{"name": key, "value": value}]}])
    answers = [alter("cleanup.policy", "compact", dry=True), alter("retention.ms", "soon"),
        alter("cleanup.policy", "compact")]
    # It replaces the whole set, so the retention is a default again.
    keys = ["cleanup.policy", "retention.ms"]

    def now():
        answer = configs_of(2, made, keys)
        answer.results[0].configs.sort(key=lambda config: config.name)
        return answer if answer.results[0].configs[0].value == "compact" else None

    return [*answers, until("the new config", now)]


@each("IncrementalAlterConfigs", span(0, 1))
def _(version):
    made, _ = new_topic(retention_ms="5000", cleanup_policy="compact")

    def alter(*changes):
        configs = [{"name": key, "config_operation": operation, "value": value}
            for key, operation, value in changes]
        return ask(admin.IncrementalAlterConfigsRequest, version,
            resources=[{"resource_type": 2, "resource_name": made, "configs": configs}])

    set_, delete, append, subtract = range(4)
    answers = [alter(("retention.ms", delete, None), ("cleanup.policy", append, "delete")),
        alter(("cleanup.policy", subtract, "compact"), ("segment.ms", set_, "100000")),
        alter(("segment.ms", set_, "1"), ("segment.ms", set_, "2")), alter(("segment.ms", append, "1"))]
    keys = ["cleanup.policy", "retention.ms", "segment.ms"]

    def now():
        answer = configs_of(2, made, keys)
        answer.results[0].configs.sort(key=lambda config: config.name)
        return answer if answer.results[0].configs[2].value == "100000" else None

    return [*answers, until("the new configs", now)]


@each("DescribeLogDirs", span(1, 4))
def _(version):
    some = ask(admin.DescribeLogDirsRequest, version, topics=[{"topic": TOPIC, "partitions": [0]}])
    none = ask(admin.DescribeLogDirsRequest, version, topics=[{"topic": MISSING, "partitions": [0]}])
    return [some, none]


@each("ElectLeaders", span(0, 2))
def _(version):
    elect = lambda topic, partition, kind=0: ask(admin.ElectLeadersRequest, version, timeout_ms=5_000,
        election_type=kind, topic_partitions=[{"topic": topic, "partitions": [partition]}])
    answers = [elect(TOPIC, 0), elect(TOPIC, 9), elect(MISSING, 0)]
    if version >= 1:
        answers.append(elect(TOPIC, 0, kind=1))
    return answers


@each("ListPartitionReassignments", span(0, 0))
def _(version):
    some = [{"name": TOPIC, "partition_indexes": [0]}]
    return [ask(admin.ListPartitionReassignmentsRequest, version, timeout_ms=5_000, topics=topics)
        for topics in (some, None)]


@each("DescribeCluster", span(0, 2))
def _(version):
    return ask(admin.DescribeClusterRequest, version, include_cluster_authorized_operations=True)


@each("DescribeProducers", span(0, 0))
def _(version):
    made, topic_id = new_topic()
    identity = ask(producer.InitProducerIdRequest, 1, transactional_id=None, transaction_timeout_ms=1)
    builder = DefaultRecordBatchBuilder(
        2, 0, False, identity.producer_id, identity.producer_epoch, 0, 16_384)
    builder.append(0, TIME, b"k", b"v", [])
    data = {"name": made, "partition_data": [{"index": 0, "records": bytes(builder.build())}]}
    ask(producer.ProduceRequest, 9, acks=-1, timeout_ms=5_000, topic_data=[data])
    of = lambda topic, partition: ask(admin.DescribeProducersRequest, version,
        topics=[{"name": topic, "partition_indexes": [partition]}])
    return [of(made, 0), of(made, 9), of(MISSING, 0)]


@each("DescribeQuorum", span(0, 2))
def _(version):
    of = lambda topic, partition: ask(admin.DescribeQuorumRequest, version,
        topics=[{"topic_name": topic, "partitions": [{"partition_index": partition}]}])
    return [of("__cluster_metadata", 0), of("__cluster_metadata", 1)]


@each("DescribeTopicPartitions", span(0, 0))
def _(version):
    of = lambda topics, limit=2_000, cursor=None: ask(admin.DescribeTopicPartitionsRequest, version,
        topics=[{"name": topic} for topic in topics], response_partition_limit=limit, cursor=cursor)
    return [of([TOPIC, MISSING]), of([TOPIC], limit=1)]


waiting.add_checks(suite, new_topic, produce)
if UPDATING and not sys.argv[1:]:
    suite.add("expectations_written", expectations.write)
suite.main()
