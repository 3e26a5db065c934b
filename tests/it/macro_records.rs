//! What `#[llm_trace]` records.

use std::fmt;
use std::future::Future;

use llmtrace::testing::Recording;
use llmtrace::{LlmResponse, ObservationKind, Recorder, SpanRecord, Status, Usage, llm_trace};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs a future with everything recorded, and returns the one span.
fn record<F: Future>(body: impl FnOnce() -> F) -> SpanRecord {
    let recording = Recording::start();
    recording.run(|| {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(body());
    });
    let [span] = recording.spans().try_into().unwrap();
    span
}

fn record_sync<R>(body: impl FnOnce() -> R) -> SpanRecord {
    let recording = Recording::start();
    recording.run(body);
    let [span] = recording.spans().try_into().unwrap();
    span
}

/// The input and the output of a tool's span.
fn sides(span: &SpanRecord) -> (Value, Value) {
    let side =
        |key| span.attributes.get(key).map_or(Value::Null, |value| serde_json::to_value(value).unwrap());
    (side("gen_ai.tool.call.arguments"), side("gen_ai.tool.call.result"))
}

#[derive(Clone, Debug)]
struct OnlyDebug;

#[derive(Serialize)]
struct Both {
    a: u8,
}

struct Mute;

struct Own;

impl LlmResponse for Own {
    fn record(&self, recorder: &mut Recorder<'_>) {
        recorder.text("own words");
        recorder.usage(&Usage::new(1, 2));
    }
}

#[llm_trace(kind = "tool")]
#[expect(clippy::too_many_arguments, reason = "many kinds of arguments")]
fn arguments<T: Serialize, U>(
    text: &str,
    both: Both,
    debug: OnlyDebug,
    mute: Mute,
    serialize: T,
    unknown: U,
    (x, Both { a: r#type }): (i32, Both),
    _api_key: &str,
) -> u8 {
    let _ = (text, both, debug, mute, serialize, unknown);
    r#type + u8::from(x > 0)
}

#[llm_trace(kind = "tool", skip(b))]
fn skipped(a: u8, b: u8) -> u8 {
    a + b
}

#[llm_trace(kind = "tool", input = format!("{a}{b}"), output = |ret| ret * 2)]
fn replaced(a: u8, b: u8) -> u8 {
    a + b
}

#[llm_trace(kind = "tool", output = json!({"given": text}))]
async fn given(text: String) -> String {
    text + "!"
}

#[test]
fn arguments_are_captured_by_what_they_can_do() {
    let check = |span: SpanRecord, input: Value, output: Value| assert_eq!(sides(&span), (input, output));
    check(
        record_sync(|| {
            arguments("t", Both { a: 1 }, OnlyDebug, Mute, Some(1.5), 7, (1, Both { a: 2 }), "sk-secret")
        }),
        json!({"text": "t", "both": {"a": 1}, "debug": "OnlyDebug", "serialize": 1.5, "x": 1, "type": 2}),
        json!(3),
    );
    check(record_sync(|| skipped(1, 2)), json!({"a": 1}), json!(3));
    check(record_sync(|| replaced(1, 2)), json!("12"), json!(6));
    check(record(|| given("t".to_owned())), json!({"text": "t"}), json!({"given": "t"}));
}

macro_rules! returning {
    ($value:expr => $ty:ty) => {{
        #[llm_trace(kind = "tool")]
        fn returning() -> $ty {
            $value
        }
        record_sync(returning)
    }};
}

#[test]
fn return_values_are_read_by_what_they_can_do() {
    let check = |span: SpanRecord, output: Value| assert_eq!(sides(&span).1, output);
    check(returning!(() => ()), Value::Null);
    check(returning!("text" => &'static str), json!("text"));
    check(returning!(String::from("text") => String), json!("text"));
    check(returning!(Some(1) => Option<u8>), json!(1));
    check(returning!(None => Option<u8>), Value::Null);
    check(
        returning!(Ok(Some(Box::new(Both { a: 1 }))) => Result<Option<Box<Both>>, Failure>),
        json!({"a": 1}),
    );
    check(
        returning!(Ok(std::sync::Arc::new(OnlyDebug)) => Result<std::sync::Arc<OnlyDebug>, Mute>),
        json!("OnlyDebug"),
    );
    check(returning!(Mute => Mute), Value::Null);
    check(returning!(Ok(Own) => Result<Own, Mute>), json!("own words"));
    check(returning!(b"{\"a\":1}".to_vec() => Vec<u8>), json!({"a": 1}));
    check(returning!(vec![1, 2, 3] => Vec<u32>), json!([1, 2, 3]));
}

#[test]
fn errors_are_recorded_by_what_they_can_do() {
    let check = |span: SpanRecord, kind: &str, message: &str| {
        assert_eq!(span.status, Status::error(message));
        let found = span.attributes.get_str("error.type").unwrap();
        assert!(found.ends_with(kind), "{found}");
    };
    check(returning!(Err("text".into()) => Result<u8, Failure>), "error", "text");
    check(returning!(Err(OnlyDebug) => Result<u8, OnlyDebug>), "::OnlyDebug", "OnlyDebug");
    check(returning!(Err(Mute) => Result<Mute, Mute>), "::Mute", "error");
    check(
        returning!(Some(Err(fmt::Error)) => Option<Result<u8, fmt::Error>>),
        "fmt::Error",
        "an error occurred when formatting an argument",
    );

    #[llm_trace(err(Debug))]
    fn by_debug() -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }
    check(record_sync(by_debug), "fmt::Error", "Error");

    #[llm_trace(output = |_ret| "seen")]
    fn replaced() -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }
    check(record_sync(replaced), "fmt::Error", "an error occurred when formatting an argument");
}

#[llm_trace(
    name = format!("ask {model}"), kind = "agent", provider = "openai", model = model, session = session,
    user = Some(7), tags = ["a", tag], target = "my::target", level = 4,
    fields(plain = 1, shown = %question, debugged = ?question, later, { NAMED } = true),
    usage = |ret| ret.as_ref().ok().map(|text: &String| Usage::new(text.len() as u64, 1))
)]
async fn described(
    model: &str,
    session: Option<&str>,
    tag: &str,
    question: String,
) -> Result<String, Failure> {
    tokio::task::yield_now().await;
    tracing::Span::current().record("later", 2);
    Ok(question)
}

