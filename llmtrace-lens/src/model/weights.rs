//! The weights of a model, whatever its family calls them.

use candle_core::Tensor;

use super::config::NormKind;

/// `x W + b`.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    /// `[in, out]`; often a transposed view of what is on disk.
    pub(crate) weight: Tensor,
    /// `[out]`.
    pub(crate) bias: Option<Tensor>,
}

/// A norm; Gemma's gain is stored as `1 + w`.
#[derive(Clone, Debug)]
pub(crate) struct Norm {
    pub(crate) kind: NormKind,
    pub(crate) epsilon: f64,
    pub(crate) gain: Tensor,
    pub(crate) bias: Option<Tensor>,
}

/// Queries, keys and values of all heads come from one product.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    /// `[D, (H + 2 K) dh]`: queries of each head, then keys, then values.
    pub(crate) qkv: Linear,
    pub(crate) q_norm: Option<Norm>,
    pub(crate) k_norm: Option<Norm>,
    /// `[H dh, D]`.
    pub(crate) output: Linear,
}

#[derive(Clone, Debug)]
pub(crate) struct Mlp {
    /// `[D, M]`.
    pub(crate) input: Linear,
    /// `[D, M]`.
    pub(crate) gate: Option<Linear>,
    /// `[M, D]`.
    pub(crate) output: Linear,
}

#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) ln1: Norm,
    pub(crate) attention: Attention,
    pub(crate) ln1_post: Option<Norm>,
    pub(crate) ln2: Norm,
    pub(crate) mlp: Mlp,
    pub(crate) ln2_post: Option<Norm>,
}

#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// `[V, D]`.
    pub(crate) embed: Tensor,
    /// `[context, D]`.
    pub(crate) positions: Option<Tensor>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) ln_final: Norm,
    /// `[D, V]`; a view of `embed` where they are tied.
    pub(crate) unembed: Linear,
}
