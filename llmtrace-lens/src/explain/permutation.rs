//! Shapley values by sampled orders.

use fastrand::Rng;

use super::limits::{Held, most_masks, within};
use super::{Coalition, Coverage, ExplainError, Game, Method, Parts, Solution};
use crate::statistics::{mean, standard_error};

/// Shapley values by random orders in which the parts join the prompt, each order taken forwards and backwards
/// (antithetic), with the standard error over these pairs. At most 2 (parts - 1) calls a pair.
///
/// Castro, Gómez and Tejada, "Polynomial calculation of the Shapley value based on sampling", 2009; Mitchell et al.,
/// "Sampling permutations for Shapley value estimation", 2022.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permutation {
    pairs: usize,
}

impl Permutation {
    /// So many orders, each taken both ways; at least 1. There are standard errors from 2 on. A pair has
    /// 2 (parts + 1) masks, of which there are at most [`MAX_MASKS`](super::MAX_MASKS).
    pub fn pairs(pairs: usize) -> Self {
        Self { pairs: pairs.max(1) }
    }

    /// Most pairs of orders of so many parts.
    fn most_pairs(parts: usize) -> usize {
        let orders = most_masks(parts, Held::Membership) / parts.saturating_add(1);
        (orders / 2).max(1)
    }

    fn orders(self, parts: usize, seed: u64) -> Vec<Vec<usize>> {
        let mut rng = Rng::with_seed(seed);
        let mut order: Vec<usize> = (0..parts).collect();
        let mut orders = Vec::new();
        for _ in 0..self.pairs {
            rng.shuffle(&mut order);
            orders.push(order.clone());
            orders.push(order.iter().rev().copied().collect());
        }
        orders
    }
}

impl Default for Permutation {
    /// 10 pairs.
    fn default() -> Self {
        Self::pairs(10)
    }
}

impl Method for Permutation {
    fn name(&self) -> &'static str {
        "permutation_shapley"
    }

    fn masks(&self, parts: &Parts, seed: u64) -> Result<Vec<Coalition>, ExplainError> {
        within(self.name(), "pairs of orders", self.pairs, Self::most_pairs(parts.len()))?;
        let empty = Coalition::empty(parts.len());
        let prefixes = |order: Vec<usize>| {
            let grow = |kept: &mut Coalition, part| {
                *kept = kept.with(part);
                Some(kept.clone())
            };
            let grown: Vec<_> = order.into_iter().scan(empty.clone(), grow).collect();
            std::iter::once(empty.clone()).chain(grown)
        };
        Ok(self.orders(parts.len(), seed).into_iter().flat_map(prefixes).collect())
    }

    fn solve(&self, game: &Game<'_>) -> Result<Solution, ExplainError> {
        let parts = game.parts().len();
        let values = game.values(&self.masks(game.parts(), game.first_seed())?)?;
        let mut pairs = vec![vec![0.0; self.pairs]; parts];
        let orders = self.orders(parts, game.first_seed());
        for (index, (order, walk)) in orders.iter().zip(values.chunks(parts + 1)).enumerate() {
            for (part, step) in order.iter().zip(walk.windows(2)) {
                pairs[*part][index / 2] += (step[1] - step[0]) / 2.0;
            }
        }
        let mut solution = Solution::new(pairs.iter().map(|pairs| mean(pairs)).collect());
        solution.coverage = Coverage::Sampled;
        solution.standard_errors =
            (self.pairs > 1).then(|| pairs.iter().map(|pairs| standard_error(pairs)).collect());
        Ok(solution)
    }
}
