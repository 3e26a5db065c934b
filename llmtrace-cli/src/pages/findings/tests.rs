use std::borrow::Cow;

use llmtrace::{SpanId, TraceId};

use super::*;
use crate::findings::{Evidence, Expected};
use crate::pages::testing::assert_sound;
use crate::unit::Unit;

fn now() -> Timestamp {
    "2026-11-22T08:30:00Z".parse().unwrap()
}

fn finding(rule: &'static str, severity: Severity, title: &str) -> Finding {
    Finding {
        id: "0123456789abcdef".to_owned(),
        rule: Cow::Borrowed(rule),
        severity,
        title: title.to_owned(),
        trace_id: TraceId::from_bytes([1; 16]),
        span_id: SpanId::from_bytes([2; 8]),
        name: Some("chat \"gpt\"".to_owned()),
        service: Some("bot".to_owned()),
        model: Some("gpt-4o".to_owned()),
        time: "2026-11-22T08:25:00Z".parse().unwrap(),
        evidence: Evidence {
            value: 9_400.0,
            unit: Unit::Ms,
            expected: Some(Expected { low: 300.0, high: 1_200.0 }),
            sample: 1_234,
            is_guess: true,
            sentence: format!("sentence of {title}"),
        },
    }
}

fn found(query: &str, findings: &[Finding]) -> String {
    let query = Query::parse(query);
    let range = Range::read(&query, now(), None);
    let view = FindingsView {
        query: &query,
        range,
        findings,
        spans: 5_000,
        is_cut: false,
        now: now(),
        endpoint: "",
        has_traces: true,
    };
    let page = page(&view).into_string();
    assert_sound(&page);
    page
}

#[test]
fn a_finding_has_its_evidence_and_a_link() {
    let page = found("", &[finding("latency-outlier", Severity::Warning, "slow")]);
    let has = |text: &str| assert!(page.contains(text), "{text} in {page}");
    has("href=\"/traces/01010101010101010101010101010101?span=0202020202020202\"");
    has("<b>9.40 s</b>");
    has("seen 9.40 s, usual 300 ms to 1.20 s");
    has("of 1,234 spans");
    has("a guess");
    has("href=\"/traces?name=chat%20%22gpt%22\"");
    has("Latency outlier");
    has("5,000 stored spans");
}

#[test]
fn filters_leave_what_they_say_and_counts_know_the_others() {
    let all = [
        finding("tool-loop", Severity::Critical, "first"),
        finding("tool-loop", Severity::Warning, "second"),
        finding("refusal", Severity::Info, "third"),
    ];
    let check = |query: &str, titles: &[&str]| {
        let page = found(query, &all);
        for title in ["first", "second", "third"] {
            assert_eq!(
                page.contains(&format!("sentence of {title}")),
                titles.contains(&title),
                "{query} {title}"
            );
        }
    };
    check("", &["first", "second", "third"]);
    check("severity=critical", &["first"]);
    check("rule=tool-loop", &["first", "second"]);
    check("rule=tool-loop&severity=warning&model=gpt-4o&service=bot", &["second"]);
    check("severity=nonsense", &["first", "second", "third"]);
    check("model=other", &[]);
    let page = found("rule=tool-loop", &all);
    for text in
        ["all 2", "critical 1", "warning 1", "info 0", "href=\"/findings\" title=\"Remove this filter\""]
    {
        assert!(page.contains(text), "{text} in {page}");
    }
}

#[test]
fn many_findings_of_a_rule_are_folded() {
    let many: Vec<_> = (0..20).map(|_| finding("refusal", Severity::Info, "said no")).collect();
    let page = found("", &many);
    assert_eq!(page.matches("sentence of said no").count(), FEW);
    assert!(page.contains("href=\"/findings?rule=refusal\">All 20 of this rule"), "{page}");
    assert_eq!(found("rule=refusal", &many).matches("sentence of said no").count(), 20);
}

#[test]
fn hostile_findings_are_text() {
    let hostile = "\"><img src=x onerror=alert(1)>\u{202e}";
    let mut finding = finding("refusal", Severity::Info, hostile);
    (finding.name, finding.model) = (Some(hostile.to_owned()), Some(hostile.to_owned()));
    let page = found("", &[finding]);
    assert!(!page.contains("<img") && !page.contains('\u{202e}'), "{page}");
}

#[test]
fn nothing_found_is_said() {
    assert!(found("", &[]).contains("Nothing stands out"));
}
