//! Two traces side by side.

use llmtrace::Timestamp;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::{PATH, rows, totals};
use crate::compare::side::TraceSide;
use crate::compare::traces::TraceComparison;
use crate::pages::components::{chip, text, time};
use crate::pages::layout::{Page, Section};
use crate::pages::query::Query;

/// Characters of a name that are shown.
const MAX_NAME_CHARS: usize = 80;

/// The whole page.
pub(crate) fn page(compared: &TraceComparison, now: Timestamp) -> Markup {
    let (a, b) = (compared.a.trace_id.to_string(), compared.b.trace_id.to_string());
    let swapped = Query::default().and("a", &b).and("b", &a).href(PATH);
    let body = html! {
        div.row {
            h1.grow { "Compare" }
            a.button href=(swapped) { "Swap A and B" }
            a.button href=(Query::default().and("a", &a).href(PATH)) { "Another B" }
            a.button href=(PATH) { "Something else" }
        }
        div.sides {
            (side("A", &compared.a, now))
            (side("B", &compared.b, now))
        }
        (totals::table(&compared.totals))
        h2 { "Span by span" }
        (rows::table(compared))
    };
    Page::new("Compare", Section::Compare).render(&body)
}

fn side(letter: &str, side: &TraceSide, now: Timestamp) -> Markup {
    let name = text::line(&side.name);
    html! {
        section class={ "card side is-" (letter.to_lowercase()) } {
            div.row {
                span.letter { (letter) }
                h2.grow { a href={ "/traces/" (side.trace_id) } title=(name) { bdi { (text::cut(&name, MAX_NAME_CHARS)) } } }
                span.muted { (time::ago(side.start, now)) }
            }
            div.row {
                span { (figures::count(side.spans)) (if side.spans == 1 { " span" } else { " spans" }) }
                span { (figures::count(side.calls)) (if side.calls == 1 { " call" } else { " calls" }) }
                @if side.errors > 0 {
                    span.error-text { (figures::count(side.errors)) (if side.errors == 1 { " error" } else { " errors" }) }
                }
                @if side.figures.cost_is_lower_bound { span.muted { "cost is a lower bound" } }
                @if side.figures.tokens_are_lower_bound { span.muted { "tokens are a lower bound" } }
            }
            div.row {
                @if let Some(service) = &side.service { (chip::named("service", service, &list("service", service))) }
                @for model in &side.models { (chip::named("model", model, &list("model", model))) }
            }
        }
    }
}

fn list(name: &str, value: &str) -> String {
    Query::default().and(name, value).href("/traces")
}
