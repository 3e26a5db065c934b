//! Corners that went wrong once.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use futures::stream::{self, Stream, StreamExt as _};
use llmtrace::testing::{InMemory, Recording};
use llmtrace::{Budget, ContentPolicy, Overflow, SpanExt as _, Usage, llm_trace, propagate};
use serde_json::{Value, json};
use tracing::{Dispatch, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

struct Bad;

impl fmt::Debug for Bad {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("boom")
    }
}

#[test]
fn waits_without_end_are_possible() {
    let recording = Recording::with(|builder| builder.overflow(Overflow::Block(Duration::MAX)));
    recording.run(|| drop(info_span!("call", llmtrace.kind = "tool")));
    assert!(recording.guard().flush(Duration::MAX).is_complete);
    assert_eq!(recording.spans().len(), 1);
}

#[test]
fn a_field_that_panics_costs_only_the_fields() {
    let recording = Recording::start();
    recording.run(|| {
        info_span!("agent", llmtrace.kind = "agent")
            .in_scope(|| drop(info_span!("chat", gen_ai.request.model = "m", detail = ?Bad)));
    });
    let names: Vec<_> = recording.spans().iter().map(|span| span.name.to_string()).collect();
    assert_eq!(names, ["chat", "agent"]);
    assert_eq!(recording.guard().stats().open_spans, 0);
}

#[test]
fn counts_beyond_measure_harm_nothing() {
    let budget = Budget::tokens(10);
    let recording = Recording::with(|builder| builder.budget(budget.clone()));
    recording.run(|| {
        for _ in 0..4 {
            info_span!("chat", gen_ai.request.model = "m").record_usage(Usage::new(i64::MAX as u64, 1));
        }
    });
    assert_eq!(recording.spans().len(), 4);
    assert_eq!(recording.guard().usage().total().input_tokens, u64::MAX);
    assert!(budget.check().is_exhausted());
}

#[test]
fn nobody_waits_for_a_worker_that_has_left() {
    let budget = Budget::tokens(10);
    let recording = Recording::with(|builder| builder.budget(budget.clone()));
    recording.guard().shutdown(Duration::from_secs(30)).unwrap();
    let before = Instant::now();
    for _ in 0..20 {
        let _ = budget.check();
    }
    assert!(recording.guard().flush(Duration::from_secs(10)).is_complete);
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}

#[test]
fn a_text_stream_that_looks_like_json_is_kept() {
    fn check(pieces: &'static [&'static [u8]], expected: &str) {
        let recording = Recording::start();
        recording.run(|| {
            let span = info_span!("chat", llmtrace.kind = "generation");
            let items = stream::iter(pieces).map(|piece| piece.to_vec());
            futures::executor::block_on(llmtrace::traced_stream(span, items).for_each(|_| async {}));
        });
        let span = recording.span("chat");
        assert_eq!(span.output[0].text(), expected);
        assert!(span.time_to_first_chunk().is_some());
    }
    check(&[b"{", b"\"city\"", b": ", b"\"Paris\"", b"}"], "{\"city\": \"Paris\"}");
    check(&[b"data: is ", b"plural"], "data: is plural");
    check(&[b"caf\xC3", b"\xA9!"], "caf\u{e9}!");
}

#[test]
fn an_argument_is_dropped_only_if_its_name_says_whose_call_it_is() {
    #[llm_trace(kind = "tool")]
    fn find(_customer: &str) {}
    #[llm_trace(kind = "agent", user = uid)]
    fn agent(uid: &str) {
        find(uid);
    }
    let recording = Recording::start();
    recording.run(|| agent("u1"));
    let arguments = recording.span("find").attributes.get("gen_ai.tool.call.arguments").cloned();
    assert_eq!(arguments, Some(json!({"_customer": "u1"}).into()));
}

#[test]
fn what_stands_beside_messages_is_kept() {
    #[llm_trace(provider = "openai")]
    fn chat(_a: u8, model: &str, messages: &[Value], temperature: f32, extra: &str) {
        let _ = (model, messages, temperature, extra);
    }
    #[llm_trace(kind = "tool")]
    fn summarize(messages: Vec<Value>, style: &str) {
        let _ = (messages, style);
    }
    let recording = Recording::start();
    let messages = [json!({"role": "user", "content": "hi"})];
    recording.run(|| {
        chat(1, "m", &messages, 0.5, "x");
        summarize(messages.to_vec(), "short");
    });
    let chat = recording.span("chat");
    assert_eq!((chat.model(), chat.input[0].text()), (Some("m"), "hi".to_owned()));
    assert_eq!(chat.attributes.get("gen_ai.request.temperature"), Some(&0.5.into()));
    assert_eq!(chat.attributes.get("llmtrace.arguments"), Some(&json!({"_a": 1, "extra": "x"}).into()));
    let arguments = recording.span("summarize").attributes.get("gen_ai.tool.call.arguments").cloned();
    assert_eq!(arguments, Some(json!({"messages": messages, "style": "short"}).into()));
}

