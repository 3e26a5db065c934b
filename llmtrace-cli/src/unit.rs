//! What a figure counts, and how people and programs read it.

use std::time::Duration;

use llmtrace::Usd;
use llmtrace_exporters::figures;
use serde::{Deserialize, Serialize};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// US dollars.
    Usd,
    /// Milliseconds.
    Ms,
    /// Tokens.
    Tokens,
    /// Calls, spans or any other things.
    Count,
    /// A part of a whole, from 0 to 1.
    Share,
    /// A judgement, on its author's own scale.
    Score,
}

impl Unit {
    /// The figure as people read it: `$0.0123`, `1.24 s`, `1,234`, `12 %`.
    pub(crate) fn shown(self, value: f64) -> String {
        let sign = if value < 0.0 { "-" } else { "" };
        let size = value.abs();
        match self {
            Self::Usd => Usd::from_f64(value).map_or_else(|| format!("${value:.2e}"), figures::cost),
            Self::Ms => {
                let duration = Duration::try_from_secs_f64(size / 1e3).unwrap_or(Duration::MAX);
                format!("{sign}{}", figures::duration(duration))
            }
            Self::Tokens | Self::Count => format!("{sign}{}", counted(size)),
            Self::Share => format!("{sign}{} %", percent(size * 100.0)),
            Self::Score if size < 1e6 => format!("{}", (value * 1e3).round() / 1e3),
            Self::Score => format!("{value:.2e}"),
        }
    }
}

/// A count in three digits: `1,234`, `45.6k`, `1.23M`.
pub(crate) fn compact(count: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G"), (1_000_000_000_000, "T")];
    if count < 10_000 {
        return figures::count(count);
    }
    for (unit, name) in UNITS {
        let rounded =
            |parts: u64| (u128::from(count) * u128::from(parts) + u128::from(unit / 2)) / u128::from(unit);
        match (rounded(100), rounded(10), rounded(1)) {
            (hundredths @ ..1_000, _, _) => {
                return format!("{}.{:02}{name}", hundredths / 100, hundredths % 100);
            }
            (_, tenths @ ..1_000, _) => return format!("{}.{}{name}", tenths / 10, tenths % 10),
            (_, _, whole @ ..1_000) => return format!("{whole}{name}"),
            _ => {}
        }
    }
    figures::count(count)
}

/// A count; of small means one decimal stays.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn counted(value: f64) -> String {
    if value < 100.0 && value.fract().abs() > 1e-9 {
        format!("{value:.1}")
    } else if value < 1e18 {
        figures::count(value.round() as u64)
    } else {
        format!("{value:.2e}")
    }
}

/// Percents with two digits that count, at most one decimal.
fn percent(value: f64) -> String {
    if value >= 1e9 {
        return if value.is_finite() { format!("{value:.2e}") } else { ">1e308".to_owned() };
    }
    if value < 9.95 && (value.round() - value).abs() > 0.05 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_in_the_tree() {
        let check = |unit: Unit, value: f64, shown: &str| assert_eq!(unit.shown(value), shown);
        check(Unit::Usd, 0.0123, "$0.0123");
        check(Unit::Usd, -0.5, "-$0.50");
        check(Unit::Ms, 1_240.0, "1.24 s");
        check(Unit::Ms, -12.0, "-12.0 ms");
        check(Unit::Ms, f64::INFINITY, "5124095576030431h 00m");
        check(Unit::Tokens, 12_345.0, "12,345");
        check(Unit::Count, 3.25, "3.2");
        check(Unit::Count, 1e300, "1.00e300");
        check(Unit::Share, 0.123, "12 %");
        check(Unit::Share, 0.012_3, "1.2 %");
        check(Unit::Share, 0.0, "0 %");
        check(Unit::Score, 0.875, "0.875");
        check(Unit::Score, -1.0, "-1");
        check(Unit::Score, 1e300, "1.00e300");
    }

    #[test]
    fn large_counts_have_three_digits() {
        let check = |count: u64, shown: &str| assert_eq!(compact(count), shown);
        check(0, "0");
        check(9_999, "9,999");
        check(10_000, "10.0k");
        check(45_678, "45.7k");
        check(999_499, "999k");
        check(999_500, "1.00M");
        check(1_234_567, "1.23M");
        check(12_345_678_901, "12.3G");
        check(1_500_000_000_000, "1.50T");
        check(u64::MAX, "1.84e19");
    }
}
