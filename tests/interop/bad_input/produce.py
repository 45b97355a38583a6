"""Record batches that are wrong, and Produce requests around them."""

import gzip
import struct
import time

from kafka.protocol.producer import ProduceRequest

from check import name
from wire import Connection, ask, batch, encoded, outcome, record, varint

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4


def cases(topic, compacted):
    def produce(records, version=9, acks=-1, partition=0, to=topic, **more):
        data = {"name": to, "partition_data": [{"index": partition, "records": records}]}
        return ask(ProduceRequest, version, acks=acks, timeout_ms=5_000, topic_data=[data], **more)

    yield "Produce, all well", lambda: produce(batch())
    yield from request_cases(produce, topic)
    yield from batch_cases(produce)
    yield from record_cases(produce, compacted)
    yield from compression_cases(produce)
    yield from producer_cases(produce)
    yield "Produce with acks 0 and a wrong CRC", lambda: unanswered(topic)


def unanswered(topic):
    """There is no answer to acks=0, so an error can only close the connection."""
    data = {"name": topic, "partition_data": [{"index": 0, "records": batch(crc=1)}]}
    with Connection() as connection:
        connection.frame(encoded(ProduceRequest, 9, {"acks": 0, "timeout_ms": 5_000, "topic_data": [data]}))
        return outcome(connection, 0, 9)


def request_cases(produce, topic):
    yield "Produce with acks 2", lambda: produce(batch(), acks=2)
    yield "Produce with acks -2", lambda: produce(batch(), acks=-2)
    yield "Produce to an unknown topic", lambda: produce(batch(), to=name("none"))
    yield "Produce to partition -1", lambda: produce(batch(), partition=-1)
    yield "Produce to partition 1000", lambda: produce(batch(), partition=1_000)
    yield "Produce with null records", lambda: produce(None)
    yield "Produce with no bytes of records", lambda: produce(b"")
    yield "Produce of one partition twice", lambda: ask(ProduceRequest, 9, acks=-1, timeout_ms=5_000,
        topic_data=[{"name": topic, "partition_data": [{"index": 0, "records": batch()}] * 2}])


def batch_cases(produce):
    yield "a batch with a wrong CRC", lambda: produce(batch(crc=12345))
    yield "a batch with one bit flipped", lambda: produce(
        batch(record(value=b"valuable")).replace(b"valuable", b"valuabme"))
    for magic in (0, 1, 3, -1):
        yield f"a batch of magic {magic}", lambda magic=magic: produce(batch(magic=magic))
    yield "an old message set of magic 1", lambda: produce(message_of_magic_1())
    for length in (-1, 0, 10, 48, 2**31 - 1):
        yield f"a batch that claims {length} bytes", lambda length=length: produce(batch(length=length))
    yield "a batch cut in its header", lambda: produce(batch()[:40])
    yield "a batch cut in its records", lambda: produce(batch()[:-3])
    yield "a batch with bytes after it", lambda: produce(batch() + b"rest")
    yield "two batches at once", lambda: produce(batch() + batch())
    yield "a batch with base offset 5", lambda: produce(batch(base_offset=5))
    yield "a batch with a negative base offset", lambda: produce(batch(base_offset=-5))
    for count in (0, 2, -1, 2**31 - 1):
        yield f"a batch of one record that claims {count}", lambda count=count: produce(batch(count=count))
    yield "a batch of two records that claims one", lambda: produce(
        batch(record() + record(offset_delta=1), last_offset_delta=1))
    yield "a batch whose last offset delta is too large", lambda: produce(batch(last_offset_delta=7))
    yield "a batch whose last offset delta is negative", lambda: produce(batch(last_offset_delta=-1))
    yield "a batch of no records", lambda: produce(batch(b"", count=0, last_offset_delta=0))
    yield "a control batch", lambda: produce(batch(attributes=0x20))
    yield "a transactional batch without a producer", lambda: produce(batch(attributes=0x10))
    yield "a batch larger than max.message.bytes", lambda: produce(batch(record(value=bytes(1_100_000))))
    far = int(time.time() * 1000) + 7 * 86_400_000
    yield "a batch from next week", lambda: produce(batch(base_timestamp=far, max_timestamp=far))
    yield "a batch with timestamp -5", lambda: produce(batch(base_timestamp=-5, max_timestamp=-5))
    yield "a batch whose max timestamp is a lie", lambda: produce(batch(max_timestamp=1))


