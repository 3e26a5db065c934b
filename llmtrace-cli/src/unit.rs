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
}
