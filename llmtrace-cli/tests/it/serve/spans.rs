//! Spans as an OpenTelemetry program sends them.

use serde_json::{Value, json};

/// When the traces of the tests begin, in nanoseconds: the present minute.
pub(crate) fn start() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_nanos()).unwrap() / 60_000_000_000 * 60_000_000_000
}

/// The id of a trace.
pub(crate) fn trace(number: u64) -> String {
    format!("{:032x}", u128::from(number) << 64 | 7)
}

/// The id of a span.
pub(crate) fn id(number: u64) -> String {
    format!("{number:016x}")
}

/// A span: the number of its trace, its own, its parent's (0 is none), its name and its attributes.
pub(crate) fn span([of, own, parent]: [u64; 3], name: &str, attributes: &[(&str, Value)]) -> Value {
    let begin = start() + own % 1_000 * 1_000_000;
    let mut span = json!({
        "traceId": trace(of), "spanId": id(own), "name": name, "kind": 1,
        "startTimeUnixNano": begin.to_string(), "endTimeUnixNano": (begin + 5_000_000).to_string(),
        "attributes": attributes.iter().map(|(key, value)| attribute(key, value)).collect::<Vec<_>>(),
    });
    if parent > 0 {
        span["parentSpanId"] = id(parent).into();
    }
    span
}

/// A model call with messages.
pub(crate) fn call(ids: [u64; 3], model: &str, [input, output]: [&str; 2]) -> Value {
    let message = |role: &str, text: &str| {
        json!([{"role": role, "parts": [{"type": "text", "content": text}]}]).to_string()
    };
    span(
        ids,
        &format!("chat {model}"),
        &[
            ("gen_ai.operation.name", "chat".into()),
            ("gen_ai.provider.name", "openai".into()),
            ("gen_ai.request.model", model.into()),
            ("gen_ai.response.model", model.into()),
            ("gen_ai.usage.input_tokens", 1_000.into()),
            ("gen_ai.usage.output_tokens", 50.into()),
            ("gen_ai.input.messages", message("user", input).into()),
            ("gen_ai.output.messages", message("assistant", output).into()),
        ],
    )
}

fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Bool(bool) => json!({"boolValue": bool}),
        Value::Array(items) => {
            json!({"arrayValue": {"values": items.iter().map(|item| json!({"stringValue": item})).collect::<Vec<_>>()}})
        }
        text => json!({"stringValue": text}),
    };
    json!({"key": key, "value": value})
}

/// A request with these spans.
pub(crate) fn request(spans: &[Value]) -> Value {
    let service = json!({"attributes": [attribute("service.name", &"shop".into())]});
    json!({"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": spans}]}]})
}
