//! A distribution over the vocabulary.

use std::cmp::Ordering;

/// The softmax of one row of logits, in f64.
///
/// Logits of minus infinity have probability zero; there must be at least one that is finite, and none that is NaN or
/// plus infinity ([`Distribution::of`] is called on checked logits alone).
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    pub(crate) probabilities: Vec<f64>,
    /// The logarithm of the sum of the exponentials.
    log_partition: f64,
}

impl Distribution {
    pub(crate) fn of(logits: &[f32]) -> Self {
        let top = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let mut probabilities: Vec<f64> =
            logits.iter().map(|&logit| (f64::from(logit) - top).exp()).collect();
        let sum: f64 = probabilities.iter().sum();
        for probability in &mut probabilities {
            *probability /= sum;
        }
        Self { probabilities, log_partition: top + sum.ln() }
    }

    /// The natural logarithm of the probability of a token with this logit.
    pub(crate) fn log_probability(&self, logit: f32) -> f64 {
        f64::from(logit) - self.log_partition
    }

    /// The Shannon entropy in nats: 0 where one token is certain, `ln n` where `n` are equally probable.
    pub(crate) fn entropy(&self) -> f64 {
        // 0 is the limit of p ln p; adding 0 turns the minus zero of a certain token into zero.
        let terms = self.probabilities.iter().filter(|&&p| p > 0.0).map(|&p| -p * p.ln());
        terms.sum::<f64>() + 0.0
    }

    /// The Kullback-Leibler divergence `sum p (ln p - ln q)` in nats from the distribution `p` of `logits` to this one, `q`
    /// of `own`.
    pub(crate) fn divergence_from(&self, own: &[f32], p: &Self, logits: &[f32]) -> f64 {
        let rows = p.probabilities.iter().zip(logits).zip(own).filter(|((p, _), _)| **p > 0.0);
        let terms = rows.map(|((probability, &logit), &own)| {
            probability * (p.log_probability(logit) - self.log_probability(own))
        });
        terms.sum::<f64>().max(0.0)
    }

    /// Half the sum of the differences, which is the probability that has moved from some tokens to others.
    pub(crate) fn distance(&self, other: &Self) -> f64 {
        let pairs = self.probabilities.iter().zip(&other.probabilities);
        pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0
    }

    /// The first token at which the sum of the probabilities, in the order of the ids, is above `uniform` in [0, 1).
    pub(crate) fn draw(&self, uniform: f64) -> usize {
        let mut sum = 0.0;
        let mut last = 0;
        for (token, &probability) in self.probabilities.iter().enumerate() {
            if probability > 0.0 {
                sum += probability;
                last = token;
                if sum > uniform {
                    return token;
                }
            }
        }
        // The sum of the parts may be a little less than one.
        last
    }
}

/// How many logits are greater, and one: 1 for the greatest; equal ones share their rank.
pub(crate) fn rank(logits: &[f32], logit: f32) -> usize {
    1 + logits.iter().filter(|&&other| other > logit).count()
}

/// The `n` tokens with the greatest values, the greatest first; of equal values that with the lower id first, and what is
/// not a number last.
pub(crate) fn greatest<T: PartialOrd + Copy>(values: &[T], n: usize) -> Vec<usize> {
    let is_number = |value: Option<&T>| value.partial_cmp(&value).is_some();
    let order = |&a: &usize, &b: &usize| {
        let (a_value, b_value) = (values.get(a), values.get(b));
        let by_value = b_value.partial_cmp(&a_value).unwrap_or(Ordering::Equal);
        is_number(b_value).cmp(&is_number(a_value)).then(by_value).then(a.cmp(&b))
    };
    let mut tokens: Vec<usize> = (0..values.len()).collect();
    if n < tokens.len() {
        if n > 0 {
            tokens.select_nth_unstable_by(n - 1, order);
        }
        tokens.truncate(n);
    }
    tokens.sort_unstable_by(order);
    tokens
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn entropy_and_probabilities_of_known_distributions() {
        let check = |logits: &[f32], probabilities: &[f64], entropy: f64| {
            let found = Distribution::of(logits);
            for (found, expected) in found.probabilities.iter().zip(probabilities) {
                assert!((found - expected).abs() < 1e-12, "{logits:?}: {found} {expected}");
            }
            assert!((found.entropy() - entropy).abs() < 1e-12, "{logits:?}: {}", found.entropy());
            assert!(found.entropy().is_sign_positive(), "{logits:?}");
            for (&logit, probability) in logits.iter().zip(probabilities) {
                assert!((found.log_probability(logit).exp() - probability).abs() < 1e-12);
            }
        };
        check(&[3.0], &[1.0], 0.0);
        check(&[1e30, 0.0], &[1.0, 0.0], 0.0);
        check(&[-1e30, f32::NEG_INFINITY], &[1.0, 0.0], 0.0);
        check(&[5.0; 4], &[0.25; 4], 4f64.ln());
        check(&[0.0, f32::NEG_INFINITY, 0.0], &[0.5, 0.0, 0.5], 2f64.ln());
    }

    #[test]
    fn divergence_of_known_distributions() {
        let check = |p: &[f32], q: &[f32], expected: f64| {
            let found = Distribution::of(q).divergence_from(q, &Distribution::of(p), p);
            assert!((found - expected).abs() < 1e-7, "{found} {expected}");
        };
        check(&[0.0; 4], &[7.0; 4], 0.0);
        check(&[0.0, f32::NEG_INFINITY], &[0.0, 0.0], 2f64.ln());
        check(&[1e30, 0.0], &[1e30, 0.0], 0.0);
        let halves = 0.25 * (0.25_f64 / 0.5).ln() + 0.75 * (0.75_f64 / 0.5).ln();
        check(&[0.0, 3f32.ln()], &[5.0, 5.0], halves);
        let (even, certain) = ([0.0, 0.0], [0.0, f32::NEG_INFINITY]);
        assert!(
            Distribution::of(&certain)
                .divergence_from(&certain, &Distribution::of(&even), &even)
                .is_infinite()
        );
    }

    #[test]
    fn draws_walk_the_ids_in_order() {
        let half = Distribution::of(&[f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]);
        let check = |uniform: f64, token: usize| assert_eq!(half.draw(uniform), token, "{uniform}");
        check(0.0, 1);
        check(0.499, 1);
        check(0.5, 3);
        check(1.0 - f64::EPSILON / 2.0, 3);
    }

    #[test]
    fn the_greatest_come_first_and_equal_ones_by_id() {
        let check = |n: usize, expected: &[usize]| assert_eq!(greatest(&[1.0, 3.0, 3.0, 2.0], n), expected);
        check(0, &[]);
        check(1, &[1]);
        check(3, &[1, 2, 3]);
        check(9, &[1, 2, 3, 0]);
        assert_eq!(greatest(&[f32::NAN, 1.0, f32::NAN, 2.0], 3), [3, 1, 0]);
        assert_eq!(rank(&[1.0, 3.0, 3.0, 2.0], 3.0), 1);
        assert_eq!(rank(&[1.0, 3.0, 3.0, 2.0], 2.0), 3);
    }
}
