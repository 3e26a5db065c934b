"""MLflow: how it is started, and what it understood, asked of its Python client."""

import json
from pathlib import Path

from server import Server, free_port

KINDS = {"agent": "AGENT", "generation": ("LLM", "CHAT_MODEL"), "tool": "TOOL"}

# Nobody is called: no usage statistics, and no catalog of prices, for which the first export would wait 10 seconds.
QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def start(folder: Path) -> Server:
    """Starts it with a database of its own; OTLP needs one."""
    port = free_port()
    arguments = [
        "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts"),
    ]
    return Server("mlflow", folder, arguments, port, "/health", QUIET)


def headers(url: str, run: str) -> dict[str, str]:
    """What sends spans to an experiment of their own; without it MLflow refuses them."""
    return {"x-mlflow-experiment-id": _client(url).create_experiment(run)}


def read(url: str, headers: dict[str, str]) -> tuple[list[dict], dict]:
    """The experiment's spans, and its totals."""
    client, traces, page = _client(url), [], None
    while page != "":
        found = client.search_traces(
            locations=[headers["x-mlflow-experiment-id"]], max_results=100, page_token=page)
        traces += found
        page = found.token or ""
    infos = [trace.info for trace in traces]
    tokens = [info.token_usage or {} for info in infos]
    totals = {
        "traces": len(traces),
        "tokens": tuple(sum(usage.get(key, 0) for usage in tokens) for key in ("input_tokens", "output_tokens")),
        "cost": sum((info.cost or {}).get("total_cost", 0) for info in infos),
    }
    return [_span(trace.info, span) for trace in traces for span in trace.data.spans], totals


def cost(model: str, input_tokens: int, output_tokens: int, sent: float) -> float:
    """What MLflow should make of a call: it takes the cost that is sent as `mlflow.llm.cost`."""
    return sent


def _client(url: str):
    import mlflow

    return mlflow.MlflowClient(tracking_uri=url)


def _span(info, span) -> dict:
    usage = span.get_attribute("mlflow.chat.tokenUsage") or {}
    exceptions = [event.attributes for event in span.events if event.name == "exception"]
    return {
        "trace_id": info.trace_id.removeprefix("tr-"),
        "span_id": span.span_id,
        "parent_span_id": span.parent_id,
        "name": span.name,
        "kind": span.span_type,
        "status": span.status.status_code.value.lower(),
        "status_message": span.status.description,
        "exception": exceptions[0].get("exception.message") if exceptions else None,
        "start": span.start_time_ns,
        "end": span.end_time_ns,
        "session": info.trace_metadata.get("mlflow.trace.session"),
        "model": span.model_name,
        "provider": span.get_attribute("mlflow.llm.provider"),
        "input_tokens": usage.get("input_tokens"),
        "output_tokens": usage.get("output_tokens"),
        "cost": (span.llm_cost or {}).get("total_cost"),
        "input": _text(span.inputs),
        "output": _text(span.outputs),
        "input_messages": _messages(span.inputs, "user"),
        "output_messages": _messages(span.outputs, "assistant"),
        "tools": len(span.get_attribute("mlflow.chat.tools") or []),
    }


def _text(value) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _messages(value, role: str) -> list[tuple]:
    """Messages of the OTel shape (`parts`) and of OpenAI's (`content`, `tool_calls`); a bare text is one of the role."""
    if isinstance(value, str):
        return [(role, value, [])]
    if isinstance(value, dict):
        value = value.get("messages") or [choice["message"] for choice in value.get("choices", [])]
    if not isinstance(value, list) or not all(isinstance(item, dict) and "role" in item for item in value):
        return []
    return [_message(message) for message in value]


def _message(message: dict) -> tuple:
    parts = message.get("parts")
    if parts is None:
        calls = [call["function"] for call in message.get("tool_calls") or []]
        calls = [(call["name"], json.loads(call["arguments"])) for call in calls]
        return message["role"], message.get("content") or "", calls
    calls = [(part["name"], part["arguments"]) for part in parts if part["type"] == "tool_call"]
    texts = [str(part.get("content", part.get("response", ""))) for part in parts if part["type"] != "tool_call"]
    return message["role"], "".join(texts), calls
