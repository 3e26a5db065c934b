//! What stands out, with the evidence.

mod counts;
mod entry;

use llmtrace::Timestamp;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::components::empty::{empty, first_trace};
use super::components::menu::{choices, segments};
use super::components::{chip, text};
use super::layout::{Page, Section};
use super::query::Query;
use super::range::{Chosen, Range, presets};
use crate::findings::{Finding, Severity, about};
use counts::Filter;

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FindingsView<'a> {
    /// The state in the address.
    pub(crate) query: &'a Query,
    pub(crate) range: Range,
    /// All that was found in that time, what matters most first.
    pub(crate) findings: &'a [Finding],
    /// How many spans were looked at.
    pub(crate) spans: u64,
    /// Whether there were more spans than were looked at.
    pub(crate) is_cut: bool,
    pub(crate) now: Timestamp,
    /// Where traces are sent to, such as `http://127.0.0.1:4318`.
    pub(crate) endpoint: &'a str,
    pub(crate) has_traces: bool,
}

/// Where the page stands.
pub(crate) const PATH: &str = "/findings";

/// Findings of a rule that are shown where all rules are.
const FEW: usize = 8;

/// Findings of a rule that are shown at most.
const MANY: usize = 500;

/// The whole page.
pub(crate) fn page(view: &FindingsView<'_>) -> Markup {
    Page::new("Findings", Section::Findings).render(&body(view))
}

/// The part that is loaded again when there is something new.
pub(crate) fn part(view: &FindingsView<'_>, name: &str) -> Option<Markup> {
    (name == "findings").then(|| body(view))
}

fn body(view: &FindingsView<'_>) -> Markup {
    if !view.has_traces {
        return html! { h1 { "Findings" } (first_trace(view.endpoint)) };
    }
    let filter = Filter::read(view.query);
    let shown: Vec<_> = view.findings.iter().filter(|finding| filter.lets_through(finding)).collect();
    html! {
        div.stack data-part="findings" data-refresh[view.range.chosen != Chosen::Between] {
            div.row {
                h1.grow { "Findings" }
                (presets(view.query, PATH, view.range.chosen))
            }
            (filters(view, &filter))
            p.muted {
                "Told from " (figures::count(view.spans)) " stored spans"
                @if view.is_cut { "; there are more, of which the newest were taken" }
                "."
            }
            @if shown.is_empty() { (nothing(view)) } @else { (groups(view, &filter, &shown)) }
        }
    }
}

fn filters(view: &FindingsView<'_>, filter: &Filter) -> Markup {
    html! {
        div.row {
            (segments("Severity", &counts::severities(view, filter)))
            (choices("Rule", &counts::rules(view, filter)))
            (choices("Model", &counts::models(view, filter)))
            (choices("Service", &counts::services(view, filter)))
            @for (name, value) in filter.set() {
                (chip::filter(name, value, &view.query.without(&[name]).href(PATH)))
            }
        }
    }
}

/// The findings rule by rule, in the order of the first of each.
fn groups(view: &FindingsView<'_>, filter: &Filter, shown: &[&Finding]) -> Markup {
    let mut rules: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in shown {
        match rules.iter_mut().find(|(rule, _)| *rule == finding.rule) {
            Some((_, findings)) => findings.push(finding),
            None => rules.push((&finding.rule, vec![finding])),
        }
    }
    let most = if filter.rule.is_some() { MANY } else { FEW };
    html! {
        @for (rule, findings) in rules {
            section.rule aria-labelledby={ "rule-" (rule) } {
                div.row {
                    h2 id={ "rule-" (rule) } { (words(rule)) }
                    span.muted { (figures::count(findings.len() as u64)) }
                    @for severity in SEVERITIES { (counted(severity, &findings)) }
                    @if let Some(about) = about(rule) { span.muted { (about) } }
                }
                ol.findings { @for finding in findings.iter().take(most) { (entry::entry(finding, view.now)) } }
                @if findings.len() > most {
                    a href=(view.query.with("rule", rule).href(PATH)) { "All " (figures::count(findings.len() as u64)) " of this rule" }
                }
            }
        }
    }
}

/// What matters most comes first.
const SEVERITIES: [Severity; 3] = [Severity::Critical, Severity::Warning, Severity::Info];

fn counted(severity: Severity, findings: &[&Finding]) -> Markup {
    let count = findings.iter().filter(|finding| finding.severity == severity).count();
    html! {
        @if count > 0 && count < findings.len() {
            span class={ "badge " (tone(severity)) } { (count) " " (severity.as_str()) }
        }
    }
}

/// The class of a severity's badge.
fn tone(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "bad",
        Severity::Warning => "warn",
        Severity::Info => "",
    }
}

/// The name of a rule as words: `Tool loop`.
fn words(rule: &str) -> String {
    let words = text::line(rule).replace('-', " ");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn nothing(view: &FindingsView<'_>) -> Markup {
    if view.findings.is_empty() {
        return empty(
            "Nothing stands out",
            &html! { p { "No rule found anything in " (view.range.words()) "." } },
        );
    }
    let all = view.query.without(&["rule", "severity", "model", "service"]).href(PATH);
    empty("Nothing of this kind", &html! { p { a.button href=(all) { "All findings" } } })
}

#[cfg(test)]
mod tests;
