"""opentelemetry-sdk alone, with the attributes of the OpenTelemetry GenAI conventions."""

import json

import tracing
from opentelemetry.trace import SpanKind, Status, StatusCode

provider = tracing.provider("genai")
tracer = provider.get_tracer("manual")
with tracer.start_as_current_span("invoke_agent helper", attributes={
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper", "gen_ai.conversation.id": "session-1",
        "user.id": "user-1"}):
    with tracer.start_as_current_span("chat gpt-4o-mini", kind=SpanKind.CLIENT, attributes={
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.usage.input_tokens": 120,
            "gen_ai.usage.output_tokens": 30, "gen_ai.usage.cache_read.input_tokens": 64,
            "gen_ai.response.finish_reasons": ["stop"], "gen_ai.conversation.id": "session-1",
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
            "gen_ai.input.messages": json.dumps([
                {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]}]),
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "finish_reason": "stop", "parts": [
                {"type": "text", "content": "It rains in Paris."}]}])}):
        pass
    with tracer.start_as_current_span("execute_tool weather", attributes={
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": '{"city": "Paris"}', "gen_ai.tool.call.result": "rain"}) as span:
        span.set_status(Status(StatusCode.ERROR, "too slow"))
    with tracer.start_as_current_span("chat old", kind=SpanKind.CLIENT, attributes={
            "gen_ai.operation.name": "chat", "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.prompt_tokens": 10, "gen_ai.usage.completion_tokens": 5,
            "gen_ai.usage.cache_read_input_tokens": 90, "gen_ai.usage.cost": 0.125}) as span:
        span.add_event("gen_ai.system.message", {"content": "Be brief."})
        span.add_event("gen_ai.user.message", {"content": "Weather in Paris?"})
        span.add_event("gen_ai.choice", {"index": 0, "finish_reason": "stop",
                                         "message": json.dumps({"role": "assistant", "content": "It rains."})})
provider.shutdown()
