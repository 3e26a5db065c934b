"""Traceloop's opentelemetry-instrumentation-openai against the stand-in."""

import conversation
import fake_openai
import tracing
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

provider = tracing.provider("traceloop")
OpenAIInstrumentor(enrich_assistant=False).instrument(tracer_provider=provider)
tracer = provider.get_tracer("traceloop.sdk")


def weather(arguments: str) -> str:
    with tracer.start_as_current_span("weather.tool", attributes={
            "traceloop.span.kind": "tool", "traceloop.entity.name": "weather",
            "traceloop.entity.input": arguments, "traceloop.entity.output": "rain"}):
        return "rain"


with tracer.start_as_current_span("answer.workflow", attributes={
        "traceloop.span.kind": "workflow", "traceloop.entity.name": "answer",
        "traceloop.association.properties.session_id": "session-4",
        "traceloop.association.properties.user_id": "user-4"}):
    conversation.hold(fake_openai.start(), weather)
provider.shutdown()
