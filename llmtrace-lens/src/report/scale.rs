use super::colour::{Colour, Rgb};
use super::ink::Ink;
use super::number;
use super::palette::{self, Ramp, STEPS, Theme};

/// How values become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Scale {
    /// From 0 to 1, for attention and probabilities.
    Unit,
    /// From 0 to the largest value, for norms, times and entropies.
    #[default]
    FromZero,
    /// From the smallest value to the largest.
    Fitted,
    /// Zero in the middle and the largest magnitude at both ends, for differences: blue above zero, red below.
    Centred,
    /// Zero in the middle and this magnitude at both ends, so that pictures compare.
    CentredTo(f32),
    /// From one value to another, so that pictures compare.
    Between(f32, f32),
}

/// A scale whose ends are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shades {
    pub(super) low: f32,
    pub(super) high: f32,
    ramp: Ramp,
    less_is_stronger: bool,
}

impl Shades {
    /// The scale for these values; those that are no finite numbers do not count.
    pub(super) fn new(scale: Scale, values: impl IntoIterator<Item = f32>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = match scale {
            Scale::Unit => (0.0, 1.0),
            Scale::FromZero => (0.0, finite.fold(0.0, f32::max)),
            Scale::Fitted => {
                let ends = finite.fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)));
                if ends.0 <= ends.1 { ends } else { (0.0, 0.0) }
            }
            Scale::Centred => {
                let reach = finite.fold(0.0_f32, |reach, value| reach.max(value.abs()));
                (-reach, reach)
            }
            Scale::CentredTo(reach) => (-reach.abs(), reach.abs()),
            Scale::Between(low, high) => (low.min(high), high.max(low)),
        };
        let ramp = match scale {
            Scale::Centred | Scale::CentredTo(_) => Ramp::Diverging,
            _ => Ramp::Sequential,
        };
        Self { low, high, ramp, less_is_stronger: false }
    }

    /// The same scale, on which the smallest value has the strongest colour.
    pub(super) fn less_is_stronger(self) -> Self {
        Self { less_is_stronger: true, ..self }
    }

    /// Whether values are told apart by their sign.
    pub(super) fn is_signed(&self) -> bool {
        self.ramp == Ramp::Diverging
    }

    /// How far up the scale a value lies, from 0 to 1; none for what is no finite number.
    pub(super) fn part(&self, value: f32) -> Option<f32> {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        let span = high - low;
        let nowhere = if self.is_signed() { 0.5 } else { 0.0 };
        let part = if span > 0.0 { (f64::from(value) - low) / span } else { nowhere };
        let part = if self.less_is_stronger { 1.0 - part } else { part };
        value.is_finite().then(|| to_f32(part.clamp(0.0, 1.0)))
    }

    /// The step of the scale that shows a value.
    pub(super) fn step(&self, value: f32) -> Option<u8> {
        self.part(value).map(|part| to_step(part * f32::from(STEPS - 1)))
    }

    /// What a cell of this value is filled with.
    pub(super) fn fill(&self, value: f32) -> Ink {
        self.step(value).map_or(Ink::Blank, |step| Ink::Shade(self.ramp, step))
    }

    /// What text on such a cell is written in.
    pub(super) fn text(&self, value: f32) -> Ink {
        self.step(value).map_or(Ink::Muted, |step| Ink::OnShade(self.ramp, step))
    }

    /// The colours of text and cell in a terminal.
    pub(super) fn terminal(&self, colour: Colour, value: f32) -> Option<(Rgb, Rgb)> {
        let step = self.step(value)?;
        let theme = if colour == Colour::Indexed { Theme::Indexed } else { Theme::Dark };
        Some((palette::on_shade(self.ramp, step, theme), palette::shade(self.ramp, step, theme)))
    }

    /// A character that shows a value without colour.
    pub(super) fn character(&self, value: f32) -> char {
        let Some(part) = self.part(value) else { return '×' };
        if !self.is_signed() {
            return pick(&SHADES, part);
        }
        if value < 0.0 { pick(&NEGATIVE, 1.0 - part * 2.0) } else { pick(&SHADES, part * 2.0 - 1.0) }
    }

    /// A value as the scale's legend writes it.
    pub(super) fn written(&self, value: f32) -> String {
        if self.is_signed() { number::signed(value) } else { number::short(value) }
    }

    /// The values at which the legend names its colours.
    pub(super) fn ticks(&self) -> [f32; 3] {
        [self.low, f32::midpoint(self.low, self.high), self.high]
    }

    /// What the characters of [`Shades::character`] mean.
    pub(super) fn characters(&self) -> String {
        let [low, _, high] = self.ticks().map(|value| self.written(value));
        match (self.is_signed(), self.less_is_stronger) {
            (true, _) => format!("{low} @%=- ░▒▓█ {high}"),
            (false, false) => format!("{low} ░▒▓█ {high}"),
            (false, true) => format!("{low} █▓▒░ {high}"),
        }
    }
}

const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
const NEGATIVE: [char; 5] = [' ', '-', '=', '%', '@'];

fn pick(ramp: &[char; 5], part: f32) -> char {
    let last = ramp.len() - 1;
    ramp.get(usize::from(to_step(part.clamp(0.0, 1.0) * last as f32))).copied().unwrap_or(' ')
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is in range")]
fn to_step(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "a part of a scale needs no more digits")]
fn to_f32(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scale: Scale, values: &[f32], steps: &[Option<u8>], characters: &str) {
        let shades = Shades::new(scale, values.iter().copied());
        assert_eq!(values.iter().map(|value| shades.step(*value)).collect::<Vec<_>>(), steps, "{values:?}");
        assert_eq!(values.iter().map(|value| shades.character(*value)).collect::<String>(), characters);
    }

    #[test]
    fn values_find_their_place() {
        check(Scale::Unit, &[0.0, 0.5, 1.0, 2.0], &[Some(0), Some(12), Some(24), Some(24)], " ▒██");
        check(Scale::FromZero, &[0.0, 4.0, 8.0], &[Some(0), Some(12), Some(24)], " ▒█");
        check(Scale::Fitted, &[2.0, 3.0, 4.0], &[Some(0), Some(12), Some(24)], " ▒█");
        check(Scale::Centred, &[-4.0, 0.0, 2.0], &[Some(0), Some(12), Some(18)], "@ ▒");
        check(Scale::CentredTo(8.0), &[-4.0, 8.0], &[Some(6), Some(24)], "=█");
        check(Scale::Between(4.0, 0.0), &[1.0, 4.0], &[Some(6), Some(24)], "░█");
    }

    #[test]
    fn odd_values_have_no_place_and_move_none() {
        check(Scale::FromZero, &[f32::NAN, f32::INFINITY, 1.0], &[None, None, Some(24)], "××█");
        check(Scale::Centred, &[f32::NEG_INFINITY, -1.0], &[None, Some(0)], "×@");
        check(Scale::Centred, &[0.0, 0.0], &[Some(12), Some(12)], "  ");
        check(Scale::Fitted, &[f32::NAN], &[None], "×");
        check(Scale::Fitted, &[f32::MIN, f32::MAX], &[Some(0), Some(24)], " █");
        check(Scale::Fitted, &[3.0, 3.0], &[Some(0), Some(0)], "  ");
    }
}
