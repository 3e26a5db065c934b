//! What a call cost, exactly.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

/// An amount of US dollars in whole pico-dollars (1e-12 USD), so that sums do not drift.
///
/// ```
/// use llmtrace::Usd;
///
/// let call: Usd = "0.0000123".parse()?;
/// let total: Usd = std::iter::repeat_n(call, 1_000_000).sum();
/// assert_eq!(total.to_string(), "12.3");
/// # Ok::<(), llmtrace::ParseUsdError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i128);

/// The text is not a decimal amount with at most twelve fractional digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an amount in USD: expected a decimal such as 0.0000123, found {found:?}")]
pub struct ParseUsdError {
    found: String,
}

const PICO: i128 = 1_000_000_000_000;

impl Usd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount in pico-dollars.
    pub const fn from_pico(pico: i128) -> Self {
        Self(pico)
    }

    /// The amount in pico-dollars.
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// The nearest pico-dollar; `None` if `dollars` is not finite or not below 1e15 in size.
    #[expect(clippy::cast_possible_truncation, reason = "the size is checked")]
    pub fn from_f64(dollars: f64) -> Option<Self> {
        (dollars.is_finite() && dollars.abs() < 1e15).then(|| Self((dollars * 1e12).round() as i128))
    }

    /// The amount as a float, for JSON and for display.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e12
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::add)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, size) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, fraction) = (size / PICO.unsigned_abs(), size % PICO.unsigned_abs());
        let fraction = format!("{fraction:012}");
        let fraction = fraction.trim_end_matches('0');
        let dot = if fraction.is_empty() { "" } else { "." };
        f.pad(&format!("{sign}{whole}{dot}{fraction}"))
    }
}

impl FromStr for Usd {
    type Err = ParseUsdError;

    fn from_str(text: &str) -> Result<Self, ParseUsdError> {
        let parse = || {
            let (negative, size) = text.strip_prefix('-').map_or((false, text), |size| (true, size));
            let (whole, fraction) = size.split_once('.').unwrap_or((size, "0"));
            let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if !is_digits(whole) || !is_digits(fraction) || whole.len() > 15 || fraction.len() > 12 {
                return None;
            }
            let pico =
                whole.parse::<i128>().ok()? * PICO + format!("{fraction:0<12}").parse::<i128>().ok()?;
            Some(Self(if negative { -pico } else { pico }))
        };
        parse().ok_or_else(|| ParseUsdError { found: text.chars().take(64).collect() })
    }
}

/// An amount for [`SpanExt::record_cost`](crate::SpanExt::record_cost): [`Usd`], or US dollars as a float.
pub trait CostValue {
    /// The amount; `None` if it is not finite.
    fn to_usd(self) -> Option<Usd>;
}

impl CostValue for Usd {
    fn to_usd(self) -> Option<Usd> {
        Some(self)
    }
}

impl CostValue for f64 {
    fn to_usd(self) -> Option<Usd> {
        Usd::from_f64(self)
    }
}

/// What a call cost, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// The whole cost.
    pub total: Usd,
    /// The input's share, cache reads and writes included, where it is known.
    pub input: Option<Usd>,
    /// The output's share, where it is known.
    pub output: Option<Usd>,
    /// Where the figure comes from.
    pub source: CostSource,
    /// The entry of the price table that was used.
    pub matched_model: Option<String>,
    /// How closely the model's name matched that entry.
    pub matched: Option<PriceMatch>,
    /// The day the price table was made, or an override's own note of it (ISO 8601 date).
    pub as_of: Option<String>,
    /// Fees that the response implies and the table has no price for: the cost is a lower bound.
    pub incomplete: bool,
}

/// Where a [`Cost`] comes from, the most trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CostSource {
    /// The provider stated it in the response.
    Provider,
    /// A price that the user gave.
    Override,
    /// The price table that comes with llmtrace.
    Bundled,
}

/// How closely a model's name matched an entry of the price table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PriceMatch {
    /// The names are the same.
    Exact,
    /// The names differ by a date or a version suffix such as `-2024-07-18`.
    Dated,
    /// The entry's rule covers the name, but the names differ by more than a date.
    Family,
}

/// Why a call has no cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unpriced {
    /// No price is known for the model.
    #[error("no price is known for the model")]
    UnknownModel,
    /// The provider stated no usage, or only part of it.
    #[error("the usage is missing or incomplete")]
    NoUsage,
    /// The counts contradict each other.
    #[error("the token counts contradict each other")]
    InvalidUsage,
}

impl Cost {
    /// A cost whose shares are not known.
    pub fn new(total: Usd, source: CostSource) -> Self {
        Self {
            total,
            input: None,
            output: None,
            source,
            matched_model: None,
            matched: None,
            as_of: None,
            incomplete: false,
        }
    }
}

impl CostSource {
    /// The lower-case name, as `llmtrace.cost.source` holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Override => "override",
            Self::Bundled => "bundled",
        }
    }
}

impl PriceMatch {
    /// The lower-case name, as `llmtrace.cost.match` holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Dated => "dated",
            Self::Family => "family",
        }
    }
}

impl Unpriced {
    /// The lower-case name, as `llmtrace.cost.status` holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownModel => "unknown_model",
            Self::NoUsage => "no_usage",
            Self::InvalidUsage => "invalid_usage",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_written_and_summed_exactly() {
        let check = |text: &str, pico: i128| {
            let amount: Usd = text.parse().unwrap();
            assert_eq!(amount.pico(), pico);
            assert_eq!(amount.to_string(), text);
        };
        check("0", 0);
        check("0.000000000001", 1);
        check("-12.5", -12_500_000_000_000);
        check("123456789012345.123456789012", 123_456_789_012_345_123_456_789_012);
        for bad in ["", ".", "1.", ".5", "1e3", "0.0000000000001", "--1", "NaN"] {
            assert!(bad.parse::<Usd>().is_err(), "{bad}");
        }
        assert_eq!(Usd::from_f64(0.1).unwrap() + Usd::from_f64(0.2).unwrap(), "0.3".parse().unwrap());
        assert_eq!(Usd::from_f64(f64::NAN), None);
    }
}
