"""Sends the requests that no client's workload sent, encoded by kafka-python's message classes."""

from kafka.protocol.admin import (
    AlterConfigsRequest,
    CreateTopicsRequest,
    DescribeGroupsRequest,
    DescribeLogDirsRequest,
    ListGroupsRequest,
    ListTransactionsRequest,
)
from kafka.protocol.consumer import (
    FetchRequest,
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    OffsetCommitRequest,
    OffsetForLeaderEpochRequest,
    SyncGroupRequest,
)
from kafka.protocol.metadata import ApiVersionsRequest, FindCoordinatorRequest, MetadataRequest
from kafka.protocol.producer import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
    ProduceRequest,
    TxnOffsetCommitRequest,
)
from kafka.protocol.sasl import SaslHandshakeRequest
from kafka.record.default_records import DefaultRecordBatchBuilder

from check import until
from raw_client import RawClient

API_NAMES = {
    0: "produce", 1: "fetch", 2: "list_offsets", 3: "metadata", 8: "offset_commit", 9: "offset_fetch",
    10: "find_coordinator", 11: "join_group", 12: "heartbeat", 13: "leave_group", 14: "sync_group",
    15: "describe_groups", 16: "list_groups", 17: "sasl_handshake", 18: "api_versions",
    19: "create_topics", 20: "delete_topics", 21: "delete_records", 22: "init_producer_id",
    23: "offset_for_leader_epoch", 24: "add_partitions_to_txn", 25: "add_offsets_to_txn", 26: "end_txn",
    27: "write_txn_markers", 28: "txn_offset_commit", 29: "describe_acls", 30: "create_acls",
    31: "delete_acls", 32: "describe_configs", 33: "alter_configs", 34: "alter_replica_log_dirs",
    35: "describe_log_dirs", 36: "sasl_authenticate", 37: "create_partitions",
    38: "create_delegation_token", 39: "renew_delegation_token", 40: "expire_delegation_token",
    41: "describe_delegation_token", 42: "delete_groups", 43: "elect_leaders",
    44: "incremental_alter_configs", 45: "alter_partition_reassignments",
    46: "list_partition_reassignments", 47: "offset_delete", 48: "describe_client_quotas",
    49: "alter_client_quotas", 50: "describe_user_scram_credentials",
    51: "alter_user_scram_credentials", 55: "describe_quorum", 57: "update_features",
    60: "describe_cluster", 61: "describe_producers", 64: "unregister_broker",
    65: "describe_transactions", 66: "list_transactions", 68: "consumer_group_heartbeat",
    69: "consumer_group_describe", 71: "get_telemetry_subscriptions", 72: "push_telemetry",
    74: "list_config_resources", 75: "describe_topic_partitions", 76: "share_group_heartbeat",
    77: "share_group_describe", 78: "share_fetch", 79: "share_acknowledge", 80: "add_raft_voter",
    81: "remove_raft_voter", 83: "initialize_share_group_state", 84: "read_share_group_state",
    85: "write_share_group_state", 86: "delete_share_group_state",
    87: "read_share_group_state_summary", 88: "streams_group_heartbeat",
    89: "streams_group_describe", 90: "describe_share_group_offsets",
    91: "alter_share_group_offsets", 92: "delete_share_group_offsets",
}


def api_name(key):
    return API_NAMES.get(key, f"api_{key}")


def fill_the_gaps(proxy):
    """Sends every version that the clients left out; what fails to decode fails the recording."""
    proxy.label = "kafka-python 3.0.12, raw"
    sender = RawClient(proxy.address)
    topic, topic_id = topic_with_records(sender)
    group = "golden-group"
    commit = [{"name": topic, "partitions": [{"partition_index": 0, "committed_offset": 2,
        "committed_metadata": "two"}]}]
    sender.ask(FindCoordinatorRequest, 0, key=group)
    member = until("a coordinator", lambda: joined(sender, group))
    assignment = [{"member_id": member.member_id, "assignment": b"\0\1\0\0\0\0\0\0\0\0"}]
    in_group = {"group_id": group, "generation_id": member.generation_id,
        "member_id": member.member_id}
    sender.ask(SyncGroupRequest, 0, **in_group, assignments=assignment)
    for version in range(0, 5):
        sender.ask(HeartbeatRequest, version, **in_group)
    for version in range(0, 5):
        sender.ask(ApiVersionsRequest, version,
            client_software_name="golden", client_software_version="1.0")
    for version in range(4, 19):
        sender.ask(FetchRequest, version, **fetch(topic, topic_id))
    for version in (0, 1):
        sender.ask(MetadataRequest, version, topics=[{"name": topic}])
    for version in range(0, 7):
        sender.ask(DescribeGroupsRequest, version, groups=[group, "golden-no-group"],
            include_authorized_operations=True)
    for version in range(0, 6):
        sender.ask(ListGroupsRequest, version, states_filter=["Stable"], types_filter=["classic"])
    for version in range(0, 3):
        sender.ask(AlterConfigsRequest, version, resources=[{"resource_type": 2,
            "resource_name": topic, "configs": [{"name": "retention.ms", "value": "1000000"}]}])
    for version in range(2, 5):
        sender.ask(OffsetForLeaderEpochRequest, version, replica_id=-1, topics=[{"topic": topic,
            "partitions": [{"partition": 0, "current_leader_epoch": 0, "leader_epoch": 0}]}])
    for version in range(2, 10):
        sender.ask(OffsetCommitRequest, version, group_id=group, member_id=member.member_id,
            generation_id_or_member_epoch=member.generation_id, topics=commit)
    for version in range(1, 5):
        sender.ask(DescribeLogDirsRequest, version, topics=[{"topic": topic, "partitions": [0]}])
    transactions(sender, topic, group)
    for version in range(0, 6):
        sender.ask(LeaveGroupRequest, version, group_id=group, member_id=member.member_id,
            members=[{"member_id": member.member_id, "reason": "done"}])
    # An answer, then the listener that knows no SASL closes; so this is last.
    for version in (0, 1):
        RawClient(proxy.address).ask(SaslHandshakeRequest, version, mechanism="PLAIN")


