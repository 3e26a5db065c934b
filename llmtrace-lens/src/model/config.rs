//! The shape of a model, whatever its family calls it.

/// What a forward pass needs to know of a model besides its weights.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// `model_type` of config.json.
    pub family: String,
    /// Number of blocks.
    pub layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the MLP.
    pub d_mlp: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; fewer than query heads where several share one (GQA).
    pub kv_heads: usize,
    /// Size of a head.
    pub head_dim: usize,
    /// Tokens in the vocabulary.
    pub vocab: usize,
    /// Positions that the model was made for.
    pub context: usize,
    /// The norms.
    pub norm: NormKind,
    /// Added to the variance or mean square in the norms.
    pub epsilon: f64,
    /// How positions enter.
    pub positions: Positions,
    /// The nonlinearity of the MLP.
    pub activation: Activation,
    /// The shape of the MLP.
    pub mlp: MlpKind,
    /// Whether attention and MLP read the stream one after the other.
    pub residual: Residual,
    /// Whether attention and MLP outputs are normed before they are added (Gemma 2 and 3).
    pub post_norms: bool,
    /// Whether queries and keys are normed per head (Qwen3, Gemma 3).
    pub qk_norm: bool,
    /// What attention scores are multiplied by.
    pub attention_scale: f64,
    /// Scores are squashed to `cap * tanh(score / cap)`.
    pub attention_softcap: Option<f64>,
    /// Logits are squashed likewise.
    pub logit_softcap: Option<f64>,
    /// What token embeddings are multiplied by.
    pub embed_scale: Option<f64>,
    /// Per block: how many positions back attention reaches, counting the position itself; none where it reaches all.
    pub windows: Vec<Option<usize>>,
}

/// Which norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// Centred and divided by the standard deviation (Ba et al. 2016).
    Layer,
    /// Divided by the root mean square (Zhang and Sennrich 2019).
    Rms,
}

/// How positions enter a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Positions {
    /// Learned embeddings are added.
    Learned,
    /// Queries and keys are rotated (Su et al. 2021); one entry a block.
    Rotary(Vec<Rotary>),
}

/// One rotation of queries and keys: the first `2 * frequencies.len()` dimensions, halves paired (as Llama and GPT-NeoX do).
#[derive(Clone, Debug, PartialEq)]
pub struct Rotary {
    /// Radians a position, for each pair of dimensions.
    pub frequencies: Vec<f64>,
    /// What sine and cosine are multiplied by.
    pub scale: f64,
}

/// The nonlinearity of an MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// GELU by its tanh formula (Hendrycks and Gimpel 2016).
    GeluTanh,
    /// GELU by the error function.
    Gelu,
    /// `x * sigmoid(x)`.
    Silu,
    /// `max(x, 0)`.
    Relu,
}

/// The shape of an MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MlpKind {
    /// `out(act(in(x)))`.
    Plain,
    /// `out(act(gate(x)) * in(x))`.
    Gated,
}

/// How a block adds to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residual {
    /// The MLP reads what attention wrote.
    Sequential,
    /// Both read what entered the block (GPT-NeoX).
    Parallel,
}
