use std::fmt::Write as _;

use super::columns::{self, end_line};
use super::ink::Ink;
use super::markup::{Escaped, Word};
use super::number;
use super::palette::{Ramp, Theme};
use super::scale::Shades;
use super::svg::{Face, Hold, Svg, text_width};
use super::token;
use super::{Colour, Picture, Scale, Table};

/// The most bars below a prompt.
const BARS: usize = 24;

/// The most bars in a terminal.
const LINES: usize = 12;

/// How far a bar reaches to each side, and how high it is.
const REACH: f64 = 200.0;
const HEIGHT: f64 = 20.0;

/// The most characters of a part beside its bar.
const LABEL: usize = 32;

/// A prompt whose parts are coloured by what they added to the output or took from it: blue added, red took. Values
/// [without a sign](Self::unsigned) are blue by their size.
///
/// ```
/// use llmtrace_lens::report::AttributedPrompt;
///
/// let prompt = AttributedPrompt::new("What moved the answer", "log-probability of Austin")
///     .part("the capital of the state containing", 0.9)
///     .part(" Dallas", 4.1)
///     .ends(-5.3, -0.02)
///     .method("exact Shapley values, parts deleted");
/// ```
#[derive(Clone, Debug)]
pub struct AttributedPrompt {
    title: String,
    measure: String,
    method: String,
    parts: Vec<(String, f32)>,
    ends: Option<[f32; 2]>,
    gap: Option<f32>,
    first: usize,
    signs: Signs,
}

/// Whether values below 0 stand against those above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signs {
    ForAndAgainst,
    None,
}

impl AttributedPrompt {
    /// A prompt without parts; `measure` is what the attributions are shares of.
    pub fn new(title: impl Into<String>, measure: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            measure: measure.into(),
            method: String::new(),
            parts: Vec::new(),
            ends: None,
            gap: None,
            first: 0,
            signs: Signs::ForAndAgainst,
        }
    }

    /// Adds a part behind the others, with its attribution; spaces and line ends of the text are kept.
    pub fn part(mut self, text: impl Into<String>, attribution: f32) -> Self {
        self.parts.push((text.into(), attribution));
        self
    }

    /// The values have no sign: they say how much, not for or against what.
    pub fn unsigned(self) -> Self {
        Self { signs: Signs::None, ..self }
    }

    /// The score without any part and the score of the whole prompt, between which the attributions lie.
    pub fn ends(self, without: f32, whole: f32) -> Self {
        Self { ends: Some([without, whole]), ..self }
    }

    /// What the attributions leave of the change between the ends: 0 where they share it out in full.
    pub fn gap(self, gap: f32) -> Self {
        Self { gap: Some(gap), ..self }
    }

    /// The first part has this number, and the others those after it; 0 unless told otherwise.
    pub fn count_from(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// How the attributions were found, with the masking convention.
    pub fn method(self, method: impl Into<String>) -> Self {
        Self { method: method.into(), ..self }
    }

    fn shades(&self) -> Shades {
        Shades::new(Scale::Centred, self.parts.iter().map(|(_, value)| *value))
    }

    /// Numbers of the parts, the strongest first.
    fn strongest(&self, most: usize) -> Vec<(usize, &str, f32)> {
        let numbered = (self.first..).zip(&self.parts);
        let mut parts: Vec<_> = numbered.map(|(at, (text, value))| (at, text.as_str(), *value)).collect();
        let strength = |value: f32| if value.is_nan() { -1.0 } else { value.abs() };
        parts.sort_by(|one, two| strength(two.2).total_cmp(&strength(one.2)));
        parts.truncate(most);
        parts
    }

    /// What was measured and how, and whether the attributions add up.
    fn facts(&self) -> String {
        let mut facts = format!("{}; {}.", self.measure, self.signs.reading());
        if let Some([without, whole]) = self.ends {
            let sum: f32 = self.parts.iter().map(|(_, value)| *value).sum();
            // Writing to a text cannot fail.
            let _ = write!(
                facts,
                " Without the parts {}, with all {}; the parts' sum is {}",
                number::exact(without),
                number::exact(whole),
                number::signed(sum)
            );
            if let Some(gap) = self.gap {
                let _ = write!(facts, ", which leaves a gap of {}", number::exact(gap));
            }
            facts.push('.');
        }
        if !self.method.is_empty() {
            let _ = write!(facts, " {}.", self.method);
        }
        facts
    }

    /// A value beside its part.
    fn number(&self, value: f32) -> String {
        match self.signs {
            Signs::ForAndAgainst => number::signed(value),
            Signs::None => number::short(value),
        }
    }

    fn more(&self, shown: usize) -> String {
        match self.parts.len().saturating_sub(shown) {
            0 => String::new(),
            more => format!("and {more} weaker parts"),
        }
    }
}

impl Signs {
    /// What the colours say.
    fn reading(self) -> &'static str {
        match self {
            Self::ForAndAgainst => "blue and + raised it, red and − lowered it",
            Self::None => "the bluer, the more",
        }
    }
}

/// What a bar is drawn in: its length tells the value, its side and colour the sign.
fn bar_ink(value: f32) -> Ink {
    Ink::Shade(Ramp::Diverging, if value < 0.0 { 4 } else { 20 })
}

/// A text between the space around it, which is not coloured, so that no colour stays behind where a line is broken.
fn without_ends(text: &str) -> [&str; 3] {
    let (before, rest) = text.split_at(text.len() - text.trim_start().len());
    let (middle, after) = rest.split_at(rest.trim_end().len());
    if middle.is_empty() { ["", text, ""] } else { [before, middle, after] }
}

