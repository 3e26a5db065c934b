//! The scale of an axis: round steps from which nothing is left out.

use super::tick::{is_clock, least_step, measure, tick};
use crate::unit::Unit;

/// A scale from its lowest to its highest step; zero is always on it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    /// The steps, the lowest first: the value and how it is written.
    pub(super) ticks: Vec<(f64, String)>,
}

/// Steps that a scale has at most above or below zero, roughly.
const STEPS: f64 = 4.0;

/// Values beyond this size are drawn at the end of the scale.
const LARGEST: f64 = 1e30;

impl Scale {
    /// A scale on which all of `values` have room; those that are not numbers are left out.
    pub(crate) fn new(unit: Unit, values: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (0_f64, 0_f64);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            low = low.min(value.max(-LARGEST));
            high = high.max(value.min(LARGEST));
        }
        let extent = high.max(-low);
        if extent < least_step(unit) {
            return Self { low: 0.0, high: 1.0, ticks: vec![(0.0, tick(unit, 0.0, 1.0, 1.0))] };
        }
        let measure = measure(unit, extent);
        let rough = (high - low) / STEPS / measure;
        let round = if is_clock(unit, extent) && rough > 1.0 { clock_step(rough) } else { round_step(rough) };
        let step = (round * measure).max(least_step(unit));
        let (first, last) = ((low / step).floor(), (high / step - 1e-9).ceil());
        let (low, high) = (first * step, last * step);
        let mut ticks = Vec::new();
        let mut number = first;
        while number <= last {
            let value = number * step;
            ticks.push((value, tick(unit, value, step, extent)));
            number += 1.0;
        }
        Self { low, high, ticks }
    }

    /// Where a value lies: 0 at the lowest step, 1 at the highest.
    pub(crate) fn part(&self, value: f64) -> f64 {
        if value.is_nan() {
            return 0.0;
        }
        (value.clamp(self.low, self.high) - self.low) / (self.high - self.low)
    }
}

/// The smallest round number that is not below `step`: 1, 2 or 5 and zeros.
fn round_step(step: f64) -> f64 {
    let power = step.log10().floor();
    let fits = |round: &f64| *round >= step / 10_f64.powf(power) - 1e-9;
    let round = [1.0, 2.0, 5.0].into_iter().find(fits).unwrap_or(10.0);
    // Divided where it is a fraction, so that a thousandth is the number that is written so.
    if power < 0.0 { round / 10_f64.powf(-power) } else { round * 10_f64.powf(power) }
}

/// The same of minutes and hours, by what clocks show.
fn clock_step(step: f64) -> f64 {
    let fits = |round: &f64| *round >= step - 1e-9;
    [2.0, 5.0, 10.0, 15.0, 30.0].into_iter().find(fits).unwrap_or(60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(unit: Unit, values: &[f64]) -> Vec<String> {
        Scale::new(unit, values.iter().copied()).ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_reach_the_largest_value() {
        let check = |unit: Unit, values: &[f64], expected: &[&str]| {
            assert_eq!(ticks(unit, values), expected, "{values:?}");
        };
        check(Unit::Count, &[3.0, 7.0], &["0", "2", "4", "6", "8"]);
        check(Unit::Count, &[1.0], &["0", "1"]);
        check(Unit::Count, &[1_234.0], &["0", "500", "1k", "1.5k"]);
        check(Unit::Count, &[100.0], &["0", "50", "100"]);
        check(Unit::Usd, &[0.0042], &["$0", "$0.002", "$0.004", "$0.006"]);
        check(Unit::Usd, &[12.0], &["$0", "$5", "$10", "$15"]);
        check(Unit::Ms, &[1_700.0], &["0", "0.5 s", "1 s", "1.5 s", "2 s"]);
        check(Unit::Ms, &[950.0], &["0", "500 ms", "1000 ms"]);
        check(Unit::Ms, &[150e3], &["0", "1 min", "2 min", "3 min"]);
        check(Unit::Ms, &[3_000e3], &["0", "15 min", "30 min", "45 min", "60 min"]);
        check(Unit::Share, &[0.2], &["0 %", "5 %", "10 %", "15 %", "20 %"]);
        check(Unit::Score, &[0.9], &["0", "0.5", "1"]);
    }

    #[test]
    fn odd_values_break_nothing() {
        let check = |values: &[f64], expected: &[&str]| assert_eq!(ticks(Unit::Count, values), expected);
        check(&[], &["0"]);
        check(&[0.0, 0.0], &["0"]);
        check(&[f64::NAN, f64::INFINITY], &["0"]);
        check(&[-3.0, 3.0], &["-4", "-2", "0", "2", "4"]);
        check(&[1e300], &["0", "5e29", "1e30"]);
        assert_eq!(ticks(Unit::Score, &[5e-324]), ["0"]);
        for unit in [Unit::Count, Unit::Usd, Unit::Ms, Unit::Share, Unit::Score] {
            for exponent in -30..40 {
                let value = 3.3 * 10_f64.powi(exponent);
                let ticks = ticks(unit, &[value, -value / 7.0]).len();
                assert!((1..=9).contains(&ticks), "{unit:?} {value}: {ticks}");
            }
        }
    }

    #[test]
    fn values_lie_between_the_ends() {
        let scale = Scale::new(Unit::Count, [-5.0, 10.0]);
        let check = |value: f64, part: f64| assert!((scale.part(value) - part).abs() < 1e-9, "{value}");
        check(-5.0, 0.0);
        check(0.0, 1.0 / 3.0);
        check(10.0, 1.0);
        check(1e9, 1.0);
        check(f64::NAN, 0.0);
    }
}
