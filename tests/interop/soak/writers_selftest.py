"""That a producer's fatal error ends its session and not its writer, whenever it comes.

The Python client raises it out of whatever is called next. No broker is asked for anything.
"""

import ctypes
import glob
import os

import confluent_kafka

from writers import Session

ERROR = confluent_kafka.KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER
#: A Producer begins as every Python object does, with a count and a type; librdkafka's handle is next.
HANDLE_AT = 16
WHAT = "a fatal error ends a session and not its writer, whenever it comes"


class Lines:
    """A history that is kept here."""

    def __init__(self):
        self.words = []

    def write(self, word, *_fields):
        self.words.append(word)


def library():
    beside = os.path.join(os.path.dirname(confluent_kafka.__file__), "..", "confluent_kafka.libs")
    [path] = glob.glob(os.path.join(beside, "librdkafka*.so*"))
    library = ctypes.CDLL(path)
    library.rd_kafka_test_fatal_error.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p]
    return library


def ended(before):
    """The words of a session whose producer fails before that call of its end, or has failed."""
    lines = Lines()
    session = Session("s", "idempotent", {"message.timeout.ms": 1_000}, "127.0.0.1:1", lines)
    session.send("t", 0, 100)
    handle = ctypes.cast(id(session.producer) + HANDLE_AT, ctypes.POINTER(ctypes.c_void_p))[0]
    heed, calls = session.heed, iter(range(9))

    def fail():
        library().rd_kafka_test_fatal_error(handle, ERROR, b"made for a test")

    def failing(call):
        if next(calls) == before:
            fail()
        return heed(call)

    session.heed = failing
    if before is None:
        # A record has told of it, so the session does not flush first.
        session.broken = True
        fail()
    session.end()
    return lines.words


def result():
    """(what was to be seen, why it was not or '')"""
    for before, expected in ((0, ["session", "fatal", "sent"]), (None, ["session", "sent"])):
        try:
            words = ended(before)
        except Exception as error:
            return WHAT, f"{before}: {error!r}"
        if words != expected:
            return WHAT, f"{before}: {words}"
    return WHAT, ""


if __name__ == "__main__":
    print(*result())
