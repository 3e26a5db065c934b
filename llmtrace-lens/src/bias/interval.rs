//! Confidence intervals of a difference of means.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::distribution::{normal, normal_quantile, student_quantile};
use crate::statistics::{mean, variance};

/// How a confidence interval is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Interval {
    /// `mean ± t s / sqrt(n)` of paired differences; of two samples Welch's (1947): `t sqrt(s1²/n1 + s2²/n2)` with
    /// Satterthwaite's degrees of freedom. Right for few terms.
    #[default]
    Student,
    /// Quantiles of 10,000 resampled differences, corrected for bias and skew (`BCa`: Efron 1987, "Better Bootstrap
    /// Confidence Intervals"); pairs are drawn as pairs, and each group by itself where there are none. Needs more terms, and
    /// no bell-shaped scores.
    Bca,
}

/// How many resamples the bootstrap takes.
const RESAMPLES: usize = 10_000;

/// The bounds of a range that holds the true difference with some confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The lower one.
    pub low: f64,
    /// The upper one.
    pub high: f64,
}

impl Bounds {
    /// Whether a value is within.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// What was measured: differences of pairs, or two samples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sample<'a> {
    Pairs(&'a [f64]),
    Two(&'a [f64], &'a [f64]),
}

impl Sample<'_> {
    /// The difference of means.
    pub(super) fn difference(self) -> f64 {
        match self {
            Self::Pairs(differences) => mean(differences),
            Self::Two(first, second) => mean(first) - mean(second),
        }
    }

    /// The standard error of the difference, and its degrees of freedom; none of fewer than two units a side.
    fn error(self) -> Option<(f64, f64)> {
        let of = |values: &[f64]| (values.len() > 1).then(|| variance(values) / values.len() as f64);
        match self {
            Self::Pairs(differences) => Some((of(differences)?.sqrt(), differences.len() as f64 - 1.0)),
            Self::Two(first, second) => {
                let (one, two) = (of(first)?, of(second)?);
                let part = |share: f64, values: &[f64]| share * share / (values.len() as f64 - 1.0);
                let parts = part(one, first) + part(two, second);
                let degrees = if parts > 0.0 { (one + two).powi(2) / parts } else { f64::MAX.sqrt() };
                Some(((one + two).sqrt(), degrees.min(1e9)))
            }
        }
    }

    /// The samples that are drawn from, each with the sign it has in the difference.
    fn strata(&self) -> Vec<(f64, &[f64])> {
        match self {
            Self::Pairs(differences) => vec![(1.0, differences)],
            Self::Two(first, second) => vec![(1.0, first), (-1.0, second)],
        }
    }
}

impl Interval {
    /// The bounds at a level such as 0.95; none of fewer than two units a side.
    pub(super) fn of(self, sample: Sample<'_>, confidence: f64, rng: &mut Rng) -> Option<Bounds> {
        let (error, degrees) = sample.error()?;
        let difference = sample.difference();
        if error == 0.0 {
            return Some(Bounds { low: difference, high: difference });
        }
        match self {
            Self::Student => {
                let reach = error * student_quantile(f64::midpoint(1.0, confidence), degrees);
                Some(Bounds { low: difference - reach, high: difference + reach })
            }
            Self::Bca => Some(bca(sample, confidence, rng)),
        }
    }
}

fn bca(sample: Sample<'_>, confidence: f64, rng: &mut Rng) -> Bounds {
    let (strata, difference) = (sample.strata(), sample.difference());
    let mut draws: Vec<f64> = (0..RESAMPLES)
        .map(|_| strata.iter().map(|(sign, values)| sign * mean_of_draw(values, rng)).sum())
        .collect();
    draws.sort_by(f64::total_cmp);
    // Ties count half, so that few different values do not shift it.
    let (below, upto) =
        (draws.partition_point(|draw| *draw < difference), draws.partition_point(|draw| *draw <= difference));
    let share = f64::midpoint(below as f64, upto as f64) / RESAMPLES as f64;
    let least = 0.5 / RESAMPLES as f64;
    let shift = normal_quantile(share.clamp(least, 1.0 - least));
    let skew = acceleration(&strata);
    let at = |tail: f64| {
        let z = shift + normal_quantile(tail);
        let level = normal(shift + z / (1.0 - skew * z));
        let last = draws.len() - 1;
        let place = level * last as f64;
        let (under, over) = (place.floor(), place.ceil());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place among the draws"
        )]
        let draw = |place: f64| draws.get(place as usize).copied().unwrap_or(difference);
        draw(under) + (draw(over) - draw(under)) * (place - under)
    };
    let tail = (1.0 - confidence) / 2.0;
    Bounds { low: at(tail), high: at(1.0 - tail) }
}

