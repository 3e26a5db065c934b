//! What the pictures are drawn in: a name, a colour on a light page and one on a dark page.

#![expect(clippy::unreadable_literal, reason = "colours are written as everywhere else")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::colour::Rgb;
use super::palette::{self, Ramp, STEPS, Theme};

/// One thing to draw in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ink {
    /// What everything lies on.
    Page,
    /// Words.
    Text,
    /// Words that may be passed over.
    Muted,
    /// Lines between things.
    Line,
    /// A cell without a value.
    Blank,
    /// The frame around what is pointed out.
    Mark,
    /// A step of a scale of values.
    Shade(Ramp, u8),
    /// Words on such a step.
    OnShade(Ramp, u8),
    /// One of the parts of a bar, in order.
    Part(u8),
    /// Words on such a part.
    OnPart(u8),
}

/// The parts of a bar that have colours of their own; further ones start again.
pub(super) const PARTS: u8 = 4;

impl Ink {
    /// The class that names it.
    pub(super) fn class(self) -> String {
        match self {
            Self::Page => "page".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Muted => "muted".to_owned(),
            Self::Line => "line".to_owned(),
            Self::Blank => "blank".to_owned(),
            Self::Mark => "mark".to_owned(),
            Self::Shade(Ramp::Sequential, step) => format!("s{step}"),
            Self::Shade(Ramp::Diverging, step) => format!("d{step}"),
            Self::OnShade(Ramp::Sequential, step) => format!("os{step}"),
            Self::OnShade(Ramp::Diverging, step) => format!("od{step}"),
            Self::Part(number) => format!("p{}", number % PARTS),
            Self::OnPart(number) => format!("op{}", number % PARTS),
        }
    }

    /// Its colour.
    pub(super) fn colour(self, theme: Theme) -> Rgb {
        let [light, dark] = match self {
            Self::Page => [0xffffff, 0x0e1116],
            Self::Text => [0x1a2030, 0xe3e8f1],
            Self::Muted => [0x596274, 0x9ba6b9],
            Self::Line => [0xd5dae2, 0x333c4a],
            Self::Blank => [0xeceef2, 0x20262f],
            Self::Mark => [0xa34e00, 0xf2a65a],
            Self::Shade(ramp, step) => return palette::shade(ramp, step, theme),
            Self::OnShade(ramp, step) => return palette::on_shade(ramp, step, theme),
            // Paul Tol's "high contrast" and "vibrant" schemes, of clearly different lightness.
            Self::Part(number) => match number % PARTS {
                0 => [0x004488, 0x7fb3e6],
                1 => [0xddaa33, 0xddaa33],
                2 => [0xbb5566, 0xe0909c],
                _ => [0x8a93a3, 0x5a6577],
            },
            Self::OnPart(number) => match number % PARTS {
                0 => [0xffffff, 0x0b0e14],
                1 => [0x0b0e14, 0x0b0e14],
                2 => [0xffffff, 0x0b0e14],
                _ => [0x0b0e14, 0xffffff],
            },
        };
        Rgb::hex(if theme == Theme::Light { light } else { dark })
    }

    /// Every ink that a picture on a page may use.
    pub(super) fn all() -> BTreeSet<Self> {
        let steps = (0..STEPS).flat_map(|step| {
            [Ramp::Sequential, Ramp::Diverging]
                .into_iter()
                .flat_map(move |ramp| [Self::Shade(ramp, step), Self::OnShade(ramp, step)])
        });
        let parts = (0..PARTS).flat_map(|number| [Self::Part(number), Self::OnPart(number)]);
        [Self::Page, Self::Text, Self::Muted, Self::Line, Self::Blank, Self::Mark]
            .into_iter()
            .chain(steps)
            .chain(parts)
            .collect()
    }
}

/// The rules that colour drawings; on paper the light page's hold.
pub(super) fn svg_rules(inks: &BTreeSet<Ink>) -> String {
    let rules = |theme| {
        let mut rules = String::new();
        for ink in inks {
            let (class, colour) = (ink.class(), ink.colour(theme));
            // Writing to a text cannot fail.
            let _ = match ink {
                Ink::Mark => {
                    write!(rules, "svg .mark{{stroke:{colour}}}svg text.mark{{fill:{colour};stroke:none}}")
                }
                _ => write!(rules, "svg .{class}{{fill:{colour}}}"),
            };
        }
        rules
    };
    in_both(&rules(Theme::Light), &rules(Theme::Dark))
}

/// The rules that colour words and cells of a page by the same names.
pub(super) fn html_rules() -> String {
    let rules = |theme| {
        let mut rules = String::new();
        for ink in Ink::all() {
            let on = match ink {
                Ink::Shade(ramp, step) => Ink::OnShade(ramp, step),
                Ink::Part(number) => Ink::OnPart(number),
                Ink::Blank => Ink::Muted,
                _ => continue,
            };
            let (class, ground, front) = (ink.class(), ink.colour(theme), on.colour(theme));
            // Writing to a text cannot fail.
            let _ = write!(rules, ".{class}{{background:{ground};color:{front}}}");
        }
        for (name, ink) in [
            ("page", Ink::Page),
            ("text", Ink::Text),
            ("muted", Ink::Muted),
            ("line", Ink::Line),
            ("mark", Ink::Mark),
            ("blank", Ink::Blank),
        ] {
            let _ = write!(
                rules,
                "{}--{name}:{}",
                if name == "page" { ":root{" } else { ";" },
                ink.colour(theme)
            );
        }
        rules.push('}');
        rules
    };
    in_both(&rules(Theme::Light), &rules(Theme::Dark))
}

fn in_both(light: &str, dark: &str) -> String {
    format!("{light}@media screen and (prefers-color-scheme:dark){{{dark}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_on_what_they_lie_on() {
        let check = |front: Ink, ground: Ink, least: f64| {
            for theme in [Theme::Light, Theme::Dark] {
                let contrast = front.colour(theme).contrast(ground.colour(theme));
                assert!(contrast >= least, "{front:?} on {ground:?}, {theme:?}: {contrast}");
            }
        };
        check(Ink::Text, Ink::Page, 7.0);
        check(Ink::Muted, Ink::Page, 4.5);
        check(Ink::Muted, Ink::Blank, 4.5);
        check(Ink::Mark, Ink::Page, 4.5);
        for number in 0..PARTS {
            check(Ink::OnPart(number), Ink::Part(number), 4.5);
        }
    }
}
