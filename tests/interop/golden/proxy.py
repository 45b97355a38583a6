"""A TCP proxy that splits Kafka's frames, keeps each request with its response, and can lower versions.

Lowering edits the maxima in ApiVersions answers, so that an unmodified client negotiates an older version of
every API and encodes it itself. What is kept is what the broker sent, before the edit.
"""

import socket
import struct
import threading

API_VERSIONS = 18
#: Produce is advertised from 0 but served from 3; the Java client speaks Metadata from 1.
FLOORS = {0: 3, 3: 1}


class Exchange:
    """One request frame and its response frame, without their length prefixes."""

    def __init__(self, request):
        self.request = request
        self.key, self.version, self.correlation = struct.unpack_from(">hhi", request)
        self.response = b""
        self.client = ""


class Proxy:
    def __init__(self, upstream, label="client"):
        host, port = upstream.rsplit(":", 1)
        self.upstream = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lowered_by = 0
        self.label = label
        self.exchanges = []
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.upstream)
            pending = {}
            pump = lambda *args: threading.Thread(target=self._pump, args=args, daemon=True).start()
            pump(client, server, self._request, pending)
            pump(server, client, self._response, pending)

    def _pump(self, source, sink, handle, pending):
        try:
            while True:
                size = struct.unpack(">i", read_exactly(source, 4))[0]
                frame = handle(read_exactly(source, size), pending)
                sink.sendall(struct.pack(">i", len(frame)) + frame)
        except (OSError, EOFError):
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _request(self, frame, pending):
        exchange = Exchange(frame)
        pending[exchange.correlation] = exchange
        return frame

    def _response(self, frame, pending):
        exchange = pending.pop(struct.unpack_from(">i", frame)[0])
        exchange.response, exchange.client = frame, self.label
        with self.lock:
            self.exchanges.append(exchange)
        if exchange.key == API_VERSIONS and self.lowered_by:
            return lower(frame, exchange.version, self.lowered_by)
        return frame


def lower(frame, version, by):
    """The same ApiVersions answer with every maximum lowered, though never below its minimum."""
    frame = bytearray(frame)
    if struct.unpack_from(">h", frame, 4)[0] != 0:
        return bytes(frame)
    at = 6
    if version >= 3:
        count, shift = 0, 0
        while True:
            byte = frame[at]
            at += 1
            count |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        count, stride = count - 1, 7
    else:
        (count,), at, stride = struct.unpack_from(">i", frame, at), at + 4, 6
    for _ in range(count):
        key, low, high = struct.unpack_from(">hhh", frame, at)
        if key != API_VERSIONS:
            struct.pack_into(">h", frame, at + 4, max(low, FLOORS.get(key, 0), high - by))
        at += stride
    return bytes(frame)


def read_exactly(source, size):
    parts = []
    while size:
        part = source.recv(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
