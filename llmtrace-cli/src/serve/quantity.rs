//! Ages and sizes as people write them: `30d`, `5GiB`.

use std::time::Duration;

const AGES: &[(&str, u64)] = &[("s", 1), ("m", 60), ("min", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)];

const SIZES: &[(&str, u64)] = &[
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Longest age: a hundred years.
const MAX_AGE_SECONDS: u64 = 100 * 365 * 86_400;

/// Smallest and largest size of a store, in bytes; a file is no larger.
const MIN_SIZE: u64 = 1 << 20;
const MAX_SIZE: u64 = 1 << 62;

/// Reads an age.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    quantity(text, AGES)
        .filter(|seconds| (1..=MAX_AGE_SECONDS).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| "expected an age such as 30d, 12h or 90min".to_owned())
}

/// Reads a size in bytes.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    quantity(text, SIZES)
        .filter(|bytes| (MIN_SIZE..=MAX_SIZE).contains(bytes))
        .ok_or_else(|| "expected a size of 1 MiB or more, such as 5GiB or 500MB".to_owned())
}

/// A whole number and its unit.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.find(|char: char| !char.is_ascii_digit())?)?;
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_are_read() {
        let check = |text: &str, seconds: Option<u64>| {
            assert_eq!(age(text).ok().map(|age| age.as_secs()), seconds, "{text}");
        };
        check("30d", Some(2_592_000));
        check("12 h", Some(43_200));
        check("1W", Some(604_800));
        for wrong in ["", "d", "30", "0d", "-1d", "1.5d", "1y", "99999999999w"] {
            check(wrong, None);
        }
        let check = |text: &str, bytes: Option<u64>| assert_eq!(size(text).ok(), bytes, "{text}");
        check("5GiB", Some(5 << 30));
        check("500 mb", Some(500_000_000));
        for wrong in ["", "GiB", "5", "0MiB", "1kB", "99999999999TiB"] {
            check(wrong, None);
        }
    }
}
