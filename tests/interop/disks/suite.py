"""Real file systems that fill up and fail, and several log directories. This suite owns its server, and
mounts what it needs: without root it says so and skips."""

import atexit
import fcntl
import json
import os
import pathlib
import struct
import subprocess
import tempfile

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import check
from check import AGAINST, BOOTSTRAP, Skip, Suite, equal, name, true, until
from server import Server

suite = Suite("disks")
check.CHECK_SECONDS = 120
KAFKA_STORAGE_ERROR, LEADER_NOT_AVAILABLE = 56, 5
#: _IOR('X', 125, __u32) of fs/ext4/ext4.h, and the flag that drops the journal's running transaction.
EXT4_IOC_SHUTDOWN, NOLOGFLUSH = 0x8004587D, 2
JARS = pathlib.Path(os.environ.get("INTEROP_HOME", ".")) / "jars"
PLACE = pathlib.Path(tempfile.mkdtemp(prefix="disks-", dir=os.environ["INTEROP_RUN_DIR"]))
MOUNTED = []


def run(*argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=60)
    true(done.returncode == 0, f"{argv}: {done.stdout[-300:]}{done.stderr[-300:]}")
    return done.stdout


def mount(what, *options):
    """A directory with a file system of its own."""
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    place = PLACE / what
    place.mkdir(exist_ok=True)
    run("mount", *options, place)
    MOUNTED.append(place)
    return place


def unmount_all():
    while MOUNTED:
        subprocess.run(["umount", "-l", MOUNTED.pop()], capture_output=True)


def on_exit():
    if servers and servers[-1].process.poll() is None:
        servers[-1].kill()
    unmount_all()


servers = []
atexit.register(on_exit)


def start(*dirs):
    """A node whose first directory also holds the metadata log."""
    if AGAINST != "ottla":
        raise Skip("its directories are laid out for Ottla")
    stop()
    flags = [f"log.dirs={','.join(map(str, dirs[1:] or dirs))}", f"metadata.log.dir={dirs[0]}"]
    words = [word for flag in flags for word in ("--override", flag)]
    server = Server(*words)
    servers.append(server)
    server.start()
    return server


def stop():
    if servers and servers[-1].process.poll() is None:
        servers[-1].kill()


admin = AdminClient({"bootstrap.servers": BOOTSTRAP, "log_level": 0})


def topic(partitions=1, **config):
    made = name("disks")
    config = {key.replace("_", "."): str(value) for key, value in config.items()}
    admin.create_topics([NewTopic(made, partitions, 1, config=config)])[made].result(20)
    return made


def produce(to, values, partition=0, seconds=5):
    """The values that were acknowledged, and the codes of the others."""
    acked, codes = [], []

    def told(error, message):
        acked.append(message.value()) if error is None else codes.append(error.code())

    client = Producer({
        "bootstrap.servers": BOOTSTRAP, "acks": "all", "log_level": 0, "retries": 0,
        "message.timeout.ms": seconds * 1_000, "enable.idempotence": False,
    })
    for value in values:
        client.produce(to, value, partition=partition, on_delivery=told)
        client.flush(seconds + 5)
    return acked, codes


def read(of, partition=0):
    client = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": name("g"), "log_level": 0})
    place = TopicPartition(of, partition)
    low, high = client.get_watermark_offsets(place, timeout=20)
    client.assign([TopicPartition(of, partition, low)])
    found = []
    while len(found) < high - low:
        for message in client.consume(500, timeout=5):
            if message.error():
                raise KafkaException(message.error())
            found.append(message.value())
    client.close()
    return found


def fill(place):
    """Takes all the room there is; returns the file to be removed."""
    filler = place / "filler"
    with open(filler, "wb") as file:
        step = 1 << 20
        while step >= 4_096:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), step)
            except OSError:
                step //= 2
    return filler


def record(number, size=50_000):
    return b"%d %s" % (number, os.urandom(size))


