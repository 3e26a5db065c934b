#!/usr/bin/env python3
"""Sends the `agent` example's traces to real backends, and asks them what they understood.

Installs Arize Phoenix and MLflow (about 1 GB in target/venv), starts both on free ports of 127.0.0.1, runs the example
once for each row of RUNS, and compares each span that a backend shows with the JSON line of the same span. Prints
facts right and facts stated; exits with 1 if one is wrong that is not in GAPS.

    python3 tests/backends/run.py            all of it
    python3 tests/backends/run.py --keep     and leaves the backends running until Enter is pressed
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import python_venv  # noqa: E402

python_venv.enter(HERE / "requirements.txt")
import facts  # noqa: E402
import mlflow_backend  # noqa: E402
import phoenix_backend  # noqa: E402

BACKENDS = {"phoenix": phoenix_backend, "mlflow": mlflow_backend}

# Backend, profile, protocol, whether it is compressed. Phoenix refuses JSON.
RUNS = [
    ("phoenix", "phoenix", "protobuf", False),
    ("phoenix", "all", "protobuf", True),
    ("phoenix", "standard", "protobuf", True),
    ("mlflow", "mlflow", "protobuf", False),
    ("mlflow", "all", "json", True),
    ("mlflow", "standard", "json", False),
]

# Columns that a backend cannot fill from a profile: Phoenix lists only OpenInference's input and output, and MLflow reads
# no cost but its own.
GAPS = {("phoenix", "standard"): ("input", "output"), ("mlflow", "standard"): ("cost",)}

COLUMNS = ["tree", "name", "kind", "status", "times", "session", "model", "provider", "tokens", "cost", "input",
           "output", "messages", "tools", "totals"]
WAITING_S = 60

EXAMPLE = ["--quiet", "--manifest-path", str(python_venv.ROOT / "Cargo.toml"), "-p", "llmtrace-examples", "--example",
           "agent"]

CONFIGURATION = """
service_name = "agent"
[[exporter]]
type = "jsonl"
path = "{path}"
mode = "create"
[[exporter]]
type = "otlp"
endpoint = "{url}"
profile = "{profile}"
protocol = "{protocol}"
gzip = {gzip}
headers = {{ {headers} }}
"""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    subprocess.run(["cargo", "build", *EXAMPLE], check=True)
    servers = {}
    with tempfile.TemporaryDirectory(prefix="llmtrace-backends-") as folder:
        try:
            for name, backend in BACKENDS.items():
                servers[name] = backend.start(Path(folder))
                print(f"{name} answers after {servers[name].started_s:.0f} s", flush=True)
            failed = [run for run in RUNS if not compare(Path(folder), servers[run[0]], *run)]
            for server in servers.values():
                print(f"{server.name}: {server.memory_mb():.0f} MB resident")
            if "--keep" in sys.argv:
                input("\n".join(["", *(server.url for server in servers.values()), "Enter ends them. "]))
        finally:
            for server in servers.values():
                server.stop()
    print(f"{len(RUNS) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def compare(folder: Path, server, name: str, profile: str, protocol: str, is_compressed: bool) -> bool:
    """Runs the example once into one backend. Whether every fact is right that should be."""
    backend, run = BACKENDS[name], f"agent-{profile}"
    headers = backend.headers(server.url, run)
    began = time.monotonic()
    lines = send(folder / f"{name}-{profile}", server.url, profile, protocol, is_compressed, headers)
    sent_s = time.monotonic() - began
    gaps = GAPS.get((name, profile), ())
    deadline = time.monotonic() + WAITING_S
    while True:
        table = facts.check(lines, backend, *backend.read(server.url, headers))
        wrong = [words for column, words in table.wrong if column not in gaps]
        if not wrong or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    title = f"{name}, profile {profile}, {protocol}{' + gzip' if is_compressed else ''}"
    right, stated = table.right.total(), table.stated.total()
    print(f"\n{title}: {right}/{stated} facts right, {len(lines)} spans, sent in {sent_s:.1f} s")
    print("  " + "  ".join(f"{column} {table.right[column]}/{table.stated[column]}" for column in COLUMNS))
    wrong += [f"{gap}: this gap is closed; take it out of GAPS" for gap in gaps if table.is_right(gap)]
    for words in wrong[:20]:
        print(f"  WRONG {words}"[:600])
    return not wrong


def send(folder: Path, url: str, profile: str, protocol: str, is_compressed: bool, headers: dict) -> list[dict]:
    """The JSON lines of one run of the example, whose spans went to `url` too."""
    folder.mkdir()
    path, configuration = folder / "traces.jsonl", folder / "llmtrace.toml"
    configuration.write_text(CONFIGURATION.format(
        path=path, url=url, profile=profile, protocol=protocol, gzip="true" if is_compressed else "false",
        headers=", ".join(f'"{name}" = "{value}"' for name, value in headers.items())))
    environment = {**os.environ, "LLMTRACE_CONFIG": str(configuration)}
    subprocess.run(["cargo", "run", *EXAMPLE], check=True, env=environment, timeout=120)
    return [json.loads(line) for line in path.read_text().splitlines()]


if __name__ == "__main__":
    sys.exit(main())
