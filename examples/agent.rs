//! 64 agents at once, on several threads: each asks a model, runs the two tools that it calls for, and asks
//! again, which fails once with 429. One trace is printed; then the program checks that each of the 64 is whole
//! and has no span of another, and fails if not.
//!
//! With `LLMTRACE_CONFIG` or `OTEL_EXPORTER_OTLP_ENDPOINT` set, the spans go where these say, and the program fails if
//! one does not arrive.

use std::collections::BTreeMap;
use std::env;
use std::sync::LazyLock;
use std::time::Duration;

use llmtrace::testing::{InMemory, tree};
use llmtrace::{Exporter as _, Message, SpanRecord, llm_trace, semconv};
use llmtrace_exporters::Stdout;
use serde_json::{Value, json};

#[path = "support/loopback.rs"]
mod loopback;

type Error = Box<dyn std::error::Error + Send + Sync>;

const AGENTS: usize = 64;
const MODEL: &str = "gpt-5-mini";

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

#[llm_trace(kind = "agent", session = session)]
async fn look_after(session: &str, question: &str) -> Result<String, Error> {
    let parameters = json!({"type": "object", "properties": {"order": {"type": "string"}}});
    let tools = ["find_order", "track_parcel"]
        .map(|name| json!({"type": "function", "function": {"name": name, "parameters": parameters}}));
    let mut messages = vec![json!({"role": "user", "content": question})];
    loop {
        // The tier `flex` is cheaper, and refuses when it is busy.
        let request = json!({"model": MODEL, "service_tier": "flex", "tools": tools, "messages": messages});
        let message = ask_twice(&request).await?["choices"][0]["message"].take();
        let Some(calls) = message["tool_calls"].as_array().cloned() else {
            return Ok(message["content"].as_str().unwrap_or_default().to_owned());
        };
        messages.push(message);
        for call in calls {
            let function = &call["function"];
            let arguments: Value = serde_json::from_str(function["arguments"].as_str().unwrap_or_default())?;
            let order = arguments["order"].as_str().unwrap_or_default();
            let result = match function["name"].as_str() {
                Some("find_order") => find_order(order).await,
                _ => track_parcel(order).await,
            };
            messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": result}));
        }
    }
}

async fn ask_twice(request: &Value) -> Result<Value, Error> {
    match ask(request).await {
        Ok(answer) => Ok(answer),
        Err(_) => ask(request).await,
    }
}

/// Model, messages and tools are read from the request, tokens and tool calls from the answer.
#[llm_trace(provider = "openai")]
async fn ask(request: &Value) -> Result<Value, Error> {
    let response = HTTP.post(format!("{}/chat/completions", loopback::url()?)).json(request).send().await?;
    let status = response.status();
    let answer: Value = response.json().await?;
    match answer["error"]["message"].as_str() {
        Some(message) => Err(format!("{status}: {message}").into()),
        None => Ok(answer),
    }
}

#[llm_trace(kind = "tool")]
async fn find_order(order: &str) -> String {
    tokio::time::sleep(Duration::from_millis(5)).await;
    format!("Order {order} left on Monday.")
}

#[llm_trace(kind = "tool")]
async fn track_parcel(order: &str) -> String {
    tokio::time::sleep(Duration::from_millis(10)).await;
    format!("Parcel {order} arrives on Friday.")
}

/// Whether the spans are one whole trace of one agent, drawn as it should be, with nothing of another.
fn is_whole(spans: &[SpanRecord], expected: &str) -> bool {
    let session = spans.first().and_then(SpanRecord::session).unwrap_or_default();
    let Some(order) = session.strip_prefix("order-") else {
        return false;
    };
    let is_own = |span: &SpanRecord| {
        let result = span.attributes.get_str(semconv::TOOL_CALL_RESULT);
        let text = span.input.first().map(Message::text);
        span.session() == Some(session) && result.or(text.as_deref()).is_some_and(|text| text.contains(order))
    };
    tree(spans) == expected && spans.iter().all(is_own)
}

async fn look_after_all() -> Result<(), Error> {
    let agents: Vec<_> = (0..AGENTS)
        .map(|n| (format!("order-{}", 1001 + n), format!("Please look after order {}", 1001 + n)))
        .map(|(session, question)| tokio::spawn(async move { look_after(&session, &question).await }))
        .collect();
    for agent in agents {
        agent.await??;
    }
    Ok(())
}

async fn deliver() -> Result<(), Error> {
    let tracing = llmtrace_exporters::install()?;
    look_after_all().await?;
    for exporter in tracing.shutdown(Duration::from_secs(30))?.exporters {
        println!("{}: {} of {} spans delivered", exporter.name, exporter.exported, exporter.started);
        if exporter.exported < exporter.started {
            return Err(exporter.last_error.unwrap_or_else(|| "spans are missing".to_owned()).into());
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    if ["LLMTRACE_CONFIG", "OTEL_EXPORTER_OTLP_ENDPOINT"].iter().any(|name| env::var_os(name).is_some()) {
        return deliver().await;
    }
    let memory = InMemory::default();
    let tracing = llmtrace::builder().service_name("agent").exporter(memory.clone()).install()?;
    look_after_all().await?;
    tracing.shutdown(Duration::from_secs(5))?;

    let mut traces = BTreeMap::<_, Vec<_>>::new();
    for span in memory.spans() {
        traces.entry(span.trace_id).or_default().push(span);
    }
    let one = traces.values().next().ok_or("nothing was traced")?;
    Stdout::tree().export(one)?;
    let errors = one.iter().filter(|span| span.status.is_error()).count();
    let whole = traces.values().filter(|spans| is_whole(spans, &tree(one))).count();
    println!("{whole} of {AGENTS} agents have a whole trace of their own, like this one.");
    let holds = (one.len(), errors) == (6, 1) && whole == AGENTS && traces.len() == AGENTS;
    if holds { Ok(()) } else { Err("traces are torn or mixed".into()) }
}
