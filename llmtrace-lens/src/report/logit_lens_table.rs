use std::fmt::Write as _;

use super::columns::{self, end_line};
use super::ink::Ink;
use super::legend;
use super::markup::{Escaped, Word};
use super::number;
use super::scale::Shades;
use super::svg::{Face, Hold, LINE, Svg};
use super::token;
use super::{Colour, Picture, PictureError, Scale, Table};

/// The most cells of a table.
const CELLS: usize = 1 << 14;

/// How wide and high a cell is.
const CELL: [f64; 2] = [86.0, 40.0];

/// The most characters of a token in a cell.
const TOKEN: usize = 10;

/// Columns of a probability in a terminal, with the space before it.
const PERCENT: usize = 6;

/// What the model would say after a layer at a position.
#[derive(Clone, Debug, PartialEq)]
pub struct LensCell {
    entropy: f32,
    top: Vec<(String, f32)>,
}

impl LensCell {
    /// The entropy of the distribution in bits, and its most probable tokens with their probabilities, best first.
    pub fn new<T: Into<String>>(entropy: f32, top: impl IntoIterator<Item = (T, f32)>) -> Self {
        Self {
            entropy,
            top: top.into_iter().map(|(token, probability)| (token.into(), probability)).collect(),
        }
    }

    /// The most probable token and its probability.
    fn best(&self) -> (&str, f32) {
        self.top.first().map_or(("", f32::NAN), |(token, probability)| (token, *probability))
    }

    fn hint(&self) -> String {
        let top =
            self.top.iter().map(|(token, p)| format!("{} {}", token::visible(token), number::percent(*p)));
        format!("{}\nentropy {} bits", top.collect::<Vec<_>>().join("\n"), number::exact(self.entropy))
    }
}

/// The logit lens: the model's best guess after every layer at every position (nostalgebraist, 2020).
#[derive(Clone, Debug)]
pub struct LogitLensTable {
    title: String,
    tokens: Vec<String>,
    answer: Option<String>,
    layers: Vec<(String, Vec<LensCell>)>,
}

impl LogitLensTable {
    /// A table without layers for a prompt of these tokens.
    pub fn new<T: AsRef<str>>(title: impl Into<String>, tokens: &[T]) -> Self {
        let tokens = tokens.iter().map(|token| token::visible(token.as_ref())).collect();
        Self { title: title.into(), tokens, answer: None, layers: Vec::new() }
    }

    /// The token that the model says in the end; cells that say it already are marked.
    pub fn answer(self, token: impl Into<String>) -> Self {
        Self { answer: Some(token.into()), ..self }
    }

    /// Adds a layer below the others, with a cell for each token of the prompt.
    ///
    /// # Errors
    /// There are not as many cells as tokens, or more than 16,384 in all.
    pub fn layer(
        mut self,
        name: impl Into<String>,
        cells: impl IntoIterator<Item = LensCell>,
    ) -> Result<Self, PictureError> {
        let cells: Vec<_> = cells.into_iter().collect();
        PictureError::check_shape(&self.title, &[self.tokens.len()], cells.len())?;
        let all = (self.layers.len() + 1).saturating_mul(cells.len());
        PictureError::check_size(&self.title, "cells", all, CELLS)?;
        self.layers.push((name.into(), cells));
        Ok(self)
    }

    fn shades(&self) -> Shades {
        let cells = self.layers.iter().flat_map(|(_, cells)| cells);
        Shades::new(Scale::FromZero, cells.map(|cell| cell.entropy)).less_is_stronger()
    }

    fn is_answer(&self, cell: &LensCell) -> bool {
        self.answer.as_deref().is_some_and(|answer| !cell.top.is_empty() && cell.best().0 == answer)
    }

    /// A cell's token, with a sign where it is the answer.
    fn guess(&self, cell: &LensCell, most: usize) -> String {
        let sign = if self.is_answer(cell) { SIGN } else { "" };
        columns::cut(&format!("{sign}{}", token::visible(cell.best().0)), most)
    }

    /// Columns that a position takes in a terminal.
    fn columns(&self, position: usize) -> usize {
        let cells = self.layers.iter().filter_map(|(_, cells)| cells.get(position));
        let cells = cells.map(|cell| columns::width(&self.guess(cell, TOKEN)) + PERCENT);
        let token = self.tokens.get(position).map_or(0, |token| columns::width(token).min(TOKEN));
        cells.chain([token]).max().unwrap_or(0)
    }

    /// What marks cells that say the answer.
    fn mark(&self) -> String {
        let mark = |answer| {
            format!("{SIGN}and a frame: {}, which the model says in the end", token::visible(answer))
        };
        self.answer.as_deref().map(mark).unwrap_or_default()
    }
}

const SIGN: &str = "◆ ";
const MEASURE: &str = "entropy in bits; the stronger the colour, the surer";

