use std::cmp::Ordering;

/// The natural logarithms of the softmax of one row of logits.
pub(super) fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let top = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - top).exp()).sum();
    let partition = top + sum.ln();
    logits.iter().map(|&logit| f64::from(logit) - partition).collect()
}

/// The Shannon entropy in nats.
pub(super) fn entropy(log_probabilities: &[f64]) -> f64 {
    let terms = log_probabilities.iter().filter(|log| log.is_finite()).map(|log| -log.exp() * log);
    terms.sum::<f64>().max(0.0)
}

/// The Kullback-Leibler divergence `sum p (ln p - ln q)` in nats.
pub(super) fn divergence(p: &[f64], q: &[f64]) -> f64 {
    let terms = p.iter().zip(q).filter(|(p, _)| p.is_finite()).map(|(p, q)| p.exp() * (p - q));
    terms.sum::<f64>().max(0.0)
}

/// The `n` tokens with the greatest logits, the greatest first; of equal ones that with the lower id first.
pub(super) fn greatest(logits: &[f32], n: usize) -> Vec<(usize, f32)> {
    let order = |a: &(usize, f32), b: &(usize, f32)| -> Ordering { b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)) };
    let mut tokens: Vec<(usize, f32)> = logits.iter().copied().enumerate().collect();
    if n < tokens.len() {
        if n > 0 {
            tokens.select_nth_unstable_by(n - 1, order);
        }
        tokens.truncate(n);
    }
    tokens.sort_unstable_by(order);
    tokens
}

/// How many logits are greater, and one: 1 for the greatest.
pub(super) fn rank(logits: &[f32], logit: f32) -> usize {
    1 + logits.iter().filter(|&&other| other > logit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_have_their_known_entropy_and_divergence() {
        let check = |p: &[f32], q: &[f32], expected_entropy: f64, expected_divergence: f64| {
            let (p, q) = (log_softmax(p), log_softmax(q));
            assert!((entropy(&p) - expected_entropy).abs() < 1e-7, "{}", entropy(&p));
            assert!((divergence(&p, &q) - expected_divergence).abs() < 1e-7, "{}", divergence(&p, &q));
        };
        check(&[0.0; 4], &[7.0; 4], 4f64.ln(), 0.0);
        check(&[0.0, f32::NEG_INFINITY], &[0.0, 0.0], 0.0, 2f64.ln());
        check(&[1e30, 0.0], &[1e30, 0.0], 0.0, 0.0);
        let halves = 0.25 * (0.25_f64 / 0.5).ln() + 0.75 * (0.75_f64 / 0.5).ln();
        let quarter = -(0.25 * 0.25_f64.ln() + 0.75 * 0.75_f64.ln());
        check(&[0.0, 3f32.ln()], &[5.0, 5.0], quarter, halves);
    }

    #[test]
    fn the_greatest_come_first_and_equal_ones_by_id() {
        let check = |n: usize, expected: &[usize]| {
            let found: Vec<usize> = greatest(&[1.0, 3.0, 3.0, 2.0], n).iter().map(|(id, _)| *id).collect();
            assert_eq!(found, expected);
        };
        check(0, &[]);
        check(1, &[1]);
        check(3, &[1, 2, 3]);
        check(9, &[1, 2, 3, 0]);
        assert_eq!([3.0, 2.0, 1.0].map(|logit| rank(&[1.0, 3.0, 3.0, 2.0], logit)), [1, 3, 4]);
    }
}
