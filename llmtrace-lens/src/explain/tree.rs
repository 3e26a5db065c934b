//! A tree over the parts of a prompt: which belong together.

use super::{Coalition, ExplainError, Parts};

/// A tree over the parts of a prompt, made by joining two groups at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeTree {
    parts: usize,
    merges: Vec<[usize; 2]>,
    members: Vec<Coalition>,
}

impl MergeTree {
    /// The tree of these merges. Groups are numbered: the parts from 0, then what each merge makes, in turn (as in
    /// scipy's linkage matrices).
    ///
    /// # Errors
    ///
    /// [`ExplainError::Tree`] unless the merges join all parts into one group, each group once.
    pub fn new(parts: usize, merges: impl IntoIterator<Item = [usize; 2]>) -> Result<Self, ExplainError> {
        let mut members: Vec<Coalition> = (0..parts).map(|part| Coalition::of(parts, [part])).collect();
        let mut is_joined = vec![false; parts];
        let mut taken = Vec::new();
        for (index, merge) in merges.into_iter().enumerate() {
            let [left, right] = merge;
            for group in merge {
                match is_joined.get_mut(group) {
                    Some(joined) if !*joined => *joined = true,
                    _ => return Err(ExplainError::Tree { merge: index }),
                }
            }
            let (Some(left), Some(right)) = (members.get(left), members.get(right)) else {
                return Err(ExplainError::Tree { merge: index });
            };
            members.push(left.union(right));
            is_joined.push(false);
            taken.push(merge);
        }
        if taken.len() + 1 != parts {
            return Err(ExplainError::Tree { merge: taken.len() });
        }
        Ok(Self { parts, merges: taken, members })
    }

    /// The tree of a text: small neighbours first, and not over the ends of clauses, sentences and brackets. The rules
    /// are those of shap 0.51's text masker (`maskers/_text.py`).
    pub fn of_text(parts: &Parts) -> Result<Self, ExplainError> {
        let pieces = parts.iter().map(|part| Piece::new(parts.text_of(part))).collect();
        Self::new(parts.len(), merge(pieces))
    }

    /// How many parts it joins.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// The merges, in turn.
    pub fn merges(&self) -> &[[usize; 2]] {
        &self.merges
    }

    /// The group of all parts.
    pub(super) fn root(&self) -> usize {
        self.members.len().saturating_sub(1)
    }

    /// What a group was joined of; `None` for a part.
    pub(super) fn children(&self, group: usize) -> Option<[usize; 2]> {
        self.merges.get(group.checked_sub(self.parts)?).copied()
    }

    pub(super) fn members(&self, group: usize) -> &Coalition {
        &self.members[group]
    }
}

/// A part's text, as far as the rules look at it.
struct Piece {
    text: String,
    /// A bracket whose other one is not in the same group.
    is_open: bool,
}

/// Neighbouring parts that were joined.
struct Group {
    index: usize,
    first: usize,
    last: usize,
}

impl Piece {
    fn new(text: &str) -> Self {
        let text = text.trim().to_owned();
        Self { is_open: text == "(" || text == ")", text }
    }
}

fn merge(mut pieces: Vec<Piece>) -> Vec<[usize; 2]> {
    let parts = pieces.len();
    let mut groups: Vec<_> = (0..parts).map(|part| Group { index: part, first: part, last: part }).collect();
    let mut merges = Vec::new();
    while groups.len() > 1 {
        let scores = groups.windows(2).map(|pair| affinity(&pieces, &pair[0], &pair[1]));
        let best = scores.enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
        let at = best.map_or(0, |(at, _)| at);
        let right = groups.remove(at + 1);
        let left = &mut groups[at];
        merges.push([left.index, right.index]);
        if pieces[left.first].text == "(" && pieces[right.last].text == ")" {
            pieces[left.first].is_open = false;
            pieces[right.last].is_open = false;
        }
        left.index = parts + merges.len() - 1;
        left.last = right.last;
    }
    merges
}

