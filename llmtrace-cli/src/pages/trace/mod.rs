//! The page of one trace: totals, tree and waterfall in one table, and the pane of one span beside it.

pub(crate) mod axis;
mod chat;
mod facts;
mod head;
mod json;
mod messages;
mod pane;
mod part;
mod rows;
mod tabs;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod tree;
mod usage;

use llmtrace::{SpanId, SpanRecord, Timestamp, TraceId};
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::query::Query;
use crate::store::row::{SpanRow, TraceRow};
use crate::store::scores::ScoreRow;
use axis::Axis;
pub(crate) use head::standing;
use tree::{Place, tree};

/// What the page of a trace shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TraceView<'a> {
    /// What is known of the trace.
    pub(crate) trace: &'a TraceRow,
    /// What is known of its spans.
    pub(crate) spans: &'a [SpanRow],
    /// The span of the pane, in full.
    pub(crate) span: Option<&'a SpanRecord>,
    /// The scores of the trace.
    pub(crate) scores: &'a [ScoreRow],
    /// The form that adds a score to the span of the pane; empty where there is none.
    pub(crate) score_form: &'a Markup,
    /// The state of the page: `span`, `tab`, `from`.
    pub(crate) query: &'a Query,
    /// The present.
    pub(crate) now: Timestamp,
}

/// Rows that are drawn at once.
pub(crate) const MAX_ROWS: usize = 1_000;

/// The span that the pane shows: the one that the address names, else the first in tree order.
pub(crate) fn chosen_span(query: &Query, spans: &[SpanRow]) -> Option<SpanId> {
    let named = query.get("span").and_then(|id| id.parse::<SpanId>().ok());
    let named = named.filter(|id| spans.iter().any(|span| span.span_id == *id));
    named.or_else(|| {
        let first = tree(spans).first().map(|place| place.row)?;
        spans.get(first).map(|span| span.span_id)
    })
}

/// The whole page.
pub(crate) fn page(view: &TraceView<'_>) -> Markup {
    let title = super::components::text::line(&view.trace.name);
    let places = tree(view.spans);
    let body = html! {
        (head::head(view, &places))
        div.split {
            (tree_part(view, &places))
            (pane_part(view))
        }
    };
    Page::new(&title, Section::Traces).render(&body)
}

/// The part of the page that the address asks for by `part`: `tree`, `pane`, `head`; `None` if there is no such part.
pub(crate) fn part(view: &TraceView<'_>, name: &str) -> Option<Markup> {
    Some(match name {
        "tree" => tree_part(view, &tree(view.spans)),
        "pane" => pane_part(view),
        "head" => head::head(view, &tree(view.spans)),
        _ => return None,
    })
}

fn tree_part(view: &TraceView<'_>, places: &[Place]) -> Markup {
    rows::table(view, places, &Axis::of(view.spans))
}

fn pane_part(view: &TraceView<'_>) -> Markup {
    pane::pane(view)
}

/// The address of a trace's page.
pub(crate) fn path(trace: TraceId) -> String {
    format!("/traces/{trace}")
}

/// Where all of a span is downloaded as JSON.
pub(crate) fn raw_path(trace: TraceId, span: SpanId) -> String {
    format!("/traces/{trace}/spans/{span}")
}
