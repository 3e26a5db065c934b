//! How a prompt is explained when nobody says how.

use super::error::InspectError;
use crate::explain::{Attribution, ExplainError, Faithfulness, Shapley, TokenGame};
use crate::generate::flops;
use crate::gradient::{Baseline, IntegratedGradients, Target};
use crate::model::{Model, Origin};

/// The most floating point operations that exact Shapley values, or judging them, may take: about half a minute of two cores.
const EXACT_FLOPS: f64 = 5e11;

/// The most parts whose Shapley values are computed exactly.
const EXACT_PARTS: usize = 12;

/// Steps of integrated gradients: more are taken while they leave more than this share of the change unexplained.
const STEPS: [usize; 3] = [50, 200, 800];
const GAP: f64 = 0.01;
/// What a gradient costs, in runs.
const GRADIENT_RUNS: f64 = 3.0;

/// An explanation, and where in the prompt its parts stand.
pub(super) struct Explained {
    pub(super) attribution: Attribution,
    pub(super) faithfulness: Option<Faithfulness>,
    pub(super) positions: Vec<usize>,
}

/// Exact Shapley values where the model is small and the prompt short, else integrated gradients; judged where that
/// does not take too long.
pub(super) fn explain(
    model: &Model,
    tokens: &[(u32, Origin)],
    answer: u32,
) -> Result<Explained, InspectError> {
    let mask = model.mask_token();
    let game = TokenGame::of_marked(model, tokens, &Target::log_probability(answer), mask);
    let calls = game.game();
    let cost = flops(model.config(), 0, tokens.len(), 1);
    let parts = game.parts().len();
    let is_exact = parts <= EXACT_PARTS && cost * f64::from(1 << parts.min(20)) <= EXACT_FLOPS;
    let attribution = if is_exact { calls.explain(&Shapley)? } else { integrated(&game, mask, cost)? };
    let judging = calls.plan_judgement(&attribution)?.calls as f64;
    let faithfulness = if judging * cost <= EXACT_FLOPS { Some(calls.judge(&attribution)?) } else { None };
    Ok(Explained { attribution, faithfulness, positions: game.positions() })
}

/// Integrated gradients, by as many steps as bring their sum near to the change, where these do not take too long.
fn integrated(game: &TokenGame<'_>, mask: u32, cost: f64) -> Result<Attribution, ExplainError> {
    let with = |steps| {
        let method = IntegratedGradients::new(Baseline::Token(mask)).steps(steps);
        game.integrated_gradients(&method)
    };
    let [least, more @ ..] = STEPS;
    let mut found = with(least)?;
    for steps in more {
        let change = found.full_value - found.base_value.unwrap_or(found.full_value);
        let is_near = found.sum_gap().is_none_or(|gap| gap.abs() <= GAP * change.abs());
        if is_near || steps as f64 * GRADIENT_RUNS * cost > EXACT_FLOPS {
            break;
        }
        found = with(steps)?;
    }
    Ok(found)
}

impl Model {
    /// The token that best stands in the place of one that is taken away: one for unknown words or for masks where the
    /// vocabulary has one, else the one that ends answers, else the first.
    pub fn mask_token(&self) -> u32 {
        const NAMES: [&str; 6] = ["<unk>", "[UNK]", "[MASK]", "<pad>", "[PAD]", "<|endoftext|>"];
        let named = self.tokenizer().and_then(|known| NAMES.iter().find_map(|name| known.token_to_id(name)));
        named.or_else(|| self.end_tokens().first().copied()).unwrap_or(0)
    }
}
