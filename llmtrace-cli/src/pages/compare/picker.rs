//! What to compare: two traces, two times, two tags.

use llmtrace::Timestamp;
use maud::{Markup, html};

use super::PATH;
use super::asked::SIDES;
use crate::pages::components::figure::{self, Exactness};
use crate::pages::components::status::sign;
use crate::pages::components::{text, time};
use crate::pages::layout::{Page, Section};
use crate::pages::query::Query;
use crate::pages::trace;
use crate::store::row::TraceRow;

/// What can be chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    pub(crate) tags: Vec<String>,
    pub(crate) models: Vec<String>,
    pub(crate) services: Vec<String>,
    pub(crate) names: Vec<String>,
}

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PickerView<'a> {
    /// The state in the address.
    pub(crate) query: &'a Query,
    /// The trace that is chosen already.
    pub(crate) first: Option<&'a TraceRow>,
    /// Traces to choose from, those most like the first before others.
    pub(crate) traces: &'a [TraceRow],
    pub(crate) known: &'a Known,
    pub(crate) now: Timestamp,
}

/// Characters of a name and of a preview that are shown.
const MAX_NAME_CHARS: usize = 50;
const MAX_PREVIEW_CHARS: usize = 90;

/// The conditions of a side: label, and the list of what is known for it.
const CONDITIONS: [(&str, &str); 6] = [
    ("Tag", "known-tags"),
    ("Model", "known-models"),
    ("Service", "known-services"),
    ("Span name", "known-names"),
    ("From", ""),
    ("Until", ""),
];

/// The whole page.
pub(crate) fn page(view: &PickerView<'_>) -> Markup {
    let body = html! {
        h1 { "Compare" }
        @if view.first.is_none() {
            section.card.stack {
                h2 { "Two times, tags, models or services" }
                p.muted { "Their figures side by side, with what may be chance and what may not." }
                (group_forms(view.query, view.known))
            }
        }
        section.card.stack {
            @match view.first {
                Some(first) => {
                    h2 { "Compare with which trace?" }
                    p { span.letter { "A" } " " a href=(trace::path(first.trace_id)) { bdi { (text::line(&first.name)) } }
                        " " span.muted { (time::ago(first.start, view.now)) } }
                },
                None => h2 { "Two traces" },
            }
            (trace_form(view))
        }
    };
    Page::new("Compare", Section::Compare).render(&body)
}

/// The form that asks for two sets of spans, with what was asked before.
pub(super) fn group_forms(query: &Query, known: &Known) -> Markup {
    html! {
        form.group-forms action=(PATH) method="get" {
            @for (letter, names) in ["A", "B"].into_iter().zip(SIDES) {
                fieldset {
                    legend { span.letter { (letter) } }
                    div.fields.two {
                        @for ((label, list), name) in CONDITIONS.into_iter().zip(names) {
                            label { (label)
                                input name=(name) value=[query.get(name)] maxlength="200" autocomplete="off"
                                    list=[Some(list).filter(|list| !list.is_empty())]
                                    placeholder=[list.is_empty().then_some("2026-11-22T08:30:00Z or 2026-11-22")];
                            }
                        }
                    }
                }
            }
            div.row { button.primary type="submit" { "Compare" } }
            @for (id, values) in [("known-tags", &known.tags), ("known-models", &known.models),
                ("known-services", &known.services), ("known-names", &known.names)] {
                datalist id=(id) { @for value in values { option value=(value) {} } }
            }
        }
    }
}

/// Traces to choose from; without a first one, both are chosen.
fn trace_form(view: &PickerView<'_>) -> Markup {
    let first = view.first.map(|first| first.trace_id.to_string());
    html! {
        form.stack action=(PATH) method="get" {
            @if let Some(first) = &first { input type="hidden" name="a" value=(first); }
            @if view.traces.is_empty() {
                p.muted { "There is no trace to choose from yet." }
            } @else {
                div.scroll {
                    table.choose {
                        thead { tr {
                            @if first.is_none() { th scope="col" { "A" } }
                            th scope="col" { "B" }
                            @for title in ["trace", "input", "started"] { th scope="col" { (title) } }
                            @for title in ["duration", "tokens", "cost"] { th.figure scope="col" { (title) } }
                        } }
                        tbody {
                            @for (number, row) in view.traces.iter().enumerate() { (choice(view, number, row)) }
                        }
                    }
                }
                div.row { button.primary type="submit" { "Compare" } }
            }
        }
    }
}

fn choice(view: &PickerView<'_>, number: usize, row: &TraceRow) -> Markup {
    let (id, name) = (row.trace_id.to_string(), text::line(&row.name));
    let radio = |letter: &str, is_chosen: bool| {
        html! {
            td { input type="radio" name=(letter) value=(id) checked[is_chosen] required
                aria-label={ (letter.to_uppercase()) " is " (name) ", " (time::exact(row.start)) }; }
        }
    };
    let exactness = if row.is_cost_lower_bound { Exactness::AtLeast } else { Exactness::Exact };
    html! {
        tr {
            @if view.first.is_none() { (radio("a", number == 1)) }
            (radio("b", number == 0))
            td { (sign(trace::standing(row))) " "
                a href=(trace::path(row.trace_id)) title=(name) { bdi { (text::cut(&name, MAX_NAME_CHARS)) } } }
            td.preview { @if let Some(input) = &row.input { span dir="auto" { (text::cut(&text::line(input), MAX_PREVIEW_CHARS)) } } }
            td.nowrap.muted { (time::ago(row.start, view.now)) }
            td.figure { (figure::duration(Some(row.duration()))) }
            td.figure { (figure::tokens(row.tokens.input, row.tokens.output, Exactness::Exact)) }
            td.figure { (figure::cost(row.cost, exactness)) }
        }
    }
}
