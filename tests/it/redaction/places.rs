//! Where secrets turn up: in what kind of text, and by which way that text comes to a span.

use base64::Engine as _;
use futures::stream::{self, StreamExt as _};
use llmtrace::{Message, Part, SpanExt as _, traced_stream};
use serde_json::{Value, json};

/// A text around a secret: of its name and itself.
pub(crate) type Place = (&'static str, fn(&str, &str) -> String);

pub(crate) const PLACES: &[Place] = &[
    ("json", |name, key| json!({"user": "ann", name: key, "n": 1}).to_string()),
    ("pretty json", |name, key| serde_json::to_string_pretty(&json!({"a": [{ name: key }]})).unwrap()),
    ("json in json", |name, key| json!({"body": json!({ name: key }).to_string()}).to_string()),
    ("json in json in json", |name, key| {
        json!({"body": json!({"body": json!({ name: key }).to_string()}).to_string()}).to_string()
    }),
    ("address", |name, key| {
        let key: String = key.bytes().map(escaped).collect();
        format!("GET https://api.example.com/v1/items?page=2&{name}={key}&limit=5 failed")
    }),
    ("address user", |_, key| {
        let key: String = key.bytes().map(escaped).collect();
        format!("cloning https://ann:{key}@git.example.com/a/b.git")
    }),
    ("bearer", |_, key| format!("POST /v1/x HTTP/1.1\r\nAuthorization: Bearer {key}\r\nAccept: */*\r\n")),
    ("header", |name, key| format!("Accept: */*\nx-{}: {key}\nContent-Length: 5", name.replace('_', "-"))),
    ("base64", |name, key| {
        let wrapped = base64::engine::general_purpose::STANDARD.encode(json!({ name: key }).to_string());
        format!("payload {wrapped} was refused")
    }),
    ("basic", |_, key| {
        let wrapped = base64::engine::general_purpose::STANDARD.encode(format!("ann:{key}"));
        format!("curl -H \"Authorization: Basic {wrapped}\" https://api.example.com")
    }),
    ("markdown", |name, key| format!("Use this:\n```python\n{name} = \"{key}\"\n```\nand **run** it.")),
    ("environment file", |name, key| {
        format!("# keys\nDEBUG=1\n{}={key}\nPORT=80\n", name.to_uppercase().replace('-', "_"))
    }),
    ("shell", |name, key| {
        format!("$ export {}=\"{key}\" && ./run --verbose", name.to_uppercase().replace('-', "_"))
    }),
    ("curl user", |_, key| format!("curl -s -u 'ann:{key}' https://api.example.com/v1")),
    ("flag", |name, key| format!("tool deploy --{}={key} --force", name.replace('_', "-"))),
    ("stack trace", |name, key| {
        format!(
            "Error: 401 Unauthorized, {name}=\"{key}\" is not valid\n    at Client.send (/srv/client.js:10:7)"
        )
    }),
    ("python repr", |name, key| format!("{{'model': 'gpt-4o', '{name}': {}, 'n': None}}", repr(key))),
    ("rust debug", |name, key| format!("Config {{ {}: Some({key:?}), retries: 3 }}", name.replace('-', "_"))),
    ("yaml", |name, key| format!("service:\n  {name}: \"{}\"\n  replicas: 2\n", key.replace('\n', "\\n"))),
    ("log line", |name, key| format!("2026-01-01T00:00:00Z INFO login {name}={key} user=ann")),
    ("xml", |name, key| format!("<server><id>x</id><{name}>{key}</{name}></server>")),
];

/// Whether a secret of this name and form can stand in a place at all.
pub(crate) fn fits(place: &str, key: &str) -> bool {
    let is_line = !key.contains('\n');
    match place {
        "address user" | "bearer" | "header" | "curl user" | "flag" | "log line" | "environment file" => {
            is_line
        }
        _ => true,
    }
}

fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

fn repr(text: &str) -> String {
    format!("'{}'", text.replace('\n', "\\n"))
}

/// A way by which a text comes to a span.
pub(crate) type Way = (&'static str, fn(&tracing::Span, &str));

pub(crate) const WAYS: &[Way] = &[
    ("attribute", |span, text| span.set_attribute("note", text)),
    ("attribute list", |span, text| span.set_attribute("notes", vec!["a", text])),
    ("attribute json", |span, text| span.set_attribute("notes", json!({"a": [{"b": text}]}))),
    ("attribute name", |span, text| span.set_attribute(text, 1)),
    ("name in json", |span, text| span.set_attribute("notes", json!({"a": [{ text: 1 }]}))),
    ("input", |span, text| span.record_input(&[Message::system("Be kind."), Message::user(text)])),
    ("output", |span, text| span.record_output(&[Message::assistant(text)])),
    ("tool call", |span, text| {
        let call = Part::ToolCall {
            id: Some("call_1".into()),
            name: "f".into(),
            arguments: json!({"q": [{"r": text}]}),
        };
        span.record_output(&[Message::new(llmtrace::Role::Assistant, vec![call])]);
    }),
    ("tool answer", |span, text| span.record_input(&[Message::tool("call_1", json!({"lines": [text]}))])),
    ("request", |span, text| {
        span.record_request(&json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}],
            "tools": [{"type": "function", "function": {"name": "f", "description": text}}]}));
    }),
    ("system", |span, text| {
        span.record_request(&json!({"model": "claude-sonnet-4-5", "max_tokens": 9, "system": text,
            "messages": [{"role": "user", "content": "hi"}]}));
    }),
    ("response", |span, text| span.record_response(&completion(text))),
    ("unknown response", |span, text| span.record_response(&json!({"what": {"came": [text]}}))),
    ("stream", |span, text| {
        let pieces = pieces(text).map(|piece| {
            let chunk = json!({"id": "c1", "object": "chat.completion.chunk", "model": "gpt-4o",
                "choices": [{"index": 0, "delta": {"content": piece}}]});
            format!("data: {chunk}\n\n").into_bytes()
        });
        let items: Vec<Vec<u8>> = pieces.collect();
        let _: Vec<_> =
            futures::executor::block_on(traced_stream(span.clone(), stream::iter(items)).collect());
    }),
    ("stream of text", |span, text| {
        let items: Vec<String> = pieces(text).collect();
        let _: Vec<_> =
            futures::executor::block_on(traced_stream(span.clone(), stream::iter(items)).collect());
    }),
    ("error", |span, text| span.record_error(text)),
    ("event", |span, text| span.in_scope(|| tracing::info!(detail = text, "{text}"))),
    ("score", |span, text| span.score(text, 1.0)),
    ("session", |span, text| span.set_session(text)),
    ("user", |span, text| span.set_user(text)),
    ("tag", |span, text| span.add_tag(text)),
    ("span name", |span, text| span.set_attribute("otel.name", text)),
    ("image address", |span, text| {
        let part = Part::Uri { mime_type: None, modality: "image".into(), uri: text.into() };
        span.record_input(&[Message::new(llmtrace::Role::User, vec![part])]);
    }),
];

fn completion(text: &str) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
}

fn pieces(text: &str) -> impl Iterator<Item = String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(7).map(|piece| piece.iter().collect()).collect::<Vec<String>>().into_iter()
}
