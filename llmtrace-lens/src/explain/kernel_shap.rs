//! Kernel SHAP.

use std::collections::HashMap;

use fastrand::Rng;

use super::limits::{Held, most_masks, within};
use super::linear::{Moments, Sample};
use super::{Coalition, Coverage, ExplainError, Game, Method, Parts, Solution};

/// Shapley values by a weighted regression on masks, as `KernelExplainer` of shap 0.51 does it: sizes of masks from the
/// outside in, whole ones while the samples last and random masks with their complements after, under the constraint
/// that the values sum to the score's change. Where every mask is taken the values are exact.
///
/// There is no regularisation: shap's default, which keeps 10 parts, is its `l1_reg=False` here.
///
/// Lundberg and Lee, "A unified approach to interpreting model predictions", 2017.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelShap {
    samples: Option<usize>,
}

/// A mask and what it weighs in the regression.
pub type WeightedMask = (Coalition, f64);

/// Most parts of which all masks can be counted.
const COUNTABLE: usize = 30;
/// Values this small are rounding.
const NOTHING: f64 = 1e-10;

impl KernelShap {
    /// At most so many masks, of which there are at most [`MAX_MASKS`](super::MAX_MASKS), of many parts fewer. The default
    /// is 2 parts + 2048, as in shap.
    pub fn samples(samples: usize) -> Self {
        Self { samples: Some(samples) }
    }

    fn asked(self, parts: usize) -> usize {
        let default = || parts.saturating_mul(2).saturating_add(2048);
        self.samples.unwrap_or_else(default).min(all_masks(parts))
    }

    /// The masks and their weights, for this many parts and this seed.
    pub fn design(self, parts: usize, seed: u64) -> Vec<WeightedMask> {
        let samples = self.asked(parts).min(most_masks(parts, Held::Feature));
        let sizes = Sizes::new(parts);
        let (mut masks, whole) = sizes.enumerate(samples);
        if whole < sizes.weights.len() {
            sizes.draw(&mut masks, whole, samples, seed);
        }
        masks
    }

    /// The values that fit the scores of these masks best, and sum to the change from `base`, the score with every part
    /// masked, to `full`.
    ///
    /// # Errors
    ///
    /// [`ExplainError::TooFewSamples`] where the masks do not tell all parts apart, and [`ExplainError::Mismatch`]
    /// where there are not as many scores as masks.
    pub fn fit(
        masks: &[WeightedMask],
        scores: &[f64],
        base: f64,
        full: f64,
    ) -> Result<Vec<f64>, ExplainError> {
        if masks.len() != scores.len() {
            return Err(ExplainError::Mismatch {
                what: "scores",
                found: scores.len(),
                expected: masks.len(),
            });
        }
        let parts = masks.first().map_or(0, |(kept, _)| kept.parts());
        let Some(last) = parts.checked_sub(1) else { return Err(ExplainError::NoParts) };
        // The constraint leaves the last part to the others.
        let is_kept = |kept: &Coalition, part| f64::from(u8::from(kept.contains(part)));
        let sample = |((kept, weight), score): (&WeightedMask, &f64)| {
            let in_last = is_kept(kept, last);
            let features = (0..last).map(|part| is_kept(kept, part) - in_last).collect();
            Sample { features, target: score - base - in_last * (full - base), weight: *weight }
        };
        let samples: Vec<_> = masks.iter().zip(scores).map(sample).collect();
        let others: Vec<usize> = (0..last).collect();
        let linear = Moments::raw(&samples, last).fit(&others, 0.0);
        if linear.dependent > 0 {
            return Err(ExplainError::TooFewSamples { samples: masks.len(), parts });
        }
        let mut values = linear.coefficients;
        values.push(full - base - values.iter().sum::<f64>());
        Ok(values.into_iter().map(|value| if value.abs() < NOTHING { 0.0 } else { value }).collect())
    }
}

impl Method for KernelShap {
    fn name(&self) -> &'static str {
        "kernel_shap"
    }

    fn masks(&self, parts: &Parts, seed: u64) -> Result<Vec<Coalition>, ExplainError> {
        within(self.name(), "samples", self.asked(parts.len()), most_masks(parts.len(), Held::Feature))?;
        Ok(self.design(parts.len(), seed).into_iter().map(|(kept, _)| kept).collect())
    }

    fn solve(&self, game: &Game<'_>) -> Result<Solution, ExplainError> {
        let parts = game.parts().len();
        let ends = game.values(&[Coalition::empty(parts), Coalition::full(parts)])?;
        let [base, full] = ends[..] else { return Err(ExplainError::NoParts) };
        if parts == 1 {
            return Ok(Solution::new(vec![full - base]));
        }
        let design = self.design(parts, game.first_seed());
        if design.is_empty() {
            return Err(ExplainError::TooFewSamples { samples: 0, parts });
        }
        let kept: Vec<_> = design.iter().map(|(kept, _)| kept.clone()).collect();
        let values = Self::fit(&design, &game.values(&kept)?, base, full)?;
        let is_whole = design.len() == all_masks(parts);
        let coverage = if is_whole { Coverage::Whole } else { Coverage::Sampled };
        Ok(Solution { coverage, ..Solution::new(values) })
    }
}

/// The sizes of masks, 1 to half of the parts; all but a middle one stand for their complements' size too.
struct Sizes {
    parts: usize,
    /// Share of the kernel's weight, of each size with its complement.
    weights: Vec<f64>,
    paired: usize,
}

impl Sizes {
    fn new(parts: usize) -> Self {
        let paired = parts.saturating_sub(1) / 2;
        let weight = |size: usize| {
            let kernel = parts.saturating_sub(1) as f64 / (size * (parts - size)) as f64;
            if size <= paired { 2.0 * kernel } else { kernel }
        };
        let mut weights: Vec<f64> = (1..=parts / 2).map(weight).collect();
        normalise(&mut weights);
        Self { parts, weights, paired }
    }

