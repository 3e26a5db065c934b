//! Text of foreign origin, made fit to be shown. It is escaped by maud in any case; this is about what it looks like.

use llmtrace_exporters::text;
use maud::{Markup, html};

/// A text on one line: line ends and runs of spaces are one space, what could turn letters around is made visible.
pub(crate) fn line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text::escaped(&words)
}

/// A text on as many lines as it has; controls that could turn letters around or hide something are made visible.
///
/// The marks that right-to-left writing needs stay as they are.
pub(crate) fn lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\n' | '\t' | '\u{200e}' | '\u{200f}' | '\u{61c}' => safe.push(char),
            '\r' if chars.peek() == Some(&'\n') => {}
            char => safe.push_str(&text::escaped(char.encode_utf8(&mut [0; 4]))),
        }
    }
    safe
}

/// A text cut to some characters; what was cut says so.
pub(crate) fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}

/// A button that copies a text as [`lines`] shows it: what hides on the page does not come out where it is pasted.
pub(crate) fn copy(text: &str, what: &str) -> Markup {
    let label = format!("Copy {what}");
    html! {
        button.copy.quiet type="button" hidden data-copy=(lines(text)) title=(label) aria-label=(label) {
            (super::icon::icon(super::icon::Icon::Copy))
        }
    }
}

/// A button that copies the text of the element with this id.
pub(crate) fn copy_of(element: &str, what: &str) -> Markup {
    let label = format!("Copy {what}");
    html! {
        button.copy.quiet type="button" hidden data-copy-from=(element) title=(label) aria-label=(label) {
            (super::icon::icon(super::icon::Icon::Copy))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_pretend() {
        let check = |text: &str, one: &str, many: &str| {
            assert_eq!(line(text), one);
            assert_eq!(lines(text), many);
        };
        check("plain", "plain", "plain");
        check(" a \r\n\tb ", "a b", " a \n\tb ");
        check("a\u{202e}b", "a\\u{202e}b", "a\\u{202e}b");
        check("a\u{200f}b", "a\\u{200f}b", "a\u{200f}b");
        check("a\0\u{7}\r", "a\\u{0}\\u{7}", "a\\u{0}\\u{7}\\r");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let check = |text: &str, chars: usize, shown: &str| assert_eq!(cut(text, chars), shown);
        check("four", 4, "four");
        check("fours", 4, "four…");
        check("äöü ß", 4, "äöü…");
        check("", 0, "");
    }
}
