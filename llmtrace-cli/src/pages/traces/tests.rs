//! The list as a whole.

use std::time::Duration;

use llmtrace::{TraceId, Usd};

use super::*;
use crate::pages::testing::assert_sound;
use crate::pages::trace::testing::{HOSTILE, trace};
use crate::store::row::{Tokens, TraceRow, TraceStatus};

fn drawn(query: &str, traces: Vec<TraceRow>, facets: &[(Facet, Vec<FacetValue>)]) -> String {
    let query = Query::parse(query);
    let page = list::Page { traces, after: "7.9".parse().ok(), is_cut: true };
    let view = ListView {
        page: &page,
        sort: query.get("sort").and_then(Sort::from_name).unwrap_or_default(),
        facets,
        histogram: &OverTime::default(),
        query: &query,
        endpoint: "http://127.0.0.1:4318",
        now: Timestamp::from_unix_nanos(5),
    };
    let drawn = super::page(&view).into_string();
    assert_sound(&drawn);
    drawn
}

#[test]
fn hostile_text_stays_text() {
    let hostile = || Some(HOSTILE.to_owned());
    let row = TraceRow {
        name: HOSTILE.to_owned(),
        service: hostile(),
        session: hostile(),
        user: hostile(),
        input: hostile(),
        output: hostile(),
        status: TraceStatus::Error,
        error: hostile(),
        models: vec![HOSTILE.to_owned()],
        ..trace(&[])
    };
    let values = vec![FacetValue { value: HOSTILE.to_owned(), traces: 1 }];
    let facets = [Facet::Model, Facet::Session, Facet::Tag].map(|facet| (facet, values.clone()));
    let query = Query::default().and("q", HOSTILE).and("model", HOSTILE).href("");
    for traces in [vec![row], Vec::new()] {
        let page = drawn(query.trim_start_matches('?'), traces, &facets);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        // What was searched goes back into the box as it was.
        for raw in ["<script>", "<img"] {
            assert!(!page.contains(raw), "{raw:?} in {page}");
        }
    }
}

#[test]
fn every_filter_is_shown_and_can_be_taken_out() {
    let names = filters::FILTERS.map(|(name, _)| name);
    let query = names.iter().fold(Query::default(), |query, name| query.and(name, &format!("x{name}")));
    let query = query.and("sort", "slowest").and("after", "7.9");
    let page = drawn(query.href("").trim_start_matches('?'), vec![trace(&[])], &[]);
    for name in names {
        let without = query.without(&[name, "after"]).href("/traces").replace('&', "&amp;");
        assert!(page.contains(&format!("<a href=\"{without}\"")), "{name} in {page}");
        assert!(page.contains(&format!(">x{name}</bdi>")), "{name} in {page}");
    }
    assert!(page.contains("<a href=\"/traces?sort=slowest\">Clear all</a>"), "{page}");
}

#[test]
fn a_choice_keeps_the_rest_and_goes_to_the_first_page() {
    let value = |value: &str, traces| FacetValue { value: value.to_owned(), traces };
    let facets =
        [(Facet::Model, vec![value("a", 2), value("b/c", 1)]), (Facet::Provider, vec![value("x", 3)])];
    let page = drawn("model=a&tag=t&after=1.1&sort=oldest", vec![trace(&[])], &facets);
    let has = |text: &str| assert!(page.contains(text), "{text} in {page}");
    has("<a href=\"/traces?tag=t&amp;sort=oldest&amp;model=b%2Fc\">");
    has("<a href=\"/traces?tag=t&amp;sort=oldest\" aria-current=\"true\"><span dir=\"auto\">a</span>");
    has("<a href=\"/traces?model=a&amp;tag=t&amp;sort=oldest&amp;since=24h\">24h</a>");
    has("<a class=\"button\" href=\"/traces?model=a&amp;tag=t&amp;sort=oldest\" rel=\"first\">");
    has("<a class=\"button\" href=\"/traces?model=a&amp;tag=t&amp;sort=oldest&amp;after=7.9\" rel=\"next\"");
    has("aria-sort=\"ascending\"><a href=\"/traces?model=a&amp;tag=t\">Started ↑</a>");
    has("only the newest 10,000 matches were looked at");
    // All traces are of one provider: there is nothing to choose.
    assert!(!page.contains("<summary>Provider"), "{page}");
}

#[test]
fn figures_say_what_is_known() {
    let row = TraceRow {
        calls: 3,
        tokens: Tokens { input: Some(2_048), output: Some(36), cache_read: Some(1_024), ..Tokens::default() },
        cost: Some(Usd::from_pico(104_000_000)),
        unpriced: 1,
        is_cost_lower_bound: true,
        uncounted: 1,
        errors: 2,
        first_chunk: Some(Duration::from_millis(412)),
        status: TraceStatus::Running,
        ..trace(&[])
    };
    let other = TraceRow { trace_id: TraceId::from_bytes([2; 16]).unwrap(), ..trace(&[]) };
    let page = drawn("sort=newest", vec![row, other], &[]);
    let has = |text: &str| assert!(page.contains(text), "{text} in {page}");
    has("≥\u{202f}$0.000104");
    has("1 unpriced");
    has("≥\u{202f}2,048");
    has("50 % cached");
    has("first 412 ms");
    has("2 errors");
    has("<span class=\"muted\">running</span>");
    // What made no call has no cost, not a cost of nothing.
    assert_eq!(page.matches("$0.00").count(), 2, "{page}");
}

#[test]
fn a_trace_that_failed_says_why() {
    let row = TraceRow {
        status: TraceStatus::Error,
        error: Some("RateLimitError:\nslow down".to_owned()),
        input: Some("a question".to_owned()),
        ..trace(&[])
    };
    let page = drawn("", vec![row], &[]);
    let has = |text: &str| assert!(page.contains(text), "{text} in {page}");
    has("a question</div>");
    has("failed: </span><bdi>RateLimitError: slow down</bdi>");
}

#[test]
fn nothing_says_what_to_do() {
    let first = drawn("", Vec::new(), &[]);
    assert!(first.contains("export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318"), "{first}");
    let nothing = drawn("model=a&q=b", Vec::new(), &[]);
    for way in ["/traces?q=b\">without model a", "/traces?model=a\">without search b", "/traces\">Clear all"]
    {
        assert!(nothing.contains(way), "{way} in {nothing}");
    }
}
