//! The frame of a chart: its scale at the left, steps, texts below, and a place to point at for each value.

use maud::{Markup, html};

use super::axis::Axis;
use super::lines::middle;
use super::scale::Scale;

/// The drawing without its texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Box {
    /// In pixels.
    pub(super) height: f64,
}

/// Pixels above the drawing, for the upper half of the highest step's text.
const ABOVE: f64 = 6.0;

/// Pixels below the drawing, for the texts of the axis.
const BELOW: f64 = 18.0;

/// Pixels to the left, for the texts of the scale.
const LEFT: f64 = 54.0;

impl Box {
    /// Pixels from the top, of a part of the scale.
    pub(super) fn y(self, part: f64) -> f64 {
        (1.0 - part) * self.height
    }
}

/// What is behind a place: its figures, and the list that they sum.
pub(super) struct Place {
    pub(super) says: String,
    pub(super) href: Option<String>,
}

/// The frame around what is drawn, if there is anything; `says` is the name of the drawing for those who do not see it.
pub(super) fn frame(
    axis: &Axis,
    scale: &Scale,
    area: Box,
    says: &str,
    drawn: Option<&Markup>,
    places: &[Place],
) -> Markup {
    let height = pixels(ABOVE + area.height + BELOW);
    html! {
        div.plot {
            svg.plot-scale width=(pixels(LEFT)) height=(height) aria-hidden="true" {
                @for (value, text) in &scale.ticks {
                    text x=(pixels(LEFT - 6.0)) y=(pixels(ABOVE + area.y(scale.part(*value)) + 4.0))
                        text-anchor="end" { (text) }
                }
            }
            svg.plot-area width="100%" height=(height) role="img" aria-label=(says) {
                svg y=(pixels(ABOVE)) width="100%" height=(pixels(area.height)) overflow="visible" {
                    @for (value, _) in &scale.ticks {
                        @let y = pixels(area.y(scale.part(*value)));
                        line class=(if *value == 0.0 { "step zero" } else { "step" }) x1="0" x2="100%" y1=(y) y2=(y) {}
                    }
                    @match drawn {
                        Some(drawn) => {
                            (drawn)
                            @for (number, place) in places.iter().enumerate() {
                                (target(number, places.len(), place, area))
                            }
                        }
                        None => text x="50%" y=(pixels(area.height / 2.0 + 4.0)) text-anchor="middle" { "no data" },
                    }
                }
                @for label in axis.labels() {
                    text class=(if label.is_minor { "minor" } else { "major" }) x=(percent(label.at))
                        y=(pixels(ABOVE + area.height + BELOW - 3.0)) text-anchor=(anchor(label.at)) { (label.text) }
                }
            }
        }
    }
}

/// A text at the right end stands before its place, so that it stays in the drawing.
fn anchor(at: f64) -> &'static str {
    if at > 0.96 { "end" } else { "middle" }
}

/// A column to point at. Keys do not stop at it: its link stands in the table too.
fn target(number: usize, places: usize, place: &Place, area: Box) -> Markup {
    let width = 1.0 / places.max(1) as f64;
    let column = html! {
        rect.place x=(percent(middle(number, places) - width / 2.0)) y="0" width=(percent(width))
            height=(pixels(area.height)) { title { (place.says) } }
    };
    match &place.href {
        Some(href) => html! { a href=(href) tabindex="-1" { (column) } },
        None => column,
    }
}

/// A length in pixels.
pub(super) fn pixels(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A part of the width.
pub(super) fn percent(part: f64) -> String {
    let text = format!("{:.3}", part * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
