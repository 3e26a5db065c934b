#!/usr/bin/env python3
"""Sends traces of Python programs to `llmtrace serve`, and asks it what it understood.

Installs the SDKs and instrumentations of requirements.txt (in target/venv), starts the server on a free port of 127.0.0.1,
runs each program of EXPECTED against it, and compares each span of `/api/traces/{id}` with what is stated there. Prints
facts right and facts stated; exits with 1 if one is wrong.

    python3 tests/clients/run.py
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import python_venv  # noqa: E402

python_venv.enter(HERE / "requirements.txt")

WAITING_S = 30
QUESTION, ANSWER = "Weather in Paris?", "It rains in Paris."
CALL = [{"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Paris"}}]
ASKED = {"model": "gpt-4o-mini", "answered": "gpt-4o-mini-2024-07-18", "provider": "openai", "input": 120, "output": 30,
         "cached": 64}
TOOL = {"kind": "tool", "tool": "weather", "arguments": {"city": "Paris"}, "result": "rain"}

# By program: the service, the session and the user, and by span its parent and its facts.
EXPECTED = {
    "genai.py": ("genai", {
        "invoke_agent helper": (None, {"kind": "agent", "session": "session-1", "user": "user-1"}),
        "chat gpt-4o-mini": ("invoke_agent helper", {
            **ASKED, "kind": "generation", "session": "session-1", "asked": [QUESTION], "said": ANSWER,
            "reason": "stop", "cost_source": "bundled"}),
        "execute_tool weather": ("invoke_agent helper", {**TOOL, "status": "error", "message": "too slow"}),
        "chat old": ("invoke_agent helper", {
            "kind": "generation", "model": "claude-sonnet-4-5", "provider": "anthropic", "input": 100, "output": 5,
            "cached": 90, "cost": 0.125, "cost_source": "provider", "asked": ["Be brief.", QUESTION],
            "said": "It rains."}),
    }),
    "openinference_openai.py": ("openinference", {
        "answer": (None, {"kind": "agent", "session": "session-2", "user": "user-2", "tags": ["a", "b"],
                          "asked": [QUESTION], "said": ANSWER, "tier": "gold"}),
        "search": ("answer", {"kind": "retriever", "session": "session-2", "query": "paris",
                              "documents": [{"id": "d1", "content": "Paris is rainy.", "score": 0.75}]}),
        "weather": ("answer", TOOL),
        "ChatCompletion": ("answer", {
            **ASKED, "kind": "generation", "reasoning": 10, "session": "session-2", "asked": ["Be brief.", QUESTION],
            "called": CALL, "reason": "tool_call", "cost_source": "bundled", "temperature": 0.5}),
        "ChatCompletion 2": ("answer", {
            **ASKED, "kind": "generation", "session": "session-2", "asked": ["Be brief.", QUESTION, "", ""],
            "answers": ["call_1"], "said": ANSWER, "reason": "stop", "has_first_chunk": True}),
    }),
    "langfuse_sdk.py": ("langfuse", {
        "answer": (None, {"kind": "agent", "session": "session-3", "user": "user-3", "environment": "staging",
                          "asked": [QUESTION], "said": ANSWER}),
        "ask": ("answer", {
            "kind": "generation", "model": "gpt-4o-mini", "input": 120, "output": 30, "cached": 64, "reasoning": 10,
            "cost": 0.75, "cost_source": "provider", "session": "session-3", "user": "user-3", "tags": ["a", "b"],
            "asked": ["Be brief.", QUESTION], "said": ANSWER, "has_first_chunk": True, "temperature": 0.5,
            "tier": "gold"}),
        "weather": ("answer", {"kind": "tool", "arguments": {"city": "Paris"}, "result": "rain", "status": "error",
                               "message": "too slow"}),
    }),
    "traceloop_openai.py": ("traceloop", {
        "answer.workflow": (None, {"kind": "workflow", "session": "session-4", "user": "user-4"}),
        "weather.tool": ("answer.workflow", TOOL),
        "openai.chat": ("answer.workflow", {
            **ASKED, "kind": "generation", "asked": ["Be brief.", QUESTION], "called": CALL, "reason": "tool_call",
            "cost_source": "bundled", "temperature": 0.5}),
        "openai.chat 2": ("answer.workflow", {
            **ASKED, "kind": "generation", "asked": ["Be brief.", QUESTION, "", ""], "answers": ["call_1"],
            "said": ANSWER, "reason": "stop", "has_first_chunk": True}),
    }),
}

ATTRIBUTES = {
    "model": "gen_ai.request.model", "answered": "gen_ai.response.model", "provider": "gen_ai.provider.name",
    "input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens",
    "cached": "gen_ai.usage.cache_read.input_tokens", "reasoning": "gen_ai.usage.reasoning.output_tokens",
    "cost": "gen_ai.usage.cost", "cost_source": "llmtrace.cost.source", "session": "gen_ai.conversation.id",
    "user": "user.id", "tags": "llmtrace.tags", "tool": "gen_ai.tool.name", "arguments": "gen_ai.tool.call.arguments",
    "result": "gen_ai.tool.call.result", "query": "gen_ai.retrieval.query.text",
    "documents": "gen_ai.retrieval.documents", "temperature": "gen_ai.request.temperature", "tier": "tier",
}


def fact(span: dict, name: str):
    """What a line says of a span."""
    attributes, outputs, inputs = span["attributes"], span.get("output", []), span.get("input", [])
    parts = [part for message in inputs for part in message["parts"]]
    match name:
        case "kind" | "status":
            return span[name]
        case "message":
            return span.get("status_message")
        case "environment":
            return span.get("resource", {}).get("deployment.environment.name")
        case "asked":
            return [text(message) for message in inputs]
        case "said":
            return "".join(map(text, outputs))
        case "called":
            return [part for message in outputs for part in message["parts"]]
        case "answers":
            return [part.get("id") for part in parts if part["type"] == "tool_call_response"]
        case "reason":
            return outputs[0].get("finish_reason") if outputs else None
        case "has_first_chunk":
            return attributes.get("gen_ai.response.time_to_first_chunk", -1) >= 0
        case _:
            return attributes.get(ATTRIBUTES[name])


def text(message: dict) -> str:
    return "".join(part["content"] for part in message["parts"] if part["type"] == "text")


def named(spans: list[dict]) -> dict[str, dict]:
    """Spans by name, in the order of their start; the second of a name gets a number."""
    by_name = {}
    for span in sorted(spans, key=lambda span: span["start"]):
        count = sum(name.split(" 2")[0] == span["name"] for name in by_name)
        by_name[span["name"] if count == 0 else f"{span['name']} {count + 1}"] = span
    return by_name


def fetch(url: str):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def trace_of(url: str, service: str, count: int) -> list[dict]:
    """The lines of the only trace of a service, when all its spans have come."""
    deadline = time.monotonic() + WAITING_S
    while True:
        traces = [trace for trace in fetch(f"{url}/api/traces?limit=100")["traces"] if trace["service"] == service]
        if len(traces) == 1 and traces[0]["spans"] >= count or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    [trace] = traces
    return fetch(f"{url}/api/traces/{trace['trace_id']}")["spans"]


def wrong_of(spans: list[dict], expected: dict) -> tuple[int, list[str]]:
    """How many facts are stated, and which are wrong."""
    by_name, stated = named(spans), 1
    names = {span["span_id"]: name for name, span in by_name.items()}
    wrong = [] if sorted(by_name) == sorted(expected) else [f"spans are {sorted(by_name)}"]
    for name, (parent, facts) in expected.items():
        span = by_name.get(name)
        if span is None:
            continue
        stated += 1 + len(facts)
        if names.get(span.get("parent_span_id")) != parent:
            wrong.append(f"{name}: its parent is {names.get(span.get('parent_span_id'))}")
        wrong += [f"{name}: {key} is {fact(span, key)!r}, not {value!r}" for key, value in facts.items()
                  if fact(span, key) != value]
    return stated, wrong


def start(folder: Path) -> tuple[subprocess.Popen, str]:
    """The server, and its URL."""
    manifest = python_venv.ROOT / "Cargo.toml"
    subprocess.run(["cargo", "build", "--quiet", "--manifest-path", manifest, "-p", "llmtrace-cli"], check=True)
    command = [python_venv.BUILD / "debug" / "llmtrace", "serve", "--listen", "127.0.0.1:0", "--store",
               folder / "traces.db"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return server, found[0]
    sys.exit("the server says no address")


def main() -> int:
    failed = 0
    with tempfile.TemporaryDirectory(prefix="llmtrace-clients-") as folder:
        server, url = start(Path(folder))
        try:
            for program, (service, expected) in EXPECTED.items():
                environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
                subprocess.run([sys.executable, HERE / program, url], check=True, timeout=120, env=environment)
                stated, wrong = wrong_of(trace_of(url, service, len(expected)), expected)
                print(f"{program}: {stated - len(wrong)}/{stated} facts right", flush=True)
                failed += len(wrong)
                for words in wrong:
                    print(f"  WRONG {words}"[:600])
        finally:
            server.terminate()
            server.wait(30)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
