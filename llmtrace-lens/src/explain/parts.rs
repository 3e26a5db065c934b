//! A prompt, split into the parts that an explanation speaks of.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::split;
use super::{Coalition, ExplainError, Masked, Masking};

/// A prompt and the parts of it that can be masked. What belongs to no part always stays.
///
/// ```
/// use llmtrace_lens::explain::{Coalition, Masking, Parts};
///
/// let parts = Parts::words("The capital of Texas, please.");
/// assert_eq!(parts.labels().collect::<Vec<_>>(), ["The", "capital", "of", "Texas", "please"]);
/// let kept = Coalition::of(5, [3]);
/// assert_eq!(parts.mask(&kept).text(), "Texas, .");
/// assert_eq!(parts.collapsing_to("...").mask(&kept).text(), "... Texas, ....");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    text: String,
    list: Vec<Part>,
    slots: Vec<Slot>,
    tokens: Vec<Token>,
    masking: Masking,
}

/// One part of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Part {
    /// What it is called: its text, or the name that it was given; from its second use on `name#2`, `name#3`, ..., past
    /// those that another part is called by itself.
    pub label: String,
    /// Where it stands, in bytes of the prompt; more than one place for words that are explained wherever they stand.
    pub ranges: Vec<Range<usize>>,
}

/// A stretch of the text: of a part, or between parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) range: Range<usize>,
    pub(super) part: Option<usize>,
}

/// A token of the prompt, for models that are given ids.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) id: u32,
    pub(super) part: Option<usize>,
}

impl Parts {
    /// The words of a text, each where it stands: runs of letters, digits and `_`.
    pub fn words(text: impl Into<String>) -> Self {
        let text = text.into();
        let ranges = split::words(&text);
        Self::labelled_by_text(text, ranges)
    }

    /// The different words of a text, each with all its places: masking one masks it wherever it stands, as lime
    /// 0.2.0.1 does by default.
    pub fn unique_words(text: impl Into<String>) -> Self {
        let text = text.into();
        let (mut parts, mut seen) = (Vec::<Part>::new(), HashMap::new());
        for range in split::words(&text) {
            let word = slice(&text, &range).to_owned();
            let next = parts.len();
            let at = *seen.entry(word.clone()).or_insert(next);
            match parts.get_mut(at) {
                Some(part) => part.ranges.push(range),
                None => parts.push(Part::at(word, range)),
            }
        }
        Self::new(text, parts)
    }

    /// The sentences of a text, labelled `sentence 1`, `sentence 2`, ...
    pub fn sentences(text: impl Into<String>) -> Self {
        let text = text.into();
        let sentences = split::sentences(&text).into_iter().zip(1..);
        let named = |(range, number)| Part::at(format!("sentence {number}"), range);
        let parts = sentences.map(named).collect();
        Self::new(text, parts)
    }

