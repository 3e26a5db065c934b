//! A rectangle of values, made smaller where it has more cells than can be drawn.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::ink::Ink;
use super::scale::Shades;
use super::svg::Svg;

/// What is seen of the cells that lie right of the diagonal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Above {
    Shown,
    Hidden,
}

/// Values in rows of equal length.
#[derive(Clone, Debug)]
pub(super) struct Field<'a> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Rows and columns of the values given that one cell stands for.
    pub(super) bin: [usize; 2],
    values: Cow<'a, [f32]>,
    above: Above,
}

impl<'a> Field<'a> {
    /// The values, with at most `most` cells on each side: a cell stands for the strongest of several values.
    pub(super) fn new(values: &'a [f32], [rows, columns]: [usize; 2], most: [usize; 2]) -> Self {
        let bin = [rows.div_ceil(most[0].max(1)).max(1), columns.div_ceil(most[1].max(1)).max(1)];
        if bin == [1, 1] {
            return Self { rows, columns, bin, values: Cow::Borrowed(values), above: Above::Shown };
        }
        let (across, down) = (columns.div_ceil(bin[1]), rows.div_ceil(bin[0]));
        let mut strongest = vec![f32::NAN; across * down];
        for (row, line) in values.chunks(columns.max(1)).enumerate() {
            for (column, value) in line.iter().enumerate() {
                if let Some(kept) = strongest.get_mut(row / bin[0] * across + column / bin[1])
                    && value.is_finite()
                    && (kept.is_nan() || value.abs() > kept.abs())
                {
                    *kept = *value;
                }
            }
        }
        Self { rows: down, columns: across, bin, values: Cow::Owned(strongest), above: Above::Shown }
    }

    /// The same cells, with those that lie wholly right of the diagonal as told.
    pub(super) fn with_above_diagonal(self, above: Above) -> Self {
        Self { above, ..self }
    }

    /// Whether nothing is seen of a cell.
    pub(super) fn is_hidden(&self, row: usize, column: usize) -> bool {
        self.above == Above::Hidden && column * self.bin[1] >= (row + 1) * self.bin[0]
    }

    /// A cell's value; past the ends none.
    pub(super) fn value(&self, row: usize, column: usize) -> f32 {
        let inside = row < self.rows && column < self.columns;
        let value = if inside { self.values.get(row * self.columns + column) } else { None };
        value.copied().unwrap_or(f32::NAN)
    }

    /// Whether a cell stands for several values.
    pub(super) fn is_binned(&self) -> bool {
        self.bin != [1, 1]
    }

    /// Draws all cells as one path a colour, from a point on, each of the size given.
    pub(super) fn draw(&self, svg: &mut Svg, shades: &Shades, corner: [f64; 2], cell: [f64; 2]) {
        let mut paths: Vec<(Ink, String)> = Vec::new();
        for row in 0..self.rows {
            let mut column = 0;
            while column < self.columns {
                let ink = self.ink(shades, row, column);
                let start = column;
                while column < self.columns && self.ink(shades, row, column) == ink {
                    column += 1;
                }
                let Some(ink) = ink else { continue };
                let run = column - start;
                let place = paths.iter().position(|(of, _)| *of == ink).unwrap_or_else(|| {
                    paths.push((ink, String::new()));
                    paths.len() - 1
                });
                if let Some((_, path)) = paths.get_mut(place) {
                    // Writing to a text cannot fail.
                    let _ = write!(path, "M{start} {row}h{run}v1h-{run}z");
                }
            }
        }
        svg.start_scaled(corner, cell);
        for (ink, path) in paths {
            svg.path(&path, ink);
        }
        svg.end();
        svg.reach(corner[0] + self.columns as f64 * cell[0], corner[1] + self.rows as f64 * cell[1]);
    }

    /// What a cell is filled with, unless it is hidden.
    fn ink(&self, shades: &Shades, row: usize, column: usize) -> Option<Ink> {
        (!self.is_hidden(row, column)).then(|| shades.fill(self.value(row, column)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Scale;

    fn check(values: &[f32], sides: [usize; 2], most: [usize; 2], expected: &[&str]) {
        let field = Field::new(values, sides, most);
        let shades = Shades::new(Scale::CentredTo(4.0), values.iter().copied());
        let line =
            |row| (0..field.columns).map(|column| shades.character(field.value(row, column))).collect();
        let lines: Vec<String> = (0..field.rows).map(line).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_cell_stands_for_the_strongest_of_its_values() {
        check(&[0.0, 4.0, 1.0, 2.0], [2, 2], [2, 2], &[" █", "░▒"]);
        check(&[0.0, 4.0, 1.0, -2.0], [2, 2], [1, 2], &["░█"]);
        check(&[0.0, 3.0, 1.0, -4.0], [2, 2], [1, 1], &["@"]);
        check(&[0.0, 1.0, 4.0], [1, 3], [1, 2], &["░█"]);
        check(&[f32::NAN, -4.0, f32::INFINITY, f32::NAN], [2, 2], [1, 2], &["×@"]);
        check(&[], [0, 0], [4, 4], &[]);
        check(&[], [2, 0], [4, 4], &["", ""]);
    }

    #[test]
    fn neighbours_of_a_colour_are_drawn_at_once() {
        let values = vec![1.0; 64 * 64];
        let mut svg = Svg::new("map");
        let shades = Shades::new(Scale::Unit, []);
        Field::new(&values, [64, 64], [64, 64]).draw(&mut svg, &shades, [0.0, 0.0], [4.0, 4.0]);
        let drawn = svg.inline();
        assert_eq!(drawn.matches('M').count(), 64);
        assert_eq!(drawn.matches("<path").count(), 1);
    }
}
