//! Text that is safe to print, and how wide it is.

use unicode_width::UnicodeWidthChar as _;

/// The text with everything that could act on a terminal, or turn the order of letters around, made visible:
/// controls (C0, DEL, C1), line ends, and the controls of bidirectional text.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if is_harmful(char) { safe.extend(char.escape_default()) } else { safe.push(char) }
    }
    safe
}

fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Columns that a text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The text cut to `columns`, with an ellipsis where something is cut.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns && text.chars().count() <= columns * MAX_CHARS_A_COLUMN {
        return text.to_owned();
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
    kept.truncate(kept.trim_end().len());
    if columns > 0 {
        kept.push('…');
    }
    kept
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
    fn harmful_text_is_made_visible() {
        let check = |text: &str, safe: &str| assert_eq!(escaped(text), safe);
        check("chat gpt-4o, “é” 世界 🦀 \\n", "chat gpt-4o, “é” 世界 🦀 \\n");
        check("a\r\n\tb", "a\\r\\n\\tb");
        check("\u{1b}[31mred\u{1b}]0;title\u{7}", "\\u{1b}[31mred\\u{1b}]0;title\\u{7}");
        check("\u{9b}31m\u{7f}\0", "\\u{9b}31m\\u{7f}\\u{0}");
        check(
            "\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}",
            "\\u{202e}\\u{2066}\\u{2069}\\u{200e}\\u{200f}\\u{61c}",
        );
        check("\u{2028}\u{2029}\u{feff}", "\\u{2028}\\u{2029}\\u{feff}");
    }

    #[test]
    fn texts_are_cut_to_columns() {
        let check = |text: &str, columns: usize, shown: &str| {
            assert_eq!(cut(text, columns), shown);
            assert!(width(shown) <= columns);
        };
        check("generation", 10, "generation");
        check("generation", 9, "generati…");
        check("two words", 5, "two…");
        check("世界世界", 8, "世界世界");
        check("世界世界", 7, "世界世…");
        check("世界世界", 6, "世界…");
        check("x", 0, "");
        check("xy", 1, "…");
        check(&"\u{301}".repeat(100), 2, &format!("{}…", "\u{301}".repeat(8)));
    }
}
