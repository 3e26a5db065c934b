//! The bar that says which colour is which value.

use super::Colour;
use super::ink::Ink;
use super::palette::STEPS;
use super::scale::Shades;
use super::svg::{Face, Hold, Svg};

/// How wide the bar is.
const WIDTH: f64 = 200.0;

/// Draws the bar below what is drawn, and what its values are.
pub(super) fn draw(svg: &mut Svg, x: f64, shades: &Shades, name: &str) {
    let top = svg.height() + 28.0;
    let step = WIDTH / f64::from(STEPS);
    for number in 0..STEPS {
        let part = f32::from(number) / f32::from(STEPS - 1);
        let value = shades.low * (1.0 - part) + shades.high * part;
        svg.rect([x + f64::from(number) * step, top, step + 0.3, 10.0], shades.fill(value));
    }
    let ticks = shades.ticks();
    for (place, (value, hold)) in ticks.into_iter().zip([Hold::Start, Hold::Middle, Hold::End]).enumerate() {
        let at = [x + WIDTH * place as f64 / 2.0, top + 23.0];
        svg.text(at, hold, Face::Cell, Ink::Muted, &shades.written(value));
    }
    svg.text([x, top - 7.0], Hold::Start, Face::Word, Ink::Muted, name);
    svg.reach(x + WIDTH, top + 28.0);
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
        for number in 0..12_u8 {
            let part = f32::from(number) / 11.0;
            if let Some((front, ground)) = shades.terminal(shades.low * (1.0 - part) + shades.high * part) {
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