/// How much two neighbouring groups belong together; the pair with the most is joined next.
fn affinity(pieces: &[Piece], left: &Group, right: &Group) -> i64 {
    let text = |at: usize| pieces[at].text.as_str();
    let (left_first, left_last) = (text(left.first), text(left.last));
    let (right_first, right_last) = (text(right.first), text(right.last));
    let size = |group: &Group| group.last - group.first + 1;
    let is_ending = |text: &str| matches!(text, "t" | "s");
    let is_control = |text: &str| text.starts_with('[') && text.ends_with(']');
    let mut score = 0;
    let mut when = |holds: bool, by: i64| score += if holds { by } else { 0 };
    when(right_first.starts_with("##"), 20);
    let ends_word = size(right) == 1 || size(right) == 2 && is_ending(text(right.first + 1));
    when(right_first == "'" && ends_word, 15);
    when(left_last == "'" && is_ending(right_first), 15);
    when(is_control(left_first) != is_control(right_last), -1000);
    when(right_first == "(" && pieces[right.first].is_open, -100);
    when(left_last == ")" && pieces[left.last].is_open, -100);
    when(left_first == "(", -2);
    let is_connector = |text: &str| matches!(text, "but" | "and" | "or");
    when(is_connector(left_last) || is_connector(right_first), -2);
    when(left_last == ",", -10);
    when(right_first == ",", if size(right) > 1 { -10 } else { -1 });
    let is_end = |text: &str| matches!(text, "." | "?" | "!");
    when(is_end(left_last), -20);
    when(is_end(right_first), if size(right) > 1 { -20 } else { -1 });
    score - i64::try_from(size(left) + size(right)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `partition_tree` of shap 0.51 makes of these tokens.
    #[test]
    fn groups_follow_the_sentence() {
        let check = |tokens: &[&str], expected: &[[usize; 2]]| {
            assert_eq!(MergeTree::of_text(&Parts::tokens(tokens)).unwrap().merges(), expected, "{tokens:?}");
        };
        check(&["a"], &[]);
        check(&["a", " b", " c"], &[[0, 1], [3, 2]]);
        check(&["a", ".", " b", " c"], &[[2, 3], [0, 1], [5, 4]]);
        check(&["it", "'", "s", " so"], &[[0, 1], [4, 2], [5, 3]]);
        check(&["play", "##ing", " on"], &[[0, 1], [3, 2]]);
        check(&["a", " (", "b", ")", " c"], &[[2, 3], [1, 5], [0, 6], [7, 4]]);
        check(&["[CLS]", "a", " b", "[SEP]"], &[[1, 2], [0, 4], [5, 3]]);
        check(
            &["A", " and", " B", ",", " C", " but", " D", "!"],
            &[[2, 3], [6, 7], [0, 1], [4, 5], [10, 8], [11, 9], [12, 13]],
        );
        check(
            &["one", " (", "two", " three", ")", ".", " four", " or", " five", "?"],
            &[[2, 3], [10, 4], [8, 9], [6, 7], [1, 11], [0, 14], [13, 12], [15, 5], [17, 16]],
        );
    }

    #[test]
    fn merges_that_make_no_tree_are_refused() {
        let check = |parts, merges: &[[usize; 2]], expected| {
            let found = MergeTree::new(parts, merges.iter().copied()).map(|tree| tree.merges().len());
            assert_eq!(found, expected, "{merges:?}");
        };
        check(1, &[], Ok(0));
        check(3, &[[0, 2], [3, 1]], Ok(2));
        check(3, &[[0, 2], [3, 2]], Err(ExplainError::Tree { merge: 1 }));
        check(3, &[[0, 4], [3, 2]], Err(ExplainError::Tree { merge: 0 }));
        check(3, &[[0, 0], [3, 2]], Err(ExplainError::Tree { merge: 0 }));
        check(3, &[[0, 1]], Err(ExplainError::Tree { merge: 1 }));
        check(0, &[], Err(ExplainError::Tree { merge: 0 }));
    }
}
