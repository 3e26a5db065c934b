//! The normal distribution and Student's.

use std::f64::consts::{LN_2, PI};

/// Terms of a series, or halvings of an interval, before it is given up: far more than are needed.
const STEPS: usize = 400;
/// Where a sum no longer changes.
const SMALL: f64 = 1e-16;

/// The probability of at most `x` under the standard normal distribution (Marsaglia 2004, "Evaluating the Normal Distribution").
pub(super) fn normal(x: f64) -> f64 {
    if x.abs() > 38.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    for _ in 0..STEPS * 4 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
        if term.abs() <= SMALL * sum.abs() {
            break;
        }
    }
    (0.5 + sum * (-x * x / 2.0).exp() / (2.0 * PI).sqrt()).clamp(0.0, 1.0)
}

/// The `x` that the standard normal distribution is below with this probability.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    halve(-38.0, 38.0, |x| normal(x) < probability)
}

/// The `x` that Student's distribution is below with this probability, of at least a half.
pub(super) fn student_quantile(probability: f64, degrees: f64) -> f64 {
    let mut high = 1.0;
    while student(high, degrees) < probability && high < 1e15 {
        high *= 2.0;
    }
    halve(0.0, high, |x| student(x, degrees) < probability)
}

/// The probability of at most `x`, which is not below 0, under Student's distribution.
fn student(x: f64, degrees: f64) -> f64 {
    1.0 - 0.5 * incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + x * x))
}

/// Where a function that is true from `low` on turns false.
fn halve(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if is_below(middle) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22) and Lentz's method.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    let away = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut numerator, mut denominator) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = denominator;
    for step in 1..STEPS {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for coefficient in [even, odd] {
            denominator = 1.0 / away(1.0 + coefficient * denominator);
            numerator = away(1.0 + coefficient / numerator);
            fraction *= numerator * denominator;
        }
        if (numerator * denominator - 1.0).abs() < SMALL {
            break;
        }
    }
    front * fraction
}

/// The logarithm of the gamma function above 0: Stirling's series (DLMF 5.11.1) from 10 on, and the recurrence below.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < 10.0 {
        below += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = 1.0 / 12.0
        - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse * (1.0 / 1680.0 - inverse / 1188.0)));
    (x - 0.5) * x.ln() - x + 0.5 * (LN_2 + PI.ln()) + series / x - below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} is not {expected}");
    }

    /// Values of NIST's tables (e-Handbook 1.3.6.7) and of R's `qt` and `qnorm`.
    #[test]
    fn quantiles_are_those_of_tables() {
        let check = |degrees: f64, probability: f64, expected: f64| {
            close(student_quantile(probability, degrees), expected);
        };
        check(1.0, 0.975, 12.706_204_736);
        check(5.0, 0.975, 2.570_581_836);
        check(9.0, 0.975, 2.262_157_163);
        check(30.0, 0.95, 1.697_260_887);
        check(2.0, 0.995, 9.924_843_201);
        check(1e6, 0.975, 1.959_966_357);
        close(normal(1.0), 0.841_344_746_1);
        close(normal(-3.0), 0.001_349_898_03);
        close(normal_quantile(0.975), 1.959_963_985);
        close(normal_quantile(0.5), 0.0);
        close(ln_gamma(0.5), 0.572_364_942_9);
        close(ln_gamma(20.0), 39.339_884_187);
    }
}
