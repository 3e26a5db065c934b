//! A value and the interval in which it lies, on a scale with others.

use maud::{Markup, html};

use super::plot::percent;
use crate::compare::groups::Interval;

/// The part of the scale that is drawn, and the value that means no change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Extent {
    low: f64,
    high: f64,
    none: f64,
}

impl Extent {
    /// From the lowest to the highest of `intervals`, with as much room on both sides of `none`.
    pub(crate) fn around(none: f64, intervals: impl IntoIterator<Item = Interval>) -> Self {
        let ends = intervals.into_iter().flat_map(|interval| [interval.low, interval.value, interval.high]);
        let away = ends.filter(|end| end.is_finite()).map(|end| (end - none).abs());
        let reach = away.fold(0.0_f64, f64::max);
        let reach = if reach > 0.0 { (reach * 1.05).min(FARTHEST) } else { 1.0 };
        Self { low: none - reach, high: none + reach, none }
    }

    fn part(self, value: f64) -> f64 {
        if value.is_nan() {
            0.5
        } else {
            (value.clamp(self.low, self.high) - self.low) / (self.high - self.low)
        }
    }
}

/// How far a scale goes at most.
const FARTHEST: f64 = 1e30;

/// The interval as a line with its ends, its value as a dot; the text says the same in words.
pub(crate) fn interval(interval: Interval, extent: Extent, says: &str) -> Markup {
    let [low, value, high] =
        [interval.low, interval.value, interval.high].map(|end| percent(extent.part(end)));
    let none = percent(extent.part(extent.none));
    html! {
        svg.range width="100%" height="16" role="img" aria-label=(says) {
            title { (says) }
            line.range-none x1=(none) x2=(none) y1="0" y2="16" {}
            line.range-line x1=(low) x2=(high) y1="8" y2="8" {}
            line.range-line x1=(low) x2=(low) y1="5" y2="11" {}
            line.range-line x1=(high) x2=(high) y1="5" y2="11" {}
            circle.range-value cx=(value) cy="8" r="3.5" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_lie_around_what_means_no_change() {
        let of = |low, value, high| Interval { value, low, high };
        let extent = Extent::around(1.0, [of(0.8, 0.9, 1.0), of(1.0, 2.0, 3.0)]);
        let check = |value: f64, part: f64| assert!((extent.part(value) - part).abs() < 1e-9, "{value}");
        check(1.0, 0.5);
        check(1.0 + 2.0 * 1.05, 1.0);
        check(-50.0, 0.0);
        check(f64::NAN, 0.5);
        check(f64::INFINITY, 1.0);
        let drawn = interval(of(0.8, 0.9, 1.0), extent, "<b>").into_string();
        assert!(drawn.contains("<title>&lt;b&gt;</title>"), "{drawn}");
        assert!(!drawn.contains("NaN"), "{drawn}");
    }

    #[test]
    fn odd_intervals_break_nothing() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, 0.0] {
            let extent = Extent::around(0.0, [Interval { low: -odd, value: odd, high: odd }]);
            let drawn = interval(Interval { low: odd, value: odd, high: odd }, extent, "odd").into_string();
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
        let none = Extent::around(0.0, []);
        assert!((none.part(0.0) - 0.5).abs() < 1e-9);
    }
}
