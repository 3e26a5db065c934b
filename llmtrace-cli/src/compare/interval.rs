//! In what range a change lies.

use super::groups::{Interval, Verdict};

/// Normal deviation that 99.5 % lie within. Ten figures are judged at once, so each is given a tenth of 5 % (Bonferroni):
/// all ranges hold together with 95 % confidence.
pub(super) const Z: f64 = 2.807;

/// A figure and the range in which it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Estimate {
    pub(super) fn around(value: f64, stray: f64) -> Self {
        Self { value, low: value - stray, high: value + stray }
    }

    /// The part of so many calls to which something happened (Wilson, "Probable inference", 1927).
    pub(super) fn part(part: f64, calls: f64) -> Self {
        let spread = Z * Z / calls;
        let middle = (part + spread / 2.0) / (1.0 + spread);
        let stray = Z * (part * (1.0 - part) / calls + spread / (4.0 * calls)).sqrt() / (1.0 + spread);
        Self { value: part, low: (middle - stray).max(0.0), high: (middle + stray).min(1.0) }
    }

    /// The difference to another figure: each range reaches as far as both together (method of variance estimates recovery;
    /// Zou and Donner, 2008; of shares Newcombe, 1998).
    pub(super) fn less(self, before: Self) -> Interval {
        let reach = |a: f64, b: f64| (a * a + b * b).sqrt();
        let value = self.value - before.value;
        let low = value - reach(self.value - self.low, before.high - before.value);
        let high = value + reach(self.high - self.value, before.value - before.low);
        Interval { value, low, high }
    }
}

impl Interval {
    /// The factor that a difference of logarithms is.
    pub(super) fn factor(self) -> Self {
        Self { value: self.value.exp(), low: self.low.exp(), high: self.high.exp() }
    }

    /// What may be said, where `none` is no change.
    pub(super) fn verdict(&self, none: f64) -> Verdict {
        if self.low > none {
            Verdict::Higher
        } else if self.high < none {
            Verdict::Lower
        } else {
            Verdict::Unclear
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_few_calls_are_wide() {
        let check = |part: f64, calls: f64, low: f64, high: f64| {
            let found = Estimate::part(part, calls);
            assert!((found.low - low).abs() < 5e-4 && (found.high - high).abs() < 5e-4, "{found:?}");
        };
        // By the formula, with z = 2.807.
        check(0.0, 10.0, 0.0, 0.440_7);
        check(0.5, 10.0, 0.167_8, 0.832_2);
        check(0.5, 10_000.0, 0.486, 0.514);
    }

    #[test]
    fn a_change_is_clear_where_its_range_leaves_out_none() {
        let at = |value: f64| Estimate::around(value, 0.1);
        assert_eq!(at(0.5).less(at(0.0)).verdict(0.0), Verdict::Higher);
        assert_eq!(at(0.0).less(at(0.5)).verdict(0.0), Verdict::Lower);
        assert_eq!(at(0.1).less(at(0.0)).verdict(0.0), Verdict::Unclear);
        let factor = at(2_f64.ln()).less(at(0.0)).factor();
        assert!((factor.value - 2.0).abs() < 1e-12 && factor.low > 1.7 && factor.high < 2.4);
    }
}
