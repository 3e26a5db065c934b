//! Tree and waterfall: one row a span, on one axis of time.

use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::axis::Axis;
use super::tree::{MAX_LEVELS, Oddity, Place, Sum};
use super::{MAX_ROWS, TraceView, path};
use crate::pages::components::figure::{Exactness, cost, duration, tokens};
use crate::pages::components::icon::{Icon, icon, kind};
use crate::pages::components::text::{cut, line};
use crate::store::row::{SpanRow, SpanStatus, TraceStatus};

/// Columns of pixels that a level of the tree takes, and where the line of a level lies in it.
const LEVEL: usize = 14;
const LINE: usize = 7;

/// Characters of a name and of an error that are written.
const MAX_NAME: usize = 200;

/// The table with the rows that the address asks for: those from `from` on, or those around the chosen span.
pub(super) fn table(view: &TraceView<'_>, places: &[Place], axis: &Axis) -> Markup {
    let chosen = view.span.map(|span| span.span_id);
    let at = places.iter().position(|place| view.spans.get(place.row).map(|row| row.span_id) == chosen);
    let asked = view.query.get("from").and_then(|from| from.parse::<usize>().ok());
    let from = asked.unwrap_or(at.unwrap_or(0) / MAX_ROWS * MAX_ROWS).min(places.len().saturating_sub(1));
    let shown = places.get(from..places.len().min(from + MAX_ROWS)).unwrap_or_default();
    html! {
        section.tree data-part="tree" aria-label="Spans" {
            (window(view, from, shown.len(), places.len()))
            table.waterfall.plain[!has_figures(view.spans)] role="treegrid" aria-label="Spans in order, with their times" {
                thead {
                    tr {
                        th.name scope="col" { "Span" (folds(shown)) }
                        th.time scope="col" { (axis.scale()) }
                        th.figure scope="col" { "Duration" }
                        th.figure.tok scope="col" { "Tokens" }
                        th.figure scope="col" { "Cost" }
                    }
                }
                tbody {
                    @for place in shown {
                        @if let Some(row) = view.spans.get(place.row) {
                            (self::row(view, place, row, axis, chosen == Some(row.span_id)))
                        }
                    }
                }
            }
            @if shown.len() < places.len() { (window(view, from, shown.len(), places.len())) }
        }
    }
}

/// Whether any span states tokens or a cost: where none does, the bars have the room of these columns.
fn has_figures(spans: &[SpanRow]) -> bool {
    spans.iter().any(|span| span.tokens.total().is_some() || span.cost.is_some())
}

/// Buttons that fold and unfold everything; a script shows them.
fn folds(shown: &[Place]) -> Markup {
    let has_levels = shown.iter().any(|place| place.depth > 1);
    html! {
        @if has_levels {
            button.quiet.fold-all type="button" hidden data-fold-all title="Fold or unfold all" aria-label="Fold or unfold all" {
                (icon(Icon::Chevron))
            }
        }
    }
}

/// Which rows of how many are shown, and the way to the others; nothing where all are.
fn window(view: &TraceView<'_>, from: usize, shown: usize, all: usize) -> Markup {
    let href = |from: usize| view.query.with("from", &from.to_string()).href(&path(view.trace.trace_id));
    let count = |count: usize| figures::count(u64::try_from(count).unwrap_or(u64::MAX));
    html! {
        @if shown < all {
            nav.pager aria-label="More spans" {
                span.muted { "Spans " (count(from + 1)) "–" (count(from + shown)) " of " (count(all)) }
                @if from > 0 {
                    a.button href=(href(from.saturating_sub(MAX_ROWS))) rel="prev" { (icon(Icon::Previous)) "Earlier" }
                }
                @if from + shown < all {
                    a.button href=(href(from + MAX_ROWS)) rel="next" { "Later" (icon(Icon::Next)) }
                }
            }
        }
    }
}

fn row(view: &TraceView<'_>, place: &Place, row: &SpanRow, axis: &Axis, chosen: bool) -> Markup {
    let failed = row.status == SpanStatus::Error;
    let id = row.span_id;
    let href = view.query.with("span", &id.to_string()).href(&path(view.trace.trace_id));
    let name = match line(&row.name) {
        name if name.is_empty() => row.kind.as_str().to_owned(),
        name => cut(&name, MAX_NAME),
    };
    html! {
        tr id={ "s-" (id) } data-row data-span=(id) data-depth=(place.depth) data-error[failed]
            aria-level=(place.depth + 1) aria-selected=[chosen.then_some("true")]
            aria-expanded=[(place.below > 0).then_some("true")] {
            td.name {
                (guides(place))
                div.node {
                    (spacer(place))
                    @if place.below == 0 && place.depth > 0 { span.leaf {} }
                    @if place.below > 0 {
                        button.twisty.quiet type="button" hidden tabindex="-1" data-fold
                            aria-label={ "Fold " (place.below) " spans below" } { (icon(Icon::Chevron)) }
                    }
                    (kind(row.kind))
                    a.title href={ (href) "#s-" (id) } data-part-link="pane" dir="auto" title=(name) { (name) }
                    (remarks(view.trace.status, place, row, &name))
                }
                @if failed { (error(place, row)) }
            }
            td.time { (axis.bar(row)) }
            td.figure { (length(row)) }
            td.figure.tok { (token_cell(place, row)) }
            td.figure { (cost_cell(place, row)) }
        }
    }
}

