//! How many columns of a fixed-width font a text takes.

use unicode_width::UnicodeWidthChar as _;

use super::Colour;
use super::token;

/// Columns that a text takes, at two for East Asian wide characters and none for marks on others.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The text cut to `columns`, with an ellipsis where something is cut; nothing in it acts on a terminal.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let text = token::words(text);
    if width(&text) <= columns && text.chars().count() <= columns * MAX_CHARS_A_COLUMN {
        return text;
    }
    let mut kept = String::new();
    let (mut used, mut left) = (1, columns * MAX_CHARS_A_COLUMN);
    for char in text.chars() {
        used += char_width(char);
        if used > columns || left == 0 {
            break;
        }
        left -= 1;
        kept.push(char);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// The line that names a picture in a terminal.
pub(super) fn heading(title: &str, columns: usize, colour: Colour) -> String {
    let mut out = String::new();
    colour.strong(&mut out, &cut(title, columns.max(1)));
    out.push('\n');
    out
}

/// The text cut or filled with spaces to exactly `columns`, at its left.
pub(super) fn left(text: &str, columns: usize) -> String {
    let mut text = cut(text, columns);
    text.extend(spaces(columns, &text));
    text
}

/// The text cut or filled with spaces to exactly `columns`, at its right.
pub(super) fn right(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    spaces(columns, &text).chain(text.chars()).collect()
}

/// A text in lines of at most `columns` columns, save where a word is longer.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace().map(token::words) {
        match lines.last_mut() {
            Some(line) if width(line) + width(&word) < columns => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Ends a line, without spaces at its end.
pub(super) fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

fn spaces(columns: usize, text: &str) -> impl Iterator<Item = char> + use<> {
    std::iter::repeat_n(' ', columns.saturating_sub(width(text)))
}

/// Marks that take no column may follow a letter, but not without bound.
const MAX_CHARS_A_COLUMN: usize = 4;

fn char_width(char: char) -> usize {
    char.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fill_their_columns() {
        let check = |text: &str, columns: usize, filled: [&str; 2]| {
            assert_eq!([left(text, columns), right(text, columns)], filled, "{text:?}");
        };
        check("ab", 5, ["ab   ", "   ab"]);
        check("abcdef", 4, ["abc…", "abc…"]);
        check("世界", 5, ["世界 ", " 世界"]);
        check("世界", 3, ["世…", "世…"]);
        check("e\u{301}", 2, ["e\u{301} ", " e\u{301}"]);
        check("ab", 0, ["", ""]);
        assert_eq!(cut(&format!("a{}", "\u{301}".repeat(1000)), 4).chars().count(), 17);
    }
}
