"""Kafka's own command-line tools, as people type them, and what scripts read from their output."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import zlib

from check import BOOTSTRAP, Skip, Suite, equal, name, true, until

suite = Suite("tools")
JARS = pathlib.Path(os.environ["INTEROP_HOME"]) / "jars"
#: Classes that the first tool loaded; with them the others start in half the time. Java takes them from
#: nowhere but where they lay then, and says so on stdout: a directory that was moved makes its own.
ARCHIVE = JARS / f"tools-{zlib.crc32(bytes(JARS.resolve())):08x}.jsa"
JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
JAVA += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{JARS}/*"]
TOOLS = {
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-dump-log": "kafka.tools.DumpLogSegments",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
    "kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
}


def command(tool, *args):
    shared = [f"-XX:SharedArchiveFile={ARCHIVE}"] if ARCHIVE.exists() else []
    return JAVA + shared + [TOOLS[tool], *map(str, args)]


def keep_loaded_classes():
    if not ARCHIVE.exists():
        write = [f"-XX:ArchiveClassesAtExit={ARCHIVE}", TOOLS["kafka-topics"]]
        list_topics = JAVA + write + ["--bootstrap-server", BOOTSTRAP, "--list"]
        subprocess.run(list_topics, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def run(tool, *args, stdin="", fails=False):
    """Runs a tool against the server; returns what it printed, both streams."""
    full = ["--bootstrap-server", BOOTSTRAP, *args]
    return run_bare(tool, *full, stdin=stdin, fails=fails)


def run_bare(tool, *args, stdin="", fails=False):
    done = subprocess.run(
        command(tool, *args), input=stdin, text=True, timeout=55,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    sys.stderr.write(f"--- {tool} {' '.join(map(str, args))}\n{done.stdout}")
    worked = done.returncode == 0
    true(worked != fails, f"{tool} ended with {done.returncode}: {done.stdout[-500:]}")
    return done.stdout


def contains(text, *parts):
    for part in parts:
        true(part in text, f"{part!r} is not in {text!r}")


def topic(partitions=1, *flags):
    made = name("tools")
    args = ["--create", "--topic", made, "--partitions", partitions, "--replication-factor", 1]
    run("kafka-topics", *args, *flags)
    return made


def produce(topic_name, lines, *flags):
    text = "".join(line + "\n" for line in lines)
    run("kafka-console-producer", "--topic", topic_name, *flags, stdin=text)


def consume(topic_name, count, *flags):
    """The lines that the console consumer prints, and the count it reports."""
    args = ["--topic", topic_name, "--max-messages", count, "--timeout-ms", 30_000]
    text = run("kafka-console-consumer", *args, *flags)
    contains(text, f"Processed a total of {count} messages")
    return [line for line in text.splitlines() if not line.startswith("Processed a total")]


def rows(text, header):
    """The rows of a table, as dicts, below the line that starts with `header`."""
    lines = [line for line in text.splitlines() if line.strip()]
    at = next(i for i, line in enumerate(lines) if line.startswith(header))
    titles = re.split(r"\s{2,}|\s(?=[A-Z#])", lines[at].strip())
    return [dict(zip(titles, line.split())) for line in lines[at + 1 :]]


@suite.check
def topics_are_created_listed_described_altered_and_deleted():
    made = name("tools")
    flags = ["--partitions", 3, "--replication-factor", 1, "--config", "retention.ms=123456789"]
    contains(run("kafka-topics", "--create", "--topic", made, *flags), f"Created topic {made}.")
    again = run("kafka-topics", "--create", "--topic", made, *flags, fails=True)
    contains(again, "already exists")
    run("kafka-topics", "--create", "--if-not-exists", "--topic", made, *flags)
    contains(run("kafka-topics", "--list"), made)
    text = run("kafka-topics", "--describe", "--topic", made)
    contains(text, f"Topic: {made}\t", "TopicId: ", "\tPartitionCount: 3\tReplicationFactor: 1\t")
    contains(text, "retention.ms=123456789")
    partition_lines = [line for line in text.splitlines() if line.startswith("\tTopic: ")]
    equal(len(partition_lines), 3, "partition lines")
    contains(partition_lines[0], "\tPartition: 0\tLeader: ", "\tReplicas: ", "\tIsr: ")
    run("kafka-topics", "--alter", "--topic", made, "--partitions", 5)
    contains(run("kafka-topics", "--describe", "--topic", made), "PartitionCount: 5")
    run("kafka-topics", "--delete", "--topic", made)
    contains(run("kafka-topics", "--describe", "--topic", made, fails=True), "does not exist")


@suite.check
def the_console_producer_and_consumer_agree():
    made = topic(2)
    produce(made, ["one", "two", "three"])
    equal(sorted(consume(made, 3, "--from-beginning")), ["one", "three", "two"], "values")


@suite.check
def keys_headers_and_nulls_pass_through_the_console():
    made = topic()
    lines = ["h1:x,h2:y\tkey\tvalue", "h1:z\tother\tNULL"]
    properties = ["parse.key=true", "parse.headers=true", "null.marker=NULL"]
    produce(made, lines, *[word for p in properties for word in ("--reader-property", p)])
    shown = ["key", "headers", "partition", "offset", "timestamp"]
    flags = [word for what in shown for word in ("--formatter-property", f"print.{what}=true")]
    found = consume(made, 2, "--from-beginning", *flags)
    found = [re.sub(r"CreateTime:\d+", "CreateTime:T", line) for line in found]
    equal(found, [
        "CreateTime:T\tPartition:0\tOffset:0\th1:x,h2:y\tkey\tvalue",
        "CreateTime:T\tPartition:0\tOffset:1\th1:z\tother\tnull",
    ], "lines")


@suite.check
def every_codec_passes_through_the_console():
    made = topic()
    codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    for codec in codecs:
        produce(made, [f"by {codec}"], "--compression-codec", codec, "--request-required-acks", "all")
    equal(consume(made, 5, "--from-beginning"), [f"by {codec}" for codec in codecs], "values")
    equal(consume(made, 2, "--partition", 0, "--offset", 3), ["by lz4", "by zstd"], "from offset 3")


@suite.check
def groups_are_described_reset_and_deleted():
    made, group = topic(2), name("group")
    produce(made, ["a", "b", "c", "d"], "--command-property", "partitioner.ignore.keys=true")
    consume(made, 4, "--from-beginning", "--group", group)
    tool = "kafka-consumer-groups"
    contains(run(tool, "--list"), group)
    text = run(tool, "--describe", "--group", group)
    contains(text, f"Consumer group '{group}' has no active members.")
    found = rows(text, "GROUP")
    equal({row["TOPIC"] for row in found}, {made}, "topics")
    equal({row["LAG"] for row in found}, {"0"}, "lags")
    contains(run(tool, "--describe", "--group", group, "--state"), "Empty")
    reset = ["--reset-offsets", "--group", group, "--topic", made]
    preview = rows(run(tool, *reset, "--to-earliest", "--dry-run"), "GROUP")
    equal({row["NEW-OFFSET"] for row in preview}, {"0"}, "previewed offsets")
    run(tool, *reset, "--to-earliest", "--execute")
    lags = [int(row["LAG"]) for row in rows(run(tool, "--describe", "--group", group), "GROUP")]
    equal(sum(lags), 4, "lag after the reset")
    exported = run(tool, *reset, "--to-latest", "--dry-run", "--export")
    contains(exported, f"{made},0,")
    contains(run(tool, "--delete-offsets", "--group", group, "--topic", f"{made}:0"), "Successful")
    contains(run(tool, "--delete", "--group", group), "successful")
    gone = run(tool, "--describe", "--group", group)
    contains(gone, "not found")


@suite.check
def a_live_group_shows_its_members():
    made, group = topic(2), name("group")
    produce(made, ["a"])
    args = ["--bootstrap-server", BOOTSTRAP, "--topic", made, "--group", group, "--from-beginning"]
    args = command("kafka-console-consumer", *args)
    consumer = subprocess.Popen(args, text=True, stdout=subprocess.PIPE)
    try:
        equal(consumer.stdout.readline(), "a\n", "the record")
        tool = "kafka-consumer-groups"
        text = run(tool, "--describe", "--group", group, "--members", "--verbose")
        (member,) = rows(text, "GROUP")
        equal((member["CLIENT-ID"], member["#PARTITIONS"]), ("console-consumer", "2"), "member")
        contains(text, f"{made}:0,1")
        state = run(tool, "--describe", "--group", group, "--state")
        contains(state, "range", "Stable")
        contains(run("kafka-groups", "--list"), group, "Classic", "consumer")
        contains(run(tool, "--delete", "--group", group), "The group is not empty")
    finally:
        consumer.terminate()
        consumer.wait(20)


@suite.check
def configs_are_described_and_altered():
    made = topic()
    entity = ["--entity-type", "topics", "--entity-name", made]
    changes = "retention.ms=1000,cleanup.policy=[compact,delete]"
    text = run("kafka-configs", "--alter", *entity, "--add-config", changes)
    contains(text, f"Completed updating config for topic {made}.")
    text = run("kafka-configs", "--describe", *entity)
    contains(text, f"Dynamic configs for topic {made} are:", "  retention.ms=1000 sensitive=false")
    contains(text, "  cleanup.policy=compact,delete", "DYNAMIC_TOPIC_CONFIG:retention.ms=1000")
    run("kafka-configs", "--alter", *entity, "--delete-config", "retention.ms")
    text = run("kafka-configs", "--describe", *entity)
    true("retention.ms" not in text, f"the config is still there: {text}")
    text = run("kafka-configs", "--describe", *entity, "--all")
    contains(text, f"All configs for topic {made} are:", "  retention.ms=604800000", "segment.bytes")
    refused = ["--alter", *entity, "--add-config", "no.such.config=1"]
    contains(run("kafka-configs", *refused, fails=True), "no.such.config")
    brokers = run("kafka-configs", "--describe", "--entity-type", "brokers", "--all")
    contains(brokers, "log.retention.hours")


@suite.check
def offsets_are_listed():
    made = topic(2)
    produce(made, ["a", "b", "c"])
    tool = "kafka-get-offsets"

    def total(*flags):
        lines = run(tool, "--topic", made, *flags).splitlines()
        true(all(re.fullmatch(rf"{made}:\d:\d*", line) for line in lines), f"lines {lines}")
        return sum(int(line.rsplit(":", 1)[1] or 0) for line in lines)

    equal(total(), 3, "latest")
    equal(total("--time", "earliest"), 0, "earliest")
    equal(total("--time", int(time.time() * 1000) - 3_600_000), 0, "an hour ago")


@suite.check
def records_are_deleted():
    made = topic()
    produce(made, ["a", "b", "c"])
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        partitions = [{"topic": made, "partition": 0, "offset": 2}]
        json.dump({"partitions": partitions, "version": 1}, file)
        file.flush()
        text = run("kafka-delete-records", "--offset-json-file", file.name)
    contains(text, "Executing records delete operation", f"partition: {made}-0\tlow_watermark: 2")
    equal(consume(made, 1, "--from-beginning"), ["c"], "records left")


@suite.check
def api_versions_are_listed():
    text = run("kafka-broker-api-versions")
    contains(text, f"{BOOTSTRAP} (id: ", "Fetch(1): ", "ApiVersions(18): 0 to 4 [usable: 4]")
    contains(text, "Produce(0): 0 to 13 [usable: 13]")


@suite.check
def the_perf_tools_measure():
    made = topic(3)
    flags = ["--num-records", 50_000, "--record-size", 100, "--throughput", -1]
    properties = [f"bootstrap.servers={BOOTSTRAP}", "acks=all"]
    text = run_bare("kafka-producer-perf-test", "--topic", made, *flags, "--producer-props", *properties)
    contains(text, "50000 records sent", "99.9th")
    text = run("kafka-consumer-perf-test", "--topic", made, "--num-records", 50_000, "--timeout", 30_000)
    header, row = [line.split(", ") for line in text.strip().splitlines()[-2:]]
    equal(dict(zip(header, row))["data.consumed.in.nMsg"], "50000", "records consumed")


@suite.check
def the_verifiable_clients_agree():
    made, group = topic(), name("group")
    produced = run("kafka-verifiable-producer", "--topic", made, "--max-messages", 100, "--acks", "-1")
    events = [json.loads(line) for line in produced.splitlines() if line.startswith("{")]
    equal(sum(event["name"] == "producer_send_success" for event in events), 100, "successes")
    args = ["--topic", made, "--group-id", group, "--max-messages", 100, "--reset-policy", "earliest"]
    consumed = run("kafka-verifiable-consumer", *args)
    events = [json.loads(line) for line in consumed.splitlines() if line.startswith("{")]
    counts = [event["count"] for event in events if event["name"] == "records_consumed"]
    equal(sum(counts), 100, "records consumed")
    commits = [event for event in events if event["name"] == "offsets_committed"]
    true(all(event["success"] for event in commits), f"commits {commits}")


@suite.check
def log_directories_are_described():
    made = topic(2)
    produce(made, ["a"])
    text = run("kafka-log-dirs", "--describe", "--topic-list", made)
    contains(text, "Querying brokers for log directories information")
    found = json.loads(text.strip().splitlines()[-1])
    dirs = [log_dir for broker in found["brokers"] for log_dir in broker["logDirs"]]
    partitions = {p["partition"]: p for log_dir in dirs for p in log_dir["partitions"]}
    equal(sorted(partitions), [f"{made}-0", f"{made}-1"], "partitions")
    true(sum(p["size"] for p in partitions.values()) > 0, "there are bytes")


@suite.check
def the_quorum_is_described():
    text = run("kafka-metadata-quorum", "describe", "--status")
    contains(text, "ClusterId:", "LeaderId:", "HighWatermark:", "CurrentVoters:")
    leader = re.search(r"LeaderId:\s+(\d+)", text).group(1)
    found = rows(run("kafka-metadata-quorum", "describe", "--replication"), "NodeId")
    equal([(row["NodeId"], row["Status"]) for row in found], [(leader, "Leader")], "replicas")
    contains(run_bare("kafka-cluster", "cluster-id", "--bootstrap-server", BOOTSTRAP), "Cluster ID: ")


@suite.check
def leaders_are_elected_and_no_reassignment_runs():
    made = topic()
    flags = ["--election-type", "preferred", "--topic", made, "--partition", 0]
    contains(run("kafka-leader-election", *flags), "Valid replica already elected for partitions")
    contains(run("kafka-reassign-partitions", "--list"), "No partition reassignments found.")


def partition_directory(partition):
    data = os.environ.get("INTEROP_DATA_DIR")
    if not data:
        raise Skip("the server's data directory is not known")
    found = [path for path in pathlib.Path(data).rglob(partition) if path.is_dir()]
    equal(len(found), 1, f"directories of {partition}")
    return found[0]


def dump(files, *flags):
    text = run_bare("kafka-dump-log", "--files", ",".join(map(str, files)), *flags)
    for complaint in ["isvalid: false", "Mismatch", "mismatch", "Corrupt", "corrupt", "out of order"]:
        true(complaint not in text, f"the dump tool complains: {text[-600:]}")
    return text


@suite.check
def the_dump_tool_reads_the_servers_log():
    made = topic()
    codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    for codec in codecs:
        flags = ["--compression-codec", codec, "--reader-property", "parse.key=true"]
        produce(made, [f"key-{i}\tby {codec}" for i in range(3)], *flags)
    directory = partition_directory(f"{made}-0")
    logs = sorted(directory.glob("*.log"))
    text = dump(logs, "--print-data-log")
    contains(text, "Log starting offset: 0", "compresscodec: zstd", "producerId: ")
    found = re.findall(r"\| offset: (\d+) .* key: (\S+) payload: (.*)", text)
    wanted = [(str(3 * c + i), f"key-{i}", f"by {codec}") for c, codec in enumerate(codecs)
        for i in range(3)]
    equal(found, wanted, "records")
    indexes = sorted(directory.glob("*.index")) + sorted(directory.glob("*.timeindex"))
    dump(indexes, "--index-sanity-check")
    true((directory / "partition.metadata").exists(), "there is a partition.metadata")


@suite.check
def the_dump_tool_reads_indexes_of_a_larger_log():
    made = topic()
    flags = ["--num-records", 3_000, "--record-size", 1_000, "--throughput", -1]
    properties = [f"bootstrap.servers={BOOTSTRAP}", "batch.size=4000"]
    run_bare("kafka-producer-perf-test", "--topic", made, *flags, "--producer-props", *properties)
    directory = partition_directory(f"{made}-0")
    indexes = sorted(directory.glob("*.index")) + sorted(directory.glob("*.timeindex"))
    text = dump(indexes, "--verify-index-only")
    true("offset: 0 position: 0\noffset: 0" not in text, "the index is filled with zeros")


@suite.check
def the_dump_tool_reads_compacted_segments():
    settings = ["cleanup.policy=compact", "segment.bytes=1048576", "min.cleanable.dirty.ratio=0.01"]
    made = topic(1, *[part for setting in settings for part in ("--config", setting)])
    flags = ["--reader-property", "parse.key=true", "--reader-property", "null.marker=NULL"]
    lines = [f"key-{i % 40}\t{i} {'x' * 1000}" for i in range(4_000)]
    produce(made, lines[:500] + ["key-gone\tNULL"] + lines[500:2_000], *flags)
    produce(made, lines[2_000:], *flags, "--compression-codec", "lz4", "--batch-size", 100_000)
    directory = partition_directory(f"{made}-0")

    def first_segment():
        text = dump([directory / "00000000000000000000.log"], "--print-data-log")
        keys = re.findall(r"\| offset: \d+ .* key: (\S+)", text)
        return len(keys) == len(set(keys)) and text

    text = until("the first segment holds each key once", first_segment, seconds=60)
    contains(text, "key: key-gone")
    true(re.search(r"deleteHorizonMs: OptionalLong\[\d+\]", text), "its batch says until when")
    indexes = sorted(directory.glob("*.index")) + sorted(directory.glob("*.timeindex"))
    dump(indexes, "--index-sanity-check")
    text = run("kafka-get-offsets", "--topic", made)
    contains(text, f"{made}:0:4001")


@suite.check
def the_dump_tool_reads_committed_offsets():
    made, group = topic(), name("group")
    produce(made, ["a", "b"])
    consume(made, 2, "--from-beginning", "--group", group)
    data = partition_directory(f"{made}-0").parent
    logs = sorted(path for path in data.glob("__consumer_offsets-*/*.log") if path.stat().st_size)
    text = dump(logs, "--offsets-decoder")
    commits = [line for line in text.splitlines() if group in line and f'"topic":"{made}"' in line]
    true(commits and '"offset":2' in commits[-1], f"commits {commits}")
    true(any(f'"group":"{group}"' in line and '"members"' in line for line in text.splitlines()),
        "there is no group metadata record")


@suite.check
def the_dump_tool_reads_the_metadata_log():
    made = topic(2, "--config", "retention.ms=98765")
    data = partition_directory(f"{made}-0").parent

    def metadata():
        logs = sorted(data.glob("__cluster_metadata-0/*.log"))
        return dump(logs, "--cluster-metadata-decoder")

    text = until("the topic in the metadata log", lambda: (found := metadata()) and made in found and found)
    contains(text, f'{{"type":"TOPIC_RECORD","version":0,"data":{{"name":"{made}"', "PARTITION_RECORD")
    contains(text, '"name":"retention.ms","value":"98765"')


if __name__ == "__main__":
    keep_loaded_classes()
    suite.main()
