"""Well-formed requests that ask for what cannot be."""

from kafka.protocol.admin import (
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteRecordsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
    IncrementalAlterConfigsRequest,
)
from kafka.protocol.consumer import (
    FetchRequest,
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    ListOffsetsRequest,
    OffsetCommitRequest,
    OffsetForLeaderEpochRequest,
    SyncGroupRequest,
)
from kafka.protocol.metadata import FindCoordinatorRequest, MetadataRequest
from kafka.protocol.producer import InitProducerIdRequest
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from check import name
from wire import ask

GROUP = name("bad-group")
UNKNOWN_ID = "00000000-0000-0000-0000-00000000002a"


def cases(topic, topic_id):
    yield from metadata()
    yield from creation(topic)
    yield from fetching(topic, topic_id)
    yield from offsets(topic)
    yield from groups(topic)
    yield from others(topic)


def metadata():
    names = {"": "of no letters", ".": "dot", "..": "dot dot", "../../etc/passwd": "with a path",
        "a" * 250: "of 250 letters", "a b": "with a space", "ü": "with an umlaut", "\0": "of a null byte"}
    for topic, title in names.items():
        yield f"Metadata creating a topic {title}", lambda topic=topic: ask(
            MetadataRequest, 9, topics=[{"name": topic}], allow_auto_topic_creation=True)
    yield "Metadata of an unknown topic, not to be created", lambda: ask(
        MetadataRequest, 9, topics=[{"name": name("none")}], allow_auto_topic_creation=False)
    yield "Metadata by an unknown topic id", lambda: ask(
        MetadataRequest, 12, topics=[{"topic_id": UNKNOWN_ID, "name": None}])
    yield "Metadata of one topic twice", lambda: ask(MetadataRequest, 9,
        topics=[{"name": "no-such-topic"}] * 2, allow_auto_topic_creation=False)


def creation(topic):
    def create(count=1, factor=1, made=None, version=5, **more):
        wanted = {"name": made or name("bad"), "num_partitions": count, "replication_factor": factor}
        return ask(CreateTopicsRequest, version, timeout_ms=10_000, topics=[wanted | more])

    yield "CreateTopics with zero partitions", lambda: create(0)
    yield "CreateTopics with -2 partitions", lambda: create(-2)
    yield "CreateTopics with a million partitions", lambda: create(1_000_000)
    yield "CreateTopics with replication factor 0", lambda: create(1, 0)
    yield "CreateTopics with replication factor 2 on one broker", lambda: create(1, 2)
    yield "CreateTopics of a topic that exists", lambda: create(made=topic)
    yield "CreateTopics of an internal topic's name", lambda: create(made="__cluster_metadata")
    yield "CreateTopics with a path for a name", lambda: create(made="../up")
    yield "CreateTopics with assignments and a partition count", lambda: create(
        2, 1, assignments=[{"partition_index": 0, "broker_ids": [1]}])
    yield "CreateTopics with a gap in the assignments", lambda: create(
        -1, -1, assignments=[{"partition_index": 1, "broker_ids": [1]}])
    yield "CreateTopics with a broker that is not there", lambda: create(
        -1, -1, assignments=[{"partition_index": 0, "broker_ids": [777]}])
    yield "CreateTopics with one broker twice", lambda: create(
        -1, -1, assignments=[{"partition_index": 0, "broker_ids": [1, 1]}])
    yield "CreateTopics with a null config value", lambda: create(
        configs=[{"name": "retention.ms", "value": None}])
    twice = {"name": name("twice"), "num_partitions": 1, "replication_factor": 1}
    yield "CreateTopics of one name twice", lambda: ask(
        CreateTopicsRequest, 5, timeout_ms=10_000, topics=[twice, twice])
    yield "CreatePartitions to fewer", lambda: ask(CreatePartitionsRequest, 2, timeout_ms=10_000,
        topics=[{"name": topic, "count": 1, "assignments": None}])
    yield "CreatePartitions of an unknown topic", lambda: ask(CreatePartitionsRequest, 2,
        timeout_ms=10_000, topics=[{"name": name("none"), "count": 3, "assignments": None}])
    yield "DeleteTopics of an unknown topic", lambda: ask(
        DeleteTopicsRequest, 5, topic_names=[name("none")], timeout_ms=10_000)
    yield "DeleteTopics by an unknown id", lambda: ask(DeleteTopicsRequest, 6, timeout_ms=10_000,
        topics=[{"name": None, "topic_id": UNKNOWN_ID}])


