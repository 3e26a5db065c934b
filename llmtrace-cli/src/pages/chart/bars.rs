//! Stacked bars.

use maud::{Markup, html};

use super::lines::middle;
use super::plot::{Box, percent, pixels};
use super::scale::Scale;
use super::series::Series;
use crate::unit::Unit;

/// How much of its place a bar takes, and of the width at most.
const FILL: f64 = 0.8;
const WIDEST: f64 = 0.08;

/// Pixels that a bar is high at least, so that a small value is not taken for none.
const LEAST_HEIGHT: f64 = 1.0;

/// Pixels between the zero line and the sign of a place of which nothing is known.
const UNKNOWN_HEIGHT: f64 = 4.0;

/// A scale on which the stacks have room.
pub(super) fn scale(unit: Unit, series: &[Series], places: usize, reach: Option<f64>) -> Scale {
    let ends = (0..places).flat_map(|place| {
        let values = series.iter().filter_map(move |series| series.value(place));
        values.fold([0.0_f64; 2], |[below, above], value| {
            if value < 0.0 { [below + value, above] } else { [below, above + value] }
        })
    });
    Scale::new(unit, ends.chain(reach))
}

/// The bars, the first series at the bottom; values below zero hang from the zero line.
pub(super) fn draw(series: &[Series], places: usize, scale: &Scale, area: Box) -> Markup {
    let width = (FILL / places.max(1) as f64).min(WIDEST);
    let left = |place: usize| middle(place, places) - width / 2.0;
    html! {
        @for place in 0..places {
            @for bar in stack(series, place) {
                @let (top, bottom) = (area.y(scale.part(bar.to)), area.y(scale.part(bar.from)));
                @let height = (bottom - top).max(LEAST_HEIGHT);
                rect class={ "bar " (bar.class) } x=(percent(left(place))) width=(percent(width))
                    y=(pixels(bottom - height)) height=(pixels(height)) {}
            }
            @if series.iter().all(|series| series.value(place).is_none()) {
                rect.unknown x=(percent(left(place))) width=(percent(width))
                    y=(pixels(area.y(scale.part(0.0)) - UNKNOWN_HEIGHT)) height=(pixels(UNKNOWN_HEIGHT)) {}
            }
        }
    }
}

/// One piece of a stack, from its lower to its upper end.
struct Bar {
    class: &'static str,
    from: f64,
    to: f64,
}

fn stack(series: &[Series], place: usize) -> Vec<Bar> {
    let (mut above, mut below) = (0.0, 0.0);
    let mut bars = Vec::new();
    for series in series {
        let class = series.tone.class();
        match series.value(place) {
            Some(value) if value > 0.0 => {
                bars.push(Bar { class, from: above, to: above + value });
                above += value;
            }
            Some(value) if value < 0.0 => {
                bars.push(Bar { class, from: below + value, to: below });
                below += value;
            }
            _ => {}
        }
    }
    bars
}
