//! Kendall's tau.

/// Kendall's tau-b of two lists: how far they order things alike, from -1 to 1, ties taken into account. `None` where a
/// list has no order: fewer than two entries, or all of one size.
///
/// M. G. Kendall, "The treatment of ties in ranking problems", 1945.
pub(super) fn tau(left: &[f64], right: &[f64]) -> Option<f64> {
    let (mut agreement, mut untied_left, mut untied_right) = (0_i64, 0_i64, 0_i64);
    for (at, (a, b)) in left.iter().zip(right).enumerate() {
        for (c, d) in left.iter().zip(right).skip(at + 1) {
            let (x, y) = (a.total_cmp(c) as i64, b.total_cmp(d) as i64);
            agreement += x * y;
            untied_left += x * x;
            untied_right += y * y;
        }
    }
    let size = (untied_left as f64 * untied_right as f64).sqrt();
    (size > 0.0).then(|| agreement as f64 / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_agree_as_far_as_scipy_says() {
        let check = |left: &[f64], right: &[f64], expected: Option<f64>| {
            let found = tau(left, right);
            let is_near = found.zip(expected).is_some_and(|(a, b): (f64, f64)| (a - b).abs() < 1e-12);
            assert!(is_near || found == expected, "{found:?} is not {expected:?}");
        };
        check(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0], Some(1.0));
        check(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], Some(-1.0));
        // scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]) = -0.4714045207910316
        check(&[12.0, 2.0, 1.0, 12.0, 2.0], &[1.0, 4.0, 7.0, 1.0, 0.0], Some(-0.471_404_520_791_031_6));
        check(&[1.0, 1.0], &[1.0, 2.0], None);
        check(&[1.0], &[1.0], None);
    }
}
