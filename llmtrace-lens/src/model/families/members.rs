//! What the models that are Llama but for a few things differ in.

use crate::error::LoadError;
use crate::model::fields::Fields;

use super::Head;

/// A model of the Llama family, with what transformers 5.23 takes for a field that config.json leaves out
/// (`configuration_*.py` of each).
pub(super) struct Member {
    /// `model_type`, without the `_text` that Gemma 3 has.
    pub(super) name: &'static str,
    pub(super) sizes: Sizes,
    pub(super) reach: Reach,
    /// Which of attention's four maps have a bias.
    pub(super) biases: Biases,
    /// The fields that name the activation, and the activation where none does.
    pub(super) activation: (&'static str, &'static str),
    pub(super) head: Head,
    /// Norms after attention and MLP, gains stored as `1 + w`, scaled embeddings.
    pub(super) gemma: bool,
    /// Norms of queries and keys.
    pub(super) qk_norm: bool,
    /// The caps of scores and of logits.
    pub(super) caps: [Option<f64>; 2],
}

/// Sizes that may be left out; none where the others tell, or where no default can be right.
pub(super) struct Sizes {
    pub(super) kv_heads: Option<usize>,
    pub(super) head_dim: Option<usize>,
    pub(super) whole: Option<Whole>,
}

/// The other sizes, which only a model with images leaves out: it says where its language model is unlike this one.
#[derive(Clone, Copy)]
pub(super) struct Whole {
    pub(super) hidden: usize,
    pub(super) intermediate: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) vocab: usize,
    pub(super) context: usize,
}

/// How far back the blocks look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All the way.
    Full,
    /// A window in every block.
    Window,
    /// A window in the blocks from `max_window_layers` on, where `use_sliding_window` is true.
    LastWindow,
    /// A window in every other block.
    Alternating,
    /// A window in all blocks but each sixth, or as `sliding_window_pattern` says.
    Pattern,
}

/// Which maps of attention have a bias.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Biases {
    /// None.
    Never,
    /// Queries, keys and values.
    Inputs,
    /// All four where `attention_bias` is true.
    Stated,
}

const BY_HEADS: Sizes = Sizes { kv_heads: None, head_dim: None, whole: None };

const LLAMA: Member = Member {
    name: "llama",
    sizes: BY_HEADS,
    reach: Reach::Full,
    biases: Biases::Stated,
    activation: ("hidden_act", "silu"),
    head: Head::Own,
    gemma: false,
    qk_norm: false,
    caps: [None, None],
};

const GEMMA2: Member = Member {
    name: "gemma2",
    sizes: Sizes { kv_heads: Some(4), head_dim: Some(256), whole: None },
    reach: Reach::Alternating,
    activation: ("hidden_activation", "gelu_pytorch_tanh"),
    head: Head::Tied,
    gemma: true,
    caps: [Some(50.0), Some(30.0)],
    ..LLAMA
};

const GEMMA3: Whole =
    Whole { hidden: 2304, intermediate: 9216, layers: 26, heads: 8, vocab: 262_208, context: 131_072 };

pub(super) const MEMBERS: &[Member] = &[
    LLAMA,
    Member {
        name: "mistral",
        sizes: Sizes { kv_heads: Some(8), ..BY_HEADS },
        reach: Reach::Window,
        biases: Biases::Never,
        ..LLAMA
    },
    Member {
        name: "qwen2",
        sizes: Sizes { kv_heads: Some(32), ..BY_HEADS },
        reach: Reach::LastWindow,
        biases: Biases::Inputs,
        ..LLAMA
    },
    Member {
        name: "qwen3",
        sizes: Sizes { kv_heads: Some(32), head_dim: Some(128), ..BY_HEADS },
        reach: Reach::LastWindow,
        qk_norm: true,
        ..LLAMA
    },
    GEMMA2,
    Member {
        name: "gemma3",
        sizes: Sizes { whole: Some(GEMMA3), ..GEMMA2.sizes },
        reach: Reach::Pattern,
        qk_norm: true,
        caps: [None, None],
        ..GEMMA2
    },
];

/// The window where `sliding_window` is left out, in positions.
const WINDOW: usize = 4096;

/// Every so many blocks one of Gemma 3 looks back all the way.
const PATTERN: usize = 6;

/// The first block of Qwen that has a window.
const FIRST_WINDOW: usize = 28;

impl Member {
    /// How far back each block looks, counting the position itself.
    pub(super) fn windows(
        &self,
        fields: &Fields<'_>,
        layers: usize,
    ) -> Result<Vec<Option<usize>>, LoadError> {
        let used = match self.reach {
            Reach::Full => false,
            Reach::LastWindow => fields.flag(&["use_sliding_window"], false)?,
            Reach::Window | Reach::Alternating | Reach::Pattern => true,
        };
        let window = if used { fields.count_unless_null("sliding_window", WINDOW)? } else { None };
        let slides = self.sliding(fields, layers, window.is_some())?;
        if window.is_none() && slides.contains(&true) {
            return Err(fields.wrong(&["sliding_window"], "is missing or not used, but blocks have a window"));
        }
        Ok(slides.into_iter().map(|slides| window.filter(|_| slides)).collect())
    }

    /// Whether each block has a window: `layer_types` as transformers 5 writes it, else the rule of the model.
    fn sliding(&self, fields: &Fields<'_>, layers: usize, windowed: bool) -> Result<Vec<bool>, LoadError> {
        let pattern = fields.count_or_none(&["sliding_window_pattern"])?.unwrap_or(PATTERN);
        let first = fields.whole(&["max_window_layers"], 0, usize::MAX)?.unwrap_or(FIRST_WINDOW);
        let rule = |layer: usize| match self.reach {
            Reach::Full | Reach::Window => windowed,
            Reach::LastWindow => windowed && layer >= first,
            Reach::Alternating => layer.is_multiple_of(2),
            Reach::Pattern => !(layer + 1).is_multiple_of(pattern),
        };
        let ruled: Vec<bool> = (0..layers).map(rule).collect();
        let name = ["layer_types"];
        let Some(kinds) = fields.list(&name)? else { return Ok(ruled) };
        if kinds.len() != layers {
            return Err(fields.wrong(&name, &format!("has {} entries, expected {layers}", kinds.len())));
        }
        let slides = kinds.iter().map(|kind| match kind.as_str() {
            Some("sliding_attention") => Ok(true),
            Some("full_attention") => Ok(false),
            _ => Err(fields.unexpected(&name, kind, "full_attention or sliding_attention")),
        });
        let slides = slides.collect::<Result<Vec<bool>, LoadError>>()?;
        // transformers has no kinds of blocks in these, and would compute something else than the file says.
        if matches!(self.reach, Reach::Full | Reach::Window) && slides != ruled {
            return Err(fields.wrong(&name, &format!("differs by block, which {} cannot", self.name)));
        }
        Ok(slides)
    }
}
