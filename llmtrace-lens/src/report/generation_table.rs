use std::fmt::Write as _;

use super::columns;
use super::ink::Ink;
use super::markup::Word;
use super::number;
use super::svg::{Face, Hold, LINE, Svg, text_width};
use super::token;
use super::{Colour, Picture, Table};

/// The most characters of a token.
const TOKEN: usize = 24;

/// The most alternatives that are named in a line.
const ALTERNATIVES: usize = 4;

/// The most steps that are drawn; the table behind the picture has more.
const STEPS: usize = 256;

/// How wide the bar of a probability is.
const BAR: f64 = 90.0;

/// How one token was chosen.
#[derive(Clone, Debug)]
pub struct GenerationStep {
    token: String,
    probability: f32,
    entropy: f32,
    rank: usize,
    alternatives: Vec<(String, f32)>,
    removed: Vec<(String, usize)>,
}

impl GenerationStep {
    /// A token with the probability that the model gave it, the entropy of the model's distribution in bits, and the
    /// token's rank in it, the most probable having rank 1.
    pub fn new(token: &str, probability: f32, entropy: f32, rank: usize) -> Self {
        let token = token::visible(token);
        Self { token, probability, entropy, rank, alternatives: Vec::new(), removed: Vec::new() }
    }

    /// What else the model held possible, with probabilities, best first.
    pub fn alternatives<T: AsRef<str>>(self, tokens: impl IntoIterator<Item = (T, f32)>) -> Self {
        let alternatives = tokens.into_iter().map(|(t, p)| (token::visible(t.as_ref()), p)).collect();
        Self { alternatives, ..self }
    }

    /// How many tokens a filter took away, as `top-p 0.9` did.
    pub fn removed(mut self, filter: &str, tokens: usize) -> Self {
        self.removed.push((token::visible(filter), tokens));
        self
    }

    fn alternatives_line(&self, most: usize) -> String {
        let tokens = self.alternatives.iter().take(most);
        let tokens = tokens.map(|(t, p)| format!("{} {}", columns::cut(t, TOKEN), number::percent(*p)));
        tokens.collect::<Vec<_>>().join("  ")
    }

    fn removed_line(&self) -> String {
        let filters = self.removed.iter().map(|(filter, tokens)| format!("{filter}: {tokens}"));
        filters.collect::<Vec<_>>().join("  ")
    }

    /// How much of its bar the probability fills.
    fn share(&self) -> f32 {
        if self.probability.is_nan() { 0.0 } else { self.probability.clamp(0.0, 1.0) }
    }

    /// The cells of its row, without its number.
    fn cells(&self) -> [String; 6] {
        [
            columns::cut(&self.token, TOKEN),
            number::percent(self.probability),
            number::short(self.entropy),
            self.rank.to_string(),
            self.alternatives_line(ALTERNATIVES),
            self.removed_line(),
        ]
    }
}

/// A generation step by step: what was chosen, how sure the model was, what else was possible, what filters took away.
#[derive(Clone, Debug)]
pub struct GenerationTable {
    title: String,
    steps: Vec<GenerationStep>,
}

impl GenerationTable {
    /// A generation without steps.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), steps: Vec::new() }
    }

    /// Adds a step below the others.
    pub fn step(mut self, step: GenerationStep) -> Self {
        self.steps.push(step);
        self
    }

    /// The columns that hold something, and how wide each is.
    fn columns(&self) -> Vec<(usize, usize)> {
        let widest = |column: usize, name: &str| {
            let cells = self.steps.iter().map(GenerationStep::cells);
            let widths = cells.map(|cells| cells.get(column).map_or(0, |cell| columns::width(cell)));
            (widths.max().unwrap_or(0), columns::width(name))
        };
        let widths = HEAD.iter().enumerate().map(|(at, name)| (at, widest(at, name)));
        widths.filter(|(_, (cells, _))| *cells > 0).map(|(at, (cells, name))| (at, cells.max(name))).collect()
    }

    fn more(&self) -> Option<String> {
        let more = self.steps.len().checked_sub(STEPS).filter(|more| *more > 0)?;
        Some(format!("{more} more steps are not shown."))
    }
}

const HEAD: [&str; 6] = ["token", "probability", "entropy", "rank", "also possible", "taken away by filters"];

/// The column of the token's probability, and those of figures.
const PROBABILITY: usize = 1;
const FIGURES: [usize; 3] = [1, 2, 3];

