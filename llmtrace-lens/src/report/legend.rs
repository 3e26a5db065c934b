//! The bar that says which colour is which value.

use super::Colour;
use super::ink::Ink;
use super::markup::Escaped;
use super::palette::STEPS;
use super::scale::Shades;
use super::svg::{Face, Hold, Svg};

/// How wide the bar is.
const WIDTH: f64 = 200.0;

/// Draws the bar below what is drawn, and what its values are.
pub(super) fn draw(svg: &mut Svg, x: f64, shades: &Shades, name: &str) {
    let top = svg.height() + 28.0;
    let step = WIDTH / f64::from(STEPS);
    for (number, value) in steps(shades).enumerate() {
        svg.rect([x + number as f64 * step, top, step + 0.3, 10.0], shades.fill(value));
    }
    let ticks = shades.ticks();
    for (place, (value, hold)) in ticks.into_iter().zip([Hold::Start, Hold::Middle, Hold::End]).enumerate() {
        let at = [x + WIDTH * place as f64 / 2.0, top + 23.0];
        svg.text(at, hold, Face::Cell, Ink::Muted, &shades.written(value));
    }
    svg.text([x, top - 7.0], Hold::Start, Face::Word, Ink::Muted, name);
    svg.reach(x + WIDTH, top + 28.0);
}

/// The same on a page, where it is no drawing, so that its words can be broken.
pub(super) fn html(shades: &Shades, name: &str) -> String {
    let steps = steps(shades).map(|value| format!(r#"<i class="{}"></i>"#, shades.fill(value).class()));
    let ticks = shades.ticks().map(|value| format!("<span>{}</span>", Escaped(&shades.written(value))));
    format!(
        r#"<div class="legend"><p>{}</p><div class="scale">{}</div><div class="ticks">{}</div></div>"#,
        Escaped(name),
        steps.collect::<String>(),
        ticks.concat()
    )
}

/// A value for each step of the scale.
fn steps(shades: &Shades) -> impl Iterator<Item = f32> + use<> {
    let (low, high) = (shades.low, shades.high);
    (0..STEPS).map(move |number| {
        let part = f32::from(number) / f32::from(STEPS - 1);
        low * (1.0 - part) + high * part
    })
}

/// The same for a terminal, in one line.
pub(super) fn line(shades: &Shades, name: &str, colour: Colour) -> String {
    let mut out = String::new();
    if colour == Colour::None {
        out.push_str(&shades.characters());
    } else {
        let [low, _, high] = shades.ticks().map(|value| shades.written(value));
        out.push_str(&low);
        out.push(' ');
        for value in steps(shades).step_by(2) {
            if let Some((front, ground)) = shades.terminal(colour, value) {
                colour.paint(&mut out, " ", front, ground);
            }
        }
        out.push(' ');
        out.push_str(&high);
    }
    if !name.is_empty() {
        out.push_str("  ");
        colour.faint(&mut out, name);
    }
    out.push('\n');
    out
}
