//! "Did you mean": the known name that a wrong one is nearest to.

/// The known name that `wrong` was probably meant to be.
pub(super) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(3, wrong, known)
}

/// The same, with the most changes that make one name of the other.
pub(super) fn nearest_within<'a>(
    changes: usize,
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded = fold(wrong);
    let ranked = known.into_iter().map(|name| (distance(&folded, &fold(name)), name));
    let (distance, name) = ranked.min_by_key(|(distance, _)| *distance)?;
    (distance <= (name.len() / 3).clamp(1, changes)).then_some(name)
}

/// Keys are compared without regard to case, and `-` is as good as `_`.
fn fold(name: &str) -> Vec<char> {
    // Nothing that is much longer than a key is near one.
    name.chars().take(64).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that make one text of the other (the "optimal string
/// alignment" distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best = at(&last, j) + usize::from(from != to);
            best = best.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let is_swap = i > 0 && j > 0 && a.get(i - 1) == Some(&to) && b.get(j - 1) == Some(&from);
            if is_swap {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_are_told_from_other_words() {
        let known = ["rotate_bytes", "keep_files", "path", "sync", "color", "env", "max_bytes"];
        let check =
            |wrong: &str, expected: Option<&str>| assert_eq!(nearest(wrong, known), expected, "{wrong}");
        check("rotate_byte", Some("rotate_bytes"));
        check("rotate-bytes", Some("rotate_bytes"));
        check("rotateBytes", Some("rotate_bytes"));
        check("Path", Some("path"));
        check("paht", Some("path"));
        check("colour", Some("color"));
        check("keepfiles", Some("keep_files"));
        check("cync", Some("sync"));
        check("rotation", None);
        check("url", None);
        check("", None);
        check(&"x".repeat(100_000), None);
        assert_eq!(nearest("x", []), None);
    }
}
