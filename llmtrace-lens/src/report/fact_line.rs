use std::fmt::Write as _;

use super::ink::Ink;
use super::markup::Escaped;
use super::svg::{Face, Hold, Svg};
use super::token;
use super::{Colour, Picture, Table, columns};

/// Figures in a line, each with its caption: what to remember of a report.
#[derive(Clone, Debug)]
pub struct FactLine {
    title: String,
    facts: Vec<[String; 2]>,
}

impl FactLine {
    /// A line without figures.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), facts: Vec::new() }
    }

    /// Adds a figure, with its unit, and what it is the figure of.
    pub fn fact(mut self, figure: impl Into<String>, caption: impl Into<String>) -> Self {
        self.facts.push([figure.into(), caption.into()]);
        self
    }
}

impl Picture for FactLine {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        let mut svg = Svg::new(&self.title);
        for (at, [figure, caption]) in self.facts.iter().enumerate() {
            let y = 14.0 + 22.0 * at as f64;
            let widest = self.facts.iter().map(|[figure, _]| columns::width(figure)).max().unwrap_or(0);
            svg.text([0.0, y], Hold::Start, Face::Strong, Ink::Text, figure);
            let x = (widest as f64 + 2.0) * super::svg::CHARACTER;
            svg.text([x, y], Hold::Start, Face::Word, Ink::Muted, caption);
        }
        svg.standalone()
    }

    fn to_html(&self, _id: &str) -> String {
        let mut out = String::from(r#"<dl class="facts">"#);
        for [figure, caption] in &self.facts {
            // Writing to a text cannot fail.
            let _ = write!(
                out,
                "<div><dt>{}</dt><dd><bdi>{}</bdi></dd></div>",
                Escaped(caption),
                Escaped(figure)
            );
        }
        out.push_str("</dl>");
        out
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        let widest =
            self.facts.iter().map(|[figure, _]| columns::width(&token::visible(figure))).max().unwrap_or(0);
        let mut out = String::new();
        for [figure, caption] in &self.facts {
            colour.strong(&mut out, &columns::right(&token::visible(figure), widest));
            out.push_str("  ");
            out.push_str(&columns::cut(&token::visible(caption), width.saturating_sub(widest + 2)));
            out.push('\n');
        }
        out
    }

    /// Empty, as every figure stands in the picture.
    fn table(&self) -> Table {
        Table::default()
    }
}
