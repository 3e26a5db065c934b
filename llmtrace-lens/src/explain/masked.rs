//! A prompt of which some parts are masked: what a score is asked of.

use std::fmt;
use std::ops::Deref;

use super::parts::slice;
use super::{Coalition, Masking, Parts};

/// A prompt of which some parts are masked. It reads as a `str`, so that `|prompt| score(prompt)` is all that a model of
/// texts needs.
#[derive(Clone, Debug)]
pub struct Masked<'a> {
    parts: &'a Parts,
    kept: &'a Coalition,
    text: String,
    ids: Vec<u32>,
}

impl<'a> Masked<'a> {
    pub(super) fn new(parts: &'a Parts, kept: &'a Coalition) -> Self {
        Self { parts, kept, text: text(parts, kept), ids: ids(parts, kept) }
    }

    /// The prompt as text. Where tokens are masked by id, each masked part reads `<id>`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The prompt as token ids; empty where the prompt was given as text, or is masked by texts.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// What stands in place of the part with this label: its own text where it is kept, else what masks it, which is
    /// nothing where parts are deleted. `None` if no part is called so.
    pub fn segment(&self, label: &str) -> Option<&str> {
        let at = self.parts.labels().position(|candidate| candidate == label)?;
        let part = self.parts.iter().nth(at)?;
        Some(match self.parts.masking() {
            _ if self.kept.contains(at) => self.parts.text_of(part),
            Masking::Replace { with } | Masking::Collapse { with } => with,
            Masking::Delete | Masking::TokenId { .. } => "",
            Masking::Embedding { .. } | Masking::Unmasked => self.parts.text_of(part),
        })
    }

    /// Which parts are kept.
    pub fn kept(&self) -> &Coalition {
        self.kept
    }

    /// The prompt that this is a masked form of.
    pub fn parts(&self) -> &Parts {
        self.parts
    }
}

impl Deref for Masked<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn text(parts: &Parts, kept: &Coalition) -> String {
    let is_kept = |part: usize| kept.contains(part);
    match parts.masking() {
        Masking::Delete => delete(parts, is_kept),
        Masking::Replace { with } => replace(parts, is_kept, with),
        Masking::Collapse { with } => collapse(parts, is_kept, with),
        Masking::TokenId { id } => replace(parts, is_kept, &format!("<{id}>")),
        Masking::Embedding { .. } | Masking::Unmasked => parts.text().to_owned(),
    }
}

/// A blank gap is written only where text stands before and after it; gaps with more than blanks always are.
fn delete(parts: &Parts, is_kept: impl Fn(usize) -> bool) -> String {
    let (mut out, mut gap) = (String::new(), "");
    for slot in parts.slots() {
        let text = slice(parts.text(), &slot.range);
        match slot.part {
            None if text.trim().is_empty() => {
                gap = text;
                continue;
            }
            Some(part) if !is_kept(part) => {}
            _ => {
                // The first thing of the prompt keeps the blanks before it.
                if !out.is_empty() || gap.len() == slot.range.start {
                    out.push_str(gap);
                }
                out.push_str(text);
            }
        }
        gap = "";
    }
    if !out.is_empty() {
        out.push_str(gap);
    }
    out
}

fn replace(parts: &Parts, is_kept: impl Fn(usize) -> bool, with: &str) -> String {
    let written = |slot: &super::parts::Slot| match slot.part {
        Some(part) if !is_kept(part) => with.to_owned(),
        _ => slice(parts.text(), &slot.range).to_owned(),
    };
    parts.slots().iter().map(written).collect()
}

fn collapse(parts: &Parts, is_kept: impl Fn(usize) -> bool, with: &str) -> String {
    let (mut out, mut gap, mut is_in_run) = (String::new(), "", false);
    for slot in parts.slots() {
        let text = slice(parts.text(), &slot.range);
        match slot.part {
            None if text.trim().is_empty() => {
                gap = text;
                continue;
            }
            Some(part) if !is_kept(part) => {
                if !is_in_run {
                    out.push_str(gap);
                    out.push_str(with);
                }
                is_in_run = true;
            }
            _ => {
                out.push_str(gap);
                out.push_str(text);
                is_in_run = false;
            }
        }
        gap = "";
    }
    out.push_str(gap);
    out
}

