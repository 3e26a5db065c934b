//! What stands where there is nothing to show.

use maud::{Markup, html};

use super::text::copy;

/// Says that there is nothing, and what to do about it.
pub(crate) fn empty(title: &str, body: &Markup) -> Markup {
    html! { section.empty { h2 { (title) } (body) } }
}

/// The lines that send a first trace to this server, whose address is given as `http://127.0.0.1:4318`.
pub(crate) fn first_trace(endpoint: &str) -> Markup {
    let rust = format!("export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\ncargo run");
    let python = format!(
        "export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\npython app.py"
    );
    let file = "llmtrace serve traces.jsonl";
    let lines = [
        ("A Rust program with llmtrace", rust.as_str()),
        ("Any OpenTelemetry, OpenInference or Langfuse program", python.as_str()),
        ("A file that was written before", file),
    ];
    empty(
        "No trace yet",
        &html! {
            p { "Send one: these lines are all that it takes. It appears here by itself." }
            @for (title, line) in lines {
                h3 { (title) }
                div.snippet { pre { code { (line) } } (copy(line, "lines")) }
            }
        },
    )
}
