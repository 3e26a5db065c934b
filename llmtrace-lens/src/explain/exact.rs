//! Exact Shapley values.

use super::{Coalition, ExplainError, Game, Method, Parts, Solution};

/// Shapley values by their definition, over every choice of parts: 2^parts calls, for at most 16 parts.
///
/// L. S. Shapley, "A value for n-person games", 1953.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shapley;

impl Shapley {
    /// Most parts that it takes: 65,536 calls.
    pub const MAX_PARTS: usize = 16;
}

impl Method for Shapley {
    fn name(&self) -> &'static str {
        "exact_shapley"
    }

    fn masks(&self, parts: &Parts, _: u64) -> Result<Vec<Coalition>, ExplainError> {
        let parts = parts.len();
        if parts > Self::MAX_PARTS {
            return Err(ExplainError::TooManyParts { method: self.name(), parts, limit: Self::MAX_PARTS });
        }
        let of_bits = |bits: usize| Coalition::of(parts, (0..parts).filter(|part| bits >> part & 1 == 1));
        Ok((0..1 << parts).map(of_bits).collect())
    }

    fn solve(&self, game: &Game<'_>) -> Result<Solution, ExplainError> {
        let parts = game.parts().len();
        let values = game.values(&self.masks(game.parts(), game.first_seed())?)?;
        // The weight of a choice of s other parts: s! (n - s - 1)! / n!, made step by step.
        let mut weight = 1.0 / parts.max(1) as f64;
        let mut weights = Vec::with_capacity(parts);
        for size in 0..parts {
            weights.push(weight);
            weight *= (size + 1) as f64 / (parts - size).saturating_sub(1).max(1) as f64;
        }
        let share = |part: usize| {
            let bit = 1 << part;
            let without = (0..values.len()).filter(|bits| bits & bit == 0);
            without
                .map(|bits| weights[bits.count_ones() as usize] * (values[bits | bit] - values[bits]))
                .sum()
        };
        Ok(Solution::new((0..parts).map(share).collect()))
    }
}
