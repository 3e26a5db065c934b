//! A map as lines of text.

use super::Heatmap;
use crate::report::blocks;
use crate::report::columns::{self, end_line};
use crate::report::field::Field;
use crate::report::legend;
use crate::report::scale::Shades;
use crate::report::{Axis, Colour};

/// The most columns of a row's name.
const LABEL: usize = 16;

/// Columns of a cell with a number, with the space after it.
const NUMBER: usize = 6;

/// The most lines of cells.
const LINES: usize = 48;

/// The most column names that are listed below.
const LISTED: usize = 32;

pub(super) fn write(map: &Heatmap, width: usize, colour: Colour) -> String {
    let longest = map.rows.labels().iter().map(|label| columns::width(label)).max().unwrap_or(0);
    let label = longest.min(LABEL).min(width / 3);
    let room = width.saturating_sub(label + 1).max(1);
    let mut out = columns::heading(&map.title, width, colour);
    colour.faint(&mut out, &columns::cut(&map.axes(), width.max(1)));
    out.push('\n');
    let (count, shades) = (map.columns.len(), map.shades());
    if count * NUMBER <= room && map.rows.len() <= LINES {
        write_numbers(&mut out, map, &shades, label, colour);
    } else {
        let is_wide = count * 2 <= room && map.rows.len() <= LINES;
        let lines = if is_wide { LINES } else { LINES * blocks::rows_a_line(colour) };
        let field =
            Field::new(&map.values, [map.rows.len(), count], [lines, room]).with_above_diagonal(map.above);
        let write = if is_wide { write_wide } else { write_narrow };
        write(&mut out, map, &field, &shades, label, colour);
    }
    out.push_str(&legend::line(&shades, &columns::cut(&map.measure, width.saturating_sub(24)), colour));
    out
}

fn write_numbers(out: &mut String, map: &Heatmap, shades: &Shades, label: usize, colour: Colour) {
    let names = map.columns.labels().iter().map(|name| columns::right(name, NUMBER - 1));
    push_line(out, &" ".repeat(label), &names.collect::<Vec<_>>().join(" "));
    for (row, name) in map.rows.labels().iter().enumerate() {
        out.push_str(&columns::right(name, label));
        for column in 0..map.columns.len() {
            out.push(' ');
            let value = map.values.get(row * map.columns.len() + column).copied().unwrap_or(f32::NAN);
            let text = shades.written(value);
            let text = columns::right(if text == "0" { "·" } else { &text }, NUMBER - 1);
            match shades.terminal(colour, value) {
                _ if map.is_hidden(row, column) => out.push_str(&" ".repeat(NUMBER - 1)),
                Some((front, ground)) => colour.paint(out, &text, front, ground),
                None => out.push_str(&text),
            }
        }
        end_line(out);
    }
}

/// Cells of two columns without numbers.
fn write_wide(
    out: &mut String,
    map: &Heatmap,
    field: &Field<'_>,
    shades: &Shades,
    label: usize,
    colour: Colour,
) {
    let numbers = (0..field.columns).map(|column| columns::left(&(column % 100).to_string(), 2));
    push_line(out, &" ".repeat(label), &numbers.collect::<String>());
    for row in 0..field.rows {
        out.push_str(&columns::right(&map.rows.label(row * field.bin[0]), label));
        out.push(' ');
        for column in 0..field.columns {
            let value = field.value(row, column);
            let cell = shades.character(value).to_string().repeat(2);
            match shades.terminal(colour, value) {
                _ if field.is_hidden(row, column) => out.push_str("  "),
                Some((front, ground)) if colour != Colour::None => colour.paint(out, "  ", front, ground),
                _ => out.push_str(&cell),
            }
        }
        end_line(out);
    }
    for line in columns::wrapped(&listed(&map.columns), label + 2 * field.columns + 40) {
        colour.faint(out, &line);
        out.push('\n');
    }
}

/// Cells of one column, without numbers.
fn write_narrow(
    out: &mut String,
    map: &Heatmap,
    field: &Field<'_>,
    shades: &Shades,
    label: usize,
    colour: Colour,
) {
    for row in (0..field.rows).step_by(blocks::rows_a_line(colour)) {
        out.push_str(&columns::right(&map.rows.label(row * field.bin[0]), label));
        out.push(' ');
        blocks::push_line(out, field, row, shades, colour);
        end_line(out);
    }
    if field.is_binned() {
        let [down, across] = field.bin;
        colour.faint(out, &format!("each cell: the strongest of {down} × {across} values"));
        out.push('\n');
    }
}

/// The names of columns, with their numbers.
fn listed(axis: &Axis) -> String {
    let names = axis.labels().iter().take(LISTED).enumerate().map(|(at, name)| format!("{at} {name}"));
    let more =
        if axis.len() > LISTED { format!(", and {} more", axis.len() - LISTED) } else { String::new() };
    format!("{}: {}{more}", axis.name(), names.collect::<Vec<_>>().join(", "))
}

fn push_line(out: &mut String, label: &str, rest: &str) {
    out.push_str(label);
    out.push(' ');
    out.push_str(rest);
    end_line(out);
}
