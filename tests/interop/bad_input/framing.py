"""Frames, headers and versions that are wrong before any request is read."""

import struct

from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest

from wire import Connection, encoded, header, outcome

API_VERSIONS, METADATA, PRODUCE, FETCH = 18, 3, 0, 1


def sent(data, then_half_close=False):
    """The outcome of raw bytes on a fresh connection."""
    with Connection() as connection:
        connection.send(data)
        if then_half_close:
            connection.half_close()
        answer = connection.answer()
        return answer if isinstance(answer, str) else f"answer of {len(answer)} bytes"


def framed(body, key=API_VERSIONS, version=0):
    with Connection() as connection:
        connection.frame(body)
        return outcome(connection, key, version)


def good_metadata(version=1):
    return encoded(MetadataRequest, version, {"topics": []})


def bytewise():
    frame = encoded(ApiVersionsRequest, 0, {})
    with Connection() as connection:
        for byte in struct.pack(">i", len(frame)) + frame:
            connection.send(bytes([byte]))
        return outcome(connection, API_VERSIONS, 0)


def pipelined():
    """A thousand requests before the first answer is read; the answers come in order."""
    count = 1_000
    with Connection() as connection:
        for i in range(count):
            connection.frame(header(API_VERSIONS, 0, correlation=i))
        found = [connection.answer() for _ in range(count)]
    if any(isinstance(answer, str) for answer in found):
        return f"stopped with {next(a for a in found if isinstance(a, str))}"
    order = [struct.unpack_from(">i", answer)[0] for answer in found]
    return "in order" if order == list(range(count)) else "out of order"


def cases():
    length = lambda value, rest=b"": sent(struct.pack(">i", value) + rest)
    yield "frame of length zero", lambda: length(0)
    yield "frame of length one", lambda: length(1, b"\0")
    yield "frame of negative length", lambda: length(-1)
    yield "frame of the least length", lambda: length(-(2**31))
    yield "frame of the largest length", lambda: length(2**31 - 1)
    yield "frame one byte above socket.request.max.bytes", lambda: length(104_857_601)
    yield "frame of socket.request.max.bytes, its bytes outstanding", lambda: length(104_857_600)
    yield "half a length", lambda: sent(b"\0\0")
    yield "half a length, then half-closed", lambda: sent(b"\0\0", then_half_close=True)
    yield "half a frame", lambda: sent(struct.pack(">i", 100) + bytes(10))
    yield "half a frame, then half-closed", lambda: sent(
        struct.pack(">i", 100) + bytes(10), then_half_close=True)
    yield "nothing, half-closed", lambda: sent(b"", then_half_close=True)
    yield "an HTTP request", lambda: sent(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    yield "a TLS client hello", lambda: sent(bytes.fromhex("16030100c8010000c40303") + bytes(200))
    yield "an SSH banner", lambda: sent(b"SSH-2.0-OpenSSH_9.6\r\n")
    yield "a frame of zeros", lambda: framed(bytes(40))
    yield "a frame of ones", lambda: framed(b"\xff" * 40)
    yield "a request byte by byte", bytewise
    yield "a thousand requests in one go", pipelined
    yield from header_cases()
    yield from version_cases()
    yield from body_cases()


def header_cases():
    yield "header cut after the version", lambda: framed(struct.pack(">hh", METADATA, 1))
    yield "header cut in the client id", lambda: framed(
        struct.pack(">hhih", METADATA, 1, 7, 100) + b"short")
    yield "client id of length -2", lambda: framed(
        struct.pack(">hhih", API_VERSIONS, 0, 7, -2))
    yield "client id of null", lambda: framed(header(API_VERSIONS, 0, client=None))
    yield "client id that is not UTF-8", lambda: framed(header(API_VERSIONS, 0, client=b"\xff\xfe"))
    yield "correlation id -1", lambda: framed(header(API_VERSIONS, 0, correlation=-1))
    yield "tagged fields without end in the header", lambda: framed(
        header(METADATA, 12) + b"\xff\xff\xff\xff\x0f", METADATA, 12)
    yield "an unknown tagged field in the header", lambda: framed(
        header(METADATA, 12) + b"\x01\x63\x02ab" + b"\x01\x01\0\0", METADATA, 12)
    yield "a tagged field longer than the frame", lambda: framed(
        header(METADATA, 12) + b"\x01\x63\xff\xff\x03ab", METADATA, 12)


def version_cases():
    for key in (-1, -32768, 93, 999, 32767):
        yield f"unknown api key {key}", lambda key=key: framed(header(key, 0) + bytes(20))
    yield "ApiVersions in version 99", lambda: framed(
        header(API_VERSIONS, 99) + bytes(20), API_VERSIONS, 4)
    yield "ApiVersions in version -1", lambda: framed(
        header(API_VERSIONS, -1) + bytes(20), API_VERSIONS, 4)
    yield "ApiVersions v3 with an empty software name", lambda: framed(
        encoded(ApiVersionsRequest, 3, {}), API_VERSIONS, 3)
    yield "ApiVersions v3 with a software name of spaces", lambda: framed(encoded(ApiVersionsRequest, 3,
        {"client_software_name": "  ", "client_software_version": "1"}), API_VERSIONS, 3)
    yield "Metadata in version 99", lambda: framed(header(METADATA, 99) + bytes(20))
    yield "Metadata in version -1", lambda: framed(header(METADATA, -1) + bytes(20))
    for version in (0, 2, 99):
        yield f"Produce in version {version}", lambda v=version: framed(header(PRODUCE, v) + bytes(20))
    yield "Fetch in version 3", lambda: framed(header(FETCH, 3) + bytes(20))
    controller = {4: "LeaderAndIsr", 7: "ControlledShutdown", 52: "Vote", 58: "Envelope",
        62: "BrokerRegistration", 63: "BrokerHeartbeat", 67: "AllocateProducerIds"}
    for key, title in controller.items():
        yield f"{title}, which no client may send here", lambda key=key: framed(
            header(key, 0, flexible=True) + bytes(40))


def body_cases():
    metadata = lambda version, body: framed(
        header(METADATA, version, flexible=version >= 9) + body, METADATA, version)
    count = lambda value: struct.pack(">i", value)
    yield "Metadata with 2^31-1 topics claimed", lambda: metadata(1, count(2**31 - 1))
    yield "Metadata with -2 topics", lambda: metadata(1, count(-2))
    yield "Metadata with a topic name longer than the frame", lambda: metadata(
        1, count(1) + struct.pack(">h", 1_000) + b"short")
    yield "Metadata with a topic name of length -2", lambda: metadata(
        1, count(1) + struct.pack(">h", -2))
    yield "Metadata v12 with 2^32-2 topics claimed", lambda: metadata(
        12, b"\xff\xff\xff\xff\x0f" + bytes(10))
    yield "Metadata v12 with a varint of six bytes", lambda: metadata(
        12, b"\x80\x80\x80\x80\x80\x01" + bytes(10))
    yield "Metadata v12 with a varint that does not end", lambda: metadata(12, b"\xff\xff")
    yield "Metadata with bytes after its end", lambda: framed(
        good_metadata() + b"more than was asked", METADATA, 1)
    yield "Metadata without its body", lambda: metadata(1, b"")
    yield "Metadata with a name that is not UTF-8", lambda: metadata(
        1, count(1) + struct.pack(">h", 2) + b"\xff\xfe")