fn ids(parts: &Parts, kept: &Coalition) -> Vec<u32> {
    let tokens = parts.prompt_tokens().iter();
    let is_masked = |part: Option<usize>| part.is_some_and(|part| !kept.contains(part));
    match parts.masking() {
        Masking::Delete => tokens.filter(|token| !is_masked(token.part)).map(|token| token.id).collect(),
        Masking::TokenId { id } => {
            tokens.map(|token| if is_masked(token.part) { *id } else { token.id }).collect()
        }
        Masking::Replace { .. } | Masking::Collapse { .. } => Vec::new(),
        Masking::Embedding { .. } | Masking::Unmasked => tokens.map(|token| token.id).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &Parts, kept: &[usize], expected: &str) {
        let coalition = Coalition::of(parts.len(), kept.iter().copied());
        assert_eq!(parts.mask(&coalition).text(), expected, "{kept:?} of {:?}", parts.text());
    }

    #[test]
    fn deleted_parts_take_their_blanks_along() {
        let parts = Parts::words("the capital of Texas ");
        check(&parts, &[0, 1, 2, 3], "the capital of Texas ");
        check(&parts, &[0, 1, 3], "the capital Texas ");
        check(&parts, &[1, 3], "capital Texas ");
        check(&parts, &[0], "the ");
        check(&parts, &[], "");
        check(&Parts::words("  a, b"), &[0, 1], "  a, b");
        check(&Parts::words("  a, b"), &[1], ", b");
        check(
            &Parts::segments([("system", "Be brief."), ("doc", "A fact."), ("question", "Why?")]),
            &[0, 2],
            "Be brief.\n\nWhy?",
        );
        check(&Parts::tokens(["the", " cap", "ital"]), &[1], " cap");
        check(&Parts::unique_words("a b a c a"), &[1, 2], "b c");
    }

    #[test]
    fn masks_stand_in_place_of_parts() {
        let parts = Parts::words("the capital of Texas").replacing_with("_");
        check(&parts, &[0, 3], "the _ _ Texas");
        let parts = parts.collapsing_to("...");
        check(&parts, &[0, 3], "the ... Texas");
        check(&parts, &[], "...");
        check(&Parts::words("a, b c").collapsing_to("..."), &[], "..., ...");
        check(&Parts::tokens(["a", " b", " c"]).collapsing_to(" ..."), &[0], "a ...");
    }

    #[test]
    fn ids_are_masked_by_id_or_deleted() {
        let check = |parts: &Parts, kept: &[usize], expected: &[u32]| {
            let coalition = Coalition::of(parts.len(), kept.iter().copied());
            assert_eq!(parts.mask(&coalition).ids(), expected);
        };
        let parts = Parts::token_ids([(7, "a"), (8, " b"), (9, " c")], 0);
        check(&parts, &[0, 2], &[7, 0, 9]);
        check(&parts.clone().keeping(|part| part.label == "a"), &[], &[7, 0, 0]);
        check(&parts.clone().keeping(|part| part.label == "a"), &[1], &[7, 0, 9]);
        check(&parts.clone().deleting(), &[0, 2], &[7, 9]);
        check(&parts.replacing_with("x"), &[0, 2], &[]);
        let words = Parts::words("Dallas is").with_token_ids([(1, 0..0), (2, 0..2), (3, 2..6), (4, 6..9)], 0);
        check(&words, &[1], &[1, 0, 0, 4]);
        check(&words, &[0], &[1, 2, 3, 0]);
    }

    #[test]
    fn segments_are_found_by_name() {
        let parts = Parts::segments([("system", "Be brief."), ("doc", "A fact.")]);
        let kept = Coalition::of(2, [0]);
        let masked = parts.mask(&kept);
        assert_eq!(masked.segment("system"), Some("Be brief."));
        assert_eq!(masked.segment("doc"), Some(""));
        assert_eq!(masked.segment("other"), None);
        assert!(masked.contains("brief"), "it is a str");
        let parts = Parts::segments([("doc", "A."), ("doc", "B."), ("doc#2", "C.")]);
        let kept = Coalition::full(3);
        let masked = parts.mask(&kept);
        assert_eq!(["doc", "doc#3", "doc#2"].map(|name| masked.segment(name)), ["A.", "B.", "C."].map(Some));
    }
}
