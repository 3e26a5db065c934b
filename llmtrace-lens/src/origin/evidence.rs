//! What the candidates' reading says of a text.

use serde::Serialize;

use crate::statistics::{correlation, mean};

/// What the candidates' reading says of a text, in numbers that do not grow with its length.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// Words that every candidate has a probability for.
    pub words: usize,
    /// Of each candidate, the mean surprise in bits a word.
    pub bits: Vec<f64>,
    /// What a classifier weighs: of each candidate the mean log-probability of a word (nats) and its standard deviation; of
    /// each pair the share of words that the first finds more probable than the second, ties counting half, and the correlation of
    /// their log-probabilities.
    pub features: Vec<f64>,
}

impl Evidence {
    /// Of each candidate's log-probabilities of the words.
    pub(super) fn of(scores: &[Vec<Option<f64>>]) -> Self {
        let words = scores.iter().map(Vec::len).min().unwrap_or(0);
        let is_known = |at: &usize| scores.iter().all(|scores| scores[*at].is_some());
        let known: Vec<usize> = (0..words).filter(is_known).collect();
        let columns: Vec<Vec<f64>> =
            scores.iter().map(|scores| known.iter().filter_map(|at| scores[*at]).collect()).collect();
        let moments: Vec<(f64, f64)> = columns.iter().map(|column| moments(column)).collect();
        let mut features: Vec<f64> = moments.iter().flat_map(|(mean, spread)| [*mean, *spread]).collect();
        for (at, first) in columns.iter().enumerate() {
            for second in columns.iter().skip(at + 1) {
                features.push(share_above(first, second));
                features.push(correlation(first, second).unwrap_or(0.0));
            }
        }
        let bits = moments.iter().map(|(mean, _)| -mean / std::f64::consts::LN_2).collect();
        Self { words: known.len(), bits, features }
    }

    /// How many features so many candidates have.
    pub(super) fn width(candidates: usize) -> usize {
        candidates * 2 + candidates * candidates.saturating_sub(1)
    }
}

/// Mean and standard deviation; zeros of nothing.
pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let variance = squares / values.len().max(1) as f64;
    (mean, variance.sqrt())
}

fn share_above(first: &[f64], second: &[f64]) -> f64 {
    let halves = first.iter().zip(second).map(|(first, second)| match first.total_cmp(second) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    });
    halves.sum::<f64>() / first.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_means_spreads_shares_and_correlations_of_the_words_that_all_know() {
        let check = |scores: &[&[Option<f64>]], words: usize, expected: &[f64]| {
            let scores: Vec<Vec<Option<f64>>> = scores.iter().map(|scores| scores.to_vec()).collect();
            let evidence = Evidence::of(&scores);
            assert_eq!(evidence.words, words);
            assert_eq!(evidence.features.len(), Evidence::width(scores.len()));
            for (found, expected) in evidence.features.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{:?}", evidence.features);
            }
        };
        let [one, two, three] = [Some(-1.0), Some(-2.0), Some(-3.0)];
        // The first word is unknown to the second, the rest move against each other.
        check(&[&[two, one, three], &[None, three, one]], 2, &[-2.0, 1.0, -2.0, 1.0, 0.5, -1.0]);
        check(&[&[one, one], &[two, two]], 2, &[-1.0, 0.0, -2.0, 0.0, 1.0, 0.0]);
        check(&[&[one, two], &[one, two]], 2, &[-1.5, 0.5, -1.5, 0.5, 0.5, 1.0]);
        check(&[&[None], &[one]], 0, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        check(&[&[one], &[one], &[two]], 1, &[-1.0, 0.0, -1.0, 0.0, -2.0, 0.0, 0.5, 0.0, 1.0, 0.0, 1.0, 0.0]);
    }
}
