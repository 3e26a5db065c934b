//! How what was said differs.

use std::ops::Range;

use llmtrace::{Message, SpanRecord};
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::align::align;
use super::words::{self, Cut};

/// How the messages of two spans differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct MessageDiff {
    /// Messages that went in, those that answer each other in one entry.
    pub(crate) input: Vec<MessageChange>,
    /// Messages that came out.
    pub(crate) output: Vec<MessageChange>,
    /// Messages beyond the bound, which are left out.
    pub(crate) left_out: u64,
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MessageChange {
    /// `system`, `user`, `assistant`, `tool`, or another word.
    pub(crate) role: String,
    pub(crate) change: Change,
    /// Its text; of a message that is the same on both sides, nothing but its start.
    pub(crate) pieces: Vec<Piece>,
    /// Bytes of text that were not looked at, as there were too many.
    pub(crate) cut_bytes: u64,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    /// On both sides the same.
    Same,
    /// Only on the first side.
    Removed,
    /// Only on the second side.
    Added,
    /// On both sides, in other words.
    Changed,
}

/// A part of a text: on both sides, or on one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Piece {
    /// [`Change::Same`], [`Change::Removed`] or [`Change::Added`].
    pub(crate) change: Change,
    pub(crate) text: String,
}

/// How much text is still compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// In bytes.
    text: usize,
}

/// Bytes of text that are compared in all; of what comes later, only whether it differs is said.
const MAX_TEXT: usize = 8 << 20;

/// Messages of a span that are compared on each side.
const MAX_MESSAGES: usize = 500;

/// Characters that are shown of a message that is the same.
const START_CHARS: usize = 200;

impl Default for Budget {
    fn default() -> Self {
        Self { text: MAX_TEXT }
    }
}

impl MessageDiff {
    /// How the messages of two spans differ; `None` if they do not.
    pub(super) fn of(a: &SpanRecord, b: &SpanRecord, budget: &mut Budget) -> Option<Self> {
        if (&a.input, &a.output) == (&b.input, &b.output) {
            return None;
        }
        let mut left_out = 0;
        let input = changes(&a.input, &b.input, budget, &mut left_out);
        let output = changes(&a.output, &b.output, budget, &mut left_out);
        Some(Self { input, output, left_out })
    }
}

fn changes(a: &[Message], b: &[Message], budget: &mut Budget, left_out: &mut u64) -> Vec<MessageChange> {
    *left_out += (a.len().saturating_sub(MAX_MESSAGES) + b.len().saturating_sub(MAX_MESSAGES)) as u64;
    let a = a.get(..MAX_MESSAGES).unwrap_or(a);
    let b = b.get(..MAX_MESSAGES).unwrap_or(b);
    let pairs = align(a.len(), b.len(), |i, j| {
        let (a, b) = (a.get(i)?, b.get(j)?);
        (a.role == b.role).then(|| if a == b { 3 } else { 1 })
    });
    let pairs = pairs.into_iter().map(|(i, j)| (i.and_then(|i| a.get(i)), j.and_then(|j| b.get(j))));
    pairs.filter_map(|(a, b)| MessageChange::of(a, b, budget)).collect()
}

impl MessageChange {
    fn of(a: Option<&Message>, b: Option<&Message>, budget: &mut Budget) -> Option<Self> {
        let role = a.or(b)?.role.as_str().to_owned();
        let change = match (a, b) {
            (Some(a), Some(b)) if a == b => Change::Same,
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
        };
        let (pieces, cut_bytes) = match (a, b) {
            (Some(a), Some(b)) if change == Change::Changed => {
                changed(&words::said(a), &words::said(b), budget)
            }
            _ => {
                let said = words::said(a.or(b)?);
                let shown: String = if change == Change::Same {
                    said.chars().take(START_CHARS).collect()
                } else {
                    words::start(&said, words::MAX_BYTES).to_owned()
                };
                let cut = (said.len() - shown.len()) as u64;
                let cut = if change == Change::Same { 0 } else { cut };
                (vec![Piece { change, text: shown }], cut)
            }
        };
        Some(Self { role, change, pieces, cut_bytes })
    }
}

/// What differs between two texts, word by word, and how many bytes were not looked at.
fn changed(a: &str, b: &str, budget: &mut Budget) -> (Vec<Piece>, u64) {
    let Cut { before, a, b, after, left_out: cut_bytes } = words::cut(a, b);
    let mut pieces = Vec::new();
    let mut push = |change: Change, text: &str| match pieces.last_mut() {
        Some(Piece { change: last, text: known }) if *last == change => known.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece { change, text: text.to_owned() }),
    };
    push(Change::Same, before);
    let size = a.len() + b.len();
    if size > budget.text {
        push(Change::Removed, words::start(a, START_CHARS));
        push(Change::Added, words::start(b, START_CHARS));
        return (pieces, cut_bytes + size as u64);
    }
    budget.text -= size;
    let steps = steps(a, b);
    // Of two texts with more in common than is shown, most agrees.
    let is_all = cut_bytes == 0 || (before.is_empty() && after.is_empty());
    if is_all && !agree([before, after], &steps) {
        return (whole([before, a, after], [before, b, after]), cut_bytes);
    }
    for step in steps {
        match step {
            Step::Same(text) => push(Change::Same, &text),
            Step::Changed(removed, added) => {
                push(Change::Removed, &removed);
                push(Change::Added, &added);
            }
        }
    }
    push(Change::Same, after);
    (pieces, cut_bytes)
}

