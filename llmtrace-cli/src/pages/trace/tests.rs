//! The page of a trace as a whole.

use llmtrace::{
    Event, Link, Message, ObservationKind, Part, Role, Score, SpanRecord, Status, Usd, Value, semconv,
};
use maud::html;
use serde_json::json;

use super::tabs::Tab;
use super::testing::{HOSTILE, span, trace};
use super::*;
use crate::pages::testing::assert_sound;
use crate::store::row::SpanStatus;
use crate::store::scores::ScoreSource;

/// A page with a span in its pane.
fn drawn(trace: &TraceRow, spans: &[SpanRow], record: Option<&SpanRecord>, query: &str) -> String {
    let span_id = spans[0].span_id;
    let score = ScoreRow {
        trace_id: trace.trace_id,
        span_id,
        name: HOSTILE.to_owned(),
        value: f64::NAN,
        comment: Some(HOSTILE.to_owned()),
        source: ScoreSource::Added,
        time: Timestamp::default(),
    };
    let view = TraceView {
        trace,
        spans,
        span: record,
        scores: &[score],
        score_form: &html! { form #score {} },
        query: &Query::parse(query),
        now: Timestamp::from_unix_nanos(5),
    };
    let drawn = page(&view).into_string();
    assert_sound(&drawn);
    drawn
}

fn record(row: &SpanRow) -> SpanRecord {
    let trace_id = TraceId::from_bytes([1; 16]).unwrap();
    SpanRecord::new(trace_id, row.span_id, row.name.clone(), row.kind, row.start, row.end)
}

#[test]
fn hostile_text_stays_text_in_every_tab() {
    let hostile = || HOSTILE.to_owned();
    let row = SpanRow {
        name: hostile(),
        error: Some(hostile()),
        model: Some(hostile()),
        status: SpanStatus::Error,
        kind: ObservationKind::Generation,
        ..span(1, 0)
    };
    let all = TraceRow {
        name: hostile(),
        service: Some(hostile()),
        environment: Some(hostile()),
        session: Some(hostile()),
        user: Some(hostile()),
        tags: vec![hostile()],
        models: vec![hostile()],
        ..trace(std::slice::from_ref(&row))
    };
    let mut span = record(&row);
    span.status = Status::error(HOSTILE);
    span.attributes.set(HOSTILE, HOSTILE);
    span.attributes.set("__proto__", Value::Json(json!({ HOSTILE: [HOSTILE, {"a": HOSTILE}] })));
    for key in [semconv::TOOL_CALL_ARGUMENTS, semconv::RETRIEVAL_DOCUMENTS, semconv::PROMPT_NAME] {
        span.attributes.set(key, HOSTILE);
    }
    span.attributes.set(semconv::TOOL_DEFINITIONS, json!([{ "name": HOSTILE }]).to_string());
    let parts = vec![Part::text(HOSTILE), Part::tool_call(Some(hostile()), HOSTILE, HOSTILE)];
    let mut message = Message::new(Role::Other(hostile()), parts);
    message.name = Some(hostile());
    span.input = vec![message];
    span.output = vec![Message::assistant(HOSTILE).with_finish_reason(HOSTILE)];
    span.events.push(Event::new(HOSTILE, span.start, span.attributes.clone()));
    span.links.push(Link::new(span.trace_id, span.span_id));
    span.scores.push(Score::new(HOSTILE, 1.0));
    for tab in Tab::ALL {
        let page = drawn(&all, std::slice::from_ref(&row), Some(&span), &format!("tab={}", tab.as_str()));
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", tab.as_str());
        for raw in ["<script>", "<img", "\u{202e}", "\0"] {
            assert!(!page.contains(raw), "{raw:?} in {}", tab.as_str());
        }
    }
}

#[test]
fn headings_lead_from_the_trace_to_the_span() {
    let row = SpanRow { kind: ObservationKind::Generation, ..span(1, 0) };
    let mut span = record(&row);
    span.input = vec![Message::user("Why?")];
    let page = drawn(&trace(std::slice::from_ref(&row)), &[row], Some(&span), "");
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} in {page}"));
    assert!(at("<h1") < at("<h2 dir") && at("<h2 dir") < at("<h3>Input"));
    assert_eq!(page.matches("<h1").count(), 1);
}

#[test]
fn a_large_trace_is_drawn_in_windows() {
    let rows: Vec<_> = (1..=2_500).map(|id| span(id, u64::from(id > 1))).collect();
    let check = |query: &str, first: u64, drawn_rows: usize, links: &[&str]| {
        let query = Query::parse(query);
        let chosen = chosen_span(&query, &rows).unwrap();
        let found = record(rows.iter().find(|row| row.span_id == chosen).unwrap());
        let page = drawn(&trace(&rows), &rows, Some(&found), query.href("").trim_start_matches('?'));
        assert_eq!(page.matches("<tr id=\"s-").count(), drawn_rows, "{query:?}");
        let start = page.find("<tr id=\"s-").unwrap();
        assert!(page[start..].starts_with(&format!("<tr id=\"s-{first:016x}\"")), "{query:?}");
        for link in links {
            assert!(page.contains(&format!("href=\"{}", link.replace("TRACE", &"01".repeat(16)))), "{link}");
        }
    };
    check("", 1, 1_000, &["/traces/TRACE?from=1000\""]);
    check("from=1000", 1_001, 1_000, &["/traces/TRACE?from=0\"", "/traces/TRACE?from=2000\""]);
    check("span=0000000000000802", 2_001, 500, &[]);
    check("from=99999", 2_500, 1, &[]);
    check("from=-1&span=nonsense", 1, 1_000, &[]);
}

#[test]
fn odd_spans_say_so() {
    let at = Timestamp::from_unix_nanos;
    let rows = [
        span(1, 9),
        span(2, 2),
        SpanRow { status: SpanStatus::Running, end: at(0), ..span(3, 1) },
        SpanRow { start: at(50), end: at(20), ..span(4, 1) },
        SpanRow { status: SpanStatus::Cancelled, ..span(5, 1) },
        SpanRow { cost: "0.0000123".parse::<Usd>().ok(), is_cost_incomplete: true, ..span(6, 1) },
    ];
    let page = drawn(&trace(&rows), &rows, None, "");
    for said in ["parent missing", "cycle", "running", "clock", "-30 ns", "cancelled", "≥\u{202f}$0.0000123"]
    {
        assert!(page.contains(said), "{said} in {page}");
    }
    assert!(page.contains("This span is not here."));
}
