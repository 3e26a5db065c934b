//! Cells in columns for people.

use llmtrace_exporters::text;

/// Rows of cells: the first to the left, the others to the right.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    rows: Vec<(Vec<String>, &'static str)>,
}

/// Columns between two columns.
const GAP: usize = 2;

/// Columns that names have at least.
const NAME_MIN: usize = 12;

/// Columns that names are not cut below where other columns can be left out instead.
const NAME_COMFORT: usize = 44;

pub(crate) const FAINT: &str = "\x1b[2m";
pub(crate) const RED: &str = "\x1b[31m";
pub(crate) const GREEN: &str = "\x1b[32m";
pub(crate) const YELLOW: &str = "\x1b[33m";
pub(crate) const PLAIN: &str = "\x1b[0m";

impl Grid {
    pub(crate) fn row(&mut self, cells: Vec<String>, style: &'static str) {
        self.rows.push((cells, style));
    }

    /// Whether there is room for it, with names that stay readable.
    pub(crate) fn fits(&self, columns: usize) -> bool {
        let widths = self.widths();
        let names = widths.first().copied().unwrap_or_default();
        Self::total(&widths) - names.saturating_sub(NAME_COMFORT) <= columns
    }

    /// Writes it; names are cut where it is wider than `columns`.
    pub(crate) fn write(&self, columns: usize, is_colored: bool, out: &mut String) {
        let widths = self.widths();
        let over = Self::total(&widths).saturating_sub(columns);
        let names = widths.first().copied().unwrap_or_default();
        let name_width = names.saturating_sub(over).max(NAME_MIN.min(names));
        for (cells, style) in &self.rows {
            let mut line = String::new();
            for (number, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                if number == 0 {
                    let name = text::cut(cell, name_width);
                    line.push_str(&name);
                    line.push_str(&" ".repeat(name_width - text::width(&name)));
                } else {
                    line.push_str(&" ".repeat(GAP + width.saturating_sub(text::width(cell))));
                    line.push_str(cell);
                }
            }
            out.push_str(&styled(line.trim_end(), style, is_colored));
            out.push('\n');
        }
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(|(cells, _)| cells.len()).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|(cells, _)| cells.get(column));
            cells.map(|cell| text::width(cell)).max().unwrap_or_default()
        };
        (0..columns).map(width).collect()
    }

    fn total(widths: &[usize]) -> usize {
        widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
    }
}

/// A text in a style, where there are any.
pub(crate) fn styled(said: &str, style: &str, is_colored: bool) -> String {
    if is_colored && !style.is_empty() && !said.is_empty() {
        format!("{style}{said}{PLAIN}")
    } else {
        said.to_owned()
    }
}