/// Two texts one after the other.
fn whole(a: [&str; 3], b: [&str; 3]) -> Vec<Piece> {
    let pieces = [(Change::Removed, a.concat()), (Change::Added, b.concat())];
    pieces
        .into_iter()
        .map(|(change, text)| Piece { change, text })
        .filter(|piece| !piece.text.is_empty())
        .collect()
}

/// Whether enough words of both texts are the same that what differs can be read among them: a third.
fn agree(around: [&str; 2], steps: &[Step]) -> bool {
    let (mut same, mut removed, mut added) = (around.map(words::count).iter().sum::<usize>(), 0, 0);
    for step in steps {
        match step {
            Step::Same(text) => same += words::count(text),
            Step::Changed(old, new) => {
                removed += words::count(old);
                added += words::count(new);
            }
        }
    }
    // What was only taken out or only put in is read well whatever there is of it.
    removed == 0 || added == 0 || 3 * 2 * same >= 2 * same + removed + added
}

/// What is the same on both sides, or what stands in its place.
enum Step {
    Same(String),
    Changed(String, String),
}

/// What is the same and what changed, in turn. Changes with nothing but a space between them are one.
fn steps(a: &str, b: &str) -> Vec<Step> {
    let (of_a, of_b) = words::split(a, b);
    let text = |words: &[&str], range| words.get::<Range<usize>>(range).unwrap_or_default().concat();
    let ops = capture_diff_slices(Algorithm::Myers, &of_a, &of_b);
    let is_same = |op: Option<&DiffOp>| op.is_none_or(|op| matches!(op, DiffOp::Equal { .. }));
    let mut steps: Vec<Step> = Vec::with_capacity(ops.len());
    for (number, op) in ops.iter().enumerate() {
        let (old, new) = (text(&of_a, op.old_range()), text(&of_b, op.new_range()));
        let is_gap = old.trim().is_empty() && number > 0 && !is_same(ops.get(number + 1));
        match steps.last_mut() {
            Some(Step::Changed(removed, added)) if !is_same(Some(op)) || is_gap => {
                removed.push_str(&old);
                added.push_str(&new);
            }
            _ if is_same(Some(op)) => steps.push(Step::Same(old)),
            _ => steps.push(Step::Changed(old, new)),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(a: &str, b: &str) -> (String, u64) {
        let (pieces, cut) = changed(a, b, &mut Budget::default());
        let drawn = pieces.iter().map(|piece| match piece.change {
            Change::Removed => format!("[-{}-]", piece.text),
            Change::Added => format!("{{+{}+}}", piece.text),
            Change::Same | Change::Changed => piece.text.clone(),
        });
        (drawn.collect(), cut)
    }

    #[test]
    fn texts_differ_by_words() {
        let check = |a: &str, b: &str, expected: &str| assert_eq!(drawn(a, b), (expected.to_owned(), 0));
        check("the sky is blue", "the sky is red", "the sky is [-blue-]{+red+}");
        check("the sky is blue", "the sky", "the sky[- is blue-]");
        check("", "new", "{+new+}");
        check("über", "übel", "[-über-]{+übel+}");
        check("a b c", "a x c", "a [-b-]{+x+} c");
        check("one two three", "1 2 three", "[-one two-]{+1 2+} three");
        check("one, two, three", "uno, dos, tres", "[-one, two, three-]{+uno, dos, tres+}");
        check(
            "the sky over the port is grey today",
            "the cat sat on the mat",
            "[-the sky over the port is grey today-]{+the cat sat on the mat+}",
        );
        check("", "a new one", "{+a new one+}");
        check("?", "!", "[-?-]{+!+}");
        check("one", "one and a good many more words", "one{+ and a good many more words+}");
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let same = "word ".repeat(1 << 20);
        let (text, cut) = drawn(&format!("{same}old"), &format!("{same}new"));
        assert!(text.ends_with("[-old-]{+new+}"), "{}", text.len());
        assert!(text.len() < 20_000 && cut > 10_000_000, "{} {cut}", text.len());
        let other: Vec<String> = (0..1 << 20).map(|number: u32| number.to_string()).collect();
        let other = other.join(" ");
        let (text, cut) = drawn(&same, &other);
        assert!(text.len() <= 2 * words::MAX_BYTES + 100 && cut > 10_000_000, "{} {cut}", text.len());
    }
}