def fetching(topic, topic_id):
    def fetch(version=12, session=0, epoch=-1, wait=100, at_most=1_000, **partition):
        partition = {"partition": 0, "current_leader_epoch": -1, "fetch_offset": 0,
            "last_fetched_epoch": -1, "log_start_offset": -1, "partition_max_bytes": 1_000} | partition
        wanted = {"topic": partition.pop("name", topic), "topic_id": partition.pop("id", topic_id),
            "partitions": [partition]}
        return ask(FetchRequest, version, replica_id=partition.pop("replica", -1), max_wait_ms=wait,
            min_bytes=1, max_bytes=at_most, session_id=session, session_epoch=epoch, topics=[wanted])

    yield "Fetch of an unknown topic", lambda: fetch(name=name("none"))
    yield "Fetch of an unknown topic id", lambda: fetch(13, id=UNKNOWN_ID)
    yield "Fetch of partition -1", lambda: fetch(partition=-1)
    yield "Fetch of partition 1000", lambda: fetch(partition=1_000)
    yield "Fetch from offset -1", lambda: fetch(fetch_offset=-1)
    yield "Fetch from beyond the end", lambda: fetch(fetch_offset=10**12)
    yield "Fetch with a leader epoch from the future", lambda: fetch(current_leader_epoch=1_000)
    yield "Fetch with a negative wait", lambda: fetch(wait=-5)
    yield "Fetch with negative bytes", lambda: fetch(at_most=-5, partition_max_bytes=-5)
    yield "Fetch in a session that is not there", lambda: fetch(session=123_456, epoch=5)
    yield "Fetch in session 0 with an epoch", lambda: fetch(session=0, epoch=5)
    yield "Fetch ending a session that is not there", lambda: fetch(session=123_456, epoch=-1)


def offsets(topic):
    def list_offsets(timestamp, partition=0, epoch=-1, version=7):
        wanted = {"partition_index": partition, "current_leader_epoch": epoch, "timestamp": timestamp}
        return ask(ListOffsetsRequest, version, replica_id=-1, isolation_level=0,
            topics=[{"name": topic, "partitions": [wanted]}])

    yield "ListOffsets with the unknown special timestamp -9", lambda: list_offsets(-9)
    yield "ListOffsets with a special timestamp above its version", lambda: list_offsets(-3, version=6)
    yield "ListOffsets of partition 1000", lambda: list_offsets(-1, partition=1_000)
    yield "ListOffsets with a leader epoch from the future", lambda: list_offsets(-1, epoch=1_000)
    yield "OffsetForLeaderEpoch of epoch -1", lambda: ask(OffsetForLeaderEpochRequest, 3, replica_id=-1,
        topics=[{"topic": topic, "partitions": [
            {"partition": 0, "current_leader_epoch": -1, "leader_epoch": -1}]}])
    yield "DeleteRecords before offset -2", lambda: ask(DeleteRecordsRequest, 1, timeout_ms=5_000,
        topics=[{"name": topic, "partitions": [{"partition_index": 0, "offset": -2}]}])
    yield "DeleteRecords beyond the end", lambda: ask(DeleteRecordsRequest, 1, timeout_ms=5_000,
        topics=[{"name": topic, "partitions": [{"partition_index": 0, "offset": 10**12}]}])


