//! The rows of the list.

use std::time::Duration;

use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::menus::sorted;
use super::{ListView, PATH};
use crate::pages::components::figure::{Exactness, cost, duration, share, tokens};
use crate::pages::components::pager::pager;
use crate::pages::components::status::sign;
use crate::pages::components::text::{cut, line};
use crate::pages::components::time::ago;
use crate::pages::trace::{path, standing};
use crate::store::filter::Sort;
use crate::store::list::MAX_MATCHES;
use crate::store::row::{TraceRow, TraceStatus};

/// Characters that are written of a name, and of what went in and came out.
const MAX_NAME: usize = 120;
const MAX_PREVIEW: usize = 200;

/// Models that are named in a row.
const MAX_MODELS: usize = 3;

/// The list and the way to more.
pub(super) fn rows(view: &ListView<'_>) -> Markup {
    let traces = &view.page.traces;
    let is_first = view.query.get("after").is_none();
    let first = view.query.without(&["after"]).href(PATH);
    let next = view.page.after.map(|after| view.query.with("after", &after.to_string()).href(PATH));
    let shown = figures::count(u64::try_from(traces.len()).unwrap_or(u64::MAX));
    let is_live = is_first && view.sort == Sort::Newest;
    html! {
        section.list data-part="rows" data-live[is_live] aria-label="Traces" {
            @if view.page.is_cut {
                p.notice { "The search matches more; only the newest " (figures::count(MAX_MATCHES as u64))
                    " matches were looked at. Narrow it by time or another word." }
            }
            table.traces {
                thead { (head(view)) }
                tbody { @for trace in traces { (row(view, trace)) } }
            }
            (pager(&format!("{shown} traces"), (!is_first).then_some(first.as_str()), next.as_deref()))
        }
    }
}

fn head(view: &ListView<'_>) -> Markup {
    let by = |title: &str, sort: Sort| {
        let (wanted, direction) = match (view.sort, sort) {
            (Sort::Newest, Sort::Newest) => (Sort::Oldest, Some("descending")),
            (Sort::Oldest, Sort::Newest) => (Sort::Newest, Some("ascending")),
            (now, own) if now == own => (Sort::Newest, Some("descending")),
            (_, own) => (own, None),
        };
        let mark = match direction {
            Some("ascending") => " ↑",
            Some(_) => " ↓",
            None => "",
        };
        html! { th.figure scope="col" aria-sort=[direction] { a href=(sorted(view, wanted)) { (title) (mark) } } }
    };
    html! {
        tr {
            th.state scope="col" { span.visually-hidden { "Status" } }
            th.who scope="col" { "Trace" }
            th.said scope="col" { "Input and output" }
            th.model scope="col" { "Model" }
            (by("Tokens", Sort::MostTokens))
            (by("Cost", Sort::Costliest))
            (by("Latency", Sort::Slowest))
            th.figure.spans scope="col" { "Spans" }
            (by("Started", Sort::Newest))
        }
    }
}

fn row(view: &ListView<'_>, trace: &TraceRow) -> Markup {
    let name = match line(&trace.name) {
        name if name.is_empty() => "(no name)".to_owned(),
        name => cut(&name, MAX_NAME),
    };
    let failed = trace.status == TraceStatus::Error;
    html! {
        tr id={ "t-" (trace.trace_id) } data-row data-change=(trace.change) data-error[failed || trace.errors > 0] {
            td.state { (sign(standing(trace))) }
            td.who {
                a.title href=(path(trace.trace_id)) dir="auto" { (name) }
                div.sub { (belongs(trace)) }
            }
            td.said { (said(trace)) }
            td.model { (models(trace)) }
            td.figure.tok { (token_cell(trace)) }
            td.figure.cost { (cost_cell(trace)) }
            td.figure.latency { (latency(trace)) }
            td.figure.spans { (spans(trace)) }
            td.figure.when { (ago(trace.start, view.now)) }
        }
    }
}

/// The service and the session, below the name.
fn belongs(trace: &TraceRow) -> Markup {
    let parts = [&trace.service, &trace.session, &trace.user];
    let parts: Vec<_> = parts.into_iter().flatten().map(|part| cut(&line(part), 60)).collect();
    html! { bdi { (parts.join(" · ")) } }
}

/// The start of what went in, and of what came out or went wrong.
fn said(trace: &TraceRow) -> Markup {
    let shown = |text: &str| cut(&line(text), MAX_PREVIEW);
    html! {
        @if let Some(input) = &trace.input { div.in dir="auto" { (shown(input)) } }
        @if let Some(error) = &trace.error {
            div.why title=(line(error)) { span.error-text { "failed: " } bdi { (shown(error)) } }
        } @else if let Some(output) = &trace.output { div.out dir="auto" { (shown(output)) } }
    }
}

fn models(trace: &TraceRow) -> Markup {
    let more = trace.models.len().saturating_sub(MAX_MODELS);
    html! {
        @for model in trace.models.iter().take(MAX_MODELS) {
            @let model = line(model);
            div title=(model) { (cut(&model, 60)) }
        }
        @if more > 0 { div.muted { "and " (more) " more" } }
    }
}

fn token_cell(trace: &TraceRow) -> Markup {
    let exactness = match (trace.uncounted, trace.estimated) {
        (0, 0) => Exactness::Exact,
        (0, _) => Exactness::Estimated,
        _ => Exactness::AtLeast,
    };
    let counts = trace.tokens;
    let cached = counts.cache_read.filter(|cached| *cached > 0).zip(counts.input);
    html! {
        @if trace.calls > 0 || counts.total().is_some() { (tokens(counts.input, counts.output, exactness)) }
        @if let Some((cached, input)) = cached { div.sub { (share(cached, input)) " cached" } }
    }
}

fn cost_cell(trace: &TraceRow) -> Markup {
    let exactness = if trace.is_cost_lower_bound { Exactness::AtLeast } else { Exactness::Exact };
    html! {
        @if trace.calls > 0 || trace.cost.is_some() { (cost(trace.cost, exactness)) }
        @if trace.unpriced > 0 && trace.is_cost_lower_bound { div.sub { (figures::count(trace.unpriced)) " unpriced" } }
    }
}

fn latency(trace: &TraceRow) -> Markup {
    let first = trace.first_chunk.filter(|first| *first > Duration::ZERO);
    html! {
        @if trace.status == TraceStatus::Running { span.muted { "running" } }
        @else { (duration(Some(trace.duration()))) }
        @if let Some(first) = first { div.sub { "first " (figures::duration(first)) } }
    }
}

fn spans(trace: &TraceRow) -> Markup {
    html! {
        span.num { (figures::count(trace.spans)) }
        @if trace.errors > 0 {
            div.sub.error-text { (figures::count(trace.errors)) @if trace.errors == 1 { " error" } @else { " errors" } }
        }
    }
}
