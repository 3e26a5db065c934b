//! The pane of one span.

use std::time::Duration;

use llmtrace::{SpanRecord, Status};
use maud::{Markup, html};

use super::axis::Axis;
use super::head::offset;
use super::tabs::{Tab, tabs};
use super::{TraceView, facts, messages, raw_path};
use crate::pages::circuit::{circuit_path, graph_of};
use crate::pages::components::figure::duration;
use crate::pages::components::icon::{Icon, icon, kind};
use crate::pages::components::status::{Standing, badge};
use crate::pages::components::text::{copy, cut, line, lines};
use crate::pages::components::time::exact;
use crate::store::row::{SpanRow, SpanStatus};

/// Characters of a name and of an error that are shown.
const MAX_NAME: usize = 160;
const MAX_ERROR_BYTES: usize = 4_000;

/// The pane of the chosen span.
pub(super) fn pane(view: &TraceView<'_>) -> Markup {
    html! {
        section.pane data-part="pane" data-span=[view.span.map(|span| span.span_id)] aria-label="The chosen span" tabindex="-1" {
            @if let Some(span) = view.span {
                @let tab = Tab::chosen(view, span);
                (head(view, span))
                (tabs(view, span, tab))
                div.tab { (body(view, span, tab)) }
            } @else {
                p.muted { "This span is not here." }
            }
        }
    }
}

fn body(view: &TraceView<'_>, span: &SpanRecord, tab: Tab) -> Markup {
    let whole = raw_path(span.trace_id, span.span_id);
    match tab {
        Tab::Messages => messages::messages(span, &whole),
        Tab::Attributes => facts::attributes(span, &whole),
        Tab::Events => facts::events(span, &whole),
        Tab::Scores => facts::scores(view, span),
        Tab::Raw => facts::raw(span, &whole),
    }
}

fn head(view: &TraceView<'_>, span: &SpanRecord) -> Markup {
    let row = view.spans.iter().find(|row| row.span_id == span.span_id);
    let (id, standing) = (span.span_id.to_string(), standing(span, row));
    html! {
        header.pane-head {
            div.row {
                (kind(span.kind))
                h2 dir="auto" { (cut(&line(&span.name), MAX_NAME)) }
                @if standing != Standing::Unset { (badge(standing)) }
                span.grow {}
                code.id { (id) }
                button.copy.quiet type="button" hidden data-copy=(id) data-copy-id title="Copy span id (c)" aria-label="Copy span id" {
                    (icon(Icon::Copy))
                }
            }
            p.pane-facts { (times(view, span, row)) }
            @if graph_of(span).is_some() {
                p { a.button href=(circuit_path(span.trace_id, span.span_id)) { "Circuit: how the answer came about" } }
            }
            @if let Some(error) = failure(span) { (error) }
        }
    }
}

fn standing(span: &SpanRecord, row: Option<&SpanRow>) -> Standing {
    match row.map(|row| row.status) {
        Some(SpanStatus::Running) => Standing::Running,
        _ => Standing::from(&span.status),
    }
}

/// When it was, how long it took, which model it was.
fn times(view: &TraceView<'_>, span: &SpanRecord, row: Option<&SpanRow>) -> Markup {
    let running = row.is_some_and(|row| row.status == SpanStatus::Running);
    let first = span.time_to_first_chunk().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let since = Axis::of(view.spans).offset(span.start);
    html! {
        @if !running { span { (duration(Some(span.duration()))) } }
        @if let Some(first) = first { span { span.muted { "first chunk " } (duration(Some(first))) } }
        @if let Some(model) = span.model() { span { (cut(&line(model), 80)) } }
        @if let Some(provider) = span.provider() { span.muted { (cut(&line(provider), 60)) } }
        @if !since.is_zero() {
            span.muted title={ (exact(span.start)) ", this long after the start of the trace" } { (offset(since)) }
        }
    }
}

/// What went wrong.
fn failure(span: &SpanRecord) -> Option<Markup> {
    let Status::Error { message } = &span.status else { return None };
    let end = (0..=MAX_ERROR_BYTES.min(message.len())).rev().find(|end| message.is_char_boundary(*end));
    let shown = message.get(..end.unwrap_or(0)).unwrap_or_default();
    let said = if message.is_empty() { "It failed, and does not say why." } else { shown };
    Some(html! {
        div.notice.bad {
            (icon(Icon::Error))
            div.text dir="auto" { (lines(said)) @if shown.len() < message.len() { "…" } }
            (copy(shown, "error"))
        }
    })
}
