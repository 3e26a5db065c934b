//! What answers and texts say.

use llmtrace::{Message, ObservationKind as Kind, Part, Role, SpanRecord, Usage, semconv};
use serde_json::json;

use super::{call, findings, found, span};
use crate::findings::Severity;

fn answered(message: Message) -> SpanRecord {
    let mut call = call([1, 1, 0], [0, 500], [100, 10]);
    call.input = vec![Message::user("Why is the sky blue?")];
    call.output = vec![message];
    call
}

fn check(message: Message, expected: &[&str]) {
    let shown = format!("{message:?}");
    assert_eq!(found(&[vec![answered(message)]]), expected, "{shown}");
}

#[test]
fn answers_that_were_cut_off() {
    check(Message::assistant("Because").with_finish_reason("length"), &["truncated: answer cut off"]);
    check(Message::assistant("Because").with_finish_reason("MAX_TOKENS"), &["truncated: answer cut off"]);
    check(Message::assistant("Because").with_finish_reason("stop"), &[]);
    check(Message::assistant("length"), &[]);
    // One word was asked for.
    let mut short = answered(Message::assistant("Yes").with_finish_reason("length"));
    short.attributes.set(semconv::REQUEST_MAX_TOKENS, 1_u64);
    assert_eq!(found(&[vec![short]]), [""; 0]);
    let mut thought = answered(Message::assistant("").with_finish_reason("length"));
    thought.set_usage(&Usage::new(100, 4_096).with_reasoning(4_096));
    assert_eq!(found(&[vec![thought]]), ["truncated: reasoning took all tokens of the answer"]);
    // Where there are no messages, the attribute says it.
    let mut without = call([1, 1, 0], [0, 500], [100, 10]);
    without.attributes.set(semconv::RESPONSE_FINISH_REASONS, llmtrace::Value::Array(vec!["length".into()]));
    assert_eq!(found(&[vec![without]]), ["truncated: answer cut off"]);
}

#[test]
fn a_call_that_two_libraries_see_is_told_once() {
    let outer = answered(Message::assistant("Because").with_finish_reason("length"));
    let mut inner = call([1, 2, 1], [10, 490], [100, 10]);
    inner.output.clone_from(&outer.output);
    assert_eq!(found(&[vec![outer, inner]]), ["truncated: answer cut off"]);
}

#[test]
fn answers_that_say_nothing() {
    check(Message::assistant(" \n").with_finish_reason("stop"), &["empty-output: empty answer"]);
    check(Message::new(Role::Assistant, vec![]), &["empty-output: empty answer"]);
    check(Message::new(Role::Assistant, vec![Part::tool_call(None, "search", "{}")]), &[]);
    check(Message::new(Role::Assistant, vec![Part::omitted_blob(None, "image", 7)]), &[]);
    // Content that was left out says nothing either way.
    let mut omitted = answered(Message::new(Role::Assistant, vec![]));
    omitted.attributes.set(semconv::CONTENT_OMITTED, true);
    assert_eq!(found(&[vec![omitted]]), [""; 0]);
    let unknown = call([1, 1, 0], [0, 500], [100, 10]);
    assert_eq!(found(&[vec![unknown]]), [""; 0]);
    let nothing = call([1, 1, 0], [0, 500], [100, 0]);
    assert_eq!(found(&[vec![nothing]]), ["empty-output: empty answer"]);
}

#[test]
fn answers_that_refuse() {
    check(Message::assistant("").with_finish_reason("content_filter"), &["refusal: refused"]);
    check(Message::assistant("I").with_finish_reason("SAFETY"), &["refusal: refused"]);
    let part = Part::Other(json!({"type": "refusal", "refusal": "no"}));
    check(Message::new(Role::Assistant, vec![part]), &["refusal: refused"]);
    check(
        Message::assistant("I\u{2019}m sorry, but I can\u{2019}t help with that."),
        &["refusal: perhaps refused"],
    );
    // These words may stand in any answer.
    check(Message::assistant("The film's hero says: I'm sorry, but I can't."), &[]);
    check(Message::assistant("I'm sorry to hear that. Here is what helps:"), &[]);
    let guess = findings(&[vec![answered(Message::assistant("I cannot help with that."))]]).remove(0);
    assert!(guess.evidence.is_guess);
    assert_eq!(guess.severity, Severity::Info);
    let mut blocked = call([1, 1, 0], [0, 500], [100, 10]);
    blocked.attributes.set(semconv::BLOCK_REASON, "PROHIBITED_CONTENT");
    assert_eq!(found(&[vec![blocked]]), ["refusal: prompt blocked"]);
}

#[test]
fn secrets_that_reached_a_trace_are_named_and_never_repeated() {
    let key =
        format!("sk-proj-{}T3BlbkFJ{}", "a1B2c3D4e5F6g7H8i9J0".repeat(3), "k1L2m3N4o5P6q7R8s9T0".repeat(3));
    let check = |span: SpanRecord, place: Option<&str>| {
        let found = findings(&[vec![span]]);
        let secrets: Vec<_> = found.iter().filter(|finding| finding.rule == "secret").collect();
        match (place, secrets.as_slice()) {
            (None, []) => {}
            (Some(place), [secret]) => {
                assert!(secret.evidence.sentence.contains(place), "{secret:?}");
                assert!(!serde_json::to_string(&found).unwrap().contains("a1B2c3D4"), "{secret:?}");
            }
            other => panic!("{other:?}"),
        }
    };
    let said = |text: String| {
        let mut call = answered(Message::assistant("ok"));
        call.input = vec![Message::user(text)];
        call
    };
    check(said(format!("use {key} please")), Some("input message 1 (user)"));
    check(said("use [redacted:openai-api-key] please".to_owned()), None);
    check(said("my sky is blue, my key is under the mat".to_owned()), None);
    check(said(format!("trace {:032x}", 7)), None);
    let mut tool = span(Kind::Tool, "deploy", [1, 1, 0], [0, 10]);
    tool.attributes.set(semconv::TOOL_CALL_ARGUMENTS, llmtrace::Value::Json(json!({"env": {"KEY": key}})));
    check(tool, Some("attribute gen_ai.tool.call.arguments"));
    check(super::failed(call([1, 1, 0], [0, 10], [1, 1])), None);
    // Told once, however often a conversation repeats it.
    let mut first = said(format!("use {key} please"));
    let mut second = first.clone();
    second.span_id = llmtrace::SpanId::from_bytes([2; 8]).unwrap();
    (first.parent_span_id, second.parent_span_id) = (None, None);
    let secrets = found(&[vec![first, second]]);
    assert_eq!(secrets.iter().filter(|told| told.starts_with("secret")).count(), 1, "{secrets:?}");
}
