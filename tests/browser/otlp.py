"""Spans as an OpenTelemetry program sends them: OTLP as JSON."""

import json
from dataclasses import dataclass, field

MS = 1_000_000


def value(of) -> dict:
    """An attribute's value as OTLP writes it."""
    match of:
        case bool():
            return {"boolValue": of}
        case int():
            return {"intValue": str(of)}
        case float():
            return {"doubleValue": of}
        case list() if all(isinstance(item, str) for item in of):
            return {"arrayValue": {"values": [{"stringValue": item} for item in of]}}
        case list() | dict():
            return {"stringValue": json.dumps(of)}
    return {"stringValue": of}


def attributes(of: dict) -> list[dict]:
    return [{"key": key, "value": value(held)} for key, held in of.items() if held is not None]


def text(role: str, content: str, **more) -> dict:
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


@dataclass
class Span:
    """A span to be sent. Times are nanoseconds since the epoch; a parent of 0 is none."""
    trace: str
    id: int
    parent: int
    name: str
    start: int
    end: int
    attributes: dict
    error: str | None = None
    events: list = field(default_factory=list)

    def json(self) -> dict:
        span = {"traceId": self.trace, "spanId": span_id(self.id), "name": self.name, "kind": 1,
                "startTimeUnixNano": str(self.start), "endTimeUnixNano": str(self.end),
                "attributes": attributes(self.attributes), "events": self.events,
                "status": {} if self.error is None else {"code": 2, "message": self.error}}
        if self.parent:
            span["parentSpanId"] = span_id(self.parent)
        return span


def trace_id(number: int) -> str:
    return f"{number << 64 | 7:032x}"


def span_id(number: int) -> str:
    return f"{number:016x}"


def request(spans: list[Span], resource: dict) -> dict:
    """The body of a request with spans of one program."""
    scope = {"scope": {"name": "browser-tests"}, "spans": [span.json() for span in spans]}
    return {"resourceSpans": [{"resource": {"attributes": attributes(resource)}, "scopeSpans": [scope]}]}