    /// Every mask of the sizes that the samples suffice for, and how many sizes these are.
    fn enumerate(&self, samples: usize) -> (Vec<WeightedMask>, usize) {
        let (mut masks, mut left, mut shares) = (Vec::new(), samples as f64, self.weights.clone());
        for (index, weight) in self.weights.iter().enumerate() {
            let size = index + 1;
            let one_way = choose(self.parts, size);
            let all = if size <= self.paired { 2.0 * one_way } else { one_way };
            let share = shares.get(index).copied().unwrap_or_default();
            if left * share / all < 1.0 - 1e-8 {
                return (masks, index);
            }
            left -= all;
            if share < 1.0 {
                for other in &mut shares {
                    *other /= 1.0 - share;
                }
            }
            for kept in combinations(self.parts, size) {
                let complement = (size <= self.paired).then(|| kept.complement());
                masks.push((kept, weight / all));
                masks.extend(complement.map(|kept| (kept, weight / all)));
            }
        }
        (masks, self.weights.len())
    }

    /// Random masks of the other sizes with their complements, up to `samples` in all. One that is drawn again weighs
    /// more instead.
    fn draw(&self, masks: &mut Vec<WeightedMask>, whole: usize, samples: usize, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let fixed = masks.len();
        let halved =
            |(index, weight): (usize, &f64)| if index < self.paired { weight / 2.0 } else { *weight };
        let mut shares: Vec<f64> = self.weights.iter().enumerate().map(halved).skip(whole).collect();
        normalise(&mut shares);
        let mut places: HashMap<Coalition, usize> = HashMap::new();
        let mut order: Vec<usize> = (0..self.parts).collect();
        for _ in 0..samples.saturating_sub(fixed).saturating_mul(4) {
            if masks.len() >= samples {
                break;
            }
            let size = whole + 1 + pick(&shares, rng.f64());
            rng.shuffle(&mut order);
            let kept = Coalition::of(self.parts, order.iter().copied().take(size));
            let both_ways = (size <= self.paired).then(|| kept.complement());
            for kept in std::iter::once(kept).chain(both_ways) {
                match places.get(&kept) {
                    Some(&place) => masks[place].1 += 1.0,
                    None if masks.len() < samples => {
                        places.insert(kept.clone(), masks.len());
                        masks.push((kept, 1.0));
                    }
                    None => {}
                }
            }
        }
        let drawn: f64 = masks.iter().skip(fixed).map(|(_, weight)| weight).sum();
        let left: f64 = self.weights.iter().skip(whole).sum();
        masks.iter_mut().skip(fixed).for_each(|(_, weight)| *weight *= left / drawn);
    }
}

/// All masks but the two ends.
fn all_masks(parts: usize) -> usize {
    if parts <= COUNTABLE { (1_usize << parts).saturating_sub(2) } else { usize::MAX }
}

fn normalise(weights: &mut [f64]) {
    let total: f64 = weights.iter().sum();
    for weight in weights {
        *weight /= total;
    }
}

/// The index at which the running sum of the shares passes `at`.
fn pick(shares: &[f64], at: f64) -> usize {
    let mut sum = 0.0;
    let passes = shares.iter().position(|share| {
        sum += share;
        at < sum
    });
    passes.unwrap_or(shares.len().saturating_sub(1))
}

fn choose(n: usize, k: usize) -> f64 {
    (0..k).fold(1.0, |count, i| count * (n - i) as f64 / (i + 1) as f64).round()
}

/// Every choice of `size` out of `parts`, in lexicographic order.
fn combinations(parts: usize, size: usize) -> impl Iterator<Item = Coalition> {
    let mut next: Option<Vec<usize>> = (size <= parts).then(|| (0..size).collect());
    std::iter::from_fn(move || {
        let chosen = next.take()?;
        let movable = (0..size).rev().find(|&at| chosen[at] < parts - size + at);
        next = movable.map(|at| {
            let first = chosen[at] + 1;
            chosen[..at].iter().copied().chain(first..first + size - at).collect()
        });
        Some(Coalition::of(parts, chosen))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_comes_once() {
        let check = |parts, size, expected: &[&[usize]]| {
            let found: Vec<Vec<usize>> =
                combinations(parts, size).map(|kept| kept.iter().collect()).collect();
            assert_eq!(found, expected);
        };
        check(3, 1, &[&[0], &[1], &[2]]);
        check(4, 2, &[&[0, 1], &[0, 2], &[0, 3], &[1, 2], &[1, 3], &[2, 3]]);
        check(3, 3, &[&[0, 1, 2]]);
        assert_eq!(combinations(12, 5).count(), 792);
        assert!((choose(12, 5) - 792.0).abs() < 1e-9);
    }

    #[test]
    fn masks_are_within_the_number_asked_for_and_weigh_one() {
        for parts in [2, 3, 5, 8, 12, 40] {
            for samples in [parts, 2 * parts, 100, 500] {
                let design = KernelShap::samples(samples).design(parts, 3);
                assert!(design.len() <= samples, "{parts} {samples}: {}", design.len());
                let total: f64 = design.iter().map(|(_, weight)| weight).sum();
                assert!((total - 1.0).abs() < 1e-9, "{parts} {samples}: {total}");
                let mut kept: Vec<_> = design.iter().map(|(kept, _)| kept.clone()).collect();
                kept.sort();
                kept.dedup();
                assert_eq!(kept.len(), design.len(), "{parts} {samples}: a mask comes twice");
                assert!(kept.iter().all(|kept| (1..parts).contains(&kept.kept())));
            }
        }
    }
}
