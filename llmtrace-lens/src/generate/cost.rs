//! What a pass costs: operations and bytes.

use serde::Serialize;

use crate::model::{Config, MlpKind};

/// Bytes that an answer keeps beside the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Memory {
    /// Keys and values of all positions read so far.
    pub kv_cache_bytes: usize,
    /// Values of hook points that were kept; those that are views of one tensor count once each.
    pub kept_bytes: usize,
}

/// Floating point operations of a pass that reads `positions` tokens after `before` others and turns `readouts`
/// positions into logits; a product and a sum count as two.
///
/// Two for each weight of a matrix and position, as in Kaplan et al. 2020, "Scaling Laws for Neural Language Models",
/// table 1, and `4 H dh` for each block, position and position that it may attend to: scores and weighted values.
/// Over a whole context that is the table's `2 n_layer n_ctx d_attn` a token. Norms, nonlinearities and softmaxes are
/// left out, as they are there, and so is work on pairs of positions that the mask takes out again.
pub(crate) fn flops(config: &Config, before: usize, positions: usize, readouts: usize) -> f64 {
    let [width, hidden, heads, shared, size] =
        [config.d_model, config.d_mlp, config.heads, config.kv_heads, config.head_dim].map(|n| n as f64);
    let matrices = if config.mlp == MlpKind::Gated { 3.0 } else { 2.0 };
    let block = width * (2.0 * heads + 2.0 * shared) * size + matrices * width * hidden;
    let linear = 2.0 * config.layers as f64 * block * positions as f64;
    let seen = |window: Option<usize>| -> f64 {
        let visible = |position: usize| window.map_or(position + 1, |window| window.min(position + 1));
        (before..before + positions).map(|position| visible(position) as f64).sum()
    };
    let windows = (0..config.layers).map(|layer| config.windows.get(layer).copied().flatten());
    let attention = 4.0 * heads * size * windows.map(seen).sum::<f64>();
    linear + attention + 2.0 * width * config.vocab as f64 * readouts as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
}
