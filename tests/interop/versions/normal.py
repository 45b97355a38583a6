"""A decoded answer as one line of JSON from which everything that differs from run to run is taken."""

import json
import re
import uuid

from check import RUN

#: What a field holds when it is set, in place of a value that differs between runs or servers.
STAND_INS = {
    "topic_id": "id", "cluster_id": "cluster", "host": "host", "port": "port", "log_dir": "path",
    "member_id": "member", "leader": "member", "producer_id": "producer", "session_id": "session",
    "documentation": "doc", "error_message": "text", "client_host": "host",
    "log_append_time_ms": "time", "last_timestamp": "time", "last_fetch_timestamp": "time",
    "last_caught_up_timestamp": "time", "replica_directory_id": "id",
    "total_bytes": "bytes", "usable_bytes": "bytes", "log_end_offset": "offset",
}
UNSET = (None, "", -1, uuid.UUID(int=0))
#: Records of the metadata log differ in number.
QUORUM_NUMBERS = {"high_watermark": "offset", "leader_epoch": "epoch"}


def line(*answers):
    found = [plain(answer, answer.API_KEY) for answer in answers]
    return json.dumps(found if len(found) > 1 else found[0], separators=(",", ":"), ensure_ascii=False)


def differences(wanted, found, path=""):
    """The places where two decoded lines differ, `path: wanted ≠ found`."""
    if type(wanted) is not type(found) or not isinstance(wanted, (dict, list)):
        return [] if wanted == found else [f"{path}: {wanted!r} ≠ {found!r}"]
    if isinstance(wanted, list):
        if len(wanted) != len(found):
            return [f"{path}: {len(wanted)} items ≠ {len(found)}"]
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(wanted, found))]
    else:
        pairs = [(f"{path}.{key}", wanted.get(key), found.get(key)) for key in wanted | found]
    return [place for pair in pairs for place in differences(pair[1], pair[2], pair[0])]


def plain(message, key):
    shown = {}
    for field in message._struct._fields:
        if field.for_version_q(message._version):
            shown[field.name] = value_of(field, getattr(message, field.name), key)
    if shown.get("error_code") and "error_message" in shown:
        # Whether an error is explained, and how, is each server's own.
        shown["error_message"] = "any"
    return shown


def value_of(field, value, key):
    name = field.name
    if field.is_struct_array():
        if value is not None and "partition_index" in field.fields:
            # Kafka lists partitions in the order of a hash map.
            value = sorted(value, key=lambda partition: partition.partition_index)
        return None if value is None else [plain(item, key) for item in value]
    if field.is_struct():
        return None if value is None else plain(value, key)
    if key == 55 and name in QUORUM_NUMBERS:
        return QUORUM_NUMBERS[name]
    if name in STAND_INS:
        unset = value in UNSET or (value == 0 and name == "session_id")
        return str(value) if unset else STAND_INS[name]
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (set, frozenset)):
        return sorted(str(getattr(item, "name", item)) for item in value)
    if isinstance(value, uuid.UUID):
        return "zero" if value.int == 0 else "id"
    if isinstance(value, str):
        return re.sub(rf"-{RUN}-[0-9a-f]+", "", value)
    return value


def keep(items, wanted):
    """In place: only the items that `wanted` accepts; the others belong to other suites."""
    items[:] = [item for item in items if wanted(item)]
