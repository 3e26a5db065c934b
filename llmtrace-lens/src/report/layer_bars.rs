use std::fmt::Write as _;

use super::columns;
use super::ink::Ink;
use super::markup::Escaped;
use super::number;
use super::svg::{Face, Hold, Svg, text_width};
use super::{Colour, Picture, PictureError, Table};

/// The most bars.
const BARS: usize = 1024;

/// How wide the longest bar is, and how high each.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 20.0;

/// What the longest bar stands for at least.
const SHORTEST: f64 = 1e-30;

/// The most characters of a bar's name.
const LABEL: usize = 24;

/// The most characters of a bar's value with its unit.
const TOTAL: usize = 20;

/// The characters of parts where there are no colours.
const CHARACTERS: [char; 4] = ['█', '▒', '░', '▓'];

/// A bar for each layer, of parts that add up: the time of attention and MLP, norms, sizes.
///
/// ```
/// use llmtrace_lens::report::LayerBars;
///
/// let bars = LayerBars::new("Time by layer", "ms", ["attention", "MLP"])
///     .bar("L0", [1.4, 0.9])?
///     .bar("L1", [1.2, 1.0])?;
/// # Ok::<(), llmtrace_lens::report::PictureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LayerBars {
    title: String,
    unit: String,
    parts: Vec<String>,
    bars: Vec<(String, Vec<f32>)>,
}

impl LayerBars {
    /// Bars without layers, made of these parts; an empty unit is one without a name.
    pub fn new<P: Into<String>>(
        title: impl Into<String>,
        unit: impl Into<String>,
        parts: impl IntoIterator<Item = P>,
    ) -> Self {
        let parts = parts.into_iter().map(Into::into).collect();
        Self { title: title.into(), unit: unit.into(), parts, bars: Vec::new() }
    }

    /// Adds a bar below the others, with a value for each part; what is below zero or no finite number has no length.
    ///
    /// # Errors
    /// There are not as many values as parts, or more than 1024 bars.
    pub fn bar(mut self, name: impl Into<String>, values: impl Into<Vec<f32>>) -> Result<Self, PictureError> {
        let values = values.into();
        PictureError::check_shape(&self.title, &[self.parts.len()], values.len())?;
        PictureError::check_size(&self.title, "bars", self.bars.len() + 1, BARS)?;
        self.bars.push((name.into(), values));
        Ok(self)
    }

    /// The length of the longest bar.
    fn longest(&self) -> f64 {
        self.bars
            .iter()
            .map(|(_, values)| values.iter().copied().map(length).sum())
            .fold(0.0, f64::max)
            .max(SHORTEST)
    }

    /// A bar's value as a whole, with its unit.
    fn total(&self, values: &[f32]) -> String {
        self.with_unit(&number::short(values.iter().sum()))
    }

    fn with_unit(&self, value: &str) -> String {
        if self.unit.is_empty() { value.to_owned() } else { format!("{value} {}", self.unit) }
    }

    fn hint(&self, name: &str, part: usize, value: f32) -> String {
        let part = self.parts.get(part).map_or("", String::as_str);
        format!("{name} · {part}: {}", self.with_unit(&number::exact(value)))
    }
}

/// What a value adds to a bar.
fn length(value: f32) -> f64 {
    if value.is_finite() { f64::from(value.max(0.0)) } else { 0.0 }
}

fn ink(part: usize) -> [Ink; 2] {
    let part = u8::try_from(part % usize::from(super::ink::PARTS)).unwrap_or_default();
    [Ink::Part(part), Ink::OnPart(part)]
}