@suite.check
def a_full_disk_refuses_records_and_goes_on_by_itself():
    small = mount("small", "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    start(PLACE / "meta", small)
    kept, spare = topic(), topic()
    equal(produce(spare, [record(0, 900_000)])[1], [], "errors")
    acked, refused = produce(kept, (record(n) for n in range(400)))
    true(len(acked) > 50 and refused, f"{len(acked)} acknowledged, {len(refused)} refused")
    equal(set(refused), {KAFKA_STORAGE_ERROR}, "codes")
    left = os.statvfs(small)
    true(left.f_bavail * left.f_frsize > 500_000, f"of the reserve {left.f_bavail * left.f_frsize} bytes are there")
    equal(read(kept), acked, "what was acknowledged is read")
    # Offsets and new topics use the reserve.
    group = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": name("g"), "log_level": 0})
    until("a commit", lambda: group.commit(
        offsets=[TopicPartition(kept, 0, 3)], asynchronous=False) is not None)
    group.close()
    topic()
    admin.delete_topics([kept])[kept].result(20)
    until("room again", lambda: not produce(spare, [record(1)])[1], 100)


@suite.check
def not_a_byte_left_loses_nothing_and_takes_nothing_away():
    small = mount("none", "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    server = start(PLACE / "meta2", small)
    kept = topic()
    acked, _ = produce(kept, (record(n, 1_000) for n in range(50)))
    filler = fill(small)
    more, refused = produce(kept, (record(n, 1_000) for n in range(50, 300)), seconds=2)
    acked += more
    equal(set(refused), {KAFKA_STORAGE_ERROR}, "codes")
    equal(read(kept), acked, "what was acknowledged is read")
    filler.unlink()
    again, refused = produce(kept, [record(300, 1_000)])
    equal(refused, [], "errors after there is room")
    acked += again
    server.kill()
    server.start()
    equal(read(kept), acked, "after kill -9")


@suite.check
def a_disk_that_fails_takes_its_partitions_and_no_others():
    image = PLACE / "image"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    run("mkfs.ext4", "-q", "-F", image)
    broken = mount("broken", "-o", "loop", image)
    sound = PLACE / "sound"
    logs = broken / "logs"
    server = start(sound, sound, logs)
    made = topic(partitions=2)
    at = {p: logs if (logs / f"{made}-{p}").exists() else sound for p in range(2)}
    equal(sorted(map(str, at.values())), sorted([str(logs), str(sound)]), "one in each")
    (lost,), (served,) = [[p for p in at if at[p] == place] for place in (logs, sound)]
    before = {p: produce(made, [b"one", b"two"], partition=p)[0] for p in at}
    os.sync()
    handle = os.open(broken, os.O_RDONLY)
    fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
    os.close(handle)
    acked, codes = produce(made, [b"lost"], partition=lost, seconds=3)
    equal((acked, codes[0] in (KAFKA_STORAGE_ERROR, -192, -185)), ([], True), f"answers {codes}")
    def shown():
        return admin.list_topics(made, timeout=20).topics[made].partitions[lost]

    until("the controller to know", lambda: shown().leader == -1)
    equal(shown().error.code(), LEADER_NOT_AVAILABLE, "its error")
    equal(produce(made, [b"three"], partition=served), ([b"three"], []), "the other one")
    # A start without the disk: nothing is made in the other directory.
    server.kill()
    run("umount", "-l", broken)
    MOUNTED.remove(broken)
    broken.rmdir()
    broken.write_text("no directory")
    server.start()
    equal(read(made, served), before[served] + [b"three"], "the other one")
    true(not (sound / f"{made}-{lost}").exists(), "it is not made anew")
    # And with it again.
    server.kill()
    broken.unlink()
    mount("broken", "-o", "loop", image)
    server.start()
    equal(read(made, lost), before[lost], "what was on the disk")
    equal(produce(made, [b"three"], partition=lost)[1], [], "errors")


def tool(main_class, *args):
    java = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*"]
    java += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", f"org.apache.kafka.tools.{main_class}"]
    return run(*java, "--bootstrap-server", BOOTSTRAP, *args)


def described(made):
    """What kafka-log-dirs says: (path, partition, isFuture) of each replica, and the errors."""
    text = tool("LogDirsCommand", "--describe", "--topic-list", made)
    (broker,) = json.loads(text.strip().splitlines()[-1])["brokers"]
    found = {
        (log_dir["logDir"], part["partition"], part["isFuture"])
        for log_dir in broker["logDirs"] for part in log_dir["partitions"]
    }
    return broker["broker"], found, {log_dir["error"] for log_dir in broker["logDirs"]}


@suite.check
def kafka_s_tools_move_partitions_between_the_directories_of_a_node():
    one, two = PLACE / "one", PLACE / "two"
    start(one, one, two)
    made = topic(partitions=2)
    written = {p: produce(made, (record(n) for n in range(40)), partition=p)[0] for p in range(2)}
    broker, found, errors = described(made)
    equal(errors, {None}, "errors")
    equal(sorted(part for _, part, _ in found), [f"{made}-0", f"{made}-1"], "partitions")
    where = {part: path for path, part, _ in found}
    equal(len(set(where.values())), 2, "directories in use")
    other = {str(one): str(two), str(two): str(one)}
    plan = PLACE / "plan.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": made, "partition": p, "replicas": [broker], "log_dirs": [other[where[f"{made}-{p}"]]]}
        for p in range(2)
    ]}))
    flags = ["--reassignment-json-file", plan]
    text = tool("reassign.ReassignPartitionsCommand", "--execute", *flags,
                "--replica-alter-log-dirs-throttle", 100_000_000)
    equal(text.count("Successfully started moving log directory to"), 2, "moves begun")

    def is_done():
        text = tool("reassign.ReassignPartitionsCommand", "--verify", *flags)
        return text.count("completed successfully") >= 2

    until("the moves", is_done, 60)
    _, found, _ = described(made)
    equal({part: path for path, part, _ in found}, {part: other[path] for part, path in where.items()}, "places")
    true(not any(is_future for _, _, is_future in found), "no copy is left")
    for p in range(2):
        equal(read(made, p), written[p], f"records of partition {p}")
        equal(produce(made, [b"more"], partition=p)[1], [], "errors")
    servers[-1].kill()
    servers[-1].start()
    for p in range(2):
        equal(read(made, p), written[p] + [b"more"], f"records of partition {p} after kill -9")


suite.add("the_server_stops_when_asked", stop)
suite.add("nothing_stays_mounted", unmount_all)
suite.main()
