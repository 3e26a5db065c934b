//! Sizes and times as people write them: `"64 MiB"`, `"200 ms"`.

use std::time::Duration;

const BYTE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Units of time in nanoseconds.
const TIME_UNITS: &[(&str, u64)] = &[
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Longest time that is understood: ten years, so that a deadline can always be computed.
const MAX_NANOS: u64 = 3_650 * 86_400_000_000_000;

/// Reads a size in bytes; the error says what would be right.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let expected = "a size such as \"64 MiB\", or a number of bytes";
    quantity(text, BYTE_UNITS, "B", u64::MAX).map_err(|wrong| wrong.message(expected))
}

/// Reads a time; the error says what would be right.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let nanos = quantity(text, TIME_UNITS, "", MAX_NANOS);
    nanos.map(Duration::from_nanos).map_err(|wrong| wrong.message("a time such as \"200 ms\" or \"10 s\""))
}

#[derive(Debug)]
enum Wrong {
    NoNumber,
    Unit(&'static [(&'static str, u64)]),
    TooMuch,
}

impl Wrong {
    fn message(&self, expected: &str) -> String {
        match self {
            Self::NoNumber => format!("expected {expected}"),
            Self::Unit(units) => {
                let names: Vec<_> = units.iter().map(|(name, _)| *name).collect();
                format!("expected {expected}; the units are {}", names.join(", "))
            }
            Self::TooMuch => format!("expected {expected}; this is more than can be counted"),
        }
    }
}

/// A number and its unit. A unit is found in any case; an empty one means `default`.
fn quantity(
    text: &str,
    units: &'static [(&'static str, u64)],
    default: &str,
    max: u64,
) -> Result<u64, Wrong> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = if unit.trim().is_empty() { default } else { unit.trim() };
    if number.is_empty() {
        return Err(Wrong::NoNumber);
    }
    let factor = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let factor = factor.map(|(_, factor)| *factor).ok_or(Wrong::Unit(units))?;
    scaled(number, factor)?.filter(|amount| *amount <= max).ok_or(Wrong::TooMuch)
}

/// `number * factor`, exact; what is below one is cut. `None` if it is too large.
fn scaled(number: &str, factor: u64) -> Result<Option<u64>, Wrong> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(Wrong::NoNumber);
    }
    // Nine digits are as exact as any unit here.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let (Ok(whole), Ok(part)) = (whole.parse::<u128>(), fraction.parse::<u128>()) else {
        return Ok(None);
    };
    let scale = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let factor = u128::from(factor);
    let amount = whole.checked_mul(factor).and_then(|amount| amount.checked_add(part * factor / scale));
    Ok(amount.and_then(|amount| u64::try_from(amount).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(bytes(text).ok(), expected, "{text:?}");
        };
        check("0", Some(0));
        check("4096", Some(4096));
        check("64 MiB", Some(64 << 20));
        check("64MiB", Some(64 << 20));
        check(" 1 gib ", Some(1 << 30));
        check("1.5 KiB", Some(1536));
        check("10 MB", Some(10_000_000));
        check("10 B", Some(10));
        check("16777215 TiB", Some(16_777_215 << 40));
        for wrong in [
            "",
            "MiB",
            "-1 MiB",
            "1 M",
            "1 MiBs",
            "1.2.3 B",
            ".5 B",
            "1. B",
            "1 mi b",
            "1e3",
            "16777216 TiB",
            "99999999999999999999999999999999999999999 B",
            "١ B",
        ] {
            check(wrong, None);
        }
        assert!(bytes("1 M").unwrap_err().contains("B, kB, MB, GB, TB, KiB, MiB, GiB, TiB"));
    }

    #[test]
    fn times() {
        let check = |text: &str, expected: Option<Duration>| {
            assert_eq!(duration(text).ok(), expected, "{text:?}");
        };
        check("200 ms", Some(Duration::from_millis(200)));
        check("2s", Some(Duration::from_secs(2)));
        check("0.5 s", Some(Duration::from_millis(500)));
        check("1.0000000015 s", Some(Duration::from_nanos(1_000_000_001)));
        check("15 min", Some(Duration::from_secs(900)));
        check("1 h", Some(Duration::from_secs(3600)));
        check("2 d", Some(Duration::from_secs(172_800)));
        for wrong in ["200", "", "s", "-1 s", "2 m", "2 seconds", "3651 d", "1 s 5 ms"] {
            check(wrong, None);
        }
    }
}
