//! What stands above the tree: the trace and its totals.

use std::time::Duration;

use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::TraceView;
use super::rows::{cost_exactness, token_exactness};
use super::tree::{Place, Sum};
use crate::pages::components::chip;
use crate::pages::components::figure::{self, Exactness};
use crate::pages::components::status::{Standing, badge};
use crate::pages::components::text::{copy, cut, line};
use crate::pages::components::time::{ago, moment};
use crate::pages::query::{Query, encoded};
use crate::store::row::{Tokens, TraceRow, TraceStatus};

/// Characters of a trace's name that are shown.
const MAX_NAME: usize = 160;

/// The head of the page.
pub(super) fn head(view: &TraceView<'_>, places: &[Place]) -> Markup {
    let trace = view.trace;
    let id = trace.trace_id.to_string();
    let roots = places.iter().filter(|place| place.depth == 0).map(|place| &place.sum);
    let sum = Sum::of_all(roots);
    html! {
        header.trace-head data-part="head" data-live[trace.status == TraceStatus::Running] {
            div.row {
                (badge(standing(trace)))
                h1 dir="auto" { (cut(&line(&trace.name), MAX_NAME)) }
                code.id { (id) }
                (copy(&id, "trace id"))
                span.grow {}
                div.row {
                    a.button href={ "/compare?a=" (id) } { "Compare" }
                    a.button href={ "/api/traces/" (id) } { "JSON" }
                }
            }
            div.row.chips { (chips(trace)) }
            dl.tiles { (tiles(view, &sum)) }
        }
    }
}

/// How a trace stands.
pub(crate) fn standing(trace: &TraceRow) -> Standing {
    match trace.status {
        TraceStatus::Ok => Standing::Ok,
        TraceStatus::Error => Standing::Error,
        TraceStatus::Running => Standing::Running,
        TraceStatus::Incomplete => Standing::Incomplete,
    }
}

/// What the trace belongs to; each leads to its likes.
fn chips(trace: &TraceRow) -> Markup {
    let list = |name: &str, value: &str| Query::default().and(name, value).href("/traces");
    html! {
        @if let Some(service) = &trace.service { (chip::named("service", service, &list("service", service))) }
        @if let Some(name) = &trace.environment { (chip::named("environment", name, &list("environment", name))) }
        @if let Some(session) = &trace.session {
            (chip::named("session", session, &format!("/sessions/{}", encoded(session))))
        }
        @if let Some(user) = &trace.user { (chip::named("user", user, &list("user", user))) }
        @for model in &trace.models { (chip::named("model", model, &list("model", model))) }
        @for tag in &trace.tags { (chip::named("tag", tag, &list("tag", tag))) }
    }
}

fn tiles(view: &TraceView<'_>, sum: &Sum) -> Markup {
    let trace = view.trace;
    let tile = |name: &str, figure: &Markup| html! { div { dt { (name) } dd { (figure) } } };
    let exactness = token_exactness(sum);
    let running = trace.status == TraceStatus::Running;
    html! {
        (tile("Duration", &html! {
            (figure::duration(Some(trace.duration()))) @if running { small { " so far" } }
        }))
        @if let Some(first) = trace.first_chunk { (tile("First chunk", &figure::duration(Some(first)))) }
        @if sum.calls > 0 || sum.cost.is_some() || sum.tokens.total().is_some() {
            (tile("Cost", &html! {
                (figure::cost(sum.cost, cost_exactness(sum)))
                @if trace.unpriced > 0 && trace.is_cost_lower_bound { small { " " (figures::count(trace.unpriced)) " unpriced" } }
            }))
            (tile("Input", &input(&sum.tokens, exactness)))
            (tile("Output", &output(&sum.tokens, exactness)))
            (tile("Calls", &figure::count(Some(sum.calls), Exactness::Exact)))
        }
        (tile("Spans", &figure::count(Some(trace.spans), Exactness::Exact)))
        (tile("Errors", &html! {
            span.error-text[sum.errors > 0] { (figures::count(sum.errors)) }
        }))
        (tile("Started", &html! { (ago(trace.start, view.now)) small { " " (moment(trace.start)) } }))
    }
}

/// Input tokens with the shares that a cache served or took.
fn input(tokens: &Tokens, exactness: Exactness) -> Markup {
    let shares = [(tokens.cache_read, "cached"), (tokens.cache_write, "written")];
    html! { (figure::count(tokens.input, exactness)) (parts(tokens.input, &shares)) }
}

fn output(tokens: &Tokens, exactness: Exactness) -> Markup {
    html! { (figure::count(tokens.output, exactness)) (parts(tokens.output, &[(tokens.reasoning, "reasoning")])) }
}

/// Parts of a count that are known and not nothing: `1,024 cached (50%)`.
fn parts(whole: Option<u64>, parts: &[(Option<u64>, &str)]) -> Markup {
    let parts = parts.iter().filter_map(|(part, name)| Some((part.filter(|part| *part > 0)?, name)));
    html! {
        @for (part, name) in parts {
            small {
                " " (figures::count(part)) " " (name)
                @if let Some(whole) = whole { " (" (figure::share(part, whole)) ")" }
            }
        }
    }
}

/// The time from one moment to another as `+1.24 s`.
pub(super) fn offset(since: Duration) -> String {
    format!("+{}", figures::duration(since))
}
