"""Records golden wire bytes: real clients against real Kafka, through a proxy that keeps the frames.

    cargo xtask interop --against kafka --only record-wire

writes one request and one response for each API and version that was seen into
`crates/protocol/testdata/wire/<api>_v<version>_{req,resp}.hex`: the frame after its length prefix, header
included. `INDEX.txt` beside them says which client each pair comes from.
"""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import check
import raw
from check import Suite, true
from proxy import Proxy
from server import Server

OUT = pathlib.Path(__file__).parents[3] / "crates/protocol/testdata/wire"
#: Fetch has the longest row of versions, 4 to 18.
ROUNDS = 15
#: Pairs above this size are kept only where there is no smaller one.
COMFORTABLE_BYTES = 1_400
#: No answer below this carries anything but its frame.
EMPTY_BYTES = 20

suite = Suite("record-wire")
check.CHECK_SECONDS = 1_500


@suite.check
def record():
    server = Server()
    proxy = Proxy(os.environ["INTEROP_BOOTSTRAP"])
    advertised = f"advertised.listeners=PLAINTEXT://{proxy.address},CONTROLLER://{controller(server)}"
    server.argv += ["--override", advertised]
    server.start()
    try:
        raw.fill_the_gaps(proxy)
        for lowered_by in range(ROUNDS):
            proxy.lowered_by = lowered_by
            java_workload(proxy, f"r{lowered_by}")
    finally:
        server.stop()
    write(best(proxy.exchanges))


def controller(server):
    """The controller's address, which the advertised listeners must repeat."""
    text = pathlib.Path(server.argv[-1]).read_text()
    return re.search(r"CONTROLLER://(\S+)", text).group(1)


def java_workload(proxy, run):
    proxy.label = "kafka-clients 4.2.0"
    command = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
    command += ["-cp", os.environ["INTEROP_CLASSPATH"], "WireWorkload", proxy.address, run]
    command += ["static" if proxy.lowered_by < 3 else "dynamic"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    sys.stderr.write(f"--- lowered by {proxy.lowered_by}\n{done.stdout}")
    true(done.returncode == 0, f"the workload ended with {done.returncode}: {done.stderr[-500:]}")


def best(exchanges):
    """For each API and version the pair that says most in few bytes."""
    found = {}
    for exchange in exchanges:
        found.setdefault((exchange.key, exchange.version), []).append(exchange)
    return {pair: min(candidates, key=awkwardness) for pair, candidates in sorted(found.items())}


def awkwardness(exchange):
    size = len(exchange.request) + len(exchange.response)
    # What a client encoded by itself says more than what we had encoded for us, unless it is empty.
    rank = 1 if "raw" in exchange.client or len(exchange.response) < EMPTY_BYTES else 0
    # Small enough: the larger the better. Too large: the smaller the better.
    return (0, rank, -size) if size <= COMFORTABLE_BYTES else (1, rank, size)


def write(pairs):
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.hex"):
        old.unlink()
    index = ["# API version: client, request bytes, response bytes; recorded from Apache Kafka 4.2.0"]
    for (key, version), exchange in pairs.items():
        name = f"{raw.api_name(key)}_v{version}"
        (OUT / f"{name}_req.hex").write_text(hexed(exchange.request))
        (OUT / f"{name}_resp.hex").write_text(hexed(exchange.response))
        sizes = f"{len(exchange.request)} {len(exchange.response)}"
        index.append(f"{name}: {exchange.client} {sizes}")
    (OUT / "INDEX.txt").write_text("\n".join(index) + "\n")


def hexed(frame):
    # The one thing of this machine that a broker tells; a stand-in of the same length keeps the frame true.
    here = os.environ["INTEROP_DATA_DIR"].encode()
    text = frame.replace(here, b"/var/lib/kafka/".ljust(len(here), b"-")).hex()
    return "\n".join(text[at : at + 96] for at in range(0, len(text), 96)) + "\n"


suite.main()
