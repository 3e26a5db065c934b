//! Gauss-Legendre quadrature.

/// Nodes and weights of the Gauss-Legendre rule with `count` nodes on the interval from 0 to 1, in ascending order.
///
/// The nodes are the roots of the Legendre polynomial, found by Newton's method from Tricomi's estimate (Press et al.,
/// Numerical Recipes, 3rd edition, section 4.6.1); the weights are `1 / ((1 - x²) P'(x)²)`.
pub(super) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let below = |index: usize| {
        let mut x = -((index as f64 + 0.75) / (count as f64 + 0.5) * std::f64::consts::PI).cos();
        let mut slope = 1.0;
        for _ in 0..NEWTON_STEPS {
            let value;
            (value, slope) = legendre(count, x);
            let step = value / slope;
            x -= step;
            if step.abs() < f64::EPSILON {
                break;
            }
        }
        (x, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    // The rule is its own mirror image.
    let half: Vec<(f64, f64)> = (0..count.div_ceil(2)).map(below).collect();
    let above = half.iter().take(count / 2).rev().map(|(x, weight)| (-x, *weight));
    half.iter().copied().chain(above).map(|(x, weight)| (f64::midpoint(1.0, x), weight)).collect()
}

/// Newton's method doubles the digits with each step: the estimate has at least three.
const NEWTON_STEPS: usize = 16;

/// The Legendre polynomial of this degree, at least 1, and its derivative, at `x`.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=degree {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_n_nodes_integrates_polynomials_of_degree_2n_less_1() {
        for count in [1, 2, 3, 5, 20, 50, 51, 300] {
            let rule = gauss_legendre(count);
            assert!(rule.is_sorted_by(|a, b| a.0 < b.0), "{count}");
            for power in [0, 1, count, 2 * count - 1] {
                let found: f64 =
                    rule.iter().map(|(x, weight)| weight * x.powi(power.try_into().unwrap())).sum();
                let expected = 1.0 / (power + 1) as f64;
                assert!((found - expected).abs() < 1e-13, "{count} nodes, x^{power}: {found}, {expected}");
            }
        }
        let two = gauss_legendre(2);
        assert!((two[0].0 - (0.5 - 0.5 / 3.0_f64.sqrt())).abs() < 1e-15 && (two[0].1 - 0.5).abs() < 1e-15);
    }
}