/// What stands after the name.
fn remarks(trace: TraceStatus, place: &Place, row: &SpanRow, name: &str) -> Markup {
    let model = row.model.as_deref().map(line).filter(|model| !name.contains(model.as_str()));
    html! {
        @if let Some(model) = model { span.model title=(model) { (cut(&model, 60)) } }
        @match row.status {
            SpanStatus::Running => span.badge.s-running { "running" },
            SpanStatus::Cancelled => span.badge.s-cancelled { "cancelled" },
            _ => {},
        }
        @match place.oddity {
            Oddity::None => {},
            Oddity::Orphan if trace == TraceStatus::Running => {
                span.badge title="Spans come when they end" { "parent not ended" }
            },
            Oddity::Orphan => span.badge.warn title="Its parent has not come" { "parent missing" },
            Oddity::Cycle => span.badge.warn title="It is its own ancestor" { "cycle" },
        }
        @if place.depth > MAX_LEVELS { span.badge title="Level in the tree" { (place.depth) } }
        @if row.end < row.start && row.status != SpanStatus::Running {
            span.badge.warn title="It ends before it starts" { "clock" }
        }
        span.folded hidden { (place.below) }
    }
}

fn error(place: &Place, row: &SpanRow) -> Markup {
    let message = row.error.as_deref().map(line).filter(|message| !message.is_empty());
    let message = message.unwrap_or_else(|| "failed".to_owned());
    html! {
        div.failure {
            (spacer(place))
            (icon(Icon::Error)) span.text title=(message) { (cut(&message, MAX_NAME)) }
        }
    }
}

/// Levels that a place is indented by.
fn levels(place: &Place) -> usize {
    place.depth.min(MAX_LEVELS)
}

/// Room for the levels above a place.
fn spacer(place: &Place) -> Markup {
    html! { svg.spacer width=(levels(place) * LEVEL) height="1" aria-hidden="true" {} }
}

/// The lines of the tree left of a name: those of ancestors that go on, and the branch to this one.
fn guides(place: &Place) -> Markup {
    let levels = levels(place);
    let x = |level: usize| level.saturating_sub(1) * LEVEL + LINE;
    let goes_on =
        |level: usize| place.lines.checked_shr(u32::try_from(level).unwrap_or(32)).unwrap_or(0) & 1 == 1;
    html! {
        svg.guides width=(levels * LEVEL) height="100%" aria-hidden="true" {
            @for level in (1..levels).filter(|level| goes_on(*level)) {
                line x1=(x(level)) x2=(x(level)) y1="0" y2="100%" {}
            }
            @if levels > 0 {
                line x1=(x(levels)) x2=(x(levels)) y1="0" y2=(if place.is_last { "14" } else { "100%" }) {}
                line x1=(x(levels)) x2=(levels * LEVEL + if place.below == 0 { LEVEL } else { 1 }) y1="14" y2="14" {}
            }
        }
    }
}

fn length(row: &SpanRow) -> Markup {
    match row.status {
        SpanStatus::Running => html! { span.muted { "…" } },
        _ if row.end < row.start => {
            html! { span.num.warn-text { "-" (figures::duration(row.start.since(row.end))) } }
        }
        _ => duration(Some(row.duration())),
    }
}

/// Tokens of the span itself, or of the calls below it, marked as a sum.
fn token_cell(place: &Place, row: &SpanRow) -> Markup {
    let own = row.tokens;
    if own.total().is_some() && (row.kind.is_model_call() || place.sum.tokens.total().is_none()) {
        let exactness = if row.is_estimated { Exactness::Estimated } else { Exactness::Exact };
        return tokens(own.input, own.output, exactness);
    }
    let sum = &place.sum;
    html! {
        @if sum.tokens.total().is_some() {
            span.sum { "Σ" (tokens(sum.tokens.input, sum.tokens.output, token_exactness(sum))) }
        }
    }
}

fn cost_cell(place: &Place, row: &SpanRow) -> Markup {
    if row.cost.is_some() && (row.kind.is_model_call() || place.sum.cost.is_none()) {
        let exactness = if row.is_cost_incomplete { Exactness::AtLeast } else { Exactness::Exact };
        return cost(row.cost, exactness);
    }
    html! {
        @if place.sum.cost.is_some() { span.sum { "Σ" (cost(place.sum.cost, cost_exactness(&place.sum))) } }
    }
}

/// How the tokens of a sum are to be taken.
pub(super) fn token_exactness(sum: &Sum) -> Exactness {
    match (sum.tokens_missing, sum.estimated) {
        (true, _) => Exactness::AtLeast,
        (false, true) => Exactness::Estimated,
        (false, false) => Exactness::Exact,
    }
}

/// How the cost of a sum is to be taken.
pub(super) fn cost_exactness(sum: &Sum) -> Exactness {
    if sum.cost_missing { Exactness::AtLeast } else { Exactness::Exact }
}
