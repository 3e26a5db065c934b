"""What the pages show: traces of three programs of the last hours, the same at every run but for the time of day.

`World` also says what is in them, so that a test can tell what a page must show.
"""

import time
from dataclasses import dataclass, field
from random import Random

import otlp
from otlp import MS, Span, text

MINUTE = 60_000 * MS

MODELS = {"gpt-4o-mini": "openai", "claude-sonnet-4-5": "anthropic", "gemini-2.5-flash": "gcp.gemini"}
USERS = ["ana", "ben", "chloé"]
QUESTIONS = ["Where is my order?", "Can I still change the address?", "The invoice is wrong.", "How long is the warranty?",
             "I want to send it back.", "Which size fits a small bike?"]
SEARCHED = "zanzibar"  # a word that is in the messages of one trace only
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SECRET = "sk-proj-" + "Zq8Lw3Xv5Tn7Rb2Kc9Md4Hf6Jg1Ps0Ya" * 2


@dataclass
class Trace:
    """A trace to be sent, and what the list must say of it."""
    number: int
    name: str
    service: str
    environment: str
    start: int
    session: str | None = None
    user: str | None = None
    tags: list = field(default_factory=list)
    spans: list = field(default_factory=list)
    models: set = field(default_factory=set)
    kinds: set = field(default_factory=set)
    tokens: int = 0
    cost: float = 0.0
    failed_spans: int = 0
    has_root: bool = True

    @property
    def id(self) -> str:
        return otlp.trace_id(self.number)

    @property
    def status(self) -> str:
        if not self.has_root:
            return "running"
        return "error" if self.spans[0].error is not None else "ok"

    @property
    def end(self) -> int:
        return max(span.end for span in self.spans)

    @property
    def providers(self) -> set:
        return {MODELS[model] for model in self.models}

    def add(self, parent: int, name: str, kind: str, begin_ms: int, length_ms: int, attributes: dict, error=None, events=()) -> int:
        """One more span; its times are milliseconds from the start of the trace. Answers with its number."""
        number = len(self.spans) + 1
        own = {"llmtrace.kind": kind, **attributes}
        if not self.spans:
            own |= {"gen_ai.conversation.id": self.session, "user.id": self.user, "langfuse.trace.tags": self.tags or None}
        start = self.start + begin_ms * MS
        self.spans.append(Span(self.id, number, parent, name, start, start + length_ms * MS, own, error, list(events)))
        self.kinds.add(kind)
        self.failed_spans += error is not None
        return number

    def call(self, parent: int, model: str, begin_ms: int, length_ms: int, asked: list, said: list, tokens: tuple,
             cost: float | None = None, error=None, **more) -> int:
        """A call of a model. `tokens` are those that went in, out, and of those in from a cache."""
        inward, outward, cached = tokens
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": MODELS[model],
                      "gen_ai.request.model": model, "gen_ai.response.model": model, "gen_ai.request.temperature": 0.2,
                      "gen_ai.input.messages": asked}
        if error is None:
            attributes |= {"gen_ai.output.messages": said, "gen_ai.usage.input_tokens": inward,
                           "gen_ai.usage.output_tokens": outward, "gen_ai.usage.cost": cost,
                           "gen_ai.response.finish_reasons": [said[0].get("finish_reason", "stop")] if said else None}
            if cached:
                attributes["gen_ai.usage.cache_read.input_tokens"] = cached
            self.tokens += inward + outward
            self.cost += cost or 0.0
        self.models.add(model)
        return self.add(parent, f"chat {model}", "generation", begin_ms, length_ms, attributes | more, error)

    def request(self) -> dict:
        return otlp.request(self.spans, {"service.name": self.service, "deployment.environment.name": self.environment})


