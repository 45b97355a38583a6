"""The records that every client writes and must read back byte for byte."""

ALL_BYTES = bytes(range(256))

#: (key, value, headers); None is Kafka's null.
RECORDS = [
    (b"key", b"value", []),
    (None, b"no key", []),
    (b"", b"an empty key is a key", []),
    (b"tombstone", None, []),
    (b"empty", b"", []),
    (None, None, []),
    (ALL_BYTES, ALL_BYTES, [("bytes", ALL_BYTES)]),
    ("ключ".encode(), "значение".encode(), [("имя", "заголовок".encode())]),
    (b"headers", b"in order, with repeats", [("a", b"1"), ("b", b"2"), ("a", b"3")]),
    (b"odd headers", b"null and empty", [("null", None), ("empty", b""), ("", b"no name")]),
    (b"repetitive", b"kafka " * 20_000, []),
    (b"noise", bytes((i * i * 31 + i // 7) % 251 for i in range(70_000)), []),
]

#: For clients that refuse a record with neither key nor value.
RECORDS_WITH_SOMETHING = [record for record in RECORDS if record[:2] != (None, None)]

#: And for those that moreover refuse a header without a value.
RECORDS_FOR_THE_STRICT = [
    (key, value, [(title, content or b"") for title, content in headers])
    for key, value, headers in RECORDS_WITH_SOMETHING
]

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]

#: Timestamps that leave no doubt which record is the first at or after an instant: ten minutes apart,
#: in the past.
def timestamps(count, now_ms):
    return [now_ms - (count - i) * 600_000 for i in range(count)]
