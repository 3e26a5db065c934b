//! One finding.

use llmtrace::Timestamp;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::tone;
use crate::findings::{Evidence, Finding};
use crate::pages::chart::usual::usual;
use crate::pages::components::{chip, text, time};
use crate::pages::query::Query;

/// Characters of a title and of a sentence that are shown.
const MAX_TITLE_CHARS: usize = 160;
const MAX_SENTENCE_CHARS: usize = 600;

/// One finding: what it is, the evidence, and where to look.
pub(super) fn entry(finding: &Finding, now: Timestamp) -> Markup {
    let evidence = &finding.evidence;
    let title = text::cut(&text::line(&finding.title), MAX_TITLE_CHARS);
    html! {
        li.finding data-row data-error[tone(finding.severity) == "bad"] {
            div.finding-head {
                span class={ "badge " (tone(finding.severity)) } { (finding.severity.as_str()) }
                @match href(finding) {
                    Some(href) => a.finding-title href=(href) { bdi { (title) } },
                    None => span.finding-title { bdi { (title) } },
                }
                @if evidence.is_guess {
                    span.badge title="Told by words in a text, which may mean something else" { "a guess" }
                }
                span.grow {}
                span.muted { (time::ago(finding.time, now)) }
            }
            p dir="auto" { (text::cut(&text::line(&evidence.sentence), MAX_SENTENCE_CHARS)) }
            div.row.finding-foot {
                (figure(evidence))
                @if let Some(name) = &finding.name { (chip::named("span", name, &list("name", name))) }
                @if let Some(model) = &finding.model { (chip::named("model", model, &list("model", model))) }
                @if let Some(service) = &finding.service { (chip::named("service", service, &list("service", service))) }
            }
        }
    }
}

/// The span to look at, else its trace.
fn href(finding: &Finding) -> Option<String> {
    let trace = format!("/traces/{}", finding.trace_id?);
    Some(match finding.span_id {
        Some(span) => Query::default().and("span", &span.to_string()).href(&trace),
        None => trace,
    })
}

fn list(name: &str, value: &str) -> String {
    Query::default().and(name, value).href("/traces")
}

/// What was seen beside what is usual.
fn figure(evidence: &Evidence) -> Markup {
    let shown = |value: f64| evidence.unit.shown(value);
    html! {
        span.evidence {
            b { (shown(evidence.value)) }
            @if let Some(expected) = evidence.expected {
                @let range = if (expected.high - expected.low).abs() < f64::EPSILON {
                    shown(expected.high)
                } else {
                    format!("{} to {}", shown(expected.low), shown(expected.high))
                };
                (usual(evidence.value, expected.low, expected.high,
                    &format!("seen {}, usual {range}", shown(evidence.value))))
                span.muted { "usual " (range) }
            }
            @if evidence.sample > 1 { span.muted { "of " (figures::count(evidence.sample)) " spans" } }
        }
    }
}