    /// The tokens of a text, in order: the prompt is what they are together.
    pub fn tokens<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let (mut text, mut ranges) = (String::new(), Vec::new());
        for token in tokens {
            let start = text.len();
            text.push_str(token.as_ref());
            ranges.push(start..text.len());
        }
        Self::labelled_by_text(text, ranges)
    }

    /// The tokens of a prompt by id, each with its text. A masked token is replaced by `mask`, so that the length of
    /// the prompt stays and values can be had again exactly; [`Masked::ids`] is what the model is given.
    pub fn token_ids<T: AsRef<str>>(tokens: impl IntoIterator<Item = (u32, T)>, mask: u32) -> Self {
        let (ids, texts): (Vec<u32>, Vec<T>) = tokens.into_iter().unzip();
        let mut parts = Self::tokens(texts);
        let token = |(part, id)| Token { id, part: Some(part) };
        parts.tokens = ids.into_iter().enumerate().map(token).collect();
        parts.masking = Masking::TokenId { id: mask };
        parts
    }

    /// Named segments of a prompt: the system prompt, each retrieved document, each tool result. An empty line stands
    /// between them; [`Masked::segment`] gives them one by one, for a chat's messages.
    pub fn segments<L: Into<String>, T: AsRef<str>>(segments: impl IntoIterator<Item = (L, T)>) -> Self {
        let (mut text, mut parts) = (String::new(), Vec::new());
        for (label, segment) in segments {
            if !parts.is_empty() {
                text.push_str("\n\n");
            }
            let start = text.len();
            text.push_str(segment.as_ref());
            parts.push(Part::at(label, start..text.len()));
        }
        Self::new(text, parts)
    }

    /// Named stretches of a text, in bytes. What stands in none of them always stays.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Range`] for a range that is not in the text, cuts a character, or meets another one.
    pub fn named<L: Into<String>>(
        text: impl Into<String>,
        named: impl IntoIterator<Item = (L, Range<usize>)>,
    ) -> Result<Self, ExplainError> {
        let text = text.into();
        let part = |(label, range): (L, _)| Part::at(label, range);
        let parts: Vec<_> = named.into_iter().map(part).collect();
        let mut ranges: Vec<_> =
            parts.iter().flat_map(|part| part.ranges.iter().map(move |range| (range, part))).collect();
        ranges.sort_by_key(|(range, _)| range.start);
        let mut end = 0;
        for (range, part) in ranges {
            if text.get(range.clone()).is_none() || range.start < end {
                return Err(ExplainError::Range { label: part.label.clone(), range: range.clone() });
            }
            end = range.end;
        }
        Ok(Self::new(text, parts))
    }

    /// The ids of the prompt's tokens, each with where it stands in the text, for a model that is given ids. A token
    /// belongs to the first part that it touches; those that touch none always stay. Tokens of masked parts are
    /// replaced by `mask`.
    pub fn with_token_ids(
        mut self,
        tokens: impl IntoIterator<Item = (u32, Range<usize>)>,
        mask: u32,
    ) -> Self {
        let part_of = |range: &Range<usize>| {
            let touches = |slot: &&Slot| slot.range.start < range.end && range.start < slot.range.end;
            self.slots.iter().filter(|slot| slot.part.is_some()).find(touches).and_then(|slot| slot.part)
        };
        self.tokens = tokens.into_iter().map(|(id, range)| Token { id, part: part_of(&range) }).collect();
        self.masking = Masking::TokenId { id: mask };
        self
    }

    /// Makes the parts that `stays` answers true for no parts: they stay in every prompt.
    pub fn keeping(self, stays: impl Fn(&Part) -> bool) -> Self {
        let stays: Vec<bool> = self.list.iter().map(stays).collect();
        self.keeping_at(|part| stays.get(part).copied().unwrap_or_default())
    }

    /// The same, by the parts' numbers.
    pub(super) fn keeping_at(self, stays: impl Fn(usize) -> bool) -> Self {
        let mut places = Vec::new();
        let mut parts = Vec::new();
        for (number, part) in self.list.into_iter().enumerate() {
            places.push((!stays(number)).then_some(parts.len()));
            if !stays(number) {
                parts.push(part);
            }
        }
        let place = |old: Option<usize>| old.and_then(|old| places.get(old).copied().flatten());
        let tokens =
            self.tokens.into_iter().map(|token| Token { part: place(token.part), ..token }).collect();
        let slots = slots(&self.text, &parts);
        Self { text: self.text, list: parts, slots, tokens, masking: self.masking }
    }

    /// Masked parts are deleted, with the blanks that would be left over; tokens by id too. The default of texts.
    pub fn deleting(mut self) -> Self {
        self.masking = Masking::Delete;
        self
    }

    /// Masked parts are replaced by a text each. A prompt of token ids becomes a text by it.
    pub fn replacing_with(mut self, text: impl Into<String>) -> Self {
        self.masking = Masking::Replace { with: text.into() };
        self
    }

    /// Runs of masked parts are replaced by one text. A prompt of token ids becomes a text by it.
    pub fn collapsing_to(mut self, text: impl Into<String>) -> Self {
        self.masking = Masking::Collapse { with: text.into() };
        self
    }

    /// The whole prompt.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands in place of masked parts.
    pub fn masking(&self) -> &Masking {
        &self.masking
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The parts, in the order of the prompt (of their first places).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Part> {
        self.list.iter()
    }

    /// The names of the parts, each once.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = &str> {
        self.list.iter().map(|part| part.label.as_str())
    }

    /// What a part says, at its first place.
    pub fn text_of<'a>(&'a self, part: &Part) -> &'a str {
        part.ranges.first().map_or("", |range| slice(&self.text, range))
    }

    /// The prompt with all but the kept parts masked.
    pub fn mask<'a>(&'a self, kept: &'a Coalition) -> Masked<'a> {
        Masked::new(self, kept)
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(super) fn prompt_tokens(&self) -> &[Token] {
        &self.tokens
    }

    fn labelled_by_text(text: String, ranges: Vec<Range<usize>>) -> Self {
        let part = |range: Range<usize>| Part::at(slice(&text, &range), range);
        let parts = ranges.into_iter().map(part).collect();
        Self::new(text, parts)
    }

    fn new(text: String, mut parts: Vec<Part>) -> Self {
        parts.sort_by_key(|part| part.ranges.first().map_or(0, |range| range.start));
        tell_apart(&mut parts);
        let slots = slots(&text, &parts);
        Self { text, list: parts, slots, tokens: Vec::new(), masking: Masking::Delete }
    }
}

