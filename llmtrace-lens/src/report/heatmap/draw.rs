//! A map as a drawing.

use super::Heatmap;
use crate::report::Axis;
use crate::report::columns;
use crate::report::field::Field;
use crate::report::ink::Ink;
use crate::report::legend;
use crate::report::markup::Escaped;
use crate::report::number;
use crate::report::picture;
use crate::report::scale::Shades;
use crate::report::svg::{self, Face, Hold, LINE, Svg};

/// How much of a map is drawn.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Detail {
    /// The most cells on a side.
    pub(in crate::report) side: usize,
    /// The most cells that are drawn one by one, with their values where the pointer rests.
    pub(in crate::report) single: usize,
}

/// What a map of its own shows.
pub(super) const ALONE: Detail = Detail { side: 128, single: 1024 };

/// Room for the numbers of rows, beside them, and of columns, above them.
const NUMBERS: [f64; 2] = [24.0, 14.0];

/// Units that a character of a number in a cell is wide.
const CELL_CHARACTER: f64 = 6.7;

/// The most columns whose cells have room for a number.
const NUMBERED: usize = 24;

/// About how wide and high the cells of a map without numbers are together.
const REACH: f64 = 640.0;

/// The most characters of a label.
const LABEL: usize = 18;

/// Where the cells of a map lie, and whether numbers are written in them.
struct Frame {
    has_numbers: bool,
    left: f64,
    top: f64,
    cell: [f64; 2],
}

impl Frame {
    fn at(&self, row: f64, column: f64) -> [f64; 2] {
        [self.left + column * self.cell[0], self.top + row * self.cell[1]]
    }
}

/// A map as a file.
pub(super) fn file(map: &Heatmap) -> String {
    let shades = map.shades();
    let (mut svg, field, frame) = draw(map, &shades, ALONE, LINE);
    svg.text([0.0, 12.0], Hold::Start, Face::Word, Ink::Muted, &map.axes());
    legend::draw(&mut svg, frame.left, &shades, &map.measure);
    let y = svg.height() + 14.0;
    svg.text([frame.left, y], Hold::Start, Face::Word, Ink::Muted, &notes(map, &field, &frame));
    svg.standalone()
}

/// A map on a page.
pub(in crate::report) fn html(map: &Heatmap, detail: Detail) -> String {
    let shades = map.shades();
    let (svg, field, frame) = draw(map, &shades, detail, 0.0);
    format!(
        r#"<p class="note">{}</p>{}{}<p class="note">{}</p>"#,
        Escaped(&map.axes()),
        picture::in_box(&map.title, &svg.inline()),
        legend::html(&shades, &map.measure),
        Escaped(&notes(map, &field, &frame))
    )
}

/// Draws names and cells, with room above.
fn draw<'a>(
    map: &'a Heatmap,
    shades: &Shades,
    Detail { side, single }: Detail,
    room: f64,
) -> (Svg, Field<'a>, Frame) {
    let mut svg = Svg::new(&map.title);
    let field = Field::new(&map.values, [map.rows.len(), map.columns.len()], [side, side])
        .with_above_diagonal(map.above);
    let is_single = !field.is_binned() && field.rows * field.columns <= single;
    let has_numbers = is_single && field.columns <= NUMBERED;
    let cell = if has_numbers { numbered_cell(&field, shades) } else { small_cell(&field) };
    let (rows, cols) = (&map.rows, &map.columns);
    let tallest = shown(cols).map(|label| svg::risen(&label)).fold(0.0, f64::max);
    let widest = shown(rows).map(|label| svg::text_width(&label)).fold(0.0, f64::max);
    let [beside, above] = [rows, cols].map(|axis| if axis.is_numbered() { NUMBERS } else { [0.0; 2] });
    let (left, top) = (widest + 8.0 + beside[0], room + tallest + 4.0 + above[1]);
    let frame = Frame { has_numbers, left, top, cell };
    draw_row_names(&mut svg, map, &field, &frame);
    svg.end_of_names(left);
    draw_column_names(&mut svg, map, &field, &frame);
    if is_single {
        draw_cells(&mut svg, map, &field, shades, &frame);
    } else {
        field.draw(&mut svg, shades, [left, top], cell);
    }
    for [row, column] in &map.marks {
        let bins = [*row / field.bin[0], *column / field.bin[1]];
        if bins[0] < field.rows && bins[1] < field.columns {
            let [x, y] = frame.at(bins[0] as f64, bins[1] as f64);
            svg.frame([x, y, cell[0], cell[1]]);
        }
    }
    (svg, field, frame)
}

