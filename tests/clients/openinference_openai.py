"""openinference-instrumentation-openai against the stand-in, and spans of openinference-instrumentation by hand."""

import json

import conversation
import fake_openai
import tracing
from openinference.instrumentation import OITracer, TraceConfig, using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor

provider = tracing.provider("openinference")
OpenAIInstrumentor().instrument(tracer_provider=provider)
tracer = OITracer(provider.get_tracer("manual"), config=TraceConfig())


def weather(arguments: str) -> str:
    with tracer.start_as_current_span("weather", openinference_span_kind="tool") as span:
        span.set_tool(name="weather", description="The weather of a city.", parameters={"city": "string"})
        span.set_input(json.loads(arguments))
        span.set_output("rain")
    return "rain"


with using_attributes(session_id="session-2", user_id="user-2", metadata={"tier": "gold"}, tags=["a", "b"]):
    with tracer.start_as_current_span("answer", openinference_span_kind="agent") as span:
        span.set_input("Weather in Paris?")
        with tracer.start_as_current_span("search", openinference_span_kind="retriever", attributes={
                "input.value": "paris", "retrieval.documents.0.document.id": "d1",
                "retrieval.documents.0.document.content": "Paris is rainy.",
                "retrieval.documents.0.document.score": 0.75}):
            pass
        span.set_output(conversation.hold(fake_openai.start(), weather))
provider.shutdown()