#[test]
fn a_promised_future_type_drives_inference() {
    #[llm_trace]
    fn result() -> impl Future<Output = Result<String, String>> {
        async { Ok("x".to_owned()) }
    }
    #[llm_trace]
    fn option() -> impl Future<Output = Option<u8>> {
        async { None }
    }
    #[llm_trace]
    fn list() -> impl Future<Output = Vec<String>> + Send {
        async { Vec::new() }
    }
    futures::executor::block_on(async {
        assert_eq!(result().await.as_deref(), Ok("x"));
        assert_eq!((option().await, list().await), (None, Vec::<String>::new()));
    });
}

#[test]
fn a_stream_with_plain_errors_is_traced() {
    #[llm_trace]
    fn words() -> impl Stream<Item = Result<String, String>> {
        stream::iter([Ok("a".to_owned()), Err("cut".to_owned())])
    }
    let recording = Recording::start();
    recording.run(|| assert_eq!(futures::executor::block_on(words().count()), 2));
    assert!(recording.span("words").status.is_error());
}

#[test]
fn a_hidden_explicit_parent_is_not_mistaken_for_the_current_span() {
    let memory = InMemory::default();
    let (llm, guard) = llmtrace::builder().exporter(memory.clone()).build();
    let fmt = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(llm).with(fmt));
    tracing::dispatcher::with_default(&dispatch, || {
        let hidden = tracing::debug_span!("hidden");
        info_span!("other", llmtrace.kind = "agent")
            .in_scope(|| drop(info_span!(parent: &hidden, "chat", gen_ai.request.model = "m")));
    });
    assert!(guard.flush(Duration::from_secs(30)).is_complete);
    let spans = memory.spans();
    assert_eq!((&*spans[0].name, spans[0].parent_span_id), ("chat", None));
    assert_ne!(spans[0].trace_id, spans[1].trace_id);
}

#[test]
fn plain_spans_that_follow_from_each_other_stay_out() {
    let recording = Recording::start();
    recording.run(|| {
        let (request, job) = (info_span!("GET /health"), info_span!("job"));
        job.follows_from(request.id());
    });
    assert!(recording.spans().is_empty());
}

#[test]
fn a_full_span_says_so_and_still_takes_its_usage() {
    let recording = Recording::with(|builder| builder.max_text_bytes(16));
    recording.run(|| {
        let span = info_span!("chat", gen_ai.request.model = "m");
        span.set_session("s".repeat(1_000));
        span.add_tag("t".repeat(1_000));
        for _ in 0..40 {
            span.record_response(&json!({"text": "x".repeat(100)}));
        }
        span.record_usage(Usage::new(10, 5));
    });
    let span = recording.span("chat");
    assert_eq!((span.usage(), span.session().map(str::len)), (Usage::new(10, 5), Some(16)));
    assert!(span.attributes.get("llmtrace.truncated").is_some());
}

#[test]
fn session_and_user_travel_as_baggage() {
    let (here, there) = (Recording::start(), Recording::start());
    let mut headers = HashMap::new();
    here.run(|| {
        let span = info_span!("client", llmtrace.kind = "tool", session.id = "s 1");
        span.set_user("u");
        propagate::inject(&span, &mut headers);
    });
    assert_eq!(headers["baggage"], "session.id=s%201,user.id=u");
    there.run(|| {
        let span = info_span!("server", llmtrace.kind = "agent");
        span.set_parent_context(&propagate::extract(&headers).unwrap());
    });
    let server = there.span("server");
    assert_eq!((server.session(), server.user()), (Some("s 1"), Some("u")));
}

#[test]
fn content_by_other_names_is_left_out_too() {
    let recording = Recording::with(|builder| builder.content(ContentPolicy::Omit));
    recording.run(|| {
        let span =
            info_span!("chat", gen_ai.request.model = "m", { "gen_ai.prompt.0.content" } = "brown fox");
        span.set_attribute("input.value", "brown fox");
        span.in_scope(|| tracing::info!(content = "brown fox", "gen_ai.user.message"));
        span.record_request(
            &json!({"model": "m", "stop": ["brown fox"], "messages": [{"role": "user", "content": "x"}]}),
        );
        span.record_response(&json!({"error": {"type": "overloaded", "message": "brown fox"}}));
        span.score("finite", f64::NAN);
    });
    let span = recording.span("chat");
    assert!(!format!("{span:?}").contains("brown"), "{span:?}");
    assert!(span.attributes.get("gen_ai.request.stop_sequences").is_none() && span.scores.is_empty());
    assert_eq!(span.status, llmtrace::Status::error("overloaded"));
}
