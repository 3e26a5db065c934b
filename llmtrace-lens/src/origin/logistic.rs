//! Multinomial logistic regression.

use crate::statistics::softmax;

/// Weights of a linear classifier: for each class, a bias and one weight for each feature.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Logistic {
    pub(super) biases: Vec<f64>,
    pub(super) weights: Vec<Vec<f64>>,
}

/// Rounds after which the descent ends in any case.
const MOST_ROUNDS: usize = 20_000;
/// The greatest slope at which it has arrived.
const FLAT: f64 = 1e-7;

impl Logistic {
    /// The weights that make the mean negative log-likelihood of the classes plus `ridge / 2` times the squared weights least.
    ///
    /// Accelerated gradient descent (Nesterov 1983) with restarts, at the step that the curvature of the softmax allows: at
    /// most half the mean squared length of a row.
    pub(super) fn fit(rows: &[Vec<f64>], classes: &[usize], count: usize, ridge: f64) -> Self {
        let features = rows.first().map_or(0, Vec::len);
        let squares = rows.iter().flatten().map(|value| value * value).sum::<f64>();
        let curvature = 0.5 * (1.0 + squares / rows.len().max(1) as f64) + ridge;
        let zero = Self { biases: vec![0.0; count], weights: vec![vec![0.0; features]; count] };
        let (mut at, mut ahead, mut momentum) = (zero.clone(), zero, 1.0_f64);
        for _ in 0..MOST_ROUNDS {
            let slope = ahead.slope(rows, classes, ridge);
            let mut next = ahead.clone();
            next.add(&slope, -1.0 / curvature);
            if slope.greatest() < FLAT {
                return next;
            }
            // The way taken goes uphill: the momentum begins anew.
            if slope.along(&next, &at) > 0.0 {
                momentum = 1.0;
            }
            let grown = f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
            let share = (momentum - 1.0) / grown;
            ahead = next.clone();
            ahead.add(&next, share);
            ahead.add(&at, -share);
            (at, momentum) = (next, grown);
        }
        at
    }

    /// The logit of each class.
    pub(super) fn logits(&self, row: &[f64]) -> Vec<f64> {
        let dot =
            |weights: &Vec<f64>| weights.iter().zip(row).map(|(weight, value)| weight * value).sum::<f64>();
        self.weights.iter().zip(&self.biases).map(|(weights, bias)| bias + dot(weights)).collect()
    }

    fn slope(&self, rows: &[Vec<f64>], classes: &[usize], ridge: f64) -> Self {
        let share = 1.0 / rows.len().max(1) as f64;
        let weights =
            self.weights.iter().map(|weights| weights.iter().map(|weight| weight * ridge).collect());
        let mut slope = Self { biases: vec![0.0; self.biases.len()], weights: weights.collect() };
        for (row, class) in rows.iter().zip(classes) {
            let mut off = softmax(&self.logits(row));
            if let Some(own) = off.get_mut(*class) {
                *own -= 1.0;
            }
            for ((off, bias), weights) in off.iter().zip(&mut slope.biases).zip(&mut slope.weights) {
                *bias += off * share;
                weights.iter_mut().zip(row).for_each(|(weight, value)| *weight += off * share * value);
            }
        }
        slope
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        self.biases.iter().chain(self.weights.iter().flatten()).copied()
    }

    fn add(&mut self, other: &Self, times: f64) {
        let own = self.biases.iter_mut().chain(self.weights.iter_mut().flatten());
        own.zip(other.numbers()).for_each(|(own, other)| *own += other * times);
    }

    fn greatest(&self) -> f64 {
        self.numbers().map(f64::abs).fold(0.0, f64::max)
    }

    /// The slope along the way between two places.
    fn along(&self, to: &Self, from: &Self) -> f64 {
        self.numbers()
            .zip(to.numbers().zip(from.numbers()))
            .map(|(slope, (to, from))| slope * (to - from))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_weights_found_the_likelihood_is_flat_and_odds_are_those_of_the_counts() {
        // Without features, the probabilities are the classes' shares.
        let rows = vec![Vec::new(); 10];
        let fitted = Logistic::fit(&rows, &[0, 0, 0, 0, 0, 0, 0, 1, 1, 2], 3, 0.1);
        let shares = softmax(&fitted.logits(&[]));
        for (found, expected) in shares.iter().zip([0.7, 0.2, 0.1]) {
            assert!((found - expected).abs() < 1e-6, "{shares:?}");
        }
        // One feature that is 0 or 1: without a ridge the log-odds are those of the table [[3, 1], [1, 3]].
        let rows: Vec<Vec<f64>> = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0].map(|value| vec![value]).into();
        let fitted = Logistic::fit(&rows, &[0, 0, 0, 1, 1, 1, 1, 0], 2, 0.0);
        for (row, expected) in [(0.0, 0.75), (1.0, 0.25)] {
            let found = softmax(&fitted.logits(&[row]))[0];
            assert!((found - expected).abs() < 1e-5, "{found}");
        }
    }
}
