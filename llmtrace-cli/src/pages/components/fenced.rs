//! Text in which blocks of code are told from prose.

use maud::{Markup, html};

use super::text::{line, lines};

/// A text in which blocks between lines of three backticks are code, with the language that is stated.
pub(crate) fn fenced(text: &str) -> Markup {
    html! {
        @for block in blocks(text) {
            @match block {
                Block::Prose(text) => div.text dir="auto" { (lines(text)) },
                Block::Code { language, code } => {
                    pre.code { @if !language.is_empty() { span.language { (line(language)) } } code { (lines(code)) } }
                },
            }
        }
    }
}

/// A stretch of a text.
#[derive(Debug, PartialEq)]
enum Block<'a> {
    Prose(&'a str),
    Code { language: &'a str, code: &'a str },
}

/// The text at its fences (`CommonMark` 4.5, of three or more backticks); a fence that is never closed runs to the end.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let (mut begun, mut at, mut open) = (0, 0, None);
    for line in text.split_inclusive('\n') {
        let fence = line.trim_start().strip_prefix("```").map(|rest| rest.trim_start_matches('`').trim());
        let next = at + line.len();
        match (fence, open) {
            // Words on a line that does not end are the start of a text that was cut.
            (Some(language), None)
                if !language.contains('`') && (language.is_empty() || line.ends_with('\n')) =>
            {
                prose(text.get(begun..at), &mut blocks);
                (open, begun) = (Some(language), next);
            }
            (Some(""), Some(language)) => {
                blocks.push(Block::Code { language, code: text.get(begun..at).unwrap_or_default() });
                (open, begun) = (None, next);
            }
            _ => {}
        }
        at = next;
    }
    match open {
        Some(language) => blocks.push(Block::Code { language, code: text.get(begun..).unwrap_or_default() }),
        None => prose(text.get(begun..), &mut blocks),
    }
    blocks
}

fn prose<'a>(text: Option<&'a str>, blocks: &mut Vec<Block<'a>>) {
    let text = text.unwrap_or_default().trim_matches('\n');
    if !text.trim().is_empty() {
        blocks.push(Block::Prose(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_prose() {
        let code = |language, code| Block::Code { language, code };
        let check = |text: &str, expected: &[Block<'_>]| assert_eq!(blocks(text), expected, "{text:?}");
        check("", &[]);
        check("plain ``` text", &[Block::Prose("plain ``` text")]);
        check(
            "a\n```rust\nlet x;\n```\nb",
            &[Block::Prose("a"), code("rust", "let x;\n"), Block::Prose("b")],
        );
        check("```\nopen", &[code("", "open")]);
        check("````\n```\n````", &[code("", ""), code("", "")]);
        check("```rust fn cut_off() {", &[Block::Prose("```rust fn cut_off() {")]);
        check("```x```", &[Block::Prose("```x```")]);
    }
}