impl Picture for GenerationTable {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        let mut svg = Svg::new(&self.title);
        let mut x = text_width(&self.steps.len().to_string()) + 14.0;
        let columns = self.columns();
        for (row, _) in self.steps.iter().take(STEPS).enumerate() {
            let y = 12.0 + (row + 1) as f64 * (LINE + 4.0);
            svg.text([x - 14.0, y], Hold::End, Face::Token, Ink::Muted, &(row + 1).to_string());
        }
        for (column, width) in columns {
            let bar = if column == PROBABILITY { BAR } else { 0.0 };
            let width = width as f64 * super::svg::CHARACTER;
            let is_figure = FIGURES.contains(&column);
            let (at, hold) = if is_figure { (x + width, Hold::End) } else { (x, Hold::Start) };
            let head = HEAD.get(column).copied().unwrap_or_default();
            svg.text([at, 12.0], hold, Face::Word, Ink::Muted, head);
            for (row, step) in self.steps.iter().take(STEPS).enumerate() {
                let y = 12.0 + (row + 1) as f64 * (LINE + 4.0);
                if bar > 0.0 {
                    let length = f64::from(step.share()) * BAR;
                    svg.rect([x + width + 8.0, y - 10.0, BAR, 12.0], Ink::Blank);
                    svg.rect([x + width + 8.0, y - 10.0, length, 12.0], Ink::Part(0));
                }
                let ink = if column < 4 { Ink::Text } else { Ink::Muted };
                let cells = step.cells();
                svg.text([at, y], hold, Face::Token, ink, cells.get(column).map_or("", String::as_str));
            }
            x += width + bar + 24.0;
        }
        if let Some(more) = self.more() {
            let y = svg.height() + 16.0;
            svg.text([0.0, y], Hold::Start, Face::Word, Ink::Muted, &more);
        }
        svg.standalone()
    }

    fn to_html(&self, _id: &str) -> String {
        let columns = self.columns();
        let mut out = String::from(r#"<table class="steps"><thead><tr><th scope="col">step</th>"#);
        // Writing to a text cannot fail.
        for (column, _) in &columns {
            let class = if FIGURES.contains(column) { r#" class="figure""# } else { "" };
            let _ = write!(
                out,
                r#"<th scope="col"{class}>{}</th>"#,
                HEAD.get(*column).copied().unwrap_or_default()
            );
        }
        out.push_str("</tr></thead><tbody>");
        for (at, step) in self.steps.iter().take(STEPS).enumerate() {
            let _ = write!(out, r#"<tr><th scope="row">{}</th>"#, at + 1);
            let cells = step.cells();
            for (column, _) in &columns {
                let cell = Word(cells.get(*column).map_or("", String::as_str));
                let _ = match *column {
                    0 => write!(out, r#"<td class="chosen">{cell}</td>"#),
                    PROBABILITY => write!(
                        out,
                        r#"<td class="figure">{cell} <span class="meter"><i class="p0" style="width:{:.1}%"></i></span></td>"#,
                        100.0 * step.share()
                    ),
                    2 | 3 => write!(out, r#"<td class="figure">{cell}</td>"#),
                    _ => write!(out, r#"<td class="more">{cell}</td>"#),
                };
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table>");
        let more = self.more().map_or_else(String::new, |more| format!(r#"<p class="note">{more}</p>"#));
        super::picture::in_box(&self.title, &out) + &more
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let mut out = columns::heading(&self.title, width, colour);
        let number = self.steps.len().to_string().len();
        let all = self.columns();
        let aligned = |column: usize, width: usize, text: &str| {
            if FIGURES.contains(&column) { columns::right(text, width) } else { columns::left(text, width) }
        };
        let mut write_line = |start: &str, cells: &[&str]| {
            let mut line = columns::right(start, number);
            for (column, width) in &all {
                let cell = cells.get(*column).copied().unwrap_or_default();
                let _ = write!(line, "  {}", aligned(*column, *width, cell));
            }
            out.push_str(&columns::cut(line.trim_end(), width.max(1)));
            out.push('\n');
        };
        write_line("", &HEAD);
        for (at, step) in self.steps.iter().take(STEPS).enumerate() {
            let cells = step.cells();
            write_line(&(at + 1).to_string(), &cells.each_ref().map(String::as_str));
        }
        out.extend(self.more().map(|more| more + "\n"));
        out
    }

    fn table(&self) -> Table {
        let head = [
            "step",
            "token",
            "probability",
            "entropy (bits)",
            "rank",
            "alternatives",
            "taken away by filters",
        ];
        let mut table = Table::new(head);
        for (at, step) in self.steps.iter().enumerate() {
            let others = step.alternatives.iter().map(|(t, p)| format!("{t} {}", number::exact(*p)));
            table.push([
                (at + 1).to_string(),
                step.token.clone(),
                number::exact(step.probability),
                number::exact(step.entropy),
                step.rank.to_string(),
                others.collect::<Vec<_>>().join("   "),
                step.removed_line(),
            ]);
        }
        table
    }
}
