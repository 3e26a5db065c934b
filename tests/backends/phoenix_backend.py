"""Arize Phoenix: how it is started, and what it understood, asked of its GraphQL."""

import json
import urllib.request
from pathlib import Path

from server import Server, free_port

KINDS = {"agent": "agent", "generation": "llm", "tool": "tool"}

# USD per million tokens, input and output, in Phoenix's own table: it reads no cost that is sent, and no service tier.
PRICES = {"gpt-5-mini": (0.25, 2.0)}

_QUERY = """
query ($project: String!, $after: String) {
  getProjectByName(name: $project) {
    traceCount tokenCountPrompt tokenCountCompletion costSummary { total { cost } }
    spans(first: 500, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { node {
        spanId parentId name spanKind statusCode statusMessage startTime endTime attributes
        tokenCountPrompt tokenCountCompletion input { value } output { value }
        costSummary { total { cost } } events { name message }
        trace { traceId session { sessionId } }
      } }
    }
  }
}
"""


def start(folder: Path) -> Server:
    """Starts it with a database of its own; it calls nobody."""
    port = free_port()
    return Server("phoenix", folder, ["phoenix", "serve"], port, "/healthz", {
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_WORKING_DIR": str(folder / "phoenix"),
    })


def headers(url: str, run: str) -> dict[str, str]:
    """What sends spans to a project of their own."""
    return {"x-project-name": run}


def read(url: str, headers: dict[str, str]) -> tuple[list[dict], dict]:
    """The project's spans, and its totals."""
    spans, after = [], None
    while True:
        project = _ask(url, {"project": headers["x-project-name"], "after": after})["getProjectByName"]
        if project is None:
            return [], {}
        spans += [_span(edge["node"]) for edge in project["spans"]["edges"]]
        page = project["spans"]["pageInfo"]
        if not page["hasNextPage"]:
            break
        after = page["endCursor"]
    totals = {
        "traces": project["traceCount"],
        "tokens": (project["tokenCountPrompt"], project["tokenCountCompletion"]),
        "cost": project["costSummary"]["total"]["cost"],
    }
    return spans, totals


def cost(model: str, input_tokens: int, output_tokens: int, sent: float) -> float:
    """What Phoenix should make of a call."""
    per_input, per_output = PRICES[model]
    return (input_tokens * per_input + output_tokens * per_output) / 1e6


def _ask(url: str, variables: dict) -> dict:
    body = json.dumps({"query": _QUERY, "variables": variables}).encode()
    request = urllib.request.Request(url + "/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        reply = json.load(answer)
    if "errors" in reply:
        raise RuntimeError(f"Phoenix refused the query: {reply['errors']}")
    return reply["data"]


def _span(node: dict) -> dict:
    attributes = json.loads(node["attributes"])
    llm = attributes.get("llm", {})
    exceptions = [event for event in node["events"] if event["name"] == "exception"]
    return {
        "trace_id": node["trace"]["traceId"],
        "span_id": node["spanId"],
        "parent_span_id": node["parentId"],
        "name": node["name"],
        "kind": node["spanKind"],
        "status": node["statusCode"].lower(),
        "status_message": node["statusMessage"],
        "exception": exceptions[0]["message"] if exceptions else None,
        "start": node["startTime"],
        "end": node["endTime"],
        "session": (node["trace"]["session"] or {}).get("sessionId"),
        "model": llm.get("model_name"),
        "provider": llm.get("provider"),
        "input_tokens": node["tokenCountPrompt"],
        "output_tokens": node["tokenCountCompletion"],
        "cost": ((node["costSummary"] or {}).get("total") or {}).get("cost"),
        "input": (node["input"] or {}).get("value"),
        "output": (node["output"] or {}).get("value"),
        "input_messages": [_message(message) for message in llm.get("input_messages", [])],
        "output_messages": [_message(message) for message in llm.get("output_messages", [])],
        "tools": len(llm.get("tools", [])),
    }


def _message(message: dict) -> tuple:
    message = message["message"]
    contents = [part["message_content"].get("text", "") for part in message.get("contents", [])]
    calls = [call["tool_call"]["function"] for call in message.get("tool_calls", [])]
    calls = [(call["name"], json.loads(call["arguments"])) for call in calls]
    return message["role"], message.get("content") or "".join(contents), calls
