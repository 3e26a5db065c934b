//! Stacked bars.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::lines::{ACROSS, middle};
use super::plot::{Box, pixels};
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
    let ends =
        (0..places).flat_map(|place| {
            let values = series.iter().filter_map(move |series| series.value(place));
            values.fold([0.0_f64; 2], |[below, above], value| {
                if value < 0.0 { [below + value, above] } else { [below, above + value] }
            })
        });
    Scale::new(unit, ends.chain(reach))
}

/// The bars, the first series at the bottom; values below zero hang from the zero line.
///
/// All bars of a series are one path, in a drawing that is stretched to the width of the chart.
pub(super) fn draw(series: &[Series], places: usize, scale: &Scale, area: Box) -> Markup {
    let mut paths: Vec<(&'static str, String)> =
        series.iter().map(|series| (series.tone.class(), String::new())).collect();
    let mut unknown = String::new();
    for place in 0..places {
        for bar in stack(series, place) {
            let (top, bottom) = (area.y(scale.part(bar.to)), area.y(scale.part(bar.from)));
            if let Some((_, path)) = paths.get_mut(bar.series) {
                add(path, place, places, bottom, (bottom - top).max(LEAST_HEIGHT));
            }
        }
        if series.iter().all(|series| series.value(place).is_none()) {
            add(&mut unknown, place, places, area.y(scale.part(0.0)), UNKNOWN_HEIGHT);
        }
    }
    html! {
        svg width="100%" height=(pixels(area.height)) viewBox={ "0 0 " (ACROSS) " " (pixels(area.height)) }
            preserveAspectRatio="none" {
            @for (class, path) in paths { @if !path.is_empty() { path class={ "bar " (class) } d=(path) {} } }
            @if !unknown.is_empty() { path.unknown d=(unknown) {} }
        }
    }
}

/// Adds a bar from `bottom` upwards.
fn add(path: &mut String, place: usize, places: usize, bottom: f64, height: f64) {
    let width = (FILL / places.max(1) as f64).min(WIDEST);
    let left = (middle(place, places) - width / 2.0) * ACROSS;
    let (right, top) = (pixels(left + width * ACROSS), pixels(bottom - height));
    // Writing to a text cannot fail.
    let _ = write!(path, "M{} {}V{top}H{right}V{}Z", pixels(left), pixels(bottom), pixels(bottom));
}

/// One piece of a stack, from its lower to its upper end.
struct Bar {
    series: usize,
    from: f64,
    to: f64,
}

fn stack(series: &[Series], place: usize) -> Vec<Bar> {
    let (mut above, mut below) = (0.0, 0.0);
    let mut bars = Vec::new();
    for (number, series) in series.iter().enumerate() {
        match series.value(place) {
            Some(value) if value > 0.0 => {
                bars.push(Bar { series: number, from: above, to: above + value });
                above += value;
            }
            Some(value) if value < 0.0 => {
                bars.push(Bar { series: number, from: below + value, to: below });
                below += value;
            }
            _ => {}
        }
    }
    bars
}