impl Part {
    fn at(label: impl Into<String>, range: Range<usize>) -> Self {
        Self { label: label.into(), ranges: std::iter::once(range).collect() }
    }
}

/// Numbers the labels that are used again, past the numbers that other parts have as their own names.
fn tell_apart(parts: &mut [Part]) {
    let mut taken: HashSet<String> = parts.iter().map(|part| part.label.clone()).collect();
    let mut uses: HashMap<String, usize> = HashMap::new();
    for part in parts {
        let times = uses.entry(part.label.clone()).or_default();
        *times += 1;
        if *times > 1 {
            let mut label = format!("{}#{times}", part.label);
            while !taken.insert(label.clone()) {
                *times += 1;
                label = format!("{}#{times}", part.label);
            }
            part.label = label;
        }
    }
}

/// The whole text, cut at the ends of the parts.
fn slots(text: &str, parts: &[Part]) -> Vec<Slot> {
    let places = parts
        .iter()
        .enumerate()
        .flat_map(|(index, part)| part.ranges.iter().map(move |range| (range, index)));
    let mut places: Vec<_> = places.collect();
    places.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut slots, mut end) = (Vec::new(), 0);
    for (range, index) in places {
        if end < range.start {
            slots.push(Slot { range: end..range.start, part: None });
        }
        slots.push(Slot { range: range.clone(), part: Some(index) });
        end = range.end;
    }
    if end < text.len() {
        slots.push(Slot { range: end..text.len(), part: None });
    }
    slots
}

pub(super) fn slice<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    text.get(range.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_apart_and_ranges_point_into_the_prompt() {
        let check = |parts: Parts, expected: &[(&str, &str)]| {
            let found: Vec<_> = parts.iter().map(|part| (&*part.label, parts.text_of(part))).collect();
            assert_eq!(found, expected);
        };
        check(
            Parts::words("the cat, the hat"),
            &[("the", "the"), ("cat", "cat"), ("the#2", "the"), ("hat", "hat")],
        );
        check(Parts::unique_words("the cat, the hat"), &[("the", "the"), ("cat", "cat"), ("hat", "hat")]);
        check(Parts::sentences("One. Two."), &[("sentence 1", "One."), ("sentence 2", "Two.")]);
        check(Parts::tokens(["the", " cat", "s"]), &[("the", "the"), (" cat", " cat"), ("s", "s")]);
        check(Parts::segments([("doc", "A"), ("doc", "B")]), &[("doc", "A"), ("doc#2", "B")]);
        check(
            Parts::segments([("doc", "A"), ("doc", "B"), ("doc#2", "C"), ("doc#2", "D"), ("doc", "E")]),
            &[("doc", "A"), ("doc#3", "B"), ("doc#2", "C"), ("doc#2#2", "D"), ("doc#4", "E")],
        );
        check(
            Parts::named("ab cd", [("second", 3..5), ("first", 0..2)]).unwrap(),
            &[("first", "ab"), ("second", "cd")],
        );
    }

    #[test]
    fn ranges_that_cannot_be_are_refused() {
        let check = |ranges: &[(&'static str, Range<usize>)], expected: &str| {
            let error = Parts::named("né on", ranges.iter().cloned()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check(
            &[("a", 0..9)],
            "part \"a\": bytes 0..9 are not in the prompt, cut a character, or meet another part",
        );
        check(
            &[("a", 0..2)],
            "part \"a\": bytes 0..2 are not in the prompt, cut a character, or meet another part",
        );
        check(
            &[("a", 0..4), ("b", 3..5)],
            "part \"b\": bytes 3..5 are not in the prompt, cut a character, or meet another part",
        );
    }
}
