//! The filters, on scores in f32: a removed token has the score minus infinity.
//!
//! Their rules are those of Hugging Face transformers 5, stated on [`Sampling`](super::Sampling).

use std::cmp::Ordering;

use super::sampling::SamplingError;
use crate::ops::{Distribution, greatest};

/// Makes the tokens that occurred less probable; returns them, each once, in the order of their ids.
#[expect(clippy::cast_possible_truncation, reason = "the scores are f32, as are the library's")]
pub(super) fn repetition_penalty(
    scores: &mut [f32],
    occurred: &[u32],
    penalty: f64,
) -> Result<Vec<u32>, SamplingError> {
    let vocabulary = scores.len();
    let mut tokens = occurred.to_vec();
    tokens.sort_unstable();
    tokens.dedup();
    let penalty = penalty as f32;
    for &token in &tokens {
        let score = scores.get_mut(token as usize).ok_or(SamplingError::Token { token, vocabulary })?;
        *score = if *score < 0.0 { *score * penalty } else { *score / penalty };
    }
    Ok(tokens)
}

/// Flattens or sharpens.
#[expect(clippy::cast_possible_truncation, reason = "the scores are f32, as are the library's")]
pub(super) fn temperature(scores: &mut [f32], temperature: f64) {
    for score in scores {
        *score /= temperature as f32;
    }
}

/// Removes the tokens below the `k`-th greatest score; returns them.
pub(super) fn top_k(scores: &mut [f32], k: usize, min_tokens_to_keep: usize) -> Vec<usize> {
    let k = k.max(min_tokens_to_keep);
    if k >= scores.len() {
        return Vec::new();
    }
    let mut sorted = scores.to_vec();
    let (_, least, _) = sorted.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
    let least = *least;
    remove(scores, |_, score| score < least)
}

/// Removes the least probable tokens that have at most `1 - p` together; returns them.
#[expect(clippy::cast_possible_truncation, reason = "probabilities are compared in f32, as the library does")]
pub(super) fn top_p(scores: &mut [f32], p: f64, min_tokens_to_keep: usize) -> Vec<usize> {
    let probabilities = Distribution::of(scores).probabilities;
    let bound = (1.0 - p) as f32;
    let mut ascending: Vec<(f32, usize, f64)> = scores
        .iter()
        .zip(&probabilities)
        .enumerate()
        .filter(|(_, (score, _))| score.is_finite())
        .map(|(token, (&score, &probability))| (score, token, probability))
        .collect();
    ascending.sort_unstable_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1)));
    let removable = ascending.len().saturating_sub(min_tokens_to_keep);
    let mut sum = 0.0f64;
    let is_out = |&&(_, _, probability): &&(f32, usize, f64)| {
        sum += f64::from(probability as f32);
        sum as f32 <= bound
    };
    let removed: Vec<usize> =
        ascending.iter().take(removable).take_while(is_out).map(|&(_, token, _)| token).collect();
    for &token in &removed {
        if let Some(score) = scores.get_mut(token) {
            *score = f32::NEG_INFINITY;
        }
    }
    removed
}

/// Removes the tokens that are less than `p` times as probable as the most probable; returns them.
#[expect(clippy::cast_possible_truncation, reason = "probabilities are compared in f32, as the library does")]
pub(super) fn min_p(scores: &mut [f32], p: f64, min_tokens_to_keep: usize) -> Vec<usize> {
    let probabilities: Vec<f32> =
        Distribution::of(scores).probabilities.into_iter().map(|probability| probability as f32).collect();
    let bound = p as f32 * probabilities.iter().copied().fold(0.0, f32::max);
    // Scores tell tokens apart whose probabilities are all zero in f32.
    let kept = greatest(scores, min_tokens_to_keep);
    remove(scores, |token, _| {
        probabilities.get(token).is_some_and(|&probability| probability < bound) && !kept.contains(&token)
    })
}

