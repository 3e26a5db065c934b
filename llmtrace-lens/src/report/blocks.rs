//! Cells of one column in a terminal: two rows a line in colour, one without.

use super::Colour;
use super::colour::Rgb;
use super::field::Field;
use super::ink::Ink;
use super::palette::Theme;
use super::scale::Shades;

/// Rows of cells that one line shows.
pub(super) fn rows_a_line(colour: Colour) -> usize {
    if colour == Colour::None { 1 } else { 2 }
}

/// Adds the line that starts with a row; cells past the ends are empty.
pub(super) fn push_line(out: &mut String, field: &Field<'_>, row: usize, shades: &Shades, colour: Colour) {
    for column in 0..field.columns {
        let value = field.value(row, column);
        if colour == Colour::None {
            let is_empty = row >= field.rows || field.is_hidden(row, column);
            out.push(if is_empty { ' ' } else { shades.character(value) });
            continue;
        }
        match [ground(field, [row, column], shades, colour), ground(field, [row + 1, column], shades, colour)]
        {
            [Some(upper), Some(lower)] => colour.paint(out, "▀", upper, lower),
            [Some(upper), None] => colour.paint_front(out, "▀", upper),
            [None, Some(lower)] => colour.paint_front(out, "▄", lower),
            [None, None] => out.push(' '),
        }
    }
}

/// What a cell is filled with, where it is seen.
fn ground(field: &Field<'_>, [row, column]: [usize; 2], shades: &Shades, colour: Colour) -> Option<Rgb> {
    let is_seen = row < field.rows && !field.is_hidden(row, column);
    let blank = Ink::Blank.colour(Theme::Dark);
    is_seen.then(|| shades.terminal(colour, field.value(row, column)).map_or(blank, |(_, ground)| ground))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Scale;
    use crate::report::field::Above;

    #[test]
    fn in_colour_two_rows_share_a_line() {
        let field =
            Field::new(&[1.0, 0.0, 1.0, 1.0, 0.0, 0.0], [3, 2], [3, 2]).with_above_diagonal(Above::Hidden);
        let shades = Shades::new(Scale::Unit, []);
        let check = |row: usize, colour: Colour, expected: &str| {
            let mut out = String::new();
            push_line(&mut out, &field, row, &shades, colour);
            assert_eq!(out, expected);
        };
        check(0, Colour::None, "█ ");
        check(1, Colour::None, "██");
        check(0, Colour::Indexed, "\u{1b}[38;5;195;48;5;195m▀\u{1b}[0m\u{1b}[38;5;195m▄\u{1b}[0m");
        check(2, Colour::Indexed, "\u{1b}[38;5;234m▀\u{1b}[0m\u{1b}[38;5;234m▀\u{1b}[0m");
    }
}
