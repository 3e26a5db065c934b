//! A long text in windows that a model reads one by one.

use std::collections::BTreeSet;

/// The windows of a text, none longer than `longest` (2 at least): each begins with the special token that the text begins with.
/// How many tokens of each that is, 0 or 1, and the windows.
pub(super) fn windows<'t>(
    tokens: &'t [u32],
    special: &BTreeSet<u32>,
    longest: usize,
) -> (usize, impl Iterator<Item = Vec<u32>> + use<'t>) {
    let begins = tokens.first().is_some_and(|first| special.contains(first));
    let (begin, rest) = tokens.split_at(usize::from(begins));
    let parts = rest.chunks(longest.max(2) - begin.len());
    (begin.len(), parts.map(move |part| [begin, part].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_begins_as_the_text_does() {
        let check = |tokens: &[u32], longest: usize, masked: usize, expected: &[&[u32]]| {
            let (found, parts) = windows(tokens, &BTreeSet::from([0]), longest);
            assert_eq!(
                (found, parts.collect::<Vec<_>>()),
                (masked, expected.iter().map(|part| part.to_vec()).collect())
            );
        };
        check(&[0, 1, 2, 3], 3, 1, &[&[0, 1, 2], &[0, 3]]);
        check(&[1, 2, 0, 3], 3, 0, &[&[1, 2, 0], &[3]]);
        check(&[0, 1, 2], 0, 1, &[&[0, 1], &[0, 2]]);
        check(&[0, 1, 2], 9, 1, &[&[0, 1, 2]]);
        check(&[0], 9, 1, &[]);
        check(&[], 9, 0, &[]);
    }
}
