#!/usr/bin/env python3
"""Puts the OTLP of the `agent` example into the table of docs/clickhouse.sql, twice, and asks what it cost.

The rows are those that the Collector's ClickHouse exporter makes of a request: every attribute as text. ClickHouse is
chdb. What the views say is compared with the JSON lines of the same run.
"""

import gzip
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from math import isclose
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import python_venv  # noqa: E402

python_venv.enter(HERE / "requirements.txt")
from chdb.session import Session  # noqa: E402

CONFIGURATION = """
service_name = "agent"
[[exporter]]
type = "jsonl"
path = "{path}"
[[exporter]]
type = "otlp"
endpoint = "http://127.0.0.1:{port}"
protocol = "json"
"""

EXAMPLE = ["--quiet", "--manifest-path", str(python_venv.ROOT / "Cargo.toml"), "-p", "llmtrace-examples", "--example",
           "agent"]

SCALE = python_venv.ROOT / "docs/scale.md"


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes OTLP/JSON, as a Collector does."""

    requests = []

    def do_POST(self):  # noqa: N802  (the name is http.server's)
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.requests.append(json.loads(body))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def recorded(folder: Path) -> tuple[list[dict], list[dict]]:
    """The JSON lines of one run of the example, and the OTLP requests."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configuration, path = folder / "llmtrace.toml", folder / "traces.jsonl"
    configuration.write_text(CONFIGURATION.format(path=path, port=server.server_port))
    environment = {**os.environ, "LLMTRACE_CONFIG": str(configuration)}
    subprocess.run(["cargo", "run", *EXAMPLE], check=True, env=environment)
    server.shutdown()
    return [json.loads(line) for line in path.read_text().splitlines()], Sink.requests


def rows(request: dict) -> list[dict]:
    """What the Collector's exporter inserts."""
    found = []
    for of_resource in request["resourceSpans"]:
        resource = texts(of_resource["resource"])
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
                status, events = span.get("status", {}), span.get("events", [])
                found.append({
                    "Timestamp": f"{start // 10**9}.{start % 10**9:09}", "Duration": end - start,
                    "TraceId": span["traceId"], "SpanId": span["spanId"], "ParentSpanId": span.get("parentSpanId", ""),
                    "SpanName": span["name"], "SpanKind": ["Unspecified", "Internal", "Server", "Client"][span["kind"]],
                    "ServiceName": resource["service.name"], "ResourceAttributes": resource,
                    "ScopeName": of_scope["scope"]["name"], "SpanAttributes": texts(span),
                    "StatusCode": ["Unset", "Ok", "Error"][status.get("code", 0)],
                    "StatusMessage": status.get("message", ""),
                    "Events.Timestamp": [f"{int(event['timeUnixNano']) / 1e9:.9f}" for event in events],
                    "Events.Name": [event["name"] for event in events],
                    "Events.Attributes": [texts(event) for event in events],
                })
    return found


def texts(holder: dict) -> dict[str, str]:
    return {pair["key"]: text(pair["value"]) for pair in holder.get("attributes", [])}


def text(value: dict) -> str:
    [(kind, inner)] = value.items()
    if kind == "arrayValue":
        return json.dumps([text(item) for item in inner.get("values", [])])
    return inner if isinstance(inner, str) else json.dumps(inner)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="llmtrace-clickhouse-") as folder:
        lines, requests = recorded(Path(folder))
        database = Session(folder + "/database")
        for statement in (python_venv.ROOT / "docs/clickhouse.sql").read_text().split(";\n"):
            if statement.strip():
                database.query(statement)
        spans = [row for request in requests for row in rows(request)]
        batch = "\n".join(json.dumps(row) for row in spans)
        for _ in range(2):  # at least once
            database.query(f"INSERT INTO otel_traces SETTINGS input_format_import_nested_json = 0 FORMAT JSONEachRow {batch}")
        ask = lambda query: [json.loads(row) for row in str(database.query(query, "JSONEachRow")).splitlines()]  # noqa: E731
        [model] = ask("SELECT * EXCEPT day FROM cost_by_model")
        sessions = ask("SELECT * FROM cost_by_session")
        [documented] = re.findall(r"^```sql\n([^`]*cost_by_model[^`]*)```$", SCALE.read_text(), re.M)
        answers = [ask(question) for question in re.sub("--.*", "", documented).split(";\n") if question.strip()]
        database.close()
    calls = [line["attributes"] for line in lines if line["kind"] == "generation"]
    total = lambda key: sum(call.get(key, 0) for call in calls)  # noqa: E731
    cost = total("gen_ai.usage.cost")
    facts = {
        "spans": (len(lines), len(spans)),
        "model": (calls[0]["gen_ai.request.model"], model["model"]),
        "calls": (len(calls), int(model["calls"])),
        "errors": (sum(line["status"] == "error" for line in lines), int(model["errors"])),
        "input tokens": (total("gen_ai.usage.input_tokens"), int(model["input_tokens"])),
        "output tokens": (total("gen_ai.usage.output_tokens"), int(model["output_tokens"])),
        "cost": (True, isclose(cost, model["cost_usd"])),
        "calls without a price": (0, int(model["calls_without_price"])),
        "answers to what docs/scale.md asks": ([1, 1], [len(answer) for answer in answers]),
        "sessions": (len({call["gen_ai.conversation.id"] for call in calls}), len(sessions)),
        "cost of sessions": (True, isclose(cost, sum(session["cost_usd"] for session in sessions))),
    }
    wrong = {what: pair for what, pair in facts.items() if pair[0] != pair[1]}
    for what, (expected, found) in wrong.items():
        print(f"{what}: expected {expected}, found {found}")
    print(f"{model['model']}: {model['calls']} calls, {model['errors']} errors, ${model['cost_usd']:.6f}")
    print(f"{len(facts) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
