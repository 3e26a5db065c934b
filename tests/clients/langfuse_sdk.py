"""The Langfuse SDK: an agent with a generation and a tool that fails."""

import os
import time
from datetime import datetime, timezone

import tracing

os.environ.update(LANGFUSE_PUBLIC_KEY="pk-lf-1", LANGFUSE_SECRET_KEY="sk-lf-1", LANGFUSE_BASE_URL=tracing.ENDPOINT,
                  LANGFUSE_TRACING_ENVIRONMENT="staging", OTEL_SERVICE_NAME="langfuse")
from langfuse import Langfuse, propagate_attributes  # noqa: E402
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: E402

client = Langfuse(span_exporter=OTLPSpanExporter(endpoint=f"{tracing.ENDPOINT}/v1/traces"))
asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Paris?"}]
about = {"session_id": "session-3", "user_id": "user-3", "tags": ["a", "b"], "metadata": {"tier": "gold"}}
with (client.start_as_current_observation(name="answer", as_type="agent", input="Weather in Paris?") as root,
      propagate_attributes(**about)):
    with client.start_as_current_observation(name="ask", as_type="generation", model="gpt-4o-mini", input=asked,
                                             model_parameters={"temperature": 0.5}) as generation:
        time.sleep(0.01)
        generation.update(
            completion_start_time=datetime.now(timezone.utc),
            output={"role": "assistant", "content": "It rains in Paris."},
            usage_details={"input": 56, "input_cached_tokens": 64, "output": 20, "output_reasoning_tokens": 10,
                           "total": 150},
            cost_details={"input": 0.25, "output": 0.5, "total": 0.75})
    with client.start_as_current_observation(name="weather", as_type="tool", input={"city": "Paris"}) as tool:
        tool.update(output="rain", level="ERROR", status_message="too slow")
    root.update(output="It rains in Paris.")
client.shutdown()
