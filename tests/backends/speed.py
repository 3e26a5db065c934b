#!/usr/bin/env python3
"""How fast `llmtrace serve` is beside Arize Phoenix: the same traces, one after the other on the same computer.

Sends traces of ten spans and 2 kB of text to each and waits until the last one can be queried; then asks for the newest
50 traces, as each one's list shows them. Prints a table.

    python3 tests/backends/speed.py [TRACES, default 2000]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import python_venv  # noqa: E402

python_venv.enter(HERE / "requirements.txt")
import phoenix_backend  # noqa: E402
from server import Server, free_port  # noqa: E402

TRACES = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
SPANS = 10
LISTS = 100
WAITING_S = 1800
RELEASE = python_venv.BUILD / "release"

_COUNT = """{ getProjectByName(name: "default") { recordCount } }"""
_LIST = """{ getProjectByName(name: "default") { spans(first: 50, filterCondition: "parent_id is None", sort: {col: startTime, dir: desc}) {
    edges { node { spanId name spanKind statusCode startTime latencyMs tokenCountTotal trace { traceId session { sessionId } }
        cumulativeTokenCountTotal costSummary { total { cost } } input { value: truncatedValue } output { value: truncatedValue } } }
} } }"""


def ask(url: str, body: bytes | None = None) -> bytes:
    headers = {"content-type": "application/json"} if body else {}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=120) as answer:
        return answer.read()


def phoenix_query(server: Server, query: str) -> dict:
    reply = json.loads(ask(server.url + "/graphql", json.dumps({"query": query}).encode()))
    if "errors" in reply:
        raise RuntimeError(f"Phoenix refused the query: {reply['errors']}")
    return reply["data"]["getProjectByName"] or {}


def phoenix_count(server: Server) -> int:
    return phoenix_query(server, _COUNT).get("recordCount", 0)


def phoenix_list(server: Server) -> int:
    return len(phoenix_query(server, _LIST)["spans"]["edges"])


def our_count(server: Server) -> int:
    stats = json.loads(ask(server.url + "/api/stats?by=service"))
    return TRACES * SPANS if stats["groups"] else 0  # what was acknowledged is committed


def our_list(server: Server) -> int:
    return len(json.loads(ask(server.url + "/api/traces?limit=50"))["traces"])


def llmtrace(folder: Path) -> Server:
    port = free_port()
    arguments = [str(RELEASE / "llmtrace"), "serve", "--listen", f"127.0.0.1:{port}", "--store", str(folder / "llmtrace.db")]
    return Server("llmtrace", folder, arguments, port, "/healthz", {})


def measure(server: Server, count, list_traces) -> tuple[float, float, float, float]:
    """Spans a second until the last can be queried, median and worst milliseconds of the list, and resident memory in MB."""
    port = server.url.rpartition(":")[2]
    began = time.monotonic()
    subprocess.run([RELEASE / "scenario", "fill", port, str(TRACES)], check=True, stdout=subprocess.DEVNULL)
    while (there := count(server)) < TRACES * SPANS:
        if time.monotonic() - began > WAITING_S:
            raise RuntimeError(f"{server.name} has {there} of {TRACES * SPANS} spans after {WAITING_S} s")
        time.sleep(0.1)
    rate = TRACES * SPANS / (time.monotonic() - began)
    times = []
    for _ in range(LISTS):
        began = time.monotonic()
        if list_traces(server) != min(50, TRACES):
            raise RuntimeError(f"{server.name} lists too few traces")
        times.append((time.monotonic() - began) * 1e3)
    return rate, statistics.median(times), max(times), server.memory_mb()


def main() -> int:
    packages = ["-p", "llmtrace-cli", "-p", "llmtrace-benches", "--bin", "llmtrace", "--bin", "scenario"]
    manifest = str(python_venv.ROOT / "Cargo.toml")
    subprocess.run(["cargo", "build", "--quiet", "--release", "--manifest-path", manifest, *packages], check=True)
    rows = {}
    with tempfile.TemporaryDirectory(prefix="llmtrace-speed-") as folder:
        for start, count, list_traces in [
            (llmtrace, our_count, our_list),
            (phoenix_backend.start, phoenix_count, phoenix_list),
        ]:
            server = start(Path(folder))
            try:
                rows[server.name] = measure(server, count, list_traces)
            finally:
                server.stop()
    print(f"{TRACES * SPANS} spans in {TRACES} traces, load {os.getloadavg()[0]:.1f}")
    print(f"{'':10}{'spans/s':>10}{'list ms':>10}{'worst':>10}{'MB':>8}")
    for name, (rate, median, worst, memory) in rows.items():
        print(f"{name:10}{rate:10.0f}{median:10.1f}{worst:10.1f}{memory:8.0f}")
    ours, theirs = rows["llmtrace"], rows["phoenix"]
    print(f"{ours[0] / theirs[0]:.0f}x the rate, 1/{theirs[1] / ours[1]:.0f} of the time of a list")
    return 0


if __name__ == "__main__":
    sys.exit(main())
