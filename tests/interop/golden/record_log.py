"""Records a log directory that Apache Kafka wrote, and what its own dump tool says is in it.

    cargo xtask interop --against kafka --only record-log

writes `crates/storage/testdata/logdirs/kafka-4.2/`: the directory after a clean shutdown, and EXPECTED.txt.
"""

import os
import pathlib
import re
import shutil
import subprocess

import check
from check import Suite, true, until
from server import Server

OUT = pathlib.Path(__file__).parents[3] / "crates/storage/testdata/logdirs/kafka-4.2"
BOOTSTRAP = os.environ["INTEROP_BOOTSTRAP"]
DATA = pathlib.Path(os.environ["INTEROP_DATA_DIR"])
JAVA = ["java", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "-cp", os.environ["INTEROP_CLASSPATH"]]
CODECS = {"NONE": "none", "GZIP": "gzip", "SNAPPY": "snappy", "LZ4": "lz4", "ZSTD": "zstd"}
DECODERS = {"__consumer_offsets": "--offsets-decoder", "__transaction_state": "--transaction-log-decoder"}

suite = Suite("record-log")
check.CHECK_SECONDS = 300


@suite.check
def record():
    overrides = ["offsets.topic.num.partitions=1", "transaction.state.log.num.partitions=1",
        "log.cleaner.backoff.ms=200", "log.cleaner.min.compaction.lag.ms=0"]
    server = Server(*[word for override in overrides for word in ("--override", override)])
    server.start()
    workload("first")
    server.stop()
    server.start()
    workload("second")
    # The cleaner tells nobody but this file, and the active segment is beyond its reach.
    until("compaction", lambda: cleaned("compacted", 0) > 20)
    server.stop()
    if OUT.exists():
        shutil.rmtree(OUT)
    shutil.copytree(DATA, OUT, ignore=shutil.ignore_patterns(".lock", "bootstrap.checkpoint"))
    (OUT / "EXPECTED.txt").write_text("\n".join(expected()) + "\n")
    size = sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file())
    true(size < 500_000, f"the directory has {size} bytes")


def workload(phase):
    command = JAVA + ["LogWorkload", BOOTSTRAP, phase]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    true(done.returncode == 0, f"the workload ended with {done.returncode}: {done.stderr[-600:]}")


def cleaned(topic, partition):
    checkpoint = DATA / "cleaner-offset-checkpoint"
    text = checkpoint.read_text() if checkpoint.exists() else ""
    found = re.search(rf"^{topic} {partition} (\d+)$", text, re.M)
    return int(found.group(1)) if found else 0


def expected():
    """Our own lines, made from what Kafka's dump tool prints."""
    yield "# What Apache Kafka's dump tool finds in this directory. One line a segment, batch, record;"
    yield "# null is written null, text is quoted, the codec of a batch is named, -1 means none."
    for directory in sorted(path for path in OUT.iterdir() if path.is_dir()):
        if directory.name.startswith("__cluster_metadata"):
            continue
        for segment in sorted(directory.glob("*.log")):
            yield f"segment {directory.name} {int(segment.stem)}"
            yield from dumped(directory.name, segment)


def dumped(partition, segment):
    decoder = DECODERS.get(partition.rsplit("-", 1)[0], "--print-data-log")
    command = JAVA + ["kafka.tools.DumpLogSegments", decoder, "--files", str(segment)]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    for line in text.splitlines():
        fields = dict(re.findall(r"(\w+): (\S+)", line))
        if line.startswith("baseOffset:"):
            yield batch_line(partition, fields)
        elif line.startswith("|") and decoder == "--print-data-log":
            yield record_line(partition, line, fields)
        elif line.startswith("|"):
            yield f"record {partition} offset={fields['offset']} " + line[line.index("key: ") :]


def batch_line(partition, fields):
    order = ["baseOffset", "lastOffset", "count", "partitionLeaderEpoch", "producerId",
        "producerEpoch", "baseSequence", "isTransactional", "isControl", "deleteHorizonMs",
        "CreateTime", "LogAppendTime", "position", "size", "crc", "isvalid"]
    fields["deleteHorizonMs"] = fields["deleteHorizonMs"].replace("OptionalLong.empty", "none")
    words = [f"{name}={fields[name]}" for name in order if name in fields]
    codec = CODECS.get(fields["compresscodec"].upper(), fields["compresscodec"])
    return f"batch {partition} codec={codec} " + " ".join(words)


def record_line(partition, line, fields):
    if "endTxnMarker" in line:
        return f"marker {partition} offset={fields['offset']} {fields['endTxnMarker']}"
    key = re.search(r" key: (.*?)(?= payload: |$)", line)
    value = re.search(r" payload: (.*)$", line)
    headers = re.search(r"headerKeys: \[(.*?)\]", line).group(1)
    key = "null" if fields["keySize"] == "-1" else f'"{key.group(1) if key else ""}"'
    value = "null" if fields["valueSize"] == "-1" else f'"{value.group(1) if value else ""}"'
    time = fields.get("CreateTime") or fields.get("LogAppendTime")
    return (f"record {partition} offset={fields['offset']} time={time} headers=[{headers}] "
        f"key={key} value={value}")


suite.main()