/// The labels of an axis as they are drawn.
fn shown(axis: &Axis) -> impl Iterator<Item = String> {
    axis.labels().iter().map(|label| columns::cut(label, LABEL))
}

/// A cell in which each number has room.
fn numbered_cell(field: &Field<'_>, shades: &Shades) -> [f64; 2] {
    let cells = (0..field.rows).flat_map(|row| (0..field.columns).map(move |column| (row, column)));
    let widest = cells.map(|(row, column)| columns::width(&shades.written(field.value(row, column)))).max();
    [(widest.unwrap_or(0) as f64 * CELL_CHARACTER + 7.0).max(30.0), 26.0]
}

fn small_cell(field: &Field<'_>) -> [f64; 2] {
    let side = (REACH / field.columns.max(field.rows).max(1) as f64).floor().clamp(4.0, 22.0);
    [side, side]
}

/// How many rows or columns of a map lie between two names, so that they can be read.
fn step(cell: f64, bin: usize) -> usize {
    if cell >= 13.0 { bin } else { whole((14.0 / cell).ceil()) * bin }
}

fn draw_row_names(svg: &mut Svg, map: &Heatmap, field: &Field<'_>, frame: &Frame) {
    for (row, label) in shown(&map.rows).enumerate().step_by(step(frame.cell[1], field.bin[0])) {
        let [x, y] = frame.at((row / field.bin[0]) as f64 + 0.5, 0.0);
        svg.text([x - 8.0, y + 4.0], Hold::End, Face::Token, Ink::Text, &label);
        if map.rows.is_numbered() {
            svg.text([0.0, y + 4.0], Hold::Start, Face::Cell, Ink::Muted, &row.to_string());
        }
    }
}

fn draw_column_names(svg: &mut Svg, map: &Heatmap, field: &Field<'_>, frame: &Frame) {
    let rise = if map.columns.is_numbered() { NUMBERS[1] } else { 0.0 };
    let every = step(frame.cell[0], field.bin[1]);
    let number = map.columns.len().to_string().len() as f64 * CELL_CHARACTER + 5.0;
    let numbers = every * whole((number * field.bin[1] as f64 / (frame.cell[0] * every as f64)).ceil());
    for (column, label) in shown(&map.columns).enumerate().step_by(every) {
        let [x, y] = frame.at(0.0, (column / field.bin[1]) as f64 + 0.5);
        if map.columns.is_numbered() && column % numbers == 0 {
            svg.text([x, y - 4.0], Hold::Middle, Face::Cell, Ink::Muted, &column.to_string());
        }
        svg.rising_text([x + 3.0, y - 5.0 - rise], Face::Token, Ink::Text, &label);
    }
}

fn draw_cells(svg: &mut Svg, map: &Heatmap, field: &Field<'_>, shades: &Shades, frame: &Frame) {
    for row in 0..field.rows {
        for column in 0..field.columns {
            if map.is_hidden(row, column) {
                continue;
            }
            let value = field.value(row, column);
            let [x, y] = frame.at(row as f64, column as f64);
            let hint = hint(map, row, column, value);
            svg.rect_with_hint([x, y, frame.cell[0] - 1.0, frame.cell[1] - 1.0], shades.fill(value), &hint);
            let text = shades.written(value);
            if frame.has_numbers && text != "0" {
                let middle = [x + frame.cell[0] / 2.0 - 0.5, y + frame.cell[1] / 2.0 + 3.5];
                svg.text(middle, Hold::Middle, Face::Cell, shades.text(value), &text);
            }
        }
    }
}

fn hint(map: &Heatmap, row: usize, column: usize, value: f32) -> String {
    let (rows, columns) = (map.rows.place(row), map.columns.place(column));
    format!("{rows} × {columns}\n{}: {}", map.measure, number::exact(value))
}

/// What has to be known of the cells.
fn notes(map: &Heatmap, field: &Field<'_>, frame: &Frame) -> String {
    if field.is_binned() {
        let [down, across] = field.bin;
        return format!("each cell: the strongest of {down} × {across} values");
    }
    let is_small = |(.., value): (usize, usize, f32)| number::short(value) == "0";
    if frame.has_numbers && map.cells().any(is_small) {
        return "cells without a number: below 0.005".to_owned();
    }
    String::new()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number of cells")]
fn whole(value: f64) -> usize {
    value.clamp(1.0, 1000.0) as usize
}