def record_cases(produce, compacted):
    yield "records whose offset deltas repeat", lambda: produce(
        batch(record() + record(), count=2, last_offset_delta=1))
    yield "records whose offset deltas have a gap", lambda: produce(
        batch(record() + record(offset_delta=2), count=2, last_offset_delta=1))
    yield "a record longer than its batch", lambda: produce(batch(record(length=1_000)))
    yield "a record of negative length", lambda: produce(batch(record(length=-5)))
    yield "a record that claims less than it has", lambda: produce(batch(record(length=3)))
    yield "a key longer than the record", lambda: produce(batch(
        varint(8) + b"\0\0\0" + varint(1_000) + b"kkk"))
    yield "a record with -1 headers", lambda: produce(batch(record(headers=varint(-1))))
    yield "a record with 2^31-1 headers claimed", lambda: produce(batch(record(headers=varint(2**31 - 1))))
    yield "a header without a name", lambda: produce(batch(record(headers=varint(1) + varint(-1) + varint(0))))
    yield "a varint of eleven bytes in a record", lambda: produce(batch(b"\xff" * 11))
    yield "a record without a key on a compacted topic", lambda: produce(
        batch(record(key=None)), to=compacted)


def compression_cases(produce):
    for codec in (5, 6, 7):
        yield f"a batch of unknown codec {codec}", lambda codec=codec: produce(batch(attributes=codec))
    for codec, title in {GZIP: "gzip", SNAPPY: "snappy", LZ4: "lz4", ZSTD: "zstd"}.items():
        yield f"a batch of noise that claims to be {title}", lambda codec=codec: produce(
            batch(b"this is not compressed at all", attributes=codec))
        yield f"an empty batch that claims to be {title}", lambda codec=codec: produce(
            batch(b"", attributes=codec))
    pair = lambda second, **wrong: produce(batch(gzip.compress(record() + record(offset_delta=second)),
        **({"attributes": GZIP, "count": 2, "last_offset_delta": 1} | wrong)))
    yield "a compressed batch of two records", lambda: pair(1)
    yield "compressed records whose offset deltas repeat", lambda: pair(0)
    yield "compressed records whose offset deltas have a gap", lambda: pair(2)
    yield "compressed records that are fewer than claimed", lambda: pair(1, count=3, last_offset_delta=2)
    yield "compressed records that are more than claimed", lambda: pair(1, count=1, last_offset_delta=0)
    yield "gzip that is cut short", lambda: produce(batch(gzip.compress(record())[:-9], attributes=GZIP))
    yield "zstd in Produce v6", lambda: produce(batch(attributes=ZSTD), version=6)
    yield "snappy that claims 2^32-1 bytes", lambda: produce(
        batch(b"\xff\xff\xff\xff\x0f\0a", attributes=SNAPPY))
    yield "xerial snappy with a block of 2^31-1 bytes", lambda: produce(batch(
        b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, 2**31 - 1) + b"a", attributes=SNAPPY))
    bomb = gzip.compress(bytes(300_000_000), 9)
    yield "a bomb of zeros behind one small record", lambda: produce(
        batch(gzip.compress(record() + bytes(100_000_000), 9), attributes=GZIP))
    yield "a bomb of one record of 300 MB in 300 KB", lambda: produce(batch(
        gzip_of_large_record(300_000_000), attributes=GZIP))
    yield "a bomb of nothing but zeros", lambda: produce(batch(bomb, attributes=GZIP))


def gzip_of_large_record(size):
    # A record's own fields around a value of `size` zeros.
    head = b"\0\0\0" + varint(1) + b"k" + varint(size)
    return gzip.compress(varint(len(head) + size + 1) + head + bytes(size) + b"\0", 9)


def producer_cases(produce):
    with_id = lambda **fields: produce(batch(**({"producer_id": 10**9, "producer_epoch": 0,
        "base_sequence": 0} | fields)))
    yield "a producer id without a sequence", lambda: with_id(base_sequence=-1)
    yield "a producer id without an epoch", lambda: with_id(producer_epoch=-1)
    yield "a sequence without a producer id", lambda: produce(batch(base_sequence=5))
    yield "the first batch of a producer nobody knows, at sequence 5", lambda: with_id(base_sequence=5)

    def gap():
        fields = {"producer_id": 10**9 + 1}
        with_id(**fields)
        return with_id(base_sequence=7, **fields)

    def repeated():
        fields = {"producer_id": 10**9 + 2}
        with_id(**fields)
        return with_id(**fields)

    def fenced():
        fields = {"producer_id": 10**9 + 3}
        with_id(producer_epoch=3, **fields)
        return with_id(producer_epoch=2, base_sequence=1, **fields)

    yield "a gap in a producer's sequence", gap
    yield "a batch sent twice", repeated
    yield "a batch of a fenced epoch", fenced


def message_of_magic_1():
    import zlib

    body = struct.pack(">bbqi", 1, 0, 1_700_000_000_000, -1) + struct.pack(">i", 1) + b"v"
    message = struct.pack(">I", zlib.crc32(body)) + body
    return struct.pack(">qi", 0, len(message)) + message
