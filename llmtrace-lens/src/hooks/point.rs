//! Names of hook points, as TransformerLens has them.

use std::fmt;

use crate::model::{Config, MlpKind, Positions, Residual};

/// A place of the forward pass whose value can be read and replaced.
///
/// It is written as classic TransformerLens writes it: `blocks.3.attn.hook_pattern`, `hook_embed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HookPoint {
    layer: Option<usize>,
    site: Site,
}

impl HookPoint {
    /// A point outside the blocks, such as `hook_embed`; a site of a block is placed in layer 0.
    pub fn global(site: Site) -> Self {
        Self { layer: site.in_block().then_some(0), site }
    }

    /// A point of one block; a site outside the blocks stays there.
    pub fn block(layer: usize, site: Site) -> Self {
        Self { layer: site.in_block().then_some(layer), site }
    }

    /// The block, counted from 0; none outside the blocks.
    pub fn layer(self) -> Option<usize> {
        self.layer
    }

    /// What is computed there.
    pub fn site(self) -> Site {
        self.site
    }

    /// Reads the name of a point of models of this shape: a classic one, one of TransformerLens 3 or 4, or a short one
    /// (`resid_pre3`, `k6`).
    pub(crate) fn parse(name: &str, config: &Config) -> Option<Self> {
        let site = |name: &str, in_block: bool| {
            let mut sites = Site::all().filter(|site| site.in_block() == in_block && site.exists_in(config));
            sites.find(|site| site.names(config).any(|known| known == name))
        };
        if let Some((layer, rest)) = name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) {
            return Some(Self::block(layer.parse().ok()?, site(rest, true)?));
        }
        site(name, false).map(Self::global).or_else(|| Self::parse_short(name, config))
    }

    /// The classic name and its aliases in models of this shape.
    pub(crate) fn names(self, config: &Config) -> impl Iterator<Item = String> {
        self.site.names(config).map(move |name| match self.layer {
            Some(layer) => format!("blocks.{layer}.{name}"),
            None => name.to_owned(),
        })
    }

    /// A short name that two sites have (`out3`) is none.
    fn parse_short(name: &str, config: &Config) -> Option<Self> {
        let digits = name.find(|c: char| c.is_ascii_digit())?;
        let end = name[digits..].find(|c: char| !c.is_ascii_digit()).map_or(name.len(), |at| digits + at);
        let layer = name[digits..end].parse().ok()?;
        let (what, norm) = (&name[..digits], &name[end..]);
        let matches = |site: &Site| {
            let (parent, leaf) = site.name().rsplit_once('.').unwrap_or(("", site.name()));
            let leaf = leaf.strip_prefix("hook_").unwrap_or(leaf);
            let parent = if parent.starts_with("ln") { parent } else { "" };
            site.in_block() && site.exists_in(config) && leaf == what && parent == norm
        };
        let mut sites = Site::all().filter(matches);
        let site = sites.next()?;
        sites.next().is_none().then(|| Self::block(layer, site))
    }

    pub(crate) fn index(self) -> usize {
        self.layer.unwrap_or(0) * SITES.len() + self.site as usize
    }
}

impl fmt::Display for HookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Some(layer) => write!(f, "blocks.{layer}.{}", self.site.name()),
            None => f.write_str(self.site.name()),
        }
    }
}