/// The skewness of the difference, a sixth of it: influences of a mean are deviations from it (Davison and Hinkley 1997, 5.3.2).
fn acceleration(strata: &[(f64, &[f64])]) -> f64 {
    let (mut cubes, mut squares) = (0.0, 0.0);
    for (sign, values) in strata {
        let (centre, count) = (mean(values), values.len() as f64);
        cubes += values.iter().map(|value| (sign * (value - centre)).powi(3)).sum::<f64>() / count.powi(3);
        squares += values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / count.powi(2);
    }
    if squares > 0.0 { cubes / squares.powf(1.5) / 6.0 } else { 0.0 }
}

fn mean_of_draw(values: &[f64], rng: &mut Rng) -> f64 {
    let drawn = (0..values.len()).filter_map(|_| values.get(rng.usize(..values.len())));
    drawn.sum::<f64>() / values.len() as f64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Student's sleep data: hours more with either of two drugs, ten patients (R's `sleep`).
    pub(in crate::bias) const FIRST: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    pub(in crate::bias) const SECOND: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

    pub(in crate::bias) fn differences() -> Vec<f64> {
        FIRST.iter().zip(SECOND).map(|(first, second)| first - second).collect()
    }

    fn check(interval: Interval, sample: Sample<'_>, expected: [f64; 2], tolerance: f64) {
        let found = interval.of(sample, 0.95, &mut Rng::with_seed(3)).unwrap();
        let is_near = |a: f64, b: f64| (a - b).abs() < tolerance;
        assert!(is_near(found.low, expected[0]) && is_near(found.high, expected[1]), "{found:?}");
    }

    /// `t.test(extra ~ group, data = sleep)` of R, and the same paired.
    #[test]
    fn intervals_of_student_are_those_of_r() {
        check(Interval::Student, Sample::Two(&FIRST, &SECOND), [-3.365_483, 0.205_483], 1e-5);
        check(Interval::Student, Sample::Pairs(&differences()), [-2.459_886, -0.700_114], 1e-5);
    }

    #[test]
    fn too_few_units_have_no_interval_and_equal_ones_no_width() {
        let of = |sample| Interval::Student.of(sample, 0.95, &mut Rng::new());
        assert_eq!(of(Sample::Pairs(&[1.0])), None);
        assert_eq!(of(Sample::Two(&[1.0, 2.0], &[1.0])), None);
        assert_eq!(of(Sample::Pairs(&[2.0, 2.0])), Some(Bounds { low: 2.0, high: 2.0 }));
    }

    /// How often intervals hold the truth, over samples of 12 pairs: 95 % by Student's where scores are bell-shaped; less by the
    /// bootstrap and where scores are skew, as is known of so few pairs. Ranges are three standard deviations.
    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        let bell = |rng: &mut Rng| (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
        let skew = |rng: &mut Rng| -rng.f64().max(1e-12).ln() - 1.0;
        let check = |interval: Interval, draw: &dyn Fn(&mut Rng) -> f64, samples: u32, expected: [f64; 2]| {
            let mut rng = Rng::with_seed(11);
            let held = (0..samples).filter(|_| {
                let pairs: Vec<f64> = (0..12).map(|_| draw(&mut rng)).collect();
                interval.of(Sample::Pairs(&pairs), 0.95, &mut rng).is_some_and(|bounds| bounds.contains(0.0))
            });
            let share = held.count() as f64 / f64::from(samples);
            assert!((expected[0]..=expected[1]).contains(&share), "{interval:?}: {share}");
        };
        check(Interval::Student, &bell, 2000, [0.935, 0.965]);
        check(Interval::Student, &skew, 2000, [0.88, 0.935]);
        check(Interval::Bca, &bell, 300, [0.88, 0.97]);
        check(Interval::Bca, &skew, 300, [0.84, 0.945]);
    }
}
