//! LIME for text.

use fastrand::Rng;

use super::limits::{Held, most_masks, within};
use super::linear::{Linear, Moments, Sample};
use super::{Coalition, Coverage, ExplainError, Fit, Game, Method, Parts, Solution};

/// LIME for text, with the defaults of lime 0.2.0.1: random masks, weighted by their likeness to the whole prompt, and a
/// ridge regression on the parts that matter most. Parts that it does not speak of have the value 0.
///
/// lime's own parts are [`Parts::unique_words`], which it deletes.
///
/// Ribeiro, Singh and Guestrin, "Why should I trust you?", 2016.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lime {
    samples: usize,
    features: usize,
    width: f64,
}

/// A linear model of some of the parts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LimeFit {
    /// The parts that it speaks of, each with its coefficient, the largest first.
    pub coefficients: Vec<(usize, f64)>,
    /// How well it fits.
    pub fit: Fit,
}

/// Penalty of the ridge that gives the coefficients, of the one that ranks parts, and of the one that adds them.
const RIDGE: f64 = 1.0;
const RIDGE_OF_RANKING: f64 = 0.01;
const RIDGE_OF_SELECTION: f64 = 0.0;
/// Most parts that are chosen one by one, by how much each improves the fit.
const SELECTED: usize = 6;

impl Lime {
    /// So many masks, the whole prompt included; at least 2, and at most [`MAX_MASKS`](super::MAX_MASKS), of many parts
    /// fewer. The default is lime's: 5000.
    pub fn samples(samples: usize) -> Self {
        Self { samples: samples.max(2), ..Self::default() }
    }

    /// Speaks of so many parts; 10 unless told otherwise. Up to 6 are chosen one by one by the fit, more by the size of
    /// their coefficients.
    pub fn features(mut self, parts: usize) -> Self {
        self.features = parts;
        self
    }

    /// How far from the whole prompt masks still count: the width of the kernel, for distances from 0 (all parts kept)
    /// to 100; 25 unless told otherwise. At 0 and below only the whole prompt counts.
    pub fn width(mut self, width: f64) -> Self {
        self.width = width.max(f64::MIN_POSITIVE);
        self
    }

    /// The masks for this many parts and this seed: the whole prompt first, then random numbers of random parts off.
    pub fn design(self, parts: usize, seed: u64) -> Vec<Coalition> {
        let mut rng = Rng::with_seed(seed);
        let mut order: Vec<usize> = (0..parts).collect();
        let mut masks = vec![Coalition::full(parts)];
        let samples = self.samples.min(most_masks(parts, Held::Feature));
        while parts > 0 && masks.len() < samples {
            let off = rng.usize(1..=parts);
            rng.shuffle(&mut order);
            masks.push(Coalition::of(parts, order.iter().copied().skip(off)));
        }
        masks
    }

    /// What a mask weighs: exp(-d² / width²), and of that the root, where d is 100 times the cosine distance to the whole
    /// prompt.
    pub fn weight(self, kept: &Coalition) -> f64 {
        let distance = 100.0 * (1.0 - (kept.kept() as f64 / kept.parts() as f64).sqrt());
        (-(distance / self.width).powi(2)).exp().sqrt()
    }

    /// The linear model that fits the scores of these masks best.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Mismatch`] where there are not as many scores as masks, [`ExplainError::NoParts`] where there are
    /// no parts.
    pub fn fit(self, masks: &[Coalition], scores: &[f64]) -> Result<LimeFit, ExplainError> {
        if masks.len() != scores.len() {
            return Err(ExplainError::Mismatch {
                what: "scores",
                found: scores.len(),
                expected: masks.len(),
            });
        }
        let parts = masks.first().map_or(0, Coalition::parts);
        if parts == 0 {
            return Err(ExplainError::NoParts);
        }
        let sample = |(kept, &target): (&Coalition, &f64)| {
            let features = (0..parts).map(|part| f64::from(u8::from(kept.contains(part)))).collect();
            Sample { features, target, weight: self.weight(kept) }
        };
        let samples: Vec<_> = masks.iter().zip(scores).map(sample).collect();
        let moments = Moments::centred(&samples, parts);
        let chosen = self.choose(&moments, parts);
        let linear = moments.fit(&chosen, RIDGE);
        let intercept = moments.intercept(&chosen, &linear);
        let fit = Fit {
            intercept,
            r2: moments.r2(&chosen, &linear),
            local_prediction: intercept + linear.coefficients.iter().sum::<f64>(),
        };
        let mut coefficients: Vec<_> = chosen.into_iter().zip(linear.coefficients).collect();
        coefficients.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        Ok(LimeFit { coefficients, fit })
    }

    fn choose(self, moments: &Moments, parts: usize) -> Vec<usize> {
        let wanted = self.features.min(parts);
        if self.features <= SELECTED {
            return one_by_one(moments, parts, wanted);
        }
        let mut ranked: Vec<usize> = (0..parts).collect();
        let Linear { coefficients, .. } = moments.fit(&ranked, RIDGE_OF_RANKING);
        ranked.sort_by(|&a, &b| coefficients[b].abs().total_cmp(&coefficients[a].abs()));
        ranked.truncate(wanted);
        ranked
    }
}

impl Default for Lime {
    /// lime's: 5000 masks, 10 parts, width 25.
    fn default() -> Self {
        Self { samples: 5000, features: 10, width: 25.0 }
    }
}

/// Adds, again and again, the part that improves the fit most.
fn one_by_one(moments: &Moments, parts: usize, wanted: usize) -> Vec<usize> {
    let mut chosen = Vec::new();
    while chosen.len() < wanted {
        let r2_with = |part: usize| {
            let more: Vec<usize> = chosen.iter().copied().chain([part]).collect();
            (part, moments.r2(&more, &moments.fit(&more, RIDGE_OF_SELECTION)))
        };
        let others = (0..parts).filter(|part| !chosen.contains(part)).map(r2_with);
        let best = others.reduce(|best, next| if next.1 > best.1 { next } else { best });
        chosen.extend(best.map(|(part, _)| part));
    }
    chosen
}

impl Method for Lime {
    fn name(&self) -> &'static str {
        "lime"
    }

    fn masks(&self, parts: &Parts, seed: u64) -> Result<Vec<Coalition>, ExplainError> {
        within(self.name(), "samples", self.samples, most_masks(parts.len(), Held::Feature))?;
        Ok(self.design(parts.len(), seed))
    }

    fn solve(&self, game: &Game<'_>) -> Result<Solution, ExplainError> {
        let masks = self.design(game.parts().len(), game.first_seed());
        let LimeFit { coefficients, fit } = self.fit(&masks, &game.values(&masks)?)?;
        let mut solution = Solution::new(vec![0.0; game.parts().len()]);
        for (part, coefficient) in coefficients {
            solution.values[part] = coefficient;
        }
        solution.fit = Some(fit);
        solution.coverage = Coverage::Sampled;
        Ok(solution)
    }
}