const NAMED: &str = "named";

#[test]
fn everything_declared_is_on_the_span() {
    let span = record(|| described("gpt-4o-mini", Some("s"), "b", "why?".to_owned()));
    assert_eq!(span.name, "ask gpt-4o-mini");
    assert_eq!(span.kind, ObservationKind::Agent);
    assert_eq!(span.scope, "my::target");
    assert_eq!((span.session(), span.user()), (Some("s"), Some("7")));
    assert_eq!(span.usage().input_tokens, Some(4));
    let attributes = serde_json::to_value(&span.attributes).unwrap();
    let check = |key: &str, expected: Value| assert_eq!(attributes[key], expected, "{key}");
    check("gen_ai.provider.name", json!("openai"));
    check("gen_ai.request.model", json!("gpt-4o-mini"));
    check("gen_ai.operation.name", json!("invoke_agent"));
    check("gen_ai.agent.name", json!("ask gpt-4o-mini"));
    check("llmtrace.tags", json!(["a", "b"]));
    check("plain", json!(1));
    check("shown", json!("why?"));
    check("debugged", json!("\"why?\""));
    check("later", json!(2));
    check("named", json!(true));
    let unnamed = record(|| described("m", None, "b", String::new()));
    assert_eq!(unnamed.session(), None);
}

#[llm_trace]
async fn forever() {
    std::future::pending::<()>().await;
}

#[llm_trace]
async fn panics(message: &str) -> u8 {
    tokio::task::yield_now().await;
    panic!("{message}")
}

#[llm_trace]
fn panics_sync() {
    std::panic::panic_any(7);
}

