//! Messages as text, and text as words.

use llmtrace::{Message, Part};

/// Bytes of a text that are compared word by word, or shown.
pub(super) const MAX_BYTES: usize = 64 << 10;

/// Bytes that are kept before and after what differs.
const AROUND_BYTES: usize = 2 << 10;

/// Words that are compared; more are compared by lines.
const MAX_WORDS: usize = 4_000;

/// Two texts, as far as they are compared.
#[derive(Debug)]
pub(super) struct Cut<'t> {
    /// The end of what both begin with.
    pub(super) before: &'t str,
    /// What differs.
    pub(super) a: &'t str,
    pub(super) b: &'t str,
    /// The start of what both end with.
    pub(super) after: &'t str,
    /// Bytes that were left out, on both sides.
    pub(super) left_out: u64,
}

/// Leaves out what two texts have in common but for a little, and what is too long.
pub(super) fn cut<'t>(a: &'t str, b: &'t str) -> Cut<'t> {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let begin = word_start(a, b, same);
    let (a, b, head) = (rest(a, begin), rest(b, begin), start_of(a, begin));
    let same = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    let end = word_start_from_end(a, b, same);
    let tail = rest(a, a.len() - end);
    let (a, b) = (start_of(a, a.len() - end), start_of(b, b.len() - end));
    let (short_a, short_b) = (start(a, MAX_BYTES), start(b, MAX_BYTES));
    let from = (head.len().saturating_sub(AROUND_BYTES)..=head.len()).find(|at| head.is_char_boundary(*at));
    let (before, after) = (rest(head, from.unwrap_or_default()), start(tail, AROUND_BYTES));
    let in_common = 2 * (head.len() - before.len() + tail.len() - after.len());
    let left_out = (in_common + a.len() - short_a.len() + b.len() - short_b.len()) as u64;
    Cut { before, a: short_a, b: short_b, after, left_out }
}

/// The words of two texts with the spaces and signs between them, or their lines where there are too many.
pub(super) fn split<'t>(a: &'t str, b: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let both = (words(a), words(b));
    if both.0.len().max(both.1.len()) <= MAX_WORDS {
        return both;
    }
    (a.split_inclusive('\n').take(MAX_WORDS).collect(), b.split_inclusive('\n').take(MAX_WORDS).collect())
}

/// How many words a text has.
pub(super) fn count(text: &str) -> usize {
    words(text).into_iter().filter(|word| word.starts_with(|char| Kind::of(char) == Kind::Word)).count()
}

fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut begin, mut last) = (0, None);
    for (at, char) in text.char_indices() {
        let kind = Kind::of(char);
        if last.is_some_and(|last| last != kind || kind == Kind::Sign) {
            words.extend(text.get(begin..at));
            begin = at;
        }
        last = Some(kind);
    }
    words.extend(text.get(begin..).filter(|rest| !rest.is_empty()));
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Space,
    Sign,
}

impl Kind {
    fn of(char: char) -> Self {
        match char {
            char if char.is_alphanumeric() || char == '_' => Self::Word,
            char if char.is_whitespace() => Self::Space,
            _ => Self::Sign,
        }
    }
}

/// The last place not after `at` in both texts at which a word begins.
fn word_start(a: &str, b: &str, at: usize) -> usize {
    let is_inside = |text: &str, at: usize| {
        let (before, after) = (start_of(text, at).chars().next_back(), rest(text, at).chars().next());
        before
            .zip(after)
            .is_some_and(|(before, after)| Kind::of(before) == Kind::Word && Kind::of(after) == Kind::Word)
    };
    let fits = |at: &usize| {
        a.is_char_boundary(*at) && b.is_char_boundary(*at) && !is_inside(a, *at) && !is_inside(b, *at)
    };
    // A longer word is none.
    (at.saturating_sub(AROUND_BYTES)..=at).rev().find(fits).unwrap_or(0)
}

/// How many of the last `at` bytes of both texts begin with a word.
fn word_start_from_end(a: &str, b: &str, at: usize) -> usize {
    let is_inside = |text: &str, at: usize| {
        let (before, after) = (start_of(text, at).chars().next_back(), rest(text, at).chars().next());
        before
            .zip(after)
            .is_some_and(|(before, after)| Kind::of(before) == Kind::Word && Kind::of(after) == Kind::Word)
    };
    let fits =
        |text: &str, at: usize| text.is_char_boundary(text.len() - at) && !is_inside(text, text.len() - at);
    (at.saturating_sub(AROUND_BYTES)..=at).rev().find(|at| fits(a, *at) && fits(b, *at)).unwrap_or(0)
}

fn rest(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

fn start_of(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or_default()
}

/// The start of a text, of so many bytes at most.
pub(super) fn start(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    start_of(text, end.unwrap_or_default())
}

/// A message as one text: what was said, tools that were asked for, what they answered, and what media there is.
pub(super) fn said(message: &Message) -> String {
    let parts = message.parts.iter().map(|part| match part {
        Part::Text { content } => content.clone(),
        Part::Reasoning { content } => format!("(reasoning) {content}"),
        Part::ToolCall { name, arguments, .. } => format!("{name}({})", json(arguments)),
        Part::ToolCallResponse { response, .. } => json(response),
        Part::Blob { modality, .. } | Part::File { modality, .. } => format!("({modality})"),
        Part::Uri { uri, .. } => uri.clone(),
        Part::Other(other) => json(other),
        _ => String::new(),
    });
    let mut said = parts.collect::<Vec<_>>().join("\n");
    if let Some(reason) = message.finish_reason.as_deref().filter(|reason| *reason != "stop") {
        said.extend(["\n(ended: ", reason, ")"]);
    }
    said
}

fn json(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
