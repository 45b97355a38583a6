"""A topic is deleted and created again under its name while a client still holds the old id."""

from kafka.protocol.admin import CreateTopicsRequest, DeleteTopicsRequest
from kafka.protocol.consumer import (
    FetchRequest,
    ListOffsetsRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
)
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.producer import ProduceRequest

from check import equal, name, until
from raw_client import RawClient, decoded, encoded
from wire import Connection, ask, batch, error_codes, outcome


class Recreated:
    """Makes the situation once, when the first case needs it."""

    def __init__(self):
        self.topic = name("recreated")
        self.group = name("bad-group")
        self.old_id = None

    def prepare(self):
        if self.old_id:
            return self
        self.create()
        old_id = self.id()
        until("a leader", lambda: self.produce(old_id) == "ok")
        # A session that a consumer opened in the old topic's days, on a connection that stays open.
        self.consumer = Connection()
        self.consumer.frame(encoded(FetchRequest, 13, self.fetch(old_id, 0, 0)))
        answer = decoded(1, 13, self.consumer.answer())
        equal(list(error_codes(answer)), [0, 0], "error codes of the first fetch")
        self.session = answer.session_id
        equal(ask(DeleteTopicsRequest, 5, topic_names=[self.topic], timeout_ms=10_000), "ok")
        until("the new topic", lambda: self.create() == "ok")
        until("its leader", lambda: self.produce(self.id()) == "ok")
        self.old_id = old_id
        return self

    def create(self):
        return ask(CreateTopicsRequest, 5, timeout_ms=10_000, topics=[
            {"name": self.topic, "num_partitions": 1, "replication_factor": 1}])

    def id(self):
        return RawClient().ask(MetadataRequest, 12, topics=[{"name": self.topic}]).topics[0].topic_id

    def produce(self, topic_id):
        data = {"topic_id": topic_id, "partition_data": [{"index": 0, "records": batch()}]}
        return ask(ProduceRequest, 13, acks=-1, timeout_ms=5_000, topic_data=[data])

    def fetch(self, topic_id, session, epoch, with_topics=True):
        partition = {"partition": 0, "current_leader_epoch": -1, "fetch_offset": 0,
            "last_fetched_epoch": -1, "log_start_offset": -1, "partition_max_bytes": 1_000}
        topics = [{"topic": self.topic, "topic_id": topic_id, "partitions": [partition]}]
        return {"replica_id": -1, "max_wait_ms": 100, "min_bytes": 1, "max_bytes": 1_000,
            "session_id": session, "session_epoch": epoch, "topics": topics if with_topics else []}


def cases():
    topic = Recreated()

    def case(title, act):
        return f"after re-creation, {title}", lambda: act(topic.prepare())

    def fetch_with(version, topic_id_of):
        return lambda t: ask(FetchRequest, version, **t.fetch(topic_id_of(t), 0, -1))

    def in_session(t):
        t.consumer.frame(encoded(FetchRequest, 13, t.fetch(t.old_id, t.session, 1, with_topics=False)))
        return outcome(t.consumer, 1, 13)

    def by_id(request_class, version, **fields):
        return lambda t: ask(request_class, version, topics=[{"name": None, "topic_id": t.old_id}], **fields)

    yield case("Fetch by the old id", fetch_with(13, lambda t: t.old_id))
    yield case("Fetch by the new id", fetch_with(13, lambda t: t.id()))
    yield case("Fetch by name", fetch_with(12, lambda t: t.old_id))
    yield case("Fetch in the session of the old days", in_session)
    yield case("Produce by the old id", lambda t: t.produce(t.old_id))
    yield case("Metadata by the old id", by_id(MetadataRequest, 12))
    yield case("DeleteTopics by the old id", by_id(DeleteTopicsRequest, 6, timeout_ms=5_000))
    yield case("ListOffsets by name", lambda t: ask(ListOffsetsRequest, 7, replica_id=-1,
        isolation_level=0, topics=[{"name": t.topic, "partitions": [
            {"partition_index": 0, "current_leader_epoch": -1, "timestamp": -1}]}]))
    yield from group_cases(case)


def group_cases(case):
    def commit(t):
        wanted = {"partition_index": 0, "committed_offset": 1, "committed_metadata": ""}
        return ask(OffsetCommitRequest, 10, group_id=t.group, generation_id_or_member_epoch=-1,
            member_id="", topics=[{"topic_id": t.old_id, "partitions": [wanted]}])

    def fetch(t):
        topics = [{"topic_id": t.old_id, "partition_indexes": [0]}]
        return ask(OffsetFetchRequest, 10, groups=[{"group_id": t.group, "member_id": None,
            "member_epoch": -1, "topics": topics}], require_stable=False)

    if OffsetCommitRequest.max_version >= 10 and OffsetFetchRequest.max_version >= 10:
        yield case("OffsetCommit by the old id", commit)
        yield case("OffsetFetch by the old id", fetch)