def groups(topic):
    def join(version=5, **wrong):
        fields = {"group_id": name("bad-group"), "session_timeout_ms": 10_000, "rebalance_timeout_ms": 10_000,
            "member_id": "", "protocol_type": "consumer", "protocols": [{"name": "range", "metadata": b""}]}
        return ask(JoinGroupRequest, version, **(fields | wrong))

    yield "JoinGroup with an empty group id", lambda: join(group_id="")
    yield "JoinGroup with session timeout 0", lambda: join(session_timeout_ms=0)
    yield "JoinGroup with a session timeout of a day", lambda: join(session_timeout_ms=86_400_000)
    yield "JoinGroup without protocols", lambda: join(protocols=[])
    yield "JoinGroup with an empty protocol type", lambda: join(protocol_type="")
    yield "JoinGroup with a member id nobody gave out", lambda: join(member_id="stranger")
    yield "JoinGroup v4 without a member id", lambda: join(4)
    member = {"group_id": GROUP, "generation_id": 3, "member_id": "stranger"}
    yield "SyncGroup of an unknown member", lambda: ask(SyncGroupRequest, 3, **member, assignments=[])
    yield "Heartbeat of an unknown member", lambda: ask(HeartbeatRequest, 3, **member)
    yield "Heartbeat of an empty group id", lambda: ask(
        HeartbeatRequest, 3, **(member | {"group_id": ""}))
    yield "LeaveGroup of an unknown member", lambda: ask(LeaveGroupRequest, 3, group_id=GROUP,
        members=[{"member_id": "stranger"}])

    def commit(generation=-1, member_id="", metadata="", partition=0, named=topic, group=GROUP):
        wanted = {"partition_index": partition, "committed_offset": 1, "committed_metadata": metadata}
        return ask(OffsetCommitRequest, 7, group_id=group, generation_id_or_member_epoch=generation,
            member_id=member_id, topics=[{"name": named, "partitions": [wanted]}])

    yield "OffsetCommit of an unknown member", lambda: commit(5, "stranger")
    yield "OffsetCommit of an unknown group with a generation", lambda: commit(5, "stranger", group=name("none"))
    yield "OffsetCommit with metadata of 5000 bytes", lambda: commit(metadata="x" * 5_000)
    yield "OffsetCommit of an unknown topic", lambda: commit(named=name("none"))
    yield "OffsetCommit of partition 1000", lambda: commit(partition=1_000)
    yield "OffsetCommit of an empty group id", lambda: commit(group="")


def others(topic):
    yield "FindCoordinator with key type 9", lambda: ask(FindCoordinatorRequest, 2, key="x", key_type=9)
    yield "FindCoordinator with an empty key", lambda: ask(FindCoordinatorRequest, 2, key="", key_type=0)
    yield "InitProducerId with an empty transactional id", lambda: ask(
        InitProducerIdRequest, 2, transactional_id="", transaction_timeout_ms=1_000)
    yield "SaslHandshake on a listener without SASL", lambda: ask(
        SaslHandshakeRequest, 1, mechanism="PLAIN")
    yield "SaslAuthenticate on a listener without SASL", lambda: ask(
        SaslAuthenticateRequest, 1, auth_bytes=b"\0user\0password")
    yield "DescribeConfigs of an unknown resource type", lambda: ask(DescribeConfigsRequest, 1,
        resources=[{"resource_type": 99, "resource_name": "x", "configuration_keys": None}])
    yield "DescribeConfigs of an unknown topic", lambda: ask(DescribeConfigsRequest, 1,
        resources=[{"resource_type": 2, "resource_name": name("none"), "configuration_keys": None}])
    yield "DescribeConfigs of another broker", lambda: ask(DescribeConfigsRequest, 1,
        resources=[{"resource_type": 4, "resource_name": "777", "configuration_keys": None}])

    def alter(resource=topic, kind=2, operation=0, key="retention.ms", value="1000"):
        change = {"name": key, "config_operation": operation, "value": value}
        return ask(IncrementalAlterConfigsRequest, 0, resources=[
            {"resource_type": kind, "resource_name": resource, "configs": [change]}])

    yield "IncrementalAlterConfigs with operation 9", lambda: alter(operation=9)
    yield "IncrementalAlterConfigs of an unknown key", lambda: alter(key="no.such.key")
    yield "IncrementalAlterConfigs with a bad value", lambda: alter(value="soon")
    yield "IncrementalAlterConfigs appending to what is no list", lambda: alter(operation=2)
    yield "IncrementalAlterConfigs setting null", lambda: alter(value=None)
    yield "IncrementalAlterConfigs of an unknown topic", lambda: alter(resource=name("none"))
