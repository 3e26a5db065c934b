//! Explanations in the trace.

use std::sync::Arc;

use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, SpanRecord, Value, generation};
use llmtrace_lens::explain::{Game, LeaveOneOut, Parts, Shapley, trace};

fn parts() -> Parts {
    Parts::words("secret Dallas")
}

fn figure(span: &SpanRecord, key: &str) -> Option<f64> {
    span.attributes.get(key).and_then(Value::as_f64)
}

#[test]
fn a_run_is_a_span_of_what_it_explains_with_the_calls_below_it() {
    let recording = Recording::start();
    recording.run(|| {
        let answer = generation!("answer");
        let game = Game::new(&parts(), |prompt| {
            generation!("call").in_scope(|| ());
            if prompt.contains("Dallas") { 1.0 } else { 0.25 }
        });
        let game = game.of_span(&answer);
        let attribution = game.explain(&Shapley).unwrap();
        game.judge(&attribution).unwrap();
        attribution.record_on(&answer);
    });
    assert_eq!(
        recording.tree(),
        "\
answer [generation]
  explain by exact_shapley [evaluator]
    call [generation]
    call [generation]
    call [generation]
    call [generation]
  judge exact_shapley [evaluator]
"
    );
    for name in ["explain by exact_shapley", "answer"] {
        let span = recording.span(name);
        assert_eq!(span.attributes.get_str(trace::METHOD), Some("exact_shapley"));
        assert_eq!(span.attributes.get_str(trace::MASKING), Some("masked parts deleted"));
        assert_eq!(figure(&span, trace::BASE_VALUE), Some(0.25));
        assert_eq!(figure(&span, trace::FULL_VALUE), Some(1.0));
        assert_eq!(figure(&span, trace::SUM_GAP), Some(0.0));
        assert_eq!(figure(&span, trace::CALLS), Some(4.0));
    }
    let explained = recording.span("explain by exact_shapley");
    let json: serde_json::Value = serde_json::from_str(&explained.output[0].text()).unwrap();
    assert_eq!(json["parts"][1]["label"], "Dallas");
    assert_eq!(explained.input[0].text(), "secret Dallas");
    let judged = recording.span("judge exact_shapley");
    assert!(judged.scores.iter().any(|score| score.name == "explain.comprehensiveness" && score.value > 0.0));
}

#[test]
fn without_content_there_are_figures_and_no_words() {
    let recording = Recording::with(|builder| builder.content(ContentPolicy::Omit));
    recording.run(|| Game::new(&parts(), |prompt| prompt.contains("Dallas")).explain(&LeaveOneOut).unwrap());
    let span = recording.span("explain by leave_one_out");
    assert_eq!(figure(&span, trace::FULL_VALUE), Some(1.0));
    let all = format!("{span:?}");
    assert!(!all.contains("secret") && !all.contains("Dallas"), "{all}");
}

#[test]
fn failures_end_the_span_with_an_error() {
    let recording = Recording::start();
    recording.run(|| {
        let game = Game::new(&parts(), |_| Err::<f64, _>("no network"));
        game.explain(&LeaveOneOut).unwrap_err();
        Game::new(&parts(), |_| f64::NAN).explain(&LeaveOneOut).unwrap_err();
    });
    assert_eq!(
        recording.tree(),
        "explain by leave_one_out [evaluator] error: no network\nexplain by leave_one_out [evaluator] error: the score is NaN\n"
    );
}

#[test]
fn without_a_subscriber_nothing_changes() {
    let shared = Arc::new(());
    let attribution = Game::new(&parts(), move |prompt| {
        let _ = &shared;
        prompt.contains("Dallas")
    });
    let attribution = attribution.explain(&Shapley).unwrap();
    attribution.record_on(&tracing::Span::none());
    assert_eq!(attribution.values(), [0.0, 1.0]);
}