/// Removes tokens; returns those that were there before.
fn remove(scores: &mut [f32], is_out: impl Fn(usize, f32) -> bool) -> Vec<usize> {
    let mut removed = Vec::new();
    for (token, score) in scores.iter_mut().enumerate() {
        if score.is_finite() && is_out(token, *score) {
            *score = f32::NEG_INFINITY;
            removed.push(token);
        }
    }
    removed
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the numbers are exact")]
mod tests {
    use super::*;

    const NONE: f32 = f32::NEG_INFINITY;

    /// Logits whose softmax is `probabilities`.
    fn logits(probabilities: &[f32]) -> Vec<f32> {
        probabilities.iter().map(|probability| probability.ln()).collect()
    }

    /// The tokens that are left; those that went are what the filter returned.
    fn kept(before: &[f32], filter: impl FnOnce(&mut [f32]) -> Vec<usize>) -> Vec<usize> {
        let mut scores = before.to_vec();
        let mut removed = filter(&mut scores);
        removed.sort_unstable();
        let is_removed = |&token: &usize| before[token].is_finite() && !scores[token].is_finite();
        assert_eq!(removed, (0..scores.len()).filter(is_removed).collect::<Vec<_>>());
        (0..scores.len()).filter(|&token| scores[token].is_finite()).collect()
    }

    #[test]
    fn the_penalty_depends_on_the_sign_and_counts_a_token_once() {
        let check = |penalty: f64, occurred: &[u32], expected: [f32; 4]| {
            let mut scores = [4.0, -4.0, 0.0, NONE];
            repetition_penalty(&mut scores, occurred, penalty).unwrap();
            assert_eq!(scores, expected, "{penalty} {occurred:?}");
        };
        check(2.0, &[], [4.0, -4.0, 0.0, NONE]);
        check(2.0, &[0, 0, 0], [2.0, -4.0, 0.0, NONE]);
        check(2.0, &[3, 2, 1, 0, 1], [2.0, -8.0, 0.0, NONE]);
        check(0.5, &[0, 1], [8.0, -2.0, 0.0, NONE]);
        let error = repetition_penalty(&mut [0.0; 4], &[1, 4], 2.0).unwrap_err();
        assert_eq!(error.to_string(), "token 4 is not among the 4 tokens of the logits");
    }

    #[test]
    fn top_k_keeps_all_that_are_equal_to_the_kth() {
        let check = |scores: &[f32], k: usize, least: usize, expected: &[usize]| {
            assert_eq!(kept(scores, |scores| top_k(scores, k, least)), expected, "{k} {least}");
        };
        check(&[1.0, 3.0, 2.0, 3.0], 1, 1, &[1, 3]);
        check(&[1.0, 3.0, 2.0, 3.0], 3, 1, &[1, 2, 3]);
        check(&[1.0, 3.0, 2.0, 0.0], 1, 2, &[1, 2]);
        check(&[1.0, 3.0], 7, 1, &[0, 1]);
        check(&[1.0, NONE, 3.0, NONE], 3, 1, &[0, 2]);
    }

    #[test]
    fn top_p_removes_up_to_and_with_what_is_left_over() {
        let check = |probabilities: &[f32], p: f64, least: usize, expected: &[usize]| {
            assert_eq!(
                kept(&logits(probabilities), |scores| top_p(scores, p, least)),
                expected,
                "{probabilities:?} {p} {least}"
            );
        };
        check(&[0.1, 0.2, 0.3, 0.4], 0.65, 1, &[2, 3]);
        check(&[0.1, 0.2, 0.3, 0.4], 0.75, 1, &[1, 2, 3]);
        check(&[0.1, 0.2, 0.3, 0.4], 0.0, 1, &[3]);
        check(&[0.1, 0.2, 0.3, 0.4], 0.0, 3, &[1, 2, 3]);
        check(&[0.1, 0.2, 0.3, 0.4], 0.0, 9, &[0, 1, 2, 3]);
        // Of equal ones those with the lower ids go first.
        check(&[0.25, 0.25, 0.25, 0.25], 0.4, 1, &[2, 3]);
        // Exactly what is left over goes too: 0.25 + 0.25 <= 1 - 0.5.
        check(&[0.25, 0.25, 0.5], 0.5, 1, &[2]);
        check(&[0.0, 0.5, 0.5], 0.9, 1, &[1, 2]);
    }

    #[test]
    fn min_p_is_a_share_of_the_most_probable() {
        let check = |probabilities: &[f32], p: f64, least: usize, expected: &[usize]| {
            assert_eq!(
                kept(&logits(probabilities), |scores| min_p(scores, p, least)),
                expected,
                "{probabilities:?} {p} {least}"
            );
        };
        check(&[0.05, 0.1, 0.25, 0.6], 0.4, 1, &[2, 3]);
        check(&[0.05, 0.1, 0.25, 0.6], 0.0, 1, &[0, 1, 2, 3]);
        check(&[0.05, 0.1, 0.25, 0.6], 1.0, 1, &[3]);
        check(&[0.05, 0.1, 0.25, 0.6], 1.0, 3, &[1, 2, 3]);
        // One that is as probable as the bound stays.
        check(&[0.25, 0.25, 0.5], 0.5, 1, &[0, 1, 2]);
    }
}
