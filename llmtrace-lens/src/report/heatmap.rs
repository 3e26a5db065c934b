mod draw;
mod terminal;

use super::field::Above;
use super::number;
use super::picture::Picture;
use super::scale::Shades;
use super::{Axis, Colour, PictureError, Scale, Table};

pub(super) use draw::{Detail, html};

/// The most values that a map is made of.
const VALUES: usize = 1 << 24;

/// The most columns of a table that has a column for each of the map's.
const TABLE_COLUMNS: usize = 40;

/// The most rows of a table that lists the strongest cells.
const STRONGEST: usize = 200;

/// A rectangle of values as colours: the attention of a head, a patching sweep over layers and positions.
///
/// ```
/// use llmtrace_lens::report::{Axis, Heatmap, Scale};
///
/// let layers = Axis::counted("layer", "L", 2);
/// let positions = Axis::tokens("position", [" Dallas", " is"]);
/// let map = Heatmap::new("Patched residual stream", layers, positions, [8.1, 0.0, 0.2, 8.0])?
///     .scale(Scale::Centred)
///     .value_is("change of logit(Sacramento) − logit(Austin)");
/// # Ok::<(), llmtrace_lens::report::PictureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Heatmap {
    title: String,
    rows: Axis,
    columns: Axis,
    values: Vec<f32>,
    scale: Scale,
    measure: String,
    above: Above,
    marks: Vec<[usize; 2]>,
}

impl Heatmap {
    /// A map of `rows` x `columns` values, row by row, coloured from zero to the largest.
    ///
    /// # Errors
    /// There are not as many values as cells, or more than 16.8 million. Maps of more than 128 rows or columns are
    /// drawn with cells that each stand for the strongest of several values.
    pub fn new(
        title: impl Into<String>,
        rows: Axis,
        columns: Axis,
        values: impl Into<Vec<f32>>,
    ) -> Result<Self, PictureError> {
        let (title, values) = (title.into(), values.into());
        PictureError::check_shape(&title, &[rows.len(), columns.len()], values.len())?;
        PictureError::check_size(&title, "values", values.len(), VALUES)?;
        let (scale, measure) = (Scale::default(), "value".to_owned());
        Ok(Self { title, rows, columns, values, scale, measure, above: Above::Shown, marks: Vec::new() })
    }

    /// The attention of one head, from 0 to 1: `pattern` has a row for each query token, a column for each key token.
    ///
    /// # Errors
    /// `pattern` is not as long as the tokens squared, or longer than 16.8 million.
    pub fn attention<T: AsRef<str>>(
        title: impl Into<String>,
        tokens: &[T],
        pattern: impl Into<Vec<f32>>,
    ) -> Result<Self, PictureError> {
        let rows = Axis::tokens("token that looks", tokens);
        let columns = Axis::tokens("token looked at", tokens);
        let map = Self::new(title, rows, columns, pattern)?;
        Ok(map.scale(Scale::Unit).value_is("share of attention").causal())
    }

    /// How values become colours.
    pub fn scale(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    /// What a value is, with its unit.
    pub fn value_is(self, measure: impl Into<String>) -> Self {
        Self { measure: measure.into(), ..self }
    }

    /// Leaves out what lies right of the diagonal, as a token cannot look at later ones.
    pub fn causal(self) -> Self {
        Self { above: Above::Hidden, ..self }
    }

    /// Puts a frame around a cell.
    pub fn mark(mut self, row: usize, column: usize) -> Self {
        self.marks.push([row, column]);
        self
    }

    /// Whether there is nothing to see at a place, whatever the value.
    pub(super) fn is_hidden(&self, row: usize, column: usize) -> bool {
        self.above == Above::Hidden && column > row
    }

    /// The places that are seen, with their values.
    fn cells(&self) -> impl Iterator<Item = (usize, usize, f32)> {
        let columns = self.columns.len().max(1);
        let cells =
            self.values.iter().enumerate().map(move |(at, value)| (at / columns, at % columns, *value));
        cells.filter(|(row, column, _)| !self.is_hidden(*row, *column))
    }

    /// What rows and columns are.
    fn axes(&self) -> String {
        format!("rows: {} · columns: {}", self.rows.name(), self.columns.name())
    }

    pub(super) fn shades(&self) -> Shades {
        Shades::new(self.scale, self.cells().map(|(.., value)| value))
    }

    /// The places of the largest magnitudes, strongest first.
    fn strongest(&self, most: usize) -> Vec<(usize, usize, f32)> {
        let mut cells: Vec<_> = self.cells().collect();
        let strength = |value: f32| if value.is_nan() { -1.0 } else { value.abs() };
        cells.sort_by(|one, two| strength(two.2).total_cmp(&strength(one.2)));
        cells.truncate(most);
        cells
    }
}

impl Picture for Heatmap {
    fn title(&self) -> &str {
        &self.title
    }

    fn to_svg(&self) -> String {
        draw::file(self)
    }

    fn to_html(&self, _id: &str) -> String {
        html(self, draw::ALONE)
    }

    fn to_terminal(&self, width: usize, colour: Colour) -> String {
        terminal::write(self, width, colour)
    }

    fn table(&self) -> Table {
        if self.columns.len() > TABLE_COLUMNS || self.rows.len() > STRONGEST {
            let mut table = Table::new([self.rows.name(), self.columns.name(), self.measure.as_str()]).note(
                format!("The {STRONGEST} strongest of {} x {} values.", self.rows.len(), self.columns.len()),
            );
            for (row, column, value) in self.strongest(STRONGEST) {
                table.push([self.rows.place(row), self.columns.place(column), number::exact(value)]);
            }
            return table;
        }
        let corner = format!("{} ↓ {} →", self.rows.name(), self.columns.name());
        let mut table = Table::new(std::iter::once(corner).chain(self.columns.labels().iter().cloned()));
        for (row, label) in self.rows.labels().iter().enumerate() {
            let cells = (0..self.columns.len()).map(|column| {
                let value = self.values.get(row * self.columns.len() + column).copied();
                let value = value.filter(|_| !self.is_hidden(row, column));
                value.map_or_else(String::new, number::exact)
            });
            table.push(std::iter::once(label.clone()).chain(cells));
        }
        table
    }
}
