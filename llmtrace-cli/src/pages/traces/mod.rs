//! The list of traces: filters that live in the address, a histogram, rows, and word of new ones.

mod filters;
mod histogram;
mod menus;
mod nothing;
mod rows;
#[cfg(test)]
mod tests;

use llmtrace::Timestamp;
use maud::{Markup, html};

use super::layout::{Page, Section};
use super::query::Query;
use crate::store::facets::{Facet, FacetValue};
use crate::store::filter::Sort;
use crate::store::list;
use crate::store::over_time::OverTime;

/// What the list shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListView<'a> {
    /// The traces.
    pub(crate) page: &'a list::Page,
    /// The order they are in.
    pub(crate) sort: Sort,
    /// What traces can be filtered by, and how many have which value.
    pub(crate) facets: &'a [(Facet, Vec<FacetValue>)],
    /// Traces over the time that is shown; empty where nobody counted.
    pub(crate) histogram: &'a OverTime,
    /// The state of the page: filters, `sort`, `after`.
    pub(crate) query: &'a Query,
    /// Where programs send traces to, such as `http://127.0.0.1:4318`.
    pub(crate) endpoint: &'a str,
    /// The present.
    pub(crate) now: Timestamp,
}

/// Where the page is.
pub(crate) const PATH: &str = "/traces";

/// The whole page.
pub(crate) fn page(view: &ListView<'_>) -> Markup {
    let search = view.query.get("q").unwrap_or_default();
    let title = if search.is_empty() { "Traces".to_owned() } else { format!("{search} – Traces") };
    let is_first_visit = view.query.is_empty() && view.page.traces.is_empty();
    let body = html! {
        h1.visually-hidden { "Traces" }
        @if is_first_visit {
            (nothing::stored(view))
        } @else {
            (menus::menus(view))
            (filters::chips(view.query))
            (histogram_part(view))
            (list_part(view))
        }
    };
    Page::new(&title, Section::Traces).searching(search).render(&body)
}

/// The part of the page that the address asks for by `part`: `rows`, `histogram`; `None` if there is no such part.
pub(crate) fn part(view: &ListView<'_>, name: &str) -> Option<Markup> {
    Some(match name {
        "rows" => list_part(view),
        "histogram" => histogram_part(view),
        _ => return None,
    })
}

fn list_part(view: &ListView<'_>) -> Markup {
    if view.page.traces.is_empty() { nothing::matching(view) } else { rows::rows(view) }
}

fn histogram_part(view: &ListView<'_>) -> Markup {
    histogram::histogram(view.histogram, view.query)
}
