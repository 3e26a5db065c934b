"""What the JSON lines state of each span, and whether a backend understood it."""

import json
from collections import Counter
from datetime import datetime
from math import isclose

TIMES_MS = 1.0


class Table:
    """Facts right and facts stated, by column, with the first wrong ones in words."""

    def __init__(self):
        self.stated, self.right, self.wrong = Counter(), Counter(), []

    def fact(self, column: str, where: str, expected, found, is_right: bool) -> None:
        self.stated[column] += 1
        self.right[column] += is_right
        if not is_right:
            self.wrong.append((column, f"{where}: {column}: expected {expected!r}, found {found!r}"))

    def is_right(self, column: str) -> bool:
        return self.right[column] == self.stated[column]

    def equal(self, column: str, where: str, expected, found) -> None:
        self.fact(column, where, expected, found, expected == found)


def check(lines: list[dict], backend, spans: list[dict], totals: dict) -> Table:
    """Compares what `backend` shows with the JSON lines of the same run."""
    table = Table()
    found = {(span["trace_id"], span["span_id"]): span for span in spans}
    sums = {"traces": len({line["trace_id"] for line in lines}), "tokens": [0, 0], "cost": 0.0}
    for line in lines:
        span = found.get((line["trace_id"], line["span_id"]))
        where = f"{line['name']} {line['span_id']}"
        table.fact("tree", where, "the span", "nothing", span is not None)
        if span is not None:
            _check_span(table, where, line, span, backend)
        _add(sums, line["attributes"], backend)
    table.equal("tree", "all", len(lines), len(spans))
    table.equal("totals", "traces", sums["traces"], totals.get("traces"))
    table.equal("totals", "tokens", tuple(sums["tokens"]), tuple(int(n or 0) for n in totals.get("tokens", (0, 0))))
    table.fact("cost", "all", sums["cost"], totals.get("cost"), _is_close(sums["cost"], totals.get("cost")))
    return table


def _check_span(table: Table, where: str, line: dict, span: dict, backend) -> None:
    attributes = line["attributes"]
    table.equal("tree", where, line.get("parent_span_id"), span["parent_span_id"])
    kinds = backend.KINDS[line["kind"]]
    table.fact("kind", where, kinds, span["kind"], span["kind"] in (kinds if isinstance(kinds, tuple) else (kinds,)))
    table.fact("name", where, line["name"], span["name"], _is_named(line, span["name"]))
    table.equal("status", where, line["status"], span["status"])
    if line["status"] == "error":
        message = line["status_message"]
        table.equal("status", where, (message, message), (span["status_message"], span["exception"]))
    for time in ("start", "end"):
        apart = abs(_millis(line[time]) - _millis(span[time]))
        table.fact("times", where, line[time], span[time], apart <= TIMES_MS)
    table.equal("session", where, attributes["gen_ai.conversation.id"], span["session"])
    for side in ("input", "output"):
        text = _last_text(line, side)
        if text is not None:
            table.fact(side, where, text, span[side], _shows(span[side], text))
    if line["kind"] == "generation":
        _check_call(table, where, line, span, backend)


def _check_call(table: Table, where: str, line: dict, span: dict, backend) -> None:
    attributes = line["attributes"]
    model = attributes.get("gen_ai.response.model", attributes["gen_ai.request.model"])
    table.equal("model", where, model, span["model"])
    table.equal("provider", where, attributes["gen_ai.provider.name"], span["provider"])
    tokens = [attributes.get(f"gen_ai.usage.{side}_tokens") for side in ("input", "output")]
    # Neither backend tells a count of 0 from none.
    table.equal("tokens", where, [count or 0 for count in tokens],
                [span[f"{side}_tokens"] or 0 for side in ("input", "output")])
    cost = attributes.get("gen_ai.usage.cost")
    expected = None if cost is None else backend.cost(model, *tokens, cost)
    table.fact("cost", where, expected, span["cost"], _is_close(expected, span["cost"]))
    for side in ("input", "output"):
        expected = [_message(message) for message in line.get(side, [])]
        table.equal("messages", where, expected, [tuple(message) for message in span[f"{side}_messages"]])
    table.equal("tools", where, len(attributes["gen_ai.tool.definitions"]), span["tools"])


def _add(sums: dict, attributes: dict, backend) -> None:
    if "gen_ai.usage.cost" not in attributes:
        return
    tokens = [attributes[f"gen_ai.usage.{side}_tokens"] for side in ("input", "output")]
    sums["tokens"] = [sum(pair) for pair in zip(sums["tokens"], tokens)]
    sums["cost"] += backend.cost(attributes["gen_ai.response.model"], *tokens, attributes["gen_ai.usage.cost"])


def _is_named(line: dict, name: str) -> bool:
    """A span keeps its name, or has the one that OpenTelemetry's conventions give to its kind."""
    attributes = line["attributes"]
    operation = attributes["gen_ai.operation.name"]
    subjects = ("gen_ai.request.model", "gen_ai.tool.name", "gen_ai.agent.name")
    subject = next(attributes[key] for key in subjects if key in attributes)
    return name in (line["name"], f"{operation} {subject}")


def _is_close(expected: float | None, found: float | None) -> bool:
    if expected is None or found is None:
        return expected is found
    return isclose(expected, found, rel_tol=1e-6)


def _millis(time: str | int) -> float:
    """RFC 3339 with up to nine decimals, or nanoseconds since 1970."""
    if isinstance(time, int):
        return time / 1e6
    head, _, rest = time.replace("Z", "+00:00").partition(".")
    digits = rest.split("+")[0]
    return datetime.fromisoformat(f"{head}+00:00").timestamp() * 1e3 + float(f"0.{digits or 0}") * 1e3


def _last_text(line: dict, side: str) -> str | None:
    """What a person looks for in the column: the last words in, the first words out, the name of a called tool."""
    if line["kind"] == "tool":
        value = line["attributes"]["gen_ai.tool.call." + {"input": "arguments", "output": "result"}[side]]
        return value if isinstance(value, str) else json.dumps(value)
    messages = line.get(side)
    if not messages:
        return None
    _, text, calls = _message(messages[-1])
    return text or calls[0][0]


def _shows(shown: str | None, text: str) -> bool:
    """Whether the text, or the JSON that it is, can be read there."""
    if shown is None:
        return False
    try:
        return json.loads(shown) == json.loads(text)
    except ValueError:
        return text in shown.replace('\\"', '"')


def _message(message: dict) -> tuple:
    parts = message["parts"]
    calls = [(part["name"], part["arguments"]) for part in parts if part["type"] == "tool_call"]
    texts = [part.get("content", part.get("response", "")) for part in parts if part["type"] != "tool_call"]
    return message["role"], "".join(texts), calls
