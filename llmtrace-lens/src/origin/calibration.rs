//! Confidence that is as often right as it says.

use crate::statistics::softmax;

/// Edges of the temperatures that are tried, as natural logarithms.
const RANGE: (f64, f64) = (-4.0, 8.0);
const BINS: usize = 10;

/// The temperature by which logits are divided so that their likelihood is greatest (Guo et al. 2017, "On Calibration of Modern
/// Neural Networks"), by golden sections of its logarithm.
///
/// Of n texts of k classes each counts as `(n + 1) / (n + k)` its own class's, and the rest evenly the others' (Laplace's rule of
/// succession over all texts, as one temperature is fitted to all; Platt 1999 smooths so class by class): who has seen n texts
/// and no mistake is not surer than that.
pub(super) fn temperature(logits: &[Vec<f64>], classes: &[usize]) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let loss = |log: f64| smoothed_loss(&tempered(logits, log.exp()), classes);
    let (mut low, mut high) = RANGE;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (loss(left), loss(right));
    for _ in 0..60 {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = loss(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = loss(right);
        }
    }
    f64::midpoint(low, high).exp()
}

fn smoothed_loss(probabilities: &[Vec<f64>], classes: &[usize]) -> f64 {
    let (texts, count) = (classes.len() as f64, probabilities.first().map_or(0, Vec::len) as f64);
    let each = probabilities.iter().zip(classes).flat_map(|(row, class)| {
        row.iter().enumerate().map(move |(at, p)| {
            let share = if at == *class { texts + 1.0 } else { 1.0 } / (texts + count);
            -share * p.max(f64::MIN_POSITIVE).ln()
        })
    });
    each.sum()
}

/// Probabilities at a temperature.
pub(super) fn tempered(logits: &[Vec<f64>], temperature: f64) -> Vec<Vec<f64>> {
    let divide =
        |logits: &Vec<f64>| softmax(&logits.iter().map(|logit| logit / temperature).collect::<Vec<_>>());
    logits.iter().map(divide).collect()
}

/// The mean negative natural logarithm of the true classes' probabilities.
pub(super) fn log_loss(probabilities: &[Vec<f64>], classes: &[usize]) -> f64 {
    let of_true = probabilities.iter().zip(classes).filter_map(|(row, class)| row.get(*class));
    -of_true.map(|p| p.max(f64::MIN_POSITIVE).ln()).sum::<f64>() / classes.len().max(1) as f64
}

/// The expected calibration error (Guo et al. 2017): over ten equal ranges of confidence, the gap between how sure and how often
/// right, weighted by how many fall there.
pub(super) fn calibration_error(answers: &[(f64, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0); BINS];
    for (confidence, is_right) in answers {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share from 0 to 1")]
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        bins[bin].0 += confidence;
        bins[bin].1 += f64::from(u8::from(*is_right));
    }
    bins.iter().map(|(sure, right)| (sure - right).abs()).sum::<f64>() / answers.len().max(1) as f64
}

/// The likeliest class, and its probability.
pub(super) fn likeliest(probabilities: &[f64]) -> (usize, f64) {
    let all = probabilities.iter().copied().enumerate();
    all.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).unwrap_or((0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temperature_makes_sureness_as_often_right_as_it_says() {
        // Sure with odds e^4, right three times of four: smoothed, (3 x 5 + 1) / 24 of the mass is the first's.
        let check = |classes: &[usize], expected: f64| {
            let logits = vec![vec![4.0, 0.0]; classes.len()];
            let found = tempered(&logits, temperature(&logits, classes))[0][0];
            assert!((found - expected).abs() < 1e-3, "{classes:?}: {found}");
        };
        check(&[0, 0, 0, 1], 16.0 / 24.0);
        check(&[0; 8], 9.0 / 10.0);
        check(&[0, 1], 0.5);
    }

    #[test]
    fn the_error_is_the_gap_between_sure_and_right() {
        let check = |answers: &[(f64, bool)], expected: f64| {
            assert!((calibration_error(answers) - expected).abs() < 1e-12, "{answers:?}");
        };
        check(&[], 0.0);
        check(&[(1.0, true), (1.0, true)], 0.0);
        check(&[(1.0, true), (1.0, false)], 0.5);
        check(&[(0.75, true), (0.75, true), (0.75, true), (0.75, false)], 0.0);
        check(&[(0.95, true), (0.55, false)], 0.3);
    }
}
