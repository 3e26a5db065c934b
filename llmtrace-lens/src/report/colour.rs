use std::fmt::Write as _;

/// The colours that a terminal shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// None: what is coloured elsewhere is told by numbers, signs and shading.
    #[default]
    None,
    /// The 256 colours of xterm.
    Indexed,
    /// Any colour, in 24 bits.
    True,
}

impl Colour {
    /// What a terminal shows whose `NO_COLOR` (no-color.org) and `COLORTERM` have these values.
    ///
    /// ```
    /// use llmtrace_lens::report::Colour;
    ///
    /// assert_eq!(Colour::of_terminal(None, Some("truecolor")), Colour::True);
    /// assert_eq!(Colour::of_terminal(None, None), Colour::Indexed);
    /// assert_eq!(Colour::of_terminal(Some("1"), Some("truecolor")), Colour::None);
    /// ```
    pub fn of_terminal(no_color: Option<&str>, colorterm: Option<&str>) -> Self {
        match (no_color, colorterm) {
            (Some(value), _) if !value.is_empty() => Self::None,
            (_, Some("truecolor" | "24bit")) => Self::True,
            _ => Self::Indexed,
        }
    }

    /// Adds a text in a colour on another.
    pub(super) fn paint(self, out: &mut String, text: &str, front: Rgb, ground: Rgb) {
        // Writing to a text cannot fail.
        let _ = match self {
            Self::None => write!(out, "{text}"),
            Self::Indexed => {
                write!(out, "\u{1b}[38;5;{};48;5;{}m{text}\u{1b}[0m", front.index(), ground.index())
            }
            Self::True => {
                let (Rgb(fr, fg, fb), Rgb(gr, gg, gb)) = (front, ground);
                write!(out, "\u{1b}[38;2;{fr};{fg};{fb};48;2;{gr};{gg};{gb}m{text}\u{1b}[0m")
            }
        };
    }

    /// Adds a text in a colour on the terminal's own.
    pub(super) fn paint_front(self, out: &mut String, text: &str, front: Rgb) {
        // Writing to a text cannot fail.
        let _ = match self {
            _ if text.is_empty() => Ok(()),
            Self::None => write!(out, "{text}"),
            Self::Indexed => write!(out, "\u{1b}[38;5;{}m{text}\u{1b}[0m", front.index()),
            Self::True => write!(out, "\u{1b}[38;2;{};{};{}m{text}\u{1b}[0m", front.0, front.1, front.2),
        };
    }

    /// Adds a text that the eye should find first.
    pub(super) fn strong(self, out: &mut String, text: &str) {
        self.style(out, "1", text);
    }

    /// Adds a text that may be passed over.
    pub(super) fn faint(self, out: &mut String, text: &str) {
        self.style(out, "2", text);
    }

    fn style(self, out: &mut String, code: &str, text: &str) {
        // Writing to a text cannot fail.
        let _ = match self {
            Self::None => write!(out, "{text}"),
            Self::Indexed | Self::True => write!(out, "\u{1b}[{code}m{text}\u{1b}[0m"),
        };
    }
}

/// A colour by its parts of red, green and blue (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    /// The colour that `#rrggbb` names.
    pub(super) fn hex(number: u32) -> Self {
        let [_, red, green, blue] = number.to_be_bytes();
        Self(red, green, blue)
    }

    /// A colour between this one (0) and another (1).
    pub(super) fn mix(self, other: Self, part: f64) -> Self {
        let between = |from: u8, to: u8| byte(f64::from(from) + (f64::from(to) - f64::from(from)) * part);
        Self(between(self.0, other.0), between(self.1, other.1), between(self.2, other.2))
    }

    /// How well the one is read on the other, from 1 to 21 (WCAG 2.2, contrast ratio).
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// The nearest of the 216 colours of xterm's cube, or of its 24 greys.
    fn index(self) -> u8 {
        let nearest = |part: u8| match part {
            0..48 => 0,
            48..115 => 1,
            _ => (part - 35) / 40,
        };
        let Self(red, green, blue) = self;
        let spread = red.max(green).max(blue) - red.min(green).min(blue);
        if spread < 14 && (8..=238).contains(&green) {
            return 232 + (green - 8) / 10;
        }
        16 + 36 * nearest(red) + 6 * nearest(green) + nearest(blue)
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is brought into range first"
)]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
#[expect(clippy::unreadable_literal, reason = "colours are written as everywhere else")]
mod tests {
    use super::*;

    #[test]
    fn colours_are_written_as_the_terminal_takes_them() {
        let check = |colour: Colour, expected: &str| {
            let mut out = String::new();
            colour.paint(&mut out, "a", Rgb::hex(0xffffff), Rgb::hex(0x0000ff));
            assert_eq!(out, expected);
        };
        check(Colour::None, "a");
        check(Colour::Indexed, "\u{1b}[38;5;231;48;5;21ma\u{1b}[0m");
        check(Colour::True, "\u{1b}[38;2;255;255;255;48;2;0;0;255ma\u{1b}[0m");
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((Rgb::hex(0).contrast(Rgb::hex(0xffffff)) - 21.0).abs() < 1e-9);
        assert!((Rgb::hex(0x767676).contrast(Rgb::hex(0xffffff)) - 4.54).abs() < 0.01);
    }
}
