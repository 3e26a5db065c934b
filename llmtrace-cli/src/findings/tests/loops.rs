//! Retries, loops of tools, prompts that grow.

use llmtrace::{Event, Message, ObservationKind as Kind, Part, SpanRecord, semconv};

use super::{call, failed, findings, found, span};
use crate::findings::Severity;

/// Calls one after another below one agent, each failed or not, each with a question of its own if `asks` says so.
fn attempts(fails: &[bool], question: fn(usize) -> String) -> Vec<SpanRecord> {
    let mut trace = vec![span(Kind::Agent, "answer", [1, 1, 0], [0, 60_000])];
    for (number, fails) in fails.iter().enumerate() {
        let start = number as u64 * 1_000;
        let mut call = call([1, number as u64 + 2, 1], [start, start + 500], [100, 10]);
        call.input = vec![Message::user(question(number))];
        trace.push(if *fails { failed(call) } else { call });
    }
    trace
}

#[test]
fn what_is_tried_again_and_again_is_a_storm() {
    let same = |_| "why?".to_owned();
    let check = |fails: &[bool], question: fn(usize) -> String, expected: &[&str]| {
        assert_eq!(found(&[attempts(fails, question)]), expected, "{fails:?}");
    };
    check(&[true, true, true, false], same, &["retry-storm: tried 4 times"]);
    check(&[true; 12], same, &["retry-storm: tried 12 times"]);
    check(&[false, true, true, true, true, false, false], same, &["retry-storm: tried 5 times"]);
    // As clients do on their own.
    check(&[true, true, false], same, &[]);
    check(&[true, true, false, true, true, false], same, &[]);
    // Other questions.
    check(&[true; 6], |number| format!("question {number}"), &[]);
    // At the same time.
    let mut together = attempts(&[true; 6], same);
    let start = together.first().unwrap().start;
    for span in &mut together {
        span.start = start;
    }
    assert_eq!(found(&[together]), [""; 0]);
}

#[test]
fn a_span_may_hold_its_attempts() {
    let tried = |failures: u64| {
        let mut call = call([1, 1, 0], [0, 9_000], [100, 10]);
        let event = Event::new(semconv::EXCEPTION_EVENT, call.start, llmtrace::Attributes::default());
        call.events.extend((0..failures).map(|_| event.clone()));
        found(&[vec![call]])
    };
    assert_eq!(tried(3), ["retry-storm: tried 4 times"]);
    assert_eq!(tried(2), [""; 0]);
}

/// An agent whose model asks for a tool, which answers, and so on.
fn agent(tools: &[(&str, &str, &str)]) -> Vec<SpanRecord> {
    let mut trace = vec![span(Kind::Agent, "answer", [1, 1, 0], [0, 90_000])];
    for (number, (tool, arguments, result)) in tools.iter().enumerate() {
        let (id, start) = (number as u64 * 2 + 2, number as u64 * 1_000);
        trace.push(call([1, id, 1], [start, start + 400], [100, 10]));
        let mut tool = span(Kind::Tool, tool, [1, id + 1, 1], [start + 500, start + 900]);
        tool.attributes.set(semconv::TOOL_CALL_ARGUMENTS, (*arguments).to_owned());
        tool.attributes.set(semconv::TOOL_CALL_RESULT, (*result).to_owned());
        trace.push(tool);
    }
    trace
}

#[test]
fn tools_that_are_asked_the_same_are_a_loop() {
    let check = |tools: &[(&str, &str, &str)], expected: &[&str]| {
        assert_eq!(found(&[agent(tools)]), expected, "{tools:?}");
    };
    let search = ("search", "sky", "blue");
    check(&[search; 3], &["tool-loop: search 3 times alike"]);
    check(&[search; 2], &[]);
    let other = ("open", "page", "text");
    check(&[search, other, ("open", "next", "text"), search, search], &["tool-loop: search 3 times alike"]);
    check(&[search, other, search, other, search, other], &["tool-loop: search → open in turn 3 times"]);
    check(&[search, other, search, other], &[]);
    // Other arguments each time.
    check(&[("search", "a", "x"), ("search", "b", "x"), ("search", "c", "x"), ("search", "d", "x")], &[]);
}

#[test]
fn how_bad_a_loop_is_shows_in_its_results() {
    let check = |tools: &[(&str, &str, &str)], severity| {
        assert_eq!(findings(&[agent(tools)]).first().unwrap().severity, severity);
    };
    check(&[("search", "sky", "blue"); 3], Severity::Warning);
    check(&[("search", "sky", "blue"); 10], Severity::Critical);
    check(&[("status", "job", "10 %"), ("status", "job", "50 %"), ("status", "job", "done")], Severity::Info);
}

#[test]
fn tools_without_spans_are_told_by_what_the_model_asks() {
    let asks = |arguments: fn(u64) -> String| {
        let calls = (1..=4_u64).map(|id| {
            let mut call = call([1, id, 0], [id * 1_000, id * 1_000 + 400], [100, 10]);
            let part = Part::tool_call(None, "search", &arguments(id));
            call.output = vec![Message::new(llmtrace::Role::Assistant, vec![part])];
            call
        });
        found(&[calls.collect()])
    };
    assert_eq!(asks(|_| r#"{"q":"sky"}"#.to_owned()), ["tool-loop: search 4 times alike"]);
    assert_eq!(asks(|id| format!(r#"{{"q":"{id}"}}"#)), [""; 0]);
}

#[test]
fn unknown_arguments_are_no_loop() {
    let mut trace = agent(&[("search", "sky", "blue"); 6]);
    for span in &mut trace {
        span.attributes.remove(semconv::TOOL_CALL_ARGUMENTS);
    }
    assert_eq!(found(&[trace]), [""; 0]);
}

#[test]
fn prompts_that_grow_are_told_in_loops_and_sessions() {
    let tokens = |number: u64| 1_000 + number * 2_500;
    let looped: Vec<_> = (0..12)
        .map(|number| call([1, number + 1, 0], [number * 1_000, number * 1_000 + 500], [tokens(number), 10]))
        .collect();
    assert_eq!(found(&[looped]), ["growing-prompt: prompt grew to 28 times the first"]);
    let session = |tokens: fn(u64) -> u64| {
        let turns = (0..12).map(|number| {
            let mut call =
                call([number + 1, 1, 0], [number * 60_000, number * 60_000 + 500], [tokens(number), 10]);
            call.attributes.set(semconv::CONVERSATION_ID, "s-1");
            vec![call]
        });
        found(&turns.collect::<Vec<_>>())
    };
    assert_eq!(
        session(|number| 1_000 + number * 2_500),
        ["growing-prompt: prompt grew to 28 times the first"]
    );
    // As a conversation does.
    assert_eq!(session(|number| 500 + number * 300), [""; 0]);
    // Bounded: it is summed up again and again.
    assert_eq!(session(|number| 2_000 + number % 4 * 9_000), [""; 0]);
}
