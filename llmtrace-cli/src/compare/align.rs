//! Which children of two spans answer each other.

/// How well two things answer each other; `None` if they do not.
pub(super) type Score = Option<u32>;

/// One place of each side, or of one.
pub(super) type Pair = (Option<usize>, Option<usize>);

/// Pairs of children that are weighed, at most: longer lists are matched in order by what is first alike.
const MAX_WEIGHED: usize = 1_000_000;

/// How far ahead the other list is searched where there are too many.
const MAX_AHEAD: usize = 64;

/// Pairs those of two lists that answer each other, in order of both, so that the scores add up to the most (Needleman
/// and Wunsch, 1970); what stands alone stands where it came.
pub(super) fn align(a: usize, b: usize, score: impl Fn(usize, usize) -> Score) -> Vec<Pair> {
    if a.saturating_mul(b) <= MAX_WEIGHED { weighed(a, b, score) } else { in_order(a, b, score) }
}

fn weighed(a: usize, b: usize, score: impl Fn(usize, usize) -> Score) -> Vec<Pair> {
    // best[i][j]: the most that the lists from i and from j on add up to.
    let width = b + 1;
    let mut best = vec![0_u32; (a + 1) * width];
    let at = |best: &[u32], i: usize, j: usize| best.get(i * width + j).copied().unwrap_or_default();
    for i in (0..a).rev() {
        for j in (0..b).rev() {
            let alone = at(&best, i + 1, j).max(at(&best, i, j + 1));
            let together = score(i, j).map_or(0, |score| score + at(&best, i + 1, j + 1));
            if let Some(cell) = best.get_mut(i * width + j) {
                *cell = alone.max(together);
            }
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::with_capacity(a.max(b)));
    while i < a && j < b {
        let most = at(&best, i, j);
        if score(i, j).is_some_and(|score| score + at(&best, i + 1, j + 1) == most) {
            pairs.push((Some(i), Some(j)));
            (i, j) = (i + 1, j + 1);
        } else if at(&best, i + 1, j) == most {
            pairs.push((Some(i), None));
            i += 1;
        } else {
            pairs.push((None, Some(j)));
            j += 1;
        }
    }
    pairs.extend((i..a).map(|i| (Some(i), None)));
    pairs.extend((j..b).map(|j| (None, Some(j))));
    pairs
}

fn in_order(a: usize, b: usize, score: impl Fn(usize, usize) -> Score) -> Vec<Pair> {
    let (mut j, mut pairs) = (0, Vec::with_capacity(a.max(b)));
    for i in 0..a {
        let ahead = j..b.min(j + MAX_AHEAD);
        match ahead.clone().find(|other| score(i, *other).is_some()) {
            Some(other) => {
                pairs.extend((j..other).map(|alone| (None, Some(alone))));
                pairs.push((Some(i), Some(other)));
                j = other + 1;
            }
            None => pairs.push((Some(i), None)),
        }
    }
    pairs.extend((j..b).map(|j| (None, Some(j))));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_paired_in_order() {
        let check = |a: &str, b: &str, expected: &str| {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let score = |i: usize, j: usize| (a[i] == b[j]).then_some(1);
            for pairs in [weighed(a.len(), b.len(), score), in_order(a.len(), b.len(), score)] {
                let drawn: Vec<String> = pairs
                    .iter()
                    .map(|(i, j)| match (i, j) {
                        (Some(i), Some(_)) => a[*i].to_string(),
                        (Some(i), None) => format!("-{}", a[*i]),
                        (None, Some(j)) => format!("+{}", b[*j]),
                        (None, None) => String::new(),
                    })
                    .collect();
                assert_eq!(drawn.join(" "), expected);
            }
        };
        check("abc", "abc", "a b c");
        check("abc", "ac", "a -b c");
        check("ac", "abc", "a +b c");
        check("ab", "cd", "-a -b +c +d");
        check("", "ab", "+a +b");
        check("", "", "");
        // The better pair wins over the first one.
        let scores = |i: usize, j: usize| Some(if (i, j) == (0, 1) { 5 } else { 1 });
        assert_eq!(weighed(1, 2, scores), [(None, Some(0)), (Some(0), Some(1))]);
    }

    #[test]
    fn long_lists_take_little_time() {
        let pairs = align(100_000, 100_000, |i, j| (i + 1 == j).then_some(1));
        assert_eq!(pairs.iter().filter(|pair| matches!(pair, (Some(_), Some(_)))).count(), 99_999);
    }
}
