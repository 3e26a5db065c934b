"""Traces that try to do harm. Each is a list of spans; `NUMBERS` name them."""

import otlp
from otlp import MS, Span, text

HOSTILE = ("<script>window.pwned=1</script>\"><img src=x onerror=\"window.pwned=2\">'\"><svg onload=window.pwned=3> "
           "[x](javascript:window.pwned=4) {{7*7}} \u202edrow\u202c \u0000 \u001b[31m & &amp; </title></textarea></script>")
LINK = "javascript:window.pwned=5"

NUMBERS = {"words": 9_001, "long": 9_002, "deep": 9_003, "cycle": 9_004, "times": 9_005, "twice": 9_006, "many": 9_007}
DEEP, MANY, LONG_BYTES = 10_000, 20_000, 10_000_000


def span(of: str, own: int, parent: int, name: str, start: int, end: int, attributes: dict | None = None, **more) -> Span:
    return Span(otlp.trace_id(NUMBERS[of]), own, parent, name, start, end, attributes or {}, **more)


def words(now: int) -> list[Span]:
    """Markup, links, names of prototypes and controls wherever a text can stand."""
    parts = [{"type": "text", "content": HOSTILE}, {"type": HOSTILE, "content": HOSTILE}, {"type": "reasoning", "content": HOSTILE},
             {"type": "tool_call", "id": HOSTILE, "name": HOSTILE, "arguments": {"__proto__": {"pwned": HOSTILE}, HOSTILE: HOSTILE}},
             {"type": "tool_call_response", "id": HOSTILE, "response": HOSTILE}, {"type": "uri", "modality": "image", "uri": LINK},
             {"type": "uri", "modality": HOSTILE, "uri": "data:text/html,<script>parent.pwned=6</script>"},
             {"type": "uri", "modality": "image", "uri": "https://evil.invalid/\"onmouseover=\"window.pwned=7"},
             {"type": "blob", "modality": "image", "mime_type": HOSTILE, "content": HOSTILE},
             {"type": "text", "content": f"```{HOSTILE}\n{HOSTILE}\n```"}]
    root = span("words", 1, 0, HOSTILE, now, now + 900 * MS, {
        "llmtrace.kind": "agent", "gen_ai.conversation.id": HOSTILE, "user.id": HOSTILE,
        "langfuse.trace.tags": [HOSTILE, "__proto__"], "__proto__": "polluted", "constructor.prototype.x": HOSTILE,
        HOSTILE: HOSTILE, "url.full": LINK, "gen_ai.input.messages": [text("user", HOSTILE)]}, error=HOSTILE, events=[
            {"name": HOSTILE, "timeUnixNano": str(now), "attributes": otlp.attributes({HOSTILE: HOSTILE, "__proto__": "x"})},
            {"name": "gen_ai.evaluation.result", "timeUnixNano": str(now), "attributes": otlp.attributes(
                {"gen_ai.evaluation.name": HOSTILE, "gen_ai.evaluation.score.value": 0.5, "gen_ai.evaluation.explanation": HOSTILE})}])
    messages = [{"role": HOSTILE, "name": HOSTILE, "finish_reason": HOSTILE, "parts": parts}, {"role": "user", "parts": parts}]
    call = span("words", 2, 1, f"chat {HOSTILE}", now + 10 * MS, now + 700 * MS, {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": HOSTILE, "gen_ai.request.model": HOSTILE,
        "gen_ai.response.model": HOSTILE, "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 7,
        "gen_ai.system_instructions": HOSTILE, "gen_ai.input.messages": messages, "gen_ai.output.messages": messages})
    tool = span("words", 3, 1, HOSTILE, now + 710 * MS, now + 800 * MS, {
        "llmtrace.kind": "tool", "gen_ai.tool.name": HOSTILE, "gen_ai.tool.call.arguments": {HOSTILE: LINK, "__proto__": {"a": HOSTILE}},
        "gen_ai.tool.call.result": HOSTILE})
    return [root, call, tool]


def long(now: int) -> list[Span]:
    """A message of ten megabytes in one line without a space."""
    said = [text("user", "<b>x" * (LONG_BYTES // 4))]
    return [span("long", 1, 0, "long", now, now + 40 * MS, {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.input.messages": said})]


def deep(now: int) -> list[Span]:
    return [span("deep", own, own - 1, f"level {own}", now + own * 1_000, now + 60 * MS) for own in range(1, DEEP + 1)]


def cycle(now: int) -> list[Span]:
    """Three spans in a ring, one that is its own parent, and one whose parent is missing."""
    parents = {1: 3, 2: 1, 3: 2, 4: 4, 5: 77}
    return [span("cycle", own, parent, f"ring {own}", now, now + own * MS) for own, parent in parents.items()]


def times(now: int) -> list[Span]:
    """Spans that end before they begin, begin at the epoch, and end at the end of time."""
    largest = 2**64 - 1
    return [span("times", 1, 0, "backwards", now, now - 1_000 * MS), span("times", 2, 1, "epoch", 0, now),
            span("times", 3, 1, "end of time", now, largest), span("times", 4, 1, "no time", now, now)]


def twice(now: int) -> list[Span]:
    return [span("twice", 1, 0, name, now, now + 5 * MS) for name in ("first", "first", "second")]


def many(now: int) -> list[Span]:
    """A wide trace: a root, steps of ten tools each."""
    made = [span("many", 1, 0, "many", now, now + 30_000 * MS, {"llmtrace.kind": "workflow"})]
    for own in range(2, MANY + 1):
        is_step = own % 11 == 2
        start = now + own * MS
        made.append(span("many", own, 1 if is_step else own - (own - 2) % 11, f"{'step' if is_step else 'tool'} {own}", start, start + MS,
                         {"llmtrace.kind": "agent" if is_step else "tool"}, error="broken" if own == 15_000 else None))
    return made


ALL = {"words": words, "long": long, "deep": deep, "cycle": cycle, "times": times, "twice": twice, "many": many}
SERVICE = {"service.name": "hostile"}