impl Picture for LayerBars {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        let mut svg = Svg::new(&self.title);
        let names = self.bars.iter().map(|(name, _)| columns::width(&columns::cut(name, LABEL))).max();
        let left = text_width(&"0".repeat(names.unwrap_or(0))) + 10.0;
        let unit = WIDTH / self.longest();
        let mut x = left;
        for (part, name) in self.parts.iter().enumerate().filter(|_| self.parts.len() > 1) {
            svg.rect([x, 0.0, 12.0, 12.0], ink(part)[0]);
            svg.text([x + 17.0, 10.5], Hold::Start, Face::Word, Ink::Text, name);
            x += text_width(name) + 36.0;
        }
        let top = if self.parts.len() > 1 { 24.0 } else { 0.0 };
        for (row, (name, values)) in self.bars.iter().enumerate() {
            let y = top + row as f64 * (HEIGHT + 5.0);
            let line = y + HEIGHT / 2.0 + 4.0;
            svg.text([left - 10.0, line], Hold::End, Face::Word, Ink::Text, &columns::cut(name, LABEL));
            let mut x = left;
            for (part, value) in values.iter().enumerate() {
                let width = length(*value) * unit;
                svg.rect_with_hint([x, y, width, HEIGHT], ink(part)[0], &self.hint(name, part, *value));
                let text = number::short(*value);
                if self.parts.len() > 1 && width > text_width(&text) + 6.0 {
                    svg.text([x + width / 2.0, line], Hold::Middle, Face::Cell, ink(part)[1], &text);
                }
                x += width;
            }
            svg.text([x + 8.0, line], Hold::Start, Face::Word, Ink::Muted, &self.total(values));
        }
        svg.standalone()
    }

    fn to_html(&self, _id: &str) -> String {
        let mut out = String::new();
        // Writing to a text cannot fail.
        if self.parts.len() > 1 {
            out.push_str(r#"<ul class="parts">"#);
            for (part, name) in self.parts.iter().enumerate() {
                let _ = write!(out, r#"<li><i class="{}"></i>{}</li>"#, ink(part)[0].class(), Escaped(name));
            }
            out.push_str("</ul>");
        }
        out.push_str(r#"<ol class="bars">"#);
        let longest = self.longest();
        for (name, values) in &self.bars {
            let _ = write!(out, "<li><span>{}</span><div>", Escaped(name));
            for (part, value) in values.iter().enumerate() {
                let share = 100.0 * length(*value) / longest;
                let text =
                    if self.parts.len() > 1 && share > 12.0 { number::short(*value) } else { String::new() };
                let _ = write!(
                    out,
                    r#"<i class="{}" style="flex-basis:{share:.2}%" title="{}">{text}</i>"#,
                    ink(part)[0].class(),
                    Escaped(&self.hint(name, part, *value))
                );
            }
            let _ = write!(out, "<b>{}</b></div></li>", Escaped(&self.total(values)));
        }
        out.push_str("</ol>");
        out
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let longest_name = self.bars.iter().map(|(name, _)| columns::width(name)).max().unwrap_or(0);
        let longest_total = self
            .bars
            .iter()
            .map(|(_, values)| columns::width(&columns::cut(&self.total(values), TOTAL)))
            .max();
        let label = longest_name.min(width / 3);
        let room = width.saturating_sub(label + longest_total.unwrap_or(0) + 2).max(4);
        let longest = self.longest();
        let mut out = columns::heading(&self.title, width, colour);
        for (name, values) in &self.bars {
            out.push_str(&columns::right(name, label));
            out.push(' ');
            let mut share = 0.0;
            let mut drawn = 0;
            for (part, value) in values.iter().enumerate() {
                share += length(*value) / longest;
                let end = whole(share * room as f64);
                let run = end.saturating_sub(drawn);
                paint_part(&mut out, part, run, colour);
                drawn += run;
            }
            let _ = writeln!(out, " {}", columns::cut(&self.total(values), TOTAL));
        }
        if self.parts.len() > 1 {
            for (part, name) in self.parts.iter().enumerate() {
                paint_part(&mut out, part, 2, colour);
                let _ = write!(out, " {}  ", columns::cut(name, LABEL));
            }
            out.truncate(out.trim_end().len());
            out.push('\n');
        }
        out
    }

    fn table(&self) -> Table {
        let head =
            std::iter::once("layer".to_owned()).chain(self.parts.iter().map(|part| {
                if self.unit.is_empty() { part.clone() } else { format!("{part} ({})", self.unit) }
            }));
        let mut table = Table::new(head);
        for (name, values) in &self.bars {
            table.push(std::iter::once(name.clone()).chain(values.iter().copied().map(number::exact)));
        }
        table
    }
}

fn paint_part(out: &mut String, part: usize, columns: usize, colour: Colour) {
    let [ground, front] = ink(part).map(|ink| ink.colour(super::palette::Theme::Dark));
    if colour == Colour::None {
        let character = CHARACTERS.get(part % CHARACTERS.len()).copied().unwrap_or('█');
        out.extend(std::iter::repeat_n(character, columns));
    } else {
        colour.paint(out, &" ".repeat(columns), front, ground);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of columns")]
fn whole(columns: f64) -> usize {
    columns.round().clamp(0.0, 4096.0) as usize
}