impl Picture for LogitLensTable {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        let mut svg = Svg::new(&self.title);
        let shades = self.shades();
        let names = self.layers.iter().map(|(name, _)| columns::cut(name, 24));
        let left = names.map(|name| super::svg::text_width(&name)).fold(0.0, f64::max) + 10.0;
        for (at, name) in self.tokens.iter().enumerate() {
            let x = left + (at as f64 + 0.5) * CELL[0];
            svg.text([x, 12.0], Hold::Middle, Face::Token, Ink::Text, &columns::cut(name, TOKEN + 1));
        }
        for (row, (name, cells)) in self.layers.iter().enumerate() {
            let y = LINE + 2.0 + row as f64 * CELL[1];
            let middle = [left - 10.0, y + CELL[1] / 2.0 + 4.0];
            svg.text(middle, Hold::End, Face::Word, Ink::Text, &columns::cut(name, 24));
            for (column, cell) in cells.iter().enumerate() {
                let x = left + column as f64 * CELL[0];
                let at = [x, y, CELL[0] - 2.0, CELL[1] - 2.0];
                svg.rect_with_hint(at, shades.fill(cell.entropy), &cell.hint());
                if self.is_answer(cell) {
                    svg.frame([x + 1.5, y + 1.5, CELL[0] - 5.0, CELL[1] - 5.0]);
                }
                let (ink, x) = (shades.text(cell.entropy), x + CELL[0] / 2.0 - 1.0);
                svg.text([x, y + 16.0], Hold::Middle, Face::Token, ink, &self.guess(cell, TOKEN + 1));
                svg.text([x, y + 31.0], Hold::Middle, Face::Cell, ink, &number::percent(cell.best().1));
            }
        }
        legend::draw(&mut svg, left, &shades, MEASURE);
        let y = svg.height() + 12.0;
        svg.text([left, y], Hold::Start, Face::Word, Ink::Muted, &self.mark());
        svg.standalone()
    }

    fn to_html(&self, _id: &str) -> String {
        let shades = self.shades();
        let mut out = String::from(r#"<table class="lens"><thead><tr><td></td>"#);
        // Writing to a text cannot fail.
        for (at, token) in self.tokens.iter().enumerate() {
            let _ = write!(out, r#"<th scope="col"><small>{at}</small>{}</th>"#, Word(token));
        }
        out.push_str("</tr></thead><tbody>");
        for (name, cells) in &self.layers {
            let _ = write!(out, r#"<tr><th scope="row">{}</th>"#, Escaped(name));
            for cell in cells {
                let answer = if self.is_answer(cell) { " answer" } else { "" };
                let _ = write!(
                    out,
                    r#"<td class="{}{answer}" title="{}">{}<small>{}</small></td>"#,
                    shades.fill(cell.entropy).class(),
                    Escaped(&cell.hint()),
                    Word(&self.guess(cell, 2 * TOKEN)),
                    Escaped(&number::percent(cell.best().1))
                );
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table>");
        let note = format!(r#"<p class="note">{}</p>"#, Escaped(&self.mark()));
        super::picture::in_box(&self.title, &out) + &legend::html(&shades, MEASURE) + &note
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let shades = self.shades();
        let longest = self.layers.iter().map(|(name, _)| columns::width(name)).max().unwrap_or(0);
        let label = longest.min(width / 3).max(4);
        let widths: Vec<_> = (0..self.tokens.len()).map(|position| self.columns(position)).collect();
        let mut room = width.saturating_sub(label);
        let fits = |columns: &&usize| {
            let fits = **columns < room;
            room = room.saturating_sub(**columns + 1);
            fits
        };
        let shown = widths.iter().rev().take_while(fits).count().max(1);
        let from = self.tokens.len().saturating_sub(shown);
        let mut out = columns::heading(&self.title, width, colour);
        out.push_str(&" ".repeat(label));
        for (token, width) in self.tokens.iter().zip(&widths).skip(from) {
            let _ = write!(out, " {}", columns::left(token, *width));
        }
        end_line(&mut out);
        for (name, cells) in &self.layers {
            out.push_str(&columns::right(name, label));
            for (cell, width) in cells.iter().zip(&widths).skip(from) {
                let percent = columns::right(&number::percent(cell.best().1), PERCENT);
                let guess = columns::left(&self.guess(cell, TOKEN), width.saturating_sub(PERCENT));
                let text = format!("{guess}{percent}");
                out.push(' ');
                match shades.terminal(colour, cell.entropy) {
                    Some((front, ground)) => colour.paint(&mut out, &text, front, ground),
                    None => out.push_str(&text),
                }
            }
            end_line(&mut out);
        }
        if from > 0 {
            let _ = writeln!(out, "{from} earlier positions are not shown.");
        }
        if let Some(answer) = &self.answer {
            let _ = writeln!(out, "{SIGN}{}, which the model says in the end", token::visible(answer));
        }
        if colour != Colour::None {
            out.push_str(&legend::line(&shades, MEASURE, colour));
        }
        out
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["layer", "position", "token", "entropy (bits)", "most probable"]);
        for (name, cells) in &self.layers {
            for (at, (cell, token)) in cells.iter().zip(&self.tokens).enumerate() {
                let top =
                    cell.top.iter().map(|(t, p)| format!("{} {}", token::visible(t), number::exact(*p)));
                let top = top.collect::<Vec<_>>().join("   ");
                table.push([name.clone(), at.to_string(), token.clone(), number::exact(cell.entropy), top]);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::svg::CHARACTER;

    #[test]
    fn wide_cells_hold_what_is_written_in_them() {
        assert!((TOKEN + 1) as f64 * CHARACTER < CELL[0]);
    }
}