class World:
    """All traces, the oldest first, and those that tests name."""

    def __init__(self):
        self.now = time.time_ns() // MINUTE * MINUTE
        self.traces: list[Trace] = []
        random = Random(7)
        for number in range(60):
            self.support(number, random)
        for number in range(20):
            self.summary(number, random)
        self.retried, self.looping, self.leaking = self.retry(), self.tool_loop(), self.leak()
        self.uncached()
        self.media, self.running = self.picture(), self.unfinished()
        self.traces.sort(key=lambda trace: trace.start)

    def matching(self, test) -> set[str]:
        return {trace.id for trace in self.traces if test(trace)}

    def trace(self, name: str, service: str, minutes_ago: float, **more) -> Trace:
        start = self.now - int(minutes_ago * MINUTE)
        made = Trace(len(self.traces) + 1, name, service, more.pop("environment", "production"), start, **more)
        self.traces.append(made)
        return made

    def support(self, number: int, random: Random) -> None:
        """An agent that looks something up, calls a tool, and answers. Each tenth fails, one is far slower and dearer."""
        model = list(MODELS)[number % 2]
        question, is_failed, is_odd = QUESTIONS[number % 6], number % 10 == 9, number == 42
        slow = 12 if is_odd else 1
        trace = self.trace("answer", "support-bot", 3 + number * 5.5, session=f"session-{number // 5:02}",
                           user=USERS[number // 5 % 3], tags=["v1" if number < 30 else "v2"],
                           environment="production" if number % 3 else "staging")
        first, second = slow * random.randint(420, 640), slow * random.randint(800, 1_300)
        system = text("system", "You help the customers of a bike shop. Be brief, and never promise a date. " * 3)
        history = [turn for n in range(number % 5) for turn in (text("user", QUESTIONS[(number - n) % 6]), text("assistant", f"Answer {n}."))]
        asked = [system, *history, text("user", question + (f" I live in {SEARCHED}." if number == 17 else ""))]
        calls = {"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "reasoning", "content": "The order has to be looked up before anything can be said about it."},
            {"type": "tool_call", "id": f"call_{number}", "name": "look_up", "arguments": {"order": str(1000 + number), "fields": ["state", "eta"]}}]}
        result = {"role": "tool", "parts": [{"type": "tool_call_response", "id": f"call_{number}", "response": {"state": "shipped", "eta": "Tuesday"}}]}
        answer = text("assistant", f"It is on its way and comes on Tuesday ({number}).\n\n```json\n{{\"order\": {1000 + number}}}\n```", finish_reason="stop")
        broken = "ConnectionError: the order service does not answer\n  at orders.py:17"
        root = trace.add(0, "answer", "agent", 0, 120 + first + second, {
            "gen_ai.input.messages": [text("user", question)],
            "gen_ai.output.messages": None if is_failed else [answer]}, broken if is_failed else None)
        trace.add(root, "retrieve", "retriever", 10, 60, {
            "gen_ai.retrieval.query.text": question,
            "gen_ai.retrieval.documents": [{"id": f"doc-{n}", "score": 0.9 - n / 10, "content": f"Article {n} about this."} for n in range(3)]})
        scale = 15 if is_odd else 1
        trace.call(root, model, 80, first, asked, [calls], (900 * scale + number, 60 * scale, 512 if number % 4 else 0), (0.002 + first / 1e7) * scale,
                   **{"gen_ai.usage.reasoning.output_tokens": 24, "gen_ai.tool.definitions": [
                       {"type": "function", "name": "look_up", "parameters": {"type": "object"}}]})
        trace.add(root, "look_up", "tool", 90 + first, 20, {
            "gen_ai.tool.name": "look_up", "gen_ai.tool.call.id": f"call_{number}",
            "gen_ai.tool.call.arguments": {"order": str(1000 + number), "fields": ["state", "eta"]},
            "gen_ai.tool.call.result": None if is_failed else {"state": "shipped", "eta": "Tuesday"}}, broken if is_failed else None,
            [{"name": "exception", "timeUnixNano": str(trace.start + (100 + first) * MS), "attributes": otlp.attributes(
                {"exception.type": "ConnectionError", "exception.message": broken})}] if is_failed else ())
        if not is_failed:
            trace.call(root, model, 115 + first, second, [*asked, calls, result], [answer], (1_000 * scale + number, 90 * scale, 0), (0.003 + second / 1e7) * scale,
                       **{"gen_ai.response.time_to_first_chunk": slow * 0.2 + number / 1000, "gen_ai.request.stream": True})
        if number % 7 == 0:
            trace.spans[0].events.append({"name": "gen_ai.evaluation.result", "timeUnixNano": str(trace.end), "attributes": otlp.attributes(
                {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 0.25 + number / 100})})

    def summary(self, number: int, random: Random) -> None:
        """One call, of which the price table says the cost; some answers are cut off or empty."""
        trace = self.trace("summarize", "docs-worker", 9 + number * 16)
        said = text("assistant", "" if number == 4 else f"Document {number} is about bikes.", finish_reason="length" if number == 8 else "stop")
        trace.call(0, "gemini-2.5-flash", 0, random.randint(700, 900), [text("user", f"Summarize document {number}: " + "lorem ipsum " * 40)],
                   [said], (4_000 + number, 0 if number == 4 else 200, 0))

    def retry(self) -> Trace:
        trace = self.trace("classify", "docs-worker", 12, tags=["nightly"])
        root = trace.add(0, "classify", "workflow", 0, 5_200, {})
        asked = [text("user", "Is this a complaint?")]
        for attempt in range(5):
            trace.call(root, "gpt-4o-mini", attempt * 1_000, 150, asked, [], (0, 0, 0), error="429 Too Many Requests: rate limit reached",
                       **{"error.type": "429"})
        trace.call(root, "gpt-4o-mini", 5_000, 200, asked, [text("assistant", "Yes.")], (40, 1, 0), 0.0001)
        return trace

    def tool_loop(self) -> Trace:
        trace = self.trace("plan trip", "planner", 21, user="ben")
        root = trace.add(0, "plan trip", "agent", 0, 9_000, {"gen_ai.input.messages": [text("user", "Plan a trip to Oslo.")]})
        for step in range(8):
            call = {"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "tool_call", "id": f"c{step}", "name": "weather", "arguments": {"city": "Oslo"}}]}
            trace.call(root, "claude-sonnet-4-5", step * 1_100, 800, [text("user", "Plan a trip to Oslo.")], [call], (300 + 40 * step, 20, 0), 0.001)
            trace.add(root, "weather", "tool", step * 1_100 + 810, 30, {
                "gen_ai.tool.name": "weather", "gen_ai.tool.call.arguments": {"city": "Oslo"}, "gen_ai.tool.call.result": {"sky": "grey"}})
        return trace

    def leak(self) -> Trace:
        trace = self.trace("set up", "planner", 33, user="chloé")
        trace.call(0, "gpt-4o-mini", 0, 300, [text("user", f"My key is {SECRET}, use it.")],
                   [text("assistant", "Never write a key into a chat.")], (30, 9, 0), 0.0002)
        return trace

    def uncached(self) -> None:
        """A session of two turns of which no token came from a cache."""
        for number in range(2):
            trace = self.trace("chat", "planner", 50 - number, session="session-uncached", user="ben")
            trace.call(0, "claude-sonnet-4-5", 0, 400, [text("user", f"Question {number}")], [text("assistant", f"Answer {number}")], (20, 5, 0), 0.0003)

    def picture(self) -> Trace:
        trace = self.trace("describe picture", "docs-worker", 5, tags=["media", "v2"])
        seen = {"role": "user", "parts": [
            {"type": "text", "content": "What is on these?"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": IMAGE},
            {"type": "uri", "modality": "image", "uri": "https://pictures.invalid/bike.jpg"},
            {"type": "file", "modality": "image", "file_id": "file-8"}]}
        trace.call(0, "gpt-4o-mini", 0, 900, [seen], [text("assistant", "A red bike, three times.")], (1_200, 12, 0), 0.0009)
        return trace

    def unfinished(self) -> Trace:
        """Two spans of a trace whose root has not come."""
        trace = self.trace("long job", "docs-worker", 0.5, has_root=False)
        trace.add(99, "fetch", "tool", 0, 200, {"gen_ai.tool.name": "fetch"})
        trace.call(99, "gpt-4o-mini", 250, 400, [text("user", "Go on.")], [text("assistant", "Gone on.")], (20, 3, 0), 0.0001)
        return trace
