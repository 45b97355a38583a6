"""Requests of any version, encoded by kafka-python's message classes and sent on a plain socket."""

import socket
import struct

from kafka.protocol.api_header import ResponseClassRegistry

from check import BOOTSTRAP


def build(data_class, fields, version):
    """A message from nested dicts; fields that the version lacks are left out."""
    made = {}
    for key, value in fields.items():
        field = data_class._struct.fields[key]
        if not field.for_version_q(version):
            continue
        if field.is_struct_array() and value is not None:
            value = [build(field.data_class, item, version) for item in value]
        made[key] = value
    return data_class(version=version, **made)


def encoded(request_class, version, fields, correlation=7, client="raw"):
    """A request frame without its length."""
    request = build(request_class, fields, version)
    request.with_header(correlation, client)
    return request.encode(header=True)


def decoded(key, version, answer):
    return ResponseClassRegistry._response_class_registry[key][version].decode(answer, header=True)


class RawClient:
    """One connection on which requests go out one at a time."""

    def __init__(self, address=BOOTSTRAP, timeout=20):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.correlation = 0

    def ask(self, request_class, version, **fields):
        """Sends one request; returns the decoded response."""
        self.correlation += 1
        frame = encoded(request_class, version, fields, self.correlation)
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)
        size = struct.unpack(">i", self._exactly(4))[0]
        answer = self._exactly(size)
        (correlation,) = struct.unpack_from(">i", answer)
        assert correlation == self.correlation, f"correlation id {correlation}"
        return decoded(request_class.API_KEY, version, answer)

    def _exactly(self, size):
        parts = b""
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                raise ConnectionError("the server closed the connection")
            parts += part
        return parts

    def close(self):
        self.socket.close()