macro_rules! sites {
    ($($(#[$doc:meta])* $site:ident, $block:literal, $name:literal, [$($alias:literal),*];)*) => {
        /// What is computed at a hook point. b: batch, t: query position, s: key position, H: heads, K: key and value heads,
        /// dh: size of a head, D: width of the residual stream, M: width of the MLP, V: vocabulary.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Site { $($(#[$doc])* $site,)* }

        /// Site, whether it is in a block, classic name, aliases.
        const SITES: &[(Site, bool, &str, &[&str])] = &[$((Site::$site, $block, $name, &[$($alias),*]),)*];
    };
}

sites! {
    /// Token embeddings `[b,t,D]`, scaled where the model scales them (Gemma).
    Embed, false, "hook_embed", ["embed.hook_out"];
    /// Learned position embeddings `[b,t,D]`.
    PosEmbed, false, "hook_pos_embed", ["pos_embed.hook_out"];
    /// The residual stream that enters a block `[b,t,D]`.
    ResidPre, true, "hook_resid_pre", ["hook_in"];
    /// The stream once per head, as all of attention reads it `[b,t,H,D]`; only where it is named.
    AttnIn, true, "hook_attn_in", [];
    /// The stream as each query head reads it `[b,t,H,D]`; only where it is named.
    QInput, true, "hook_q_input", ["attn.q.hook_in"];
    /// The stream as each key head reads it `[b,t,K,D]`; only where it is named.
    KInput, true, "hook_k_input", ["attn.k.hook_in"];
    /// The stream as each value head reads it `[b,t,K,D]`; only where it is named.
    VInput, true, "hook_v_input", ["attn.v.hook_in"];
    /// What the first norm divides by `[b,t,1]`. Where a run looks at an input of heads (`hook_attn_in`, `hook_q_input`,
    /// `hook_k_input`, `hook_v_input`), the norm is one of each head's input: `[b,t,H+2K,1]`, query heads, then key heads,
    /// then value heads.
    Ln1Scale, true, "ln1.hook_scale", [];
    /// The first norm before gain and bias `[b,t,D]`; `[b,t,H+2K,D]` where a run looks at an input of heads.
    Ln1Normalized, true, "ln1.hook_normalized", [];
    /// The first norm after gain and bias `[b,t,D]`; `[b,t,H+2K,D]` where a run looks at an input of heads.
    Ln1Out, true, "ln1.hook_out", ["attn.hook_in"];
    /// Queries before rotation `[b,t,H,dh]`.
    Q, true, "attn.hook_q", ["attn.q.hook_out"];
    /// Keys before rotation `[b,s,K,dh]`.
    K, true, "attn.hook_k", ["attn.k.hook_out"];
    /// Values `[b,s,K,dh]`.
    V, true, "attn.hook_v", ["attn.v.hook_out"];
    /// Queries after their norm `[b,t,H,dh]` (Qwen3, Gemma 3).
    QNormed, true, "attn.hook_q_normed", [];
    /// Keys after their norm `[b,s,K,dh]` (Qwen3, Gemma 3).
    KNormed, true, "attn.hook_k_normed", [];
    /// Queries after rotation `[b,t,H,dh]`.
    RotQ, true, "attn.hook_rot_q", [];
    /// Keys after rotation `[b,s,K,dh]`.
    RotK, true, "attn.hook_rot_k", [];
    /// Attention scores after scale, softcap and mask `[b,H,t,s]`; masked ones are minus infinity.
    AttnScores, true, "attn.hook_attn_scores", [];
    /// Attention weights `[b,H,t,s]`.
    Pattern, true, "attn.hook_pattern", ["attn.hook_attention_weights"];
    /// Values weighted by attention `[b,t,H,dh]`.
    Z, true, "attn.hook_z", ["attn.o.hook_in"];
    /// What each head writes, without the bias `[b,t,H,D]`; only where it is named.
    Result, true, "attn.hook_result", [];
    /// What attention writes before the norm after it `[b,t,D]` (Gemma 2 and 3); of other models this is a name of `hook_attn_out`.
    AttnWritten, true, "attn.hook_out", ["attn.hook_hidden_states"];
    /// What the norm after attention divides by `[b,t,1]` (Gemma 2 and 3).
    Ln1PostScale, true, "ln1_post.hook_scale", [];
    /// The norm after attention before its gain `[b,t,D]` (Gemma 2 and 3).
    Ln1PostNormalized, true, "ln1_post.hook_normalized", [];
    /// The norm after attention after its gain `[b,t,D]` (Gemma 2 and 3): what attention adds to the stream.
    Ln1PostOut, true, "ln1_post.hook_out", [];
    /// What attention adds to the stream `[b,t,D]`, after the norm that some models have there.
    AttnOut, true, "hook_attn_out", [];
    /// The stream between attention and MLP `[b,t,D]`; absent in parallel blocks (Pythia).
    ResidMid, true, "hook_resid_mid", ["ln2.hook_in"];
    /// The stream as the MLP reads it `[b,t,D]`; only where it is named.
    MlpIn, true, "hook_mlp_in", [];
    /// What the second norm divides by `[b,t,1]`.
    Ln2Scale, true, "ln2.hook_scale", [];
    /// The second norm before gain and bias `[b,t,D]`.
    Ln2Normalized, true, "ln2.hook_normalized", [];
    /// The second norm after gain and bias `[b,t,D]`.
    Ln2Out, true, "ln2.hook_out", ["mlp.hook_in"];
    /// Neurons before their nonlinearity `[b,t,M]`; the gate branch where there is one.
    Pre, true, "mlp.hook_pre", [];
    /// The linear branch of a gated MLP `[b,t,M]`.
    PreLinear, true, "mlp.hook_pre_linear", [];
    /// Neurons after their nonlinearity, times the linear branch where there is one `[b,t,M]`.
    Post, true, "mlp.hook_post", ["mlp.out.hook_in"];
    /// What the MLP writes before the norm after it `[b,t,D]` (Gemma 2 and 3); of other models this is a name of `hook_mlp_out`.
    MlpWritten, true, "mlp.hook_out", [];
    /// What the norm after the MLP divides by `[b,t,1]` (Gemma 2 and 3).
    Ln2PostScale, true, "ln2_post.hook_scale", [];
    /// The norm after the MLP before its gain `[b,t,D]` (Gemma 2 and 3).
    Ln2PostNormalized, true, "ln2_post.hook_normalized", [];
    /// The norm after the MLP after its gain `[b,t,D]` (Gemma 2 and 3): what the MLP adds to the stream.
    Ln2PostOut, true, "ln2_post.hook_out", [];
    /// What the MLP adds to the stream `[b,t,D]`, after the norm that some models have there.
    MlpOut, true, "hook_mlp_out", [];
    /// The residual stream that leaves a block `[b,t,D]`.
    ResidPost, true, "hook_resid_post", ["hook_out"];
    /// What the final norm divides by `[b,t,1]`.
    LnFinalScale, false, "ln_final.hook_scale", [];
    /// The final norm before gain and bias `[b,t,D]`.
    LnFinalNormalized, false, "ln_final.hook_normalized", ["normalized"];
    /// The final norm after gain and bias, which the unembedding reads `[b,t,D]`.
    LnFinalOut, false, "ln_final.hook_out", ["unembed.hook_in"];
    /// Logits `[b,t,V]` of the positions asked for, before the softcap of models that have one.
    Unembed, false, "hook_unembed", ["unembed.hook_out"];
}

impl Site {
    /// Every site, in the order of the forward pass.
    pub fn all() -> impl Iterator<Item = Self> {
        SITES.iter().map(|(site, ..)| *site)
    }

    /// The classic name, without `blocks.N.`.
    pub fn name(self) -> &'static str {
        SITES[self as usize].2
    }

    /// Whether each block has one.
    pub fn in_block(self) -> bool {
        SITES[self as usize].1
    }

    /// Whether it costs extra work, so that `*` leaves it out: TransformerLens has a flag for each of them.
    pub fn is_costly(self) -> bool {
        matches!(self, Self::AttnIn | Self::QInput | Self::KInput | Self::VInput | Self::Result | Self::MlpIn)
    }

    /// Whether a model of this shape computes it.
    pub fn exists_in(self, config: &Config) -> bool {
        let rotary = matches!(config.positions, Positions::Rotary(_));
        match self {
            Self::PosEmbed => !rotary,
            Self::RotQ | Self::RotK => rotary,
            Self::QNormed | Self::KNormed => config.qk_norm,
            Self::AttnWritten | Self::Ln1PostScale | Self::Ln1PostNormalized | Self::Ln1PostOut => {
                config.post_norms
            }
            Self::MlpWritten | Self::Ln2PostScale | Self::Ln2PostNormalized | Self::Ln2PostOut => {
                config.post_norms
            }
            Self::ResidMid => config.residual == Residual::Sequential,
            Self::PreLinear => config.mlp == MlpKind::Gated,
            Self::AttnIn => config.heads == config.kv_heads,
            _ => true,
        }
    }

    /// The classic name and its aliases in models of this shape.
    pub(crate) fn names(self, config: &Config) -> impl Iterator<Item = &'static str> {
        let (_, _, name, aliases) = SITES[self as usize];
        std::iter::once(name).chain(aliases.iter().chain(self.aliases_by_shape(config)).copied())
    }

    /// Names that TransformerLens 3 and 4 give to the parts that a block has.
    fn aliases_by_shape(self, config: &Config) -> &'static [&'static str] {
        match (self, config.post_norms, config.mlp) {
            (Self::AttnOut, false, _) => &["attn.hook_out", "attn.hook_hidden_states"],
            (Self::MlpOut, false, _) => &["mlp.hook_out"],
            (Self::Pre, _, MlpKind::Gated) => &["mlp.gate.hook_out"],
            (Self::Pre, _, MlpKind::Plain) | (Self::PreLinear, _, MlpKind::Gated) => &["mlp.in.hook_out"],
            _ => &[],
        }
    }

    pub(crate) const COUNT: usize = SITES.len();
}
