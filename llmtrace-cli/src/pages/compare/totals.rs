//! Figures of both sides, and how they differ.

use maud::{Markup, html};

use crate::compare::delta::Delta;
use crate::pages::components::figure;
use crate::unit::Unit;

/// A change of less than this is not pointed out.
const NOTABLE: f64 = 0.1;

/// The figures of both traces, each with a pair of bars on one scale.
pub(super) fn table(totals: &[Delta]) -> Markup {
    html! {
        div.scroll {
            table.totals {
                thead { tr {
                    th scope="col" { "figure" }
                    th.figure scope="col" { "A" }
                    th.figure scope="col" { "B" }
                    th.figure scope="col" { "change" }
                    th scope="col" { span.visually-hidden { "both as bars" } }
                } }
                tbody {
                    @for delta in totals { tr {
                        th scope="row" { (delta.name) }
                        td.figure { (value(delta.a, delta.unit)) }
                        td.figure { (value(delta.b, delta.unit)) }
                        td.figure { (change(delta)) }
                        td.bars { (bars(delta)) }
                    } }
                }
            }
        }
    }
}

/// A figure; a dash where it is not known.
pub(super) fn value(value: Option<f64>, unit: Unit) -> Markup {
    html! { @match value { Some(value) => (unit.shown(value)), None => (figure::unknown()) } }
}

/// The change in words; what grew or shrank by much is pointed out.
pub(super) fn change(delta: &Delta) -> Markup {
    let class = match delta.relative() {
        Some(part) if part > NOTABLE => "grew",
        Some(part) if part < -NOTABLE => "shrank",
        None if delta.change().is_some_and(|change| change > 0.0) => "grew",
        _ => "muted",
    };
    html! {
        @match delta.shown() {
            Some(shown) => span class=(class) { (shown) },
            None => (figure::unknown()),
        }
    }
}

/// Two bars below each other, the upper of the first side.
fn bars(delta: &Delta) -> Markup {
    let largest = delta.a.unwrap_or(0.0).max(delta.b.unwrap_or(0.0));
    let width = |value: Option<f64>| {
        let part = value.map_or(0.0, |value| value / largest);
        format!("{:.2}%", if part.is_finite() { part.clamp(0.0, 1.0) * 100.0 } else { 0.0 })
    };
    html! {
        svg width="100%" height="14" aria-hidden="true" {
            rect.side-a x="0" y="1" height="5" rx="1" width=(width(delta.a)) {}
            rect.side-b x="0" y="8" height="5" rx="1" width=(width(delta.b)) {}
        }
    }
}
