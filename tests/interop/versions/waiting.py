"""When a fetch is answered: neither before it may be nor after it must be."""

import threading
import time

from kafka.protocol.consumer import FetchRequest

from check import true, until
from raw_client import RawClient


def timed_fetch(topic, topic_id, offset, max_wait_ms, min_bytes=1, partition=0):
    """Seconds until the answer, and the answer."""
    wanted = {"partition": partition, "current_leader_epoch": -1, "fetch_offset": offset,
        "last_fetched_epoch": -1, "log_start_offset": -1, "partition_max_bytes": 100_000}
    client = RawClient()
    started = time.monotonic()
    answer = client.ask(FetchRequest, 13, replica_id=-1, max_wait_ms=max_wait_ms, min_bytes=min_bytes,
        max_bytes=1_000_000, session_id=0, session_epoch=-1,
        topics=[{"topic": topic, "topic_id": topic_id, "partitions": [wanted]}], rack_id="")
    return time.monotonic() - started, answer.responses[0].partitions[0]


def between(low, seconds, high):
    true(low <= seconds <= high, f"it took {seconds:.3f} s, which is not between {low} and {high}")


def add_checks(suite, new_topic, produce):
    def settled():
        """A topic with one record, whose leader therefore leads."""
        topic = new_topic()
        until("a leader", lambda: produce(*topic, b"first")
            .responses[0].partition_responses[0].error_code == 0)
        return topic

    @suite.check
    def a_fetch_of_nothing_waits_as_long_as_it_was_told():
        seconds, found = timed_fetch(*settled(), 1, max_wait_ms=600)
        between(0.58, seconds, 2)
        true(not found.records, "records beyond the end")

    @suite.check
    def a_fetch_that_may_not_wait_does_not():
        seconds, _ = timed_fetch(*settled(), 1, max_wait_ms=0)
        between(0, seconds, 0.5)

    @suite.check
    def a_fetch_waits_for_its_min_bytes():
        topic = settled()
        seconds, found = timed_fetch(*topic, 0, max_wait_ms=600, min_bytes=10_000)
        between(0.58, seconds, 2)
        true(found.records, "what there is comes at the end")
        seconds, _ = timed_fetch(*topic, 0, max_wait_ms=30_000, min_bytes=1)
        between(0, seconds, 1)

    @suite.check
    def a_waiting_fetch_wakes_when_records_come():
        topic = settled()
        found = []
        reader = threading.Thread(
            target=lambda: found.append(timed_fetch(*topic, 1, max_wait_ms=30_000)), daemon=True)
        reader.start()
        time.sleep(0.3)  # Let it wait first; if it has not begun to, the check is weaker, not wrong.
        produce(*topic, b"awaited")
        reader.join(5)
        true(found, "the fetch still waits five seconds after the produce")
        true(found[0][1].records, "it carries the record")

    @suite.check
    def a_fetch_that_fails_answers_at_once():
        seconds, found = timed_fetch(*settled(), 0, max_wait_ms=30_000, partition=9)
        between(0, seconds, 1)
        true(found.error_code == 3, f"error code {found.error_code}")
        seconds, found = timed_fetch(*settled(), 99, max_wait_ms=30_000)
        between(0, seconds, 1)
        true(found.error_code == 1, f"error code {found.error_code}")