#[test]
fn spans_end_with_what_happened() {
    let span = record(|| async {
        let mut future = Box::pin(forever());
        assert!(futures::poll!(&mut future).is_pending());
    });
    assert_eq!(span.status, Status::Cancelled);
    // A future that was never polled leaves nothing behind.
    let span = record(|| async {
        drop(forever());
        at_once().await;
    });
    assert_eq!((&*span.name, span.status), ("at_once", Status::Ok));
    let caught = |call: &dyn Fn()| {
        let span = record_sync(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_err());
        assert_eq!(span.attributes.get_str("error.type"), Some("panic"));
        span.status
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(
        caught(&|| {
            runtime.block_on(panics("broken"));
        }),
        Status::error("broken")
    );
    assert_eq!(caught(&panics_sync), Status::error(""));
}

#[llm_trace]
async fn at_once() {}

struct Hostile;

impl Serialize for Hostile {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("recorded by force")
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("shown by force")
    }
}

#[llm_trace(session = Hostile, usage = |_ret| -> Usage { panic!("counted by force") })]
fn hostile(_argument: Hostile) -> Result<Hostile, Hostile> {
    Err(Hostile)
}

#[llm_trace(model = Hostile)]
fn hostile_field() -> u8 {
    1
}

#[llm_trace(output = String::from_utf8(vec![0xff]).unwrap())]
fn hostile_output() -> u8 {
    1
}

#[test]
fn user_code_that_panics_while_recording_changes_nothing() {
    assert_eq!(record_sync(|| assert!(hostile(Hostile).is_err())).name, "hostile");
    let recording = Recording::start();
    assert_eq!(recording.run(hostile_field), 1);
    assert_eq!(recording.run(hostile_output), 1);
}

#[async_trait::async_trait]
trait Ask {
    async fn ask(&self, question: &str) -> Result<u8, fmt::Error>;
}

#[async_trait::async_trait]
impl Ask for Mute {
    #[llm_trace(kind = "tool")]
    async fn ask(&self, question: &str) -> Result<u8, fmt::Error> {
        if question.is_empty() {
            return Err(fmt::Error);
        }
        Ok(1)
    }
}

#[test]
fn async_trait_bodies_are_traced_like_async_functions() {
    let recording = Recording::start();
    recording.run(|| {
        drop(Mute.ask("never polled"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Mute.ask("why?")).unwrap();
        runtime.block_on(Mute.ask("")).unwrap_err();
    });
    let spans = recording.spans();
    let [good, bad] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((sides(good), &good.status), ((json!({"question": "why?"}), json!(1)), &Status::Ok));
    assert!(bad.status.is_error());
}

#[llm_trace(kind = "workflow")]
async fn outer() -> u8 {
    let (a, b) = futures::join!(inner(1), inner(2));
    a + b
}

#[llm_trace(kind = "tool")]
async fn inner(value: u8) -> u8 {
    tokio::task::yield_now().await;
    value
}

#[llm_trace(parent = parent, follows_from = causes, kind = "span", skip_all)]
fn related(parent: &tracing::Span, causes: &[tracing::Id]) {
    let _ = causes;
    assert_ne!(tracing::Span::current().id(), parent.id());
}

#[llm_trace(follows_from = cause, kind = "span", skip_all)]
fn follows(cause: &tracing::Span) {
    let _ = cause;
}

#[test]
fn spans_are_children_of_the_span_they_are_called_in() {
    let recording = Recording::start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    recording.run(|| {
        assert_eq!(runtime.block_on(outer()), 3);
        let parent = llmtrace::agent!("parent");
        let cause = llmtrace::tool!("cause");
        related(&parent, &[cause.id().unwrap()]);
        follows(&cause);
    });
    assert_eq!(
        recording.tree(),
        "outer [workflow]\n  inner [tool]\n  inner [tool]\nparent [agent]\n  related [span]\ncause [tool]\nfollows [span]\n"
    );
    for name in ["related", "follows"] {
        let links = recording.span(name).links;
        assert_eq!(
            links.iter().map(|link| link.span_id).collect::<Vec<_>>(),
            [recording.span("cause").span_id]
        );
    }
}
