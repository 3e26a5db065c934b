//! The spans of both traces in the order of one tree.

use llmtrace::TraceId;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::messages;
use super::totals::{change, value};
use crate::compare::delta::Delta;
use crate::compare::side::SpanSide;
use crate::compare::traces::{SpanPair, TraceComparison};
use crate::pages::components::icon::kind;
use crate::pages::components::status::{Standing, sign};
use crate::pages::components::text;
use crate::pages::query::Query;

/// Characters of a name that are shown.
const MAX_NAME_CHARS: usize = 60;

/// Pixels by which a span is set in for each span that it lies in, and how often at most.
const INDENT: u32 = 14;
const MAX_DEPTH: u32 = 12;

/// Rows that are drawn.
const MAX_ROWS: usize = 1_000;

/// The figures of a row, by their names.
const FIGURES: [&str; 4] = ["duration", "input", "output", "cost"];

/// All rows, and how many are left out.
pub(super) fn table(compared: &TraceComparison) -> Markup {
    let left_out = compared.left_out + compared.rows.len().saturating_sub(MAX_ROWS) as u64;
    html! {
        div.scroll {
            table.pairs {
                thead { tr {
                    th scope="col" { "span in A" }
                    th scope="col" { "span in B" }
                    @for name in FIGURES { th.figure scope="col" { (name) } }
                } }
                tbody { @for pair in compared.rows.iter().take(MAX_ROWS) { (row(compared, pair)) } }
            }
        }
        @if left_out > 0 { p.muted { (figures::count(left_out)) " more rows are left out" } }
    }
}

fn row(compared: &TraceComparison, pair: &SpanPair) -> Markup {
    let class = match (&pair.a, &pair.b) {
        (Some(_), None) => "only-a",
        (None, Some(_)) => "only-b",
        _ => "",
    };
    let failed = [&pair.a, &pair.b].into_iter().flatten().any(|side| side.status == "error");
    html! {
        tr class=(class) data-row data-error[failed] {
            (cell(pair.depth, pair.a.as_ref(), compared.a.trace_id, "only in B"))
            (cell(pair.depth, pair.b.as_ref(), compared.b.trace_id, "only in A"))
            @for name in FIGURES { (figure(pair.deltas.iter().find(|delta| delta.name == name))) }
        }
        @if let Some(diff) = &pair.messages {
            tr.diff-row { td colspan="6" {
                details {
                    summary { "Messages of " bdi { (name(pair)) } ": " b { (messages::summary(diff)) } }
                    (messages::messages(diff))
                }
            } }
        }
    }
}

fn name(pair: &SpanPair) -> String {
    let side = pair.b.as_ref().or(pair.a.as_ref());
    side.map_or_else(String::new, |side| text::cut(&text::line(&side.name), MAX_NAME_CHARS))
}

fn cell(depth: u32, side: Option<&SpanSide>, trace: TraceId, missing: &str) -> Markup {
    let indent = depth.min(MAX_DEPTH) * INDENT;
    html! {
        td.span-cell {
            @if indent > 0 { svg.indent width=(indent) height="1" aria-hidden="true" {} }
            @match side {
                Some(side) => {
                    @let href = Query::default().and("span", &side.span_id.to_string()).href(&format!("/traces/{trace}"));
                    @let name = text::line(&side.name);
                    (kind(side.kind))
                    a href=(href) title=(name) { bdi { (text::cut(&name, MAX_NAME_CHARS)) } }
                    @if side.status == "error" { (sign(Standing::Error)) }
                    @if let Some(model) = side.model.as_ref().filter(|model| !side.name.contains(model.as_str())) { " " span.muted { (text::cut(&text::line(model), MAX_NAME_CHARS)) } }
                    @if let Some(message) = &side.status_message {
                        div.error-text { (text::cut(&text::line(message), 160)) }
                    }
                },
                None => span.none { (missing) },
            }
        }
    }
}

fn figure(delta: Option<&Delta>) -> Markup {
    html! {
        td.figure {
            @if let Some(delta) = delta {
                @match (delta.a, delta.b) {
                    (Some(_), Some(_)) => {
                        @if delta.change() == Some(0.0) { (value(delta.a, delta.unit)) }
                        @else { (value(delta.a, delta.unit)) span.arrow { " → " } (value(delta.b, delta.unit)) }
                        div { (change(delta)) }
                    },
                    (one, other) => (value(one.or(other), delta.unit)),
                }
            }
        }
    }
}
