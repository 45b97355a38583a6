"""librdkafka, through confluent-kafka: how many records a second it writes and reads.

usage: rdkafka_perf.py produce|consume BOOTSTRAP TOPIC RECORDS
Prints records a second.
"""

import sys
import time

from confluent_kafka import Consumer, Producer

VALUE = b"v" * 1024
# Polled after so many records: often enough for delivery reports, seldom enough to cost nothing.
POLL_EVERY = 1000


def produce(bootstrap, topic, records):
    failed = []

    def delivered(error, _message):
        if error is not None:
            failed.append(error)

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    began = time.monotonic()
    for number in range(records):
        while True:
            try:
                producer.produce(topic, VALUE, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.01)
        if number % POLL_EVERY == 0:
            producer.poll(0)
    left = producer.flush(120)
    took = time.monotonic() - began
    if failed or left:
        sys.exit(f"{len(failed)} records failed, {left} were not delivered: {failed[:1]}")
    return records / took


def consume(bootstrap, topic, records):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"perf-{time.time()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    count = 0
    began = None
    deadline = time.monotonic() + 120
    while count < records and time.monotonic() < deadline:
        messages = consumer.consume(5000, 1.0)
        for message in messages:
            if message.error():
                sys.exit(str(message.error()))
        # The group's first join is no matter of reading.
        if messages and began is None:
            began = time.monotonic()
        count += len(messages)
    took = time.monotonic() - began
    consumer.close()
    if count < records:
        sys.exit(f"only {count} of {records} records came")
    return count / took


if __name__ == "__main__":
    verb, bootstrap, topic, records = sys.argv[1:]
    run = {"produce": produce, "consume": consume}[verb]
    print(run(bootstrap, topic, int(records)))
