//! Lines, and the bands between percentiles.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::plot::{Box, percent, pixels};
use super::scale::Scale;
use super::series::Series;
use crate::unit::Unit;

/// Units across the drawing that is stretched to the width of the chart.
pub(super) const ACROSS: f64 = 1000.0;

/// A scale on which all values have room.
pub(super) fn scale(unit: Unit, series: &[Series], places: usize, reach: Option<f64>) -> Scale {
    let values = |series: &Series| (0..places).filter_map(|place| series.value(place)).collect::<Vec<_>>();
    Scale::new(unit, series.iter().flat_map(values).chain(reach))
}

/// A line for each series, with a gap where nothing is known; a value alone between gaps is a dot.
pub(super) fn draw(series: &[Series], places: usize, scale: &Scale, area: Box) -> Markup {
    let paths = series.iter().map(|series| (series.tone.class(), line(series, places, scale, area)));
    html! {
        svg width="100%" height=(pixels(area.height)) viewBox={ "0 0 " (ACROSS) " " (pixels(area.height)) }
            preserveAspectRatio="none" {
            @for (class, path) in paths { @if !path.is_empty() { path class={ "line " (class) } d=(path) {} } }
        }
        @for series in series {
            @for (place, value) in alone(series, places) {
                circle class={ "dot " (series.tone.class()) } cx=(percent(middle(place, places)))
                    cy=(pixels(area.y(scale.part(value)))) r="2.5" {}
            }
        }
    }
}

/// The areas from each series to the one after it: of percentiles in order, where most values lie.
pub(super) fn bands(series: &[Series], places: usize, scale: &Scale, area: Box) -> Markup {
    let pairs = series.windows(2).enumerate().filter_map(|(number, pair)| match pair {
        [low, high] => Some((number, band(low, high, places, scale, area))),
        _ => None,
    });
    html! {
        svg width="100%" height=(pixels(area.height)) viewBox={ "0 0 " (ACROSS) " " (pixels(area.height)) }
            preserveAspectRatio="none" {
            @for (number, path) in pairs {
                @if !path.is_empty() { path class={ "band band-" (number) } d=(path) {} }
            }
        }
    }
}

/// The middle of a place, as a part of the width.
pub(super) fn middle(place: usize, places: usize) -> f64 {
    (place as f64 + 0.5) / places.max(1) as f64
}

fn line(series: &Series, places: usize, scale: &Scale, area: Box) -> String {
    let mut path = String::new();
    for run in runs(places, |place| series.value(place)) {
        if run.len() > 1 {
            add(&mut path, 'M', run.iter().copied(), places, scale, area);
        }
    }
    path
}

fn band(low: &Series, high: &Series, places: usize, scale: &Scale, area: Box) -> String {
    let mut path = String::new();
    for run in runs(places, |place| Some((low.value(place)?, high.value(place)?))) {
        if run.len() > 1 {
            add(&mut path, 'M', run.iter().map(|(place, (_, high))| (*place, *high)), places, scale, area);
            add(
                &mut path,
                'L',
                run.iter().rev().map(|(place, (low, _))| (*place, *low)),
                places,
                scale,
                area,
            );
            path.push('Z');
        }
    }
    path
}

/// Values that stand between two gaps.
fn alone(series: &Series, places: usize) -> Vec<(usize, f64)> {
    let runs = runs(places, |place| series.value(place));
    runs.into_iter().filter(|run| run.len() == 1).flatten().collect()
}

/// Stretches of places of which something is known.
fn runs<T>(places: usize, value: impl Fn(usize) -> Option<T>) -> Vec<Vec<(usize, T)>> {
    let mut runs = Vec::new();
    let mut run = Vec::new();
    for place in 0..places {
        match value(place) {
            Some(value) => run.push((place, value)),
            None if run.is_empty() => {}
            None => runs.push(std::mem::take(&mut run)),
        }
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

fn add(
    path: &mut String,
    begin: char,
    points: impl Iterator<Item = (usize, f64)>,
    places: usize,
    scale: &Scale,
    area: Box,
) {
    for (number, (place, value)) in points.enumerate() {
        let (command, x) = (if number == 0 { begin } else { 'L' }, middle(place, places) * ACROSS);
        // Writing to a text cannot fail.
        let _ = write!(path, "{command}{} {}", pixels(x), pixels(area.y(scale.part(value))));
    }
}
