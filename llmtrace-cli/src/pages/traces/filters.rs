//! Filters that are on.

use maud::{Markup, html};

use super::PATH;
use crate::pages::components::chip;
use crate::pages::components::text::{cut, line};
use crate::pages::query::Query;

/// Every filter: its name in addresses, and what it is called before its value.
pub(super) const FILTERS: [(&str, &str); 19] = [
    ("q", "search"),
    ("since", "since"),
    ("until", "until"),
    ("status", "status"),
    ("kind", "kind"),
    ("model", "model"),
    ("provider", "provider"),
    ("service", "service"),
    ("environment", "environment"),
    ("session", "session"),
    ("user", "user"),
    ("tag", "tag"),
    ("name", "span"),
    ("min_cost", "cost ≥ $"),
    ("max_cost", "cost ≤ $"),
    ("min_ms", "ms ≥"),
    ("max_ms", "ms ≤"),
    ("min_tokens", "tokens ≥"),
    ("score", "score"),
];

/// Characters of a value in a sentence.
const MAX_VALUE: usize = 60;

/// The filters that are on, with their titles and values.
pub(super) fn on(query: &Query) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
    FILTERS.iter().filter_map(|(name, title)| Some((*name, *title, query.get(name)?)))
}

/// The same state from the first page on without a filter.
pub(super) fn without(query: &Query, name: &str) -> String {
    query.without(&[name, "after"]).href(PATH)
}

/// The same state without any filter.
pub(super) fn without_all(query: &Query) -> String {
    let names: Vec<_> = FILTERS.iter().map(|(name, _)| *name).chain(["after"]).collect();
    query.without(&names).href(PATH)
}

/// The filters that are on, each with the way to take it out.
pub(super) fn chips(query: &Query) -> Markup {
    let on: Vec<_> = on(query).collect();
    html! {
        @if !on.is_empty() {
            div.row.filters role="group" aria-label="Filters that are on" {
                @for (name, title, value) in &on { (chip::filter(title, value, &without(query, name))) }
                @if on.len() > 1 { a href=(without_all(query)) { "Clear all" } }
            }
        }
    }
}

/// What a filter says, for a sentence: `model gpt-5`.
pub(super) fn words(title: &str, value: &str) -> String {
    format!("{title} {}", cut(&line(value), MAX_VALUE))
}

/// The state of the page as fields of a form that leaves out these names.
pub(super) fn hidden_fields(query: &Query, names: &[&str]) -> Markup {
    html! {
        @for (name, value) in query.without(names).without(&["after"]).pairs() {
            input type="hidden" name=(name) value=(value);
        }
    }
}
