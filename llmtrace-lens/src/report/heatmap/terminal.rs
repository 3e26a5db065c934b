//! A map as lines of text.

use super::Heatmap;
use crate::report::columns;
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
    let mut out = String::new();
    colour.strong(&mut out, &columns::cut(&map.title, width.max(1)));
    out.push('\n');
    let axes = format!("rows: {} · columns: {}", map.rows.name(), map.columns.name());
    colour.faint(&mut out, &columns::cut(&axes, width.max(1)));
    out.push('\n');
    let (count, shades) = (map.columns.len(), map.shades());
    if count * NUMBER <= room && map.rows.len() <= LINES {
        write_numbers(&mut out, map, &shades, label, colour);
    } else {
        let across = if count * 2 <= room { 2 } else { 1 };
        let lines = if across == 1 && colour != Colour::None { 2 * LINES } else { LINES };
        let field = Field::new(&map.values, [map.rows.len(), count], [lines, room / across])
            .with_above_diagonal(map.above);
        write_shades(&mut out, map, &field, &shades, [label, across], colour);
        if field.is_binned() {
            let [down, across] = field.bin;
            let note = format!("each cell: the strongest of {down} × {across} values");
            colour.faint(&mut out, &note);
            out.push('\n');
        }
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
            let text = columns::right(&shades.written(value), NUMBER - 1);
            match shades.terminal(value) {
                _ if map.is_hidden(row, column) => out.push_str(&" ".repeat(NUMBER - 1)),
                Some((front, ground)) => colour.paint(out, &text, front, ground),
                None => out.push_str(&text),
            }
        }
        end_line(out);
    }
}

/// Cells of `across` columns without numbers; in colour, cells of one column are half a line high.
fn write_shades(
    out: &mut String,
    map: &Heatmap,
    field: &Field<'_>,
    shades: &Shades,
    [label, across]: [usize; 2],
    colour: Colour,
) {
    let is_halved = across == 1 && colour != Colour::None;
    if !field.is_binned() && across == 2 {
        let numbers = (0..field.columns).map(|column| columns::left(&(column % 100).to_string(), 2));
        push_line(out, &" ".repeat(label), &numbers.collect::<String>());
    }
    for row in (0..field.rows).step_by(if is_halved { 2 } else { 1 }) {
        out.push_str(&columns::right(&map.rows.label(row * field.bin[0]), label));
        out.push(' ');
        for column in 0..field.columns {
            let value = field.value(row, column);
            let character = if field.is_hidden(row, column) { ' ' } else { shades.character(value) };
            match (shades.terminal(value), shades.terminal(field.value(row + 1, column))) {
                _ if colour == Colour::None => out.extend(std::iter::repeat_n(character, across)),
                _ if field.is_hidden(row, column) && !is_halved => out.push_str(&" ".repeat(across)),
                (Some((_, upper)), Some((_, lower))) if is_halved => colour.paint(out, "▀", upper, lower),
                (Some((front, ground)), _) => colour.paint(out, &" ".repeat(across), front, ground),
                (None, _) => out.extend(std::iter::repeat_n(character, across)),
            }
        }
        end_line(out);
    }
    if !field.is_binned() {
        colour.faint(out, &listed(&map.columns));
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

/// Ends a line, without spaces at its end.
fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}