/// A part in one line.
fn name(at: usize, text: &str) -> String {
    format!("{} ({at})", columns::cut(&token::visible(text), LABEL))
}

impl Picture for AttributedPrompt {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        let mut svg = Svg::new(&self.title);
        let shades = self.shades();
        let parts = self.strongest(BARS);
        let names = parts.iter().map(|(at, text, _)| text_width(&name(*at, text)));
        let zero = names.fold(0.0, f64::max) + 60.0 + REACH;
        for (row, (at, text, value)) in parts.iter().enumerate() {
            let y = row as f64 * (HEIGHT + 4.0);
            let line = y + HEIGHT / 2.0 + 4.0;
            svg.text([zero - REACH - 60.0, line], Hold::End, Face::Token, Ink::Text, &name(*at, text));
            let length = f64::from(shades.part(*value).unwrap_or(0.5) * 2.0 - 1.0) * REACH;
            let hint = format!("{}\n{}: {}", name(*at, text), self.measure, number::exact(*value));
            svg.rect_with_hint([zero + length.min(0.0), y, length.abs(), HEIGHT], bar_ink(*value), &hint);
            let (x, hold) = if length < 0.0 {
                (zero + length - 6.0, Hold::End)
            } else {
                (zero + length + 6.0, Hold::Start)
            };
            svg.text([x, line], hold, Face::Cell, Ink::Text, &self.number(*value));
        }
        let bottom = svg.height();
        svg.rect([zero - 0.5, -2.0, 1.0, bottom + 2.0], Ink::Line);
        let more = self.more(parts.len());
        for (line, text) in
            [self.measure.as_str(), self.signs.reading(), self.method.as_str(), &more].into_iter().enumerate()
        {
            let y = bottom + 20.0 + 16.0 * line as f64;
            svg.text([0.0, y], Hold::Start, Face::Word, Ink::Muted, text);
        }
        svg.standalone()
    }

    fn to_html(&self, _id: &str) -> String {
        let shades = self.shades();
        let mut text = String::from(r#"<p class="prompt">"#);
        for (at, (part, value)) in (self.first..).zip(&self.parts) {
            let [before, part, after] = without_ends(part);
            // Writing to a text cannot fail.
            let _ = write!(
                text,
                r#"{}<span class="{}" title="part {at}: {}"><bdi>{}</bdi><sup>{}</sup></span>{}"#,
                Escaped(before),
                shades.fill(*value).class(),
                number::exact(*value),
                Escaped(part),
                self.number(*value),
                Escaped(after)
            );
        }
        text.push_str("</p>");
        let mut out = super::picture::in_box(&self.title, &text);
        let _ = write!(out, r#"<p class="note">{}</p><ol class="signed">"#, Escaped(&self.facts()));
        let parts = self.strongest(BARS);
        for (at, part, value) in &parts {
            let share = shades.part(*value).unwrap_or(0.5) * 2.0 - 1.0;
            let side = if share < 0.0 { "below" } else { "above" };
            let _ = write!(
                out,
                r#"<li><span>{}</span><div class="{side}"><i class="{}" style="width:{:.2}%"></i><b>{}</b></div></li>"#,
                Word(&name(*at, part)),
                bar_ink(*value).class(),
                share.abs() * 50.0,
                self.number(*value)
            );
        }
        let _ = write!(out, r#"</ol><p class="note">{}</p>"#, self.more(parts.len()));
        out
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let shades = self.shades();
        let mut out = columns::heading(&self.title, width, colour);
        let mut used = 0;
        for (text, value) in &self.parts {
            let mut text = columns::cut(&token::visible(text), width.saturating_sub(9).max(4));
            if colour == Colour::None {
                let _ = write!(text, "[{}]", self.number(*value));
            }
            let columns = columns::width(&text) + 1;
            if used > 0 && used + columns > width {
                end_line(&mut out);
                used = 0;
            }
            match shades.terminal(colour, *value) {
                Some((front, ground)) => colour.paint(&mut out, &text, front, ground),
                None => out.push_str(&text),
            }
            out.push(' ');
            used += columns;
        }
        end_line(&mut out);
        let parts = self.strongest(LINES);
        let label = parts.iter().map(|(at, text, _)| columns::width(&name(*at, text))).max().unwrap_or(0);
        let label = label.min(width / 2);
        for (at, text, value) in &parts {
            let share = (shades.part(*value).unwrap_or(0.5) * 2.0 - 1.0).abs();
            let room = width.saturating_sub(label + 9).min(40);
            let bar = "█".repeat(whole(share * room as f32));
            let name = columns::right(&name(*at, text), label);
            let _ = write!(out, "{name} {} ", columns::right(&self.number(*value), 6));
            colour.paint_front(&mut out, &bar, bar_ink(*value).colour(Theme::Dark));
            end_line(&mut out);
        }
        for line in columns::wrapped(&self.facts(), width) {
            colour.faint(&mut out, &line);
            out.push('\n');
        }
        out
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["part", "text", self.measure.as_str()]);
        for (at, (text, value)) in (self.first..).zip(&self.parts) {
            let text = columns::cut(&token::visible(text), 200);
            table.push([at.to_string(), text, number::exact(*value)]);
        }
        table
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of columns")]
fn whole(columns: f32) -> usize {
    columns.round().clamp(0.0, 4096.0) as usize
}
