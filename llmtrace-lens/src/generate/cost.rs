//! What a pass costs: operations and bytes.

use serde::Serialize;

use crate::model::{Config, MlpKind};

/// Bytes that an answer keeps beside the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Memory {
    /// Keys and values of all positions read so far.
    pub kv_cache_bytes: usize,
    /// Values of hook points that were kept, as if none of them shared memory with another.
    pub kept_bytes: usize,
}

/// Floating point operations of a pass that reads `positions` tokens after `before` others and turns `readouts`
/// positions into logits; a product and a sum count as two.
///
/// Two for each weight of a matrix and position, as in Kaplan et al. 2020, "Scaling Laws for Neural Language Models",
/// table 1, and `4 H dh` for each block, position and position that it may attend to: scores and weighted values.
/// Over a whole context that is the table's `2 n_layer n_ctx d_attn` a token. Norms, nonlinearities and softmaxes are
/// left out, as they are there, and so is work on pairs of positions that the mask takes out again.
pub fn flops(config: &Config, before: usize, positions: usize, readouts: usize) -> f64 {
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
#[allow(clippy::float_cmp, reason = "the numbers are exact")]
mod tests {
    use super::*;
    use crate::model::{Activation, NormKind, Positions, Residual};

    fn config(kv_heads: usize, mlp: MlpKind, windows: Vec<Option<usize>>) -> Config {
        Config {
            family: "test".to_owned(),
            layers: windows.len(),
            d_model: 8,
            d_mlp: 32,
            heads: 4,
            kv_heads,
            head_dim: 2,
            vocab: 100,
            context: 64,
            norm: NormKind::Layer,
            epsilon: 1e-5,
            positions: Positions::Learned,
            activation: Activation::Relu,
            mlp,
            residual: Residual::Sequential,
            post_norms: false,
            qk_norm: false,
            attention_scale: 1.0,
            attention_softcap: None,
            logit_softcap: None,
            embed_scale: None,
            windows,
        }
    }

    #[test]
    fn operations_are_counted_by_hand() {
        let check = |config: &Config, [before, positions, readouts]: [usize; 3], expected: f64| {
            assert_eq!(flops(config, before, positions, readouts), expected);
        };
        // 12 d^2 weights a block, as in the paper; 4 s H dh for s positions.
        let plain = config(4, MlpKind::Plain, vec![None; 2]);
        check(&plain, [0, 1, 0], 2.0 * (2.0 * 768.0 + 32.0));
        check(&plain, [0, 1, 1], 2.0 * (2.0 * 768.0 + 32.0) + 1_600.0);
        check(&plain, [0, 3, 0], 2.0 * (3.0 * 2.0 * 768.0 + 32.0 * 6.0));
        check(&plain, [10, 1, 0], 2.0 * (2.0 * 768.0 + 32.0 * 11.0));
        // Two query heads share a key head; the MLP has three matrices; one block sees two positions.
        let other = config(2, MlpKind::Gated, vec![Some(2), None]);
        check(&other, [0, 3, 0], 2.0 * 3.0 * 2.0 * (192.0 + 768.0) + 32.0 * 5.0 + 32.0 * 6.0);
        check(&plain, [5, 0, 0], 0.0);
    }

    #[test]
    fn a_pass_in_pieces_costs_what_it_costs_at_once() {
        let config = config(2, MlpKind::Gated, vec![Some(3), None]);
        let steps: f64 = (4..9).map(|before| flops(&config, before, 1, 0)).sum();
        assert_eq!(flops(&config, 0, 4, 0) + steps, flops(&config, 0, 9, 0));
    }
}
