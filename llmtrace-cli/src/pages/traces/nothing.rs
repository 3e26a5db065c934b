//! What stands where there are no traces.

use maud::{Markup, html};

use super::filters::{on, without, without_all, words};
use super::{ListView, PATH};
use crate::pages::components::empty::{empty, first_trace};

/// Nothing is stored: how to send a first trace. New ones appear by themselves.
pub(super) fn stored(view: &ListView<'_>) -> Markup {
    html! { section data-part="rows" data-live data-first { (first_trace(view.endpoint)) } }
}

/// Nothing is let through: which filter to take out.
pub(super) fn matching(view: &ListView<'_>) -> Markup {
    let on: Vec<_> = on(view.query).collect();
    let body = html! {
        @if on.is_empty() {
            p { "There is nothing on this page of the list." }
            p { a.button href=(PATH) { "The newest traces" } }
        } @else {
            p { @if on.len() == 1 { "No trace has this. " } @else { "No trace has all of this. " } "Take out a filter:" }
            div.row {
                @for (name, title, value) in &on {
                    a.button href=(without(view.query, name)) { "without " (words(title, value)) }
                }
                @if on.len() > 1 { a.button.primary href=(without_all(view.query)) { "Clear all" } }
            }
        }
    };
    html! { section data-part="rows" data-live { (empty("Nothing matches", &body)) } }
}