def topic_with_records(sender):
    topic = "golden"
    sender.ask(CreateTopicsRequest, 4, timeout_ms=5_000, topics=[
        {"name": topic, "num_partitions": 1, "replication_factor": 1}])
    batch = one_batch()
    described = sender.ask(MetadataRequest, 12, topics=[{"name": topic}])
    for version in range(3, 14):
        sender.ask(ProduceRequest, version, acks=-1, timeout_ms=5_000, topic_data=[
            {"name": topic, "topic_id": described.topics[0].topic_id,
             "partition_data": [{"index": 0, "records": batch}]}])
    return topic, described.topics[0].topic_id


def one_batch():
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 16_384)
    builder.append(0, 1_700_000_000_000, b"key", b"value", [("header", b"x")])
    builder.append(1, 1_700_000_000_001, b"tombstone", None, [])
    return bytes(builder.build())


def joined(sender, group):
    """The first answers may be that the internal topic is being created."""
    found = sender.ask(JoinGroupRequest, 2, **join(group))
    return found if found.error_code == 0 else None


def join(group):
    return {"group_id": group, "session_timeout_ms": 30_000, "rebalance_timeout_ms": 30_000,
        "member_id": "", "protocol_type": "consumer",
        "protocols": [{"name": "range", "metadata": b"\0\1\0\0\0\1\0\6golden\xff\xff\xff\xff\0\0\0\0"}]}


def fetch(topic, topic_id):
    return {"replica_id": -1, "max_wait_ms": 100, "min_bytes": 1, "max_bytes": 1_000_000,
        "session_id": 0, "session_epoch": -1, "topics": [{"topic": topic, "topic_id": topic_id,
        "partitions": [{"partition": 0, "current_leader_epoch": 0, "fetch_offset": 0,
            "last_fetched_epoch": -1, "log_start_offset": -1, "partition_max_bytes": 300}]}]}


def transactions(sender, topic, group):
    for version in range(0, 6):
        name = f"golden-txn-{version}"
        find = {"key": name, "key_type": 1}
        sender.ask(FindCoordinatorRequest, 1, **find)
        # The first answer may be that the internal topic is being created.
        identity = until("a producer id", lambda: id_of(sender, name))
        fields = {"transactional_id": name, "producer_id": identity.producer_id,
            "producer_epoch": identity.producer_epoch}
        v3 = min(version, 3)
        added = {f"v3_and_below_{key}": value for key, value in fields.items()}
        sender.ask(AddPartitionsToTxnRequest, v3, **added,
            v3_and_below_topics=[{"name": topic, "partitions": [0]}])
        sender.ask(AddOffsetsToTxnRequest, min(version, 4), **fields, group_id=f"{group}-{version}")
        sender.ask(TxnOffsetCommitRequest, version, **fields, group_id=f"{group}-{version}",
            topics=[{"name": topic, "partitions": [
                {"partition_index": 0, "committed_offset": 1, "committed_metadata": ""}]}])
        if version < 3:
            sender.ask(ListTransactionsRequest, version, state_filters=["Ongoing"],
                producer_id_filters=[identity.producer_id])
        sender.ask(EndTxnRequest, version, **fields, committed=version % 2 == 0)


def id_of(sender, name):
    found = sender.ask(InitProducerIdRequest, 2, transactional_id=name, transaction_timeout_ms=60_000)
    return found if found.error_code == 0 else None
