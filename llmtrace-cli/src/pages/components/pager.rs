//! Links to what comes before and after.

use maud::{Markup, html};

use super::icon::{Icon, icon};

/// The links below a list: to its start, and to what comes next. Nothing where all is shown.
pub(crate) fn pager(shown: &str, first: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        nav.pager aria-label="More of the list" {
            span.muted { (shown) }
            @if let Some(first) = first { a.button href=(first) rel="first" { (icon(Icon::Previous)) "First" } }
            @if let Some(next) = next { a.button href=(next) rel="next" data-next { "Next" (icon(Icon::Next)) } }
        }
    }
}
