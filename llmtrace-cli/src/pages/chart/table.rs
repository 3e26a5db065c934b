//! The figures of a chart as a table.

use maud::{Markup, html};

use super::axis::Axis;
use super::plot::Place;
use super::series::Series;
use crate::pages::components::text;
use crate::unit::Unit;

/// The table, folded; places of which nothing is known are left out.
pub(super) fn table(title: &str, axis: &Axis, unit: Unit, series: &[Series], places: &[Place]) -> Markup {
    let known =
        |place: &usize| series.iter().any(|series| series.value(*place).is_some_and(|value| value != 0.0));
    let rows: Vec<usize> = (0..axis.len()).filter(known).collect();
    html! {
        details.plot-table {
            summary { "Figures" span.visually-hidden { " of " (title) } }
            @if rows.is_empty() {
                p.muted { "Nothing is known of this time." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label={ "Figures of " (title) } {
                    table {
                        thead { tr {
                            th scope="col" { (axis.title()) }
                            @for series in series { th.figure scope="col" { (text::line(&series.label)) } }
                        } }
                        tbody {
                            @for place in rows { tr {
                                th scope="row" { (named(axis, place, places)) }
                                @for series in series { td.figure { (series.shown(place, unit)) } }
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn named(axis: &Axis, place: usize, places: &[Place]) -> Markup {
    let name = text::line(&axis.name(place));
    let href = places.get(place).and_then(|place| place.href.as_ref());
    html! { @if let Some(href) = href { a href=(href) { (name) } } @else { (name) } }
}
