//! Menus: a button that opens a panel, without a script by `<details>`.

use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::text;

/// One choice of a menu.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// What it says.
    pub(crate) label: String,
    /// How many things it would leave; `None` where nobody counted.
    pub(crate) count: Option<u64>,
    /// The page with this choice.
    pub(crate) href: String,
    /// Whether it is on.
    pub(crate) chosen: bool,
}

/// A button that opens a panel with anything in it.
pub(crate) fn panel(title: &str, body: &Markup) -> Markup {
    html! { details.menu { summary { (title) } div.panel { (body) } } }
}

/// A button that opens a list of choices.
pub(crate) fn choices(title: &str, choices: &[Choice]) -> Markup {
    panel(title, &choice_list(choices))
}

/// The choices alone, for a panel that holds more.
pub(crate) fn choice_list(choices: &[Choice]) -> Markup {
    html! {
        ul.choices {
            @for choice in choices {
                li {
                    a href=(choice.href) aria-current=[choice.chosen.then_some("true")] {
                        span dir="auto" { (text::line(&choice.label)) }
                        @if let Some(count) = choice.count { span.num { (figures::count(count)) } }
                    }
                }
            }
        }
    }
}

/// A row of choices of which one is on, such as the presets of a time range.
pub(crate) fn segments(label: &str, choices: &[Choice]) -> Markup {
    html! {
        div.segments role="group" aria-label=(label) {
            @for choice in choices {
                a href=(choice.href) aria-current=[choice.chosen.then_some("true")] { (choice.label) }
            }
        }
    }
}
