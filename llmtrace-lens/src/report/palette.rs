//! The colours of values: `ColorBrewer`'s Blues and `RdBu` (colorbrewer2.org, Apache-2.0), both safe for the colour-blind.
//!
//! On a dark page the scales are read from their dark end, so that more is always further from the page.

#![expect(clippy::unreadable_literal, reason = "colours are written as everywhere else")]

use super::colour::Rgb;

/// The steps of a scale from its one end to its other, both included.
pub(super) const STEPS: u8 = 25;

/// What runs from one end of a scale to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ramp {
    /// From little to much.
    Sequential,
    /// From red below zero to blue above it.
    Diverging,
}

/// What a picture lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    Light,
    Dark,
    /// A dark terminal of 256 colours.
    Indexed,
}

/// The colour of a step.
pub(super) fn shade(ramp: Ramp, step: u8, theme: Theme) -> Rgb {
    let stops: &[u32] = match (ramp, theme) {
        (Ramp::Sequential, Theme::Light) => &BLUES,
        (Ramp::Sequential, Theme::Dark) => &BLUES_ON_DARK,
        (Ramp::Diverging, Theme::Light) => &RD_BU,
        (Ramp::Diverging, Theme::Dark) => &RD_BU_ON_DARK,
        (Ramp::Sequential, Theme::Indexed) => &BLUES_OF_256,
        (Ramp::Diverging, Theme::Indexed) => &RD_BU_OF_256,
    };
    let spans = stops.len() - 1;
    let place = usize::from(step.min(STEPS - 1)) * spans;
    let steps = usize::from(STEPS - 1);
    let (at, rest) = (place / steps, place % steps);
    let from = stops.get(at).copied().unwrap_or_default();
    let to = stops.get(at + 1).copied().unwrap_or(from);
    if theme == Theme::Indexed {
        return Rgb::hex(if 2 * rest > steps { to } else { from });
    }
    Rgb::hex(from).mix(Rgb::hex(to), rest as f64 / steps as f64)
}

/// Black or white, whichever is read better on a step; the contrast is 4.5 or more on every colour.
pub(super) fn on_shade(ramp: Ramp, step: u8, theme: Theme) -> Rgb {
    let ground = shade(ramp, step, theme);
    let (black, white) = (Rgb::hex(0), Rgb::hex(0xffffff));
    if ground.contrast(black) >= ground.contrast(white) { black } else { white }
}

const BLUES: [u32; 9] =
    [0xf7fbff, 0xdeebf7, 0xc6dbef, 0x9ecae1, 0x6baed6, 0x4292c6, 0x2171b5, 0x08519c, 0x08306b];

const BLUES_ON_DARK: [u32; 8] =
    [0x151b26, 0x08306b, 0x08519c, 0x2171b5, 0x4292c6, 0x6baed6, 0x9ecae1, 0xdeebf7];

const RD_BU: [u32; 11] = [
    0x67001f, 0xb2182b, 0xd6604d, 0xf4a582, 0xfddbc7, 0xf7f7f7, 0xd1e5f0, 0x92c5de, 0x4393c3, 0x2166ac,
    0x053061,
];

const RD_BU_ON_DARK: [u32; 9] =
    [0xf4a582, 0xd6604d, 0xb2182b, 0x67001f, 0x171b23, 0x053061, 0x2166ac, 0x4393c3, 0x92c5de];

/// Colours of xterm's cube that come near the scales, each a step by itself.
const BLUES_OF_256: [u32; 9] =
    [0x1c1c1c, 0x00005f, 0x000087, 0x005faf, 0x0087d7, 0x5fafd7, 0x87afd7, 0xafd7ff, 0xd7ffff];

const RD_BU_OF_256: [u32; 13] = [
    0xffaf87, 0xff875f, 0xd75f5f, 0xaf0000, 0x870000, 0x5f0000, 0x1c1c1c, 0x00005f, 0x000087, 0x005faf,
    0x0087d7, 0x5fafd7, 0x87d7ff,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_on_every_step() {
        for (ramp, theme) in [Ramp::Sequential, Ramp::Diverging]
            .into_iter()
            .flat_map(|ramp| [Theme::Light, Theme::Dark, Theme::Indexed].map(|theme| (ramp, theme)))
        {
            for step in 0..STEPS {
                let contrast = shade(ramp, step, theme).contrast(on_shade(ramp, step, theme));
                assert!(contrast >= 4.5, "{ramp:?} {step} {theme:?}: {contrast}");
            }
        }
    }

    #[test]
    fn scales_end_where_their_source_does() {
        let check = |ramp, step, hex: u32| assert_eq!(shade(ramp, step, Theme::Light), Rgb::hex(hex));
        check(Ramp::Sequential, 0, 0xf7fbff);
        check(Ramp::Sequential, 24, 0x08306b);
        check(Ramp::Diverging, 0, 0x67001f);
        check(Ramp::Diverging, 12, 0xf7f7f7);
        check(Ramp::Diverging, 24, 0x053061);
    }
}
