//! Tables for people.

use llmtrace_exporters::text;

/// Columns of text, the first to the left and the others to the right.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    columns: Vec<Column>,
}

/// One column: its title and a cell for each row.
#[derive(Clone, Debug)]
pub(super) struct Column {
    title: &'static str,
    cells: Vec<String>,
}

/// What stands in a cell of which nothing is known.
pub(super) const NOTHING: &str = "–";

/// Columns between two columns.
const GAP: usize = 2;

/// Columns that names are not cut below for other columns, and that they have at least.
const NAME_COMFORT: usize = 24;
const NAME_MIN: usize = 12;

const FAINT: &str = "\x1b[2m";
const STRONG: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

impl Column {
    pub(super) fn new(title: &'static str, cells: Vec<String>) -> Self {
        Self { title, cells }
    }

    fn width(&self) -> usize {
        let widest = self.cells.iter().map(|cell| text::width(cell)).max().unwrap_or_default();
        widest.max(text::width(self.title))
    }

    /// Whether a cell says anything.
    fn says_something(&self) -> bool {
        self.cells.iter().any(|cell| cell != NOTHING)
    }
}

impl Table {
    /// A table of rows with these names.
    pub(super) fn new(names: Column) -> Self {
        Self { columns: vec![names] }
    }

    /// Adds a column, unless none of its cells says anything.
    pub(super) fn column(&mut self, column: Column) {
        if column.says_something() {
            self.columns.push(column);
        }
    }

    /// The columns of another table of the same rows beside these.
    pub(super) fn beside(&self, other: &Self) -> Self {
        let columns = self.columns.iter().chain(other.columns.iter().skip(1)).cloned().collect();
        Self { columns }
    }

    /// Columns that it takes up with names of full length.
    pub(super) fn width(&self) -> usize {
        self.columns.iter().map(Column::width).sum::<usize>() + GAP * self.columns.len().saturating_sub(1)
    }

    /// Whether there is room for it, with names that stay readable.
    pub(super) fn fits(&self, columns: usize) -> bool {
        let names = self.columns.first().map_or(0, Column::width);
        self.width() - names.saturating_sub(NAME_COMFORT) <= columns
    }

    /// Writes it; names are cut where it is wider than `columns`. The last row is the total.
    pub(super) fn write(&self, columns: usize, is_colored: bool, out: &mut String) {
        let Some((names, figures)) = self.columns.split_first() else { return };
        let over = self.width().saturating_sub(columns);
        let name_width = names.width().saturating_sub(over).max(NAME_MIN.min(names.width()));
        let mut line = |name: &str, cells: &mut dyn Iterator<Item = &str>, style: &str| {
            let name = text::cut(name, name_width);
            let mut row = format!("{name}{}", " ".repeat(name_width - text::width(&name)));
            for (cell, column) in cells.zip(figures) {
                let width = GAP + column.width();
                row.push_str(&" ".repeat(width.saturating_sub(text::width(cell))));
                row.push_str(cell);
            }
            let row = row.trim_end();
            if is_colored && !style.is_empty() {
                out.extend([style, row, PLAIN, "\n"]);
            } else {
                out.extend([row, "\n"]);
            }
        };
        line(names.title, &mut figures.iter().map(|column| column.title), FAINT);
        for (row, name) in names.cells.iter().enumerate() {
            let cells = figures.iter().map(|column| column.cells.get(row).map_or(NOTHING, String::as_str));
            let is_total = row + 1 == names.cells.len();
            line(name, &mut { cells }, if is_total { STRONG } else { "" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &'static str, cells: [&str; 2]) -> Column {
        Column::new(title, cells.map(str::to_owned).to_vec())
    }

    #[test]
    fn figures_stand_below_each_other_and_names_give_way() {
        let mut table = Table::new(column("model", ["a-model-with-a-long-name", "total"]));
        table.column(column("calls", ["12", "1,234"]));
        table.column(column("first", [NOTHING, NOTHING]));
        table.column(column("cost", ["≥$1.20", NOTHING]));
        let check = |columns: usize, expected: &str| {
            let mut drawn = String::new();
            table.write(columns, false, &mut drawn);
            assert_eq!(drawn, expected);
        };
        check(
            100,
            "model                     calls    cost\n\
             a-model-with-a-long-name     12  ≥$1.20\n\
             total                     1,234       –\n",
        );
        check(
            30,
            "model            calls    cost\n\
             a-model-with-a…     12  ≥$1.20\n\
             total            1,234       –\n",
        );
    }
}
