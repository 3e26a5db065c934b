//! Leave-one-out.

use super::{Coalition, ExplainError, Game, Method, Parts, Solution};

/// What the score loses when one part alone is masked: a call a part. It misses what parts do together: of two that
/// each suffice, neither gets anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaveOneOut;

impl Method for LeaveOneOut {
    fn name(&self) -> &'static str {
        "leave_one_out"
    }

    fn masks(&self, parts: &Parts, _: u64) -> Result<Vec<Coalition>, ExplainError> {
        let full = Coalition::full(parts.len());
        let without = (0..parts.len()).map(|part| full.without(part));
        Ok(std::iter::once(full.clone()).chain(without).collect())
    }

    fn solve(&self, game: &Game<'_>) -> Result<Solution, ExplainError> {
        let values = game.values(&self.masks(game.parts(), game.first_seed())?)?;
        let (full, without) = values.split_first().unwrap_or((&0.0, &[]));
        Ok(Solution::new(without.iter().map(|value| full - value).collect()))
    }
}
