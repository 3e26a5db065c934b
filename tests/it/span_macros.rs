//! Spans opened by hand.

use llmtrace::testing::Recording;
use llmtrace::{
    ObservationKind, SpanExt as _, agent, embedding, evaluator, generation, guardrail, llm_span, reranker,
    retriever,
};
use llmtrace::{tool, workflow};
use tracing::{Level, Span};

#[test]
fn each_macro_opens_its_kind() {
    let recording = Recording::start();
    let check = |open: fn() -> Span, kind: ObservationKind| {
        recording.run(|| drop(open()));
        let span = recording.span(kind.as_str());
        assert_eq!(span.kind, kind);
        assert_eq!(span.attributes.get_str("gen_ai.operation.name"), kind.operation_name());
    };
    check(|| generation!("generation"), ObservationKind::Generation);
    check(|| embedding!("embedding",), ObservationKind::Embedding);
    check(|| agent!("agent", my.field = 1), ObservationKind::Agent);
    check(|| tool!("tool", my.field = 1,), ObservationKind::Tool);
    check(|| workflow!("workflow"), ObservationKind::Workflow);
    check(|| retriever!("retriever"), ObservationKind::Retriever);
    check(|| reranker!("reranker"), ObservationKind::Reranker);
    check(|| evaluator!("evaluator"), ObservationKind::Evaluator);
    check(|| guardrail!("guardrail"), ObservationKind::Guardrail);
    check(|| llm_span!("span"), ObservationKind::Span);
}

#[test]
fn the_arguments_of_the_attribute_are_known_here_too() {
    let recording = Recording::start();
    recording.run(|| {
        let root = agent!("root", session = "session-1", user = %"user-1");
        drop(generation!(parent: &root, "chat", provider = "openai", model = "gpt-4o-mini"));
        drop(tracing::info_span!(parent: &root, "other", gen_ai.operation.name = "chat", model = "T"));
    });
    let span = recording.span("chat");
    assert_eq!((span.provider(), span.model()), (Some("openai"), Some("gpt-4o-mini")));
    assert_eq!((span.session(), span.user()), (Some("session-1"), Some("user-1")));
    // A span of another crate, which does not say its kind, means something of its own.
    assert_eq!(recording.span("other").attributes.get_str("model"), Some("T"));
}

#[test]
fn bodies_given_as_text_are_read() {
    let recording = Recording::start();
    let request = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}"#.to_owned();
    let stream = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-mini\",\"choices\":[],\
                  \"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}\n\ndata: [DONE]\n\n";
    let body = r#"{"model":"gpt-4o-mini","usage":{"prompt_tokens":10,"completion_tokens":5}}"#;
    recording.run(|| {
        for (name, response) in [("whole", body), ("stream", stream), ("text", "[10, 5]")] {
            let span = generation!("chat", case = name);
            span.record_request(&request);
            span.record_response(response);
        }
    });
    let case = |name| {
        let spans = recording.spans();
        spans.into_iter().find(|span| span.attributes.get_str("case") == Some(name)).unwrap()
    };
    for name in ["whole", "stream"] {
        let span = case(name);
        assert_eq!((span.usage().input_tokens, span.usage().output_tokens), (Some(10), Some(5)), "{name}");
        assert_eq!(span.input[0].text(), "hi", "{name}");
    }
    assert_eq!(case("text").output[0].text(), "[10, 5]");
}

#[test]
fn usual_fields_are_declared() {
    let recording = Recording::start();
    recording.run(|| {
        let question = "why?";
        let span =
            generation!("chat", gen_ai.request.model = "gpt-4o-mini", my.field = 1, question, %question);
        span.record("gen_ai.usage.input_tokens", 5);
        span.record("gen_ai.usage.output_tokens", 7_u64);
        span.record("gen_ai.provider.name", "openai");
        span.record("gen_ai.conversation.id", "session-1");
    });
    let span = recording.span("chat");
    assert_eq!(span.model(), Some("gpt-4o-mini"));
    assert_eq!((span.usage().input_tokens, span.usage().output_tokens), (Some(5), Some(7)));
    assert_eq!((span.provider(), span.session()), (Some("openai"), Some("session-1")));
    assert_eq!(span.attributes.get("my.field").unwrap().as_i64(), Some(1));
    assert_eq!(span.attributes.get_str("question"), Some("why?"));
}

#[test]
fn options_stand_before_the_name() {
    let recording = Recording::start();
    recording.run(|| {
        let root = agent!("root");
        let span =
            generation!(target: "my::target", parent: &root, level: Level::ERROR, "child", my.field = 1);
        assert_eq!(span.metadata().unwrap().level(), &Level::ERROR);
        drop(span);
        drop(tool!(parent: &root, "other child"));
    });
    assert_eq!(recording.span("child").scope, "my::target");
    assert_eq!(recording.span("other child").scope, module_path!());
    assert_eq!(recording.span("other child").parent_span_id, Some(recording.span("root").span_id));
}
