//! Functions of f32 numbers without branches, so that a loop over them becomes vector instructions.
//!
//! Polynomials of Cephes (Moshier 1992, `expf` and `tanhf`) and of Eigen 3.4 (`erf` of floats). NaN stays NaN.

#![expect(clippy::inline_always, reason = "each takes on the vector width of its caller")]

/// `e^x`, to 2 units in the last place; 0 below -87.3 and infinite above 88.37.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const LOWEST: f32 = -87.3;
    const HIGHEST: f32 = 88.37;
    // Added to a number, it leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let within = if x < LOWEST { LOWEST } else { x };
    let within = if within > HIGHEST { HIGHEST } else { within };
    let shifted = within * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = within - whole * LN_2_HIGH - whole * LN_2_LOW;
    let polynomial =
        (((((1.987_569_1e-4 * rest + 1.398_2e-3) * rest + 8.333_452e-3) * rest + 4.166_579_6e-2) * rest
            + 1.666_666_5e-1)
            * rest
            + 0.5)
            * rest
            * rest
            + rest
            + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    let value = polynomial * power;
    let value = if x < LOWEST { 0.0 } else { value };
    if x > HIGHEST { f32::INFINITY } else { value }
}

/// `1 / (1 + e^-x)`, to 4 units in the last place.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, to 3 units in the last place.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let size = x.abs();
    let far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
    let square = x * x;
    let near = ((((-5.704_988_7e-3 * square + 2.063_909e-2) * square - 5.373_971_6e-2) * square
        + 1.333_144_2e-1)
        * square
        - 3.333_328e-1)
        * square
        * x
        + x;
    if size < 0.625 { near } else { far.copysign(x) }
}

/// The error function, to 4e-7.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    const HIGHEST: f32 = 3.832_507;
    let within = if x < -HIGHEST { -HIGHEST } else { x };
    let within = if within > HIGHEST { HIGHEST } else { within };
    let square = within * within;
    let above = (((2.290_506_5e-4 * square + 3.408_291e-3) * square + 5.095_569_5e-2) * square
        + 1.852_083_2e-1)
        * square
        + std::f32::consts::FRAC_2_SQRT_PI;
    let below = (((((-1.179_160_3e-7 * square + 2.354_796_6e-5) * square + 1.017_962_5e-3) * square
        + 1.407_047e-2)
        * square
        + 1.109_850_5e-1)
        * square
        + 4.974_692_5e-1)
        * square
        + 1.0;
    within * above / below
}

#[cfg(test)]
mod tests {
    use super::{erf, exp, sigmoid, tanh};

    /// Units in the last place between `found` and `expected`, at most over `from..=to`.
    fn check(f: fn(f32) -> f32, expected: fn(f64) -> f64, [from, to]: [f32; 2], units: f64) {
        let worst = (0..=200_000).map(|step| from + (to - from) * (step as f32 / 200_000.0)).map(|x| {
            let expected = expected(f64::from(x));
            let unit = (expected.abs() * f64::from(f32::EPSILON)).max(f64::from(f32::MIN_POSITIVE));
            ((f64::from(f(x)) - expected).abs() / unit, x)
        });
        let worst = worst.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        assert!(worst.0 <= units, "{} units at {}", worst.0, worst.1);
    }

    #[test]
    fn functions_are_those_of_twice_the_precision() {
        check(exp, f64::exp, [-87.2, 88.3], 2.0);
        check(exp, f64::exp, [-1.0, 1.0], 2.0);
        check(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), [-80.0, 80.0], 4.0);
        check(tanh, f64::tanh, [-12.0, 12.0], 3.0);
        check(tanh, f64::tanh, [-1.0, 1.0], 3.0);
    }

    /// By its Taylor series, which f64 holds to 1e-9 here.
    fn erf_by_series(x: f64) -> f64 {
        let mut term = x;
        let mut sum = x;
        for n in 1..200_i32 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn the_error_function_is_that_of_its_series() {
        for step in -32_000..=32_000_i16 {
            let x = f32::from(step) / 8_000.0;
            let away = (f64::from(erf(x)) - erf_by_series(f64::from(x))).abs();
            assert!(away <= 4e-7, "{away} at {x}");
        }
        assert!((erf(9.0) - 1.0).abs() <= 4e-7 && (erf(f32::NEG_INFINITY) + 1.0).abs() <= 4e-7);
    }

    #[test]
    fn what_is_no_number_stays_none_and_ends_are_reached() {
        for f in [exp, sigmoid, tanh, erf] {
            assert!(f(f32::NAN).is_nan());
        }
        let ends = [exp(f32::NEG_INFINITY), exp(0.0), sigmoid(-200.0), tanh(f32::NEG_INFINITY), tanh(50.0)];
        assert_eq!(ends.map(f32::to_bits), [0.0_f32, 1.0, 0.0, -1.0, 1.0].map(f32::to_bits));
        assert!(exp(f32::INFINITY).is_infinite());
    }
}
