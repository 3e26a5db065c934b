//! Chips: short values in a frame, and filters that can be taken out.

use maud::{Markup, html};

use super::icon::{Icon, icon};
use super::text;

/// Characters of a chip that are shown.
const MAX_CHARS: usize = 48;

/// A short value that leads somewhere.
pub(crate) fn link(value: &str, href: &str) -> Markup {
    let value = text::line(value);
    html! { a.chip href=(href) title=(value) dir="auto" { (text::cut(&value, MAX_CHARS)) } }
}

/// A name and a value that leads somewhere, such as a session.
pub(crate) fn named(name: &str, value: &str, href: &str) -> Markup {
    let value = text::line(value);
    html! {
        a.chip href=(href) title={ (name) ": " (value) } {
            span.chip-name { (name) } bdi { (text::cut(&value, MAX_CHARS)) }
        }
    }
}

/// A filter that is on; `without` is the page without it.
pub(crate) fn filter(name: &str, value: &str, without: &str) -> Markup {
    let value = text::line(value);
    html! {
        span.chip.filter {
            span.chip-name { (name) } bdi title=(value) { (text::cut(&value, MAX_CHARS)) }
            a href=(without) title="Remove this filter" aria-label={ "Remove the filter " (name) " " (value) } {
                (icon(Icon::Close))
            }
        }
    }
}
