"""Raw connections, frames that lie, and record batches with any field wrong."""

import socket
import struct

from kafka.record.util import calc_crc32c

from check import BOOTSTRAP
from raw_client import decoded, encoded

HOST, PORT = BOOTSTRAP.rsplit(":", 1)


class Connection:
    #: Seconds until silence counts as one. Long enough for a busy machine; cases that are known to stay
    #: silent pay it in full and are given less.
    patience = 10

    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)), timeout=10)
        self.socket.settimeout(self.patience)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends; a server that has closed already is no error here, it shows when reading."""
        try:
            self.socket.sendall(data)
        except OSError:
            pass
        return self

    def frame(self, body):
        return self.send(struct.pack(">i", len(body)) + body)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def answer(self):
        """The next frame, or the word for what came instead: closed, silent."""
        try:
            head = self._exactly(4)
            return head if isinstance(head, str) else self._exactly(struct.unpack(">i", head)[0])
        except socket.timeout:
            return "silent"
        except OSError:
            return "closed"

    def _exactly(self, size):
        parts = b""
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                return "closed"
            parts += part
        return parts


def header(key, version, correlation=7, client=b"bad", flexible=False):
    """A request header; v2 ends in a count of tagged fields."""
    name = struct.pack(">h", -1) if client is None else struct.pack(">h", len(client)) + client
    return struct.pack(">hhi", key, version, correlation) + name + (b"\0" if flexible else b"")


def ask(request_class, version, **fields):
    """Sends one well-formed request with strange content; returns the outcome in words."""
    with Connection() as connection:
        connection.frame(encoded(request_class, version, fields))
        return outcome(connection, request_class.API_KEY, version)


def outcome(connection, key, version):
    """What the server did, in words that do not change from run to run."""
    answer = connection.answer()
    if isinstance(answer, str):
        return answer
    if key == 18:
        # An error may come in the body of version 0 or of the version asked for; the code stands first.
        (code,) = struct.unpack_from(">h", answer, 4)
        return f"error {code}" if code else "ok"
    codes = list(error_codes(decoded(key, version, answer)))
    wrong = [str(code) for code in codes if code]
    return "error " + " ".join(wrong) if wrong else "ok"


def error_codes(message):
    for name, field in message._struct.fields.items():
        if not field.for_version_q(message._version):
            continue
        value = getattr(message, name)
        if name == "error_code":
            yield value
        elif field.is_struct_array() and value:
            for item in value:
                yield from error_codes(item)


def varint(value):
    """Zigzag, as record fields use it."""
    value = (value << 1) ^ (value >> 63)
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def record(key=b"k", value=b"v", offset_delta=0, timestamp_delta=0, headers=b"\0", length=None):
    sized = lambda data: varint(-1) if data is None else varint(len(data)) + data
    body = b"\0" + varint(timestamp_delta) + varint(offset_delta) + sized(key) + sized(value) + headers
    return varint(len(body) if length is None else length) + body


def batch(records=None, **wrong):
    """A v2 batch of `records` (bytes); `wrong` replaces header fields, after which the CRC is right again
    unless `crc` is among them."""
    records = record() if records is None else records
    fields = dict(base_offset=0, length=len(records) + 49, leader_epoch=-1, magic=2, attributes=0,
        last_offset_delta=0, base_timestamp=1_700_000_000_000, max_timestamp=1_700_000_000_000,
        producer_id=-1, producer_epoch=-1, base_sequence=-1, count=1)
    crc = wrong.pop("crc", None)
    true_names = set(wrong) - set(fields)
    assert not true_names, f"no such field: {true_names}"
    f = fields | wrong
    tail = struct.pack(">hiqqqhii", f["attributes"], f["last_offset_delta"], f["base_timestamp"],
        f["max_timestamp"], f["producer_id"], f["producer_epoch"], f["base_sequence"], f["count"])
    tail += records
    crc = calc_crc32c(tail) if crc is None else crc
    head = struct.pack(">qiibI", f["base_offset"], f["length"], f["leader_epoch"], f["magic"], crc)
    return head + tail
