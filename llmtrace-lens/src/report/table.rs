use std::fmt::Write as _;

use super::markup::{Escaped, Word};

/// The most rows of a table that are written to a page.
const ROWS: usize = 600;

/// The numbers of a picture, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    note: Option<String>,
}

impl Table {
    /// A table with these columns; the first names the rows.
    pub fn new<H: Into<String>>(head: impl IntoIterator<Item = H>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new(), note: None }
    }

    /// Adds a row.
    #[must_use]
    pub fn row<C: Into<String>>(mut self, cells: impl IntoIterator<Item = C>) -> Self {
        self.push(cells);
        self
    }

    /// Says something of the table as a whole, as that it holds only a part.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// The columns' names.
    pub fn head(&self) -> &[String] {
        &self.head
    }

    /// The rows, each with its name first.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    pub(super) fn push<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table behind a line that opens it; nothing where there is no row.
    pub(super) fn to_html(&self, title: &str) -> String {
        let mut out = String::new();
        if self.rows.is_empty() {
            return out;
        }
        // Writing to a text cannot fail.
        let _ = write!(
            out,
            r#"<details class="numbers"><summary>The numbers: {title}</summary><div class="scroll" role="region" tabindex="0" aria-label="Numbers: {title}"><table><thead><tr>"#,
            title = Escaped(title)
        );
        let columns = self.head.len();
        let classes: Vec<_> =
            (0..columns).map(|column| if self.is_figures(column) { FIGURE } else { "" }).collect();
        let class = |column: usize| classes.get(column).copied().unwrap_or("");
        for (column, name) in self.head.iter().enumerate() {
            let _ = write!(out, r#"<th scope="col"{}>{}</th>"#, class(column), Escaped(name));
        }
        out.push_str("</tr></thead><tbody>");
        for row in self.rows.iter().take(ROWS) {
            out.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let (class, cell) = (class(column), Word(cell));
                let _ = match column {
                    0 => write!(out, r#"<th scope="row"{class}>{cell}</th>"#),
                    _ => write!(out, "<td{class}>{cell}</td>"),
                };
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
        if let Some(more) = self.rows.len().checked_sub(ROWS).filter(|more| *more > 0) {
            let _ = write!(out, "<p>{more} more rows are not shown.</p>");
        }
        if let Some(note) = &self.note {
            let _ = write!(out, "<p>{}</p>", Escaped(note));
        }
        out.push_str("</details>");
        out
    }

    /// Whether a column holds numbers only.
    fn is_figures(&self, column: usize) -> bool {
        let is_figure = |char: char| char.is_ascii_digit() || "+−.e%∞NaN<–".contains(char);
        let mut cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.all(|cell| cell.chars().all(is_figure))
    }
}

/// What sets numbers below each other.
const FIGURE: &str = r#" class="figure""#;
