//! Where the words and the sentences of a text are.

use std::ops::Range;

/// Words: runs of letters, digits and `_`, as `\w+` finds them (lime 0.2.0.1 splits so).
pub(super) fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, char) in text.char_indices() {
        let is_inside = char.is_alphanumeric() || char == '_';
        match start {
            None if is_inside => start = Some(at),
            Some(from) if !is_inside => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

/// Sentences: up to `.`, `!`, `?`, `…` or their full-width forms, the quotes and brackets that close there included,
/// where a blank or the end follows; also up to an empty line. Blanks between sentences are in none.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut start: Option<usize> = None;
    let (mut has_ended, mut newlines, mut end) = (false, 0, 0);
    for (at, char) in text.char_indices() {
        if char.is_whitespace() {
            newlines += usize::from(char == '\n');
            if (has_ended || newlines > 1)
                && let Some(from) = start.take()
            {
                sentences.push(from..end);
                has_ended = false;
            }
            continue;
        }
        start.get_or_insert(at);
        newlines = 0;
        end = at + char.len_utf8();
        has_ended = is_terminator(char) || has_ended && is_closer(char);
        if is_full_width(char)
            && let Some(from) = start.take()
        {
            sentences.push(from..end);
            has_ended = false;
        }
    }
    sentences.extend(start.map(|from| from..end));
    sentences
}

fn is_terminator(char: char) -> bool {
    matches!(char, '.' | '!' | '?' | '…')
}

/// Terminators after which no blank is written.
fn is_full_width(char: char) -> bool {
    matches!(char, '。' | '！' | '？')
}

fn is_closer(char: char) -> bool {
    matches!(char, '"' | '\'' | ')' | ']' | '”' | '’' | '»')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(split: fn(&str) -> Vec<Range<usize>>, text: &str, expected: &[&str]) {
        let found: Vec<_> = split(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn words_are_runs_of_word_characters() {
        check(words, "", &[]);
        check(words, " ,. ", &[]);
        check(words, "the capital, of Texas", &["the", "capital", "of", "Texas"]);
        check(words, "don't stop_it 3x", &["don", "t", "stop_it", "3x"]);
        check(words, "Überzeugung heißt…ja", &["Überzeugung", "heißt", "ja"]);
    }

    #[test]
    fn sentences_end_where_a_reader_pauses() {
        check(sentences, " \n ", &[]);
        check(sentences, "One. Two! Three?", &["One.", "Two!", "Three?"]);
        check(
            sentences,
            "He said \"No.\" Then 3.5 of them left.",
            &["He said \"No.\"", "Then 3.5 of them left."],
        );
        check(
            sentences,
            "A title\n\nThen text\nover lines. End",
            &["A title", "Then text\nover lines.", "End"],
        );
        check(sentences, "東京。大阪！ 京都", &["東京。", "大阪！", "京都"]);
    }
}
