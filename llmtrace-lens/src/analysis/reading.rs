//! A run that is ready to be read.

use std::sync::Arc;

use candle_core::Tensor;

use super::error::ReadError;
use crate::hooks::{ActivationCache, Filter, HookPoint, Hooks, Site};
use crate::model::{Config, Model, Readout, TokenLabel};
use crate::ops::floats;

/// The run of a model over one text, ready to be read.
///
/// ```no_run
/// use llmtrace_lens::Model;
/// use llmtrace_lens::analysis::{Reading, Target};
///
/// let model = Model::load("models/toy-relu")?;
/// let tokens = model.tokenize("the capital of the state containing Dallas is")?;
/// let reading = Reading::new(&model, &tokens)?;
/// println!("{}", reading.logit_lens().read()?);
/// println!("{}", reading.attribute(Target::Logit(model.token_id("Austin")?))?.heads()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reading<'m> {
    pub(super) model: &'m Model,
    pub(super) tokens: Vec<u32>,
    pub(super) cache: ActivationCache,
}

/// What the readings need of a run.
const KEPT: [Site; 16] = [
    Site::Embed,
    Site::PosEmbed,
    Site::ResidPre,
    Site::V,
    Site::Pattern,
    Site::Z,
    Site::Ln1PostScale,
    Site::AttnOut,
    Site::ResidMid,
    Site::Post,
    Site::Ln2PostScale,
    Site::MlpOut,
    Site::ResidPost,
    Site::LnFinalScale,
    Site::LnFinalOut,
    Site::Unembed,
];

impl<'m> Reading<'m> {
    /// Runs a model and keeps what the readings need; only the last position is turned into logits.
    ///
    /// # Errors
    /// No token, one outside the vocabulary, or more than the model has positions for.
    pub fn new(model: &'m Model, tokens: &[u32]) -> Result<Self, ReadError> {
        let mut hooks = Hooks::new().keep(Self::filter(model.config()));
        let (_, cache) = model.run_batch_with_hooks(&[tokens], Readout::Last, &mut hooks)?;
        Self::of(model, tokens, cache)
    }

    /// Reads a run that was made otherwise, such as one with hooks; readings refuse when a value they need was not kept.
    ///
    /// # Errors
    /// The cache is that of another model, or of another load of this one.
    pub fn of(model: &'m Model, tokens: &[u32], cache: ActivationCache) -> Result<Self, ReadError> {
        if !Arc::ptr_eq(cache.shared_config(), model.shared_config()) {
            return Err(ReadError::OtherModel { model: model.name().to_owned() });
        }
        Ok(Self { model, tokens: tokens.to_vec(), cache })
    }

    /// The points that [`new`](Self::new) keeps, for a run with hooks that is to be read.
    pub fn filter(config: &Config) -> Filter {
        let exists = |site: &Site| site.exists_in(config) && (config.layers > 0 || !site.in_block());
        let name = |site: Site| {
            if site.in_block() { format!("blocks.*.{}", site.name()) } else { site.name().to_owned() }
        };
        let names: Vec<String> = KEPT.into_iter().filter(exists).map(name).collect();
        Filter::new(&names.join(","))
    }

    /// The model.
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// The tokens it read.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The values the run kept.
    pub fn cache(&self) -> &ActivationCache {
        &self.cache
    }

    /// The tokens and their texts.
    pub fn labels(&self) -> Vec<TokenLabel> {
        self.tokens.iter().map(|id| self.model.token_label(*id)).collect()
    }

    pub(super) fn config(&self) -> &'m Config {
        self.model.config()
    }

    /// A value `[1, t, ..]` of the run, whose other dimensions are as stated.
    pub(super) fn value(&self, point: HookPoint, rest: &[usize]) -> Result<&Tensor, ReadError> {
        let value = self.cache.at(point)?;
        let mut expected = vec![1, self.tokens.len()];
        expected.extend(rest);
        if value.dims() == expected {
            return Ok(value);
        }
        Err(ReadError::Shape { point, expected, found: value.dims().to_vec() })
    }

    /// The residual stream, or what is added to it, `[1, t, D]`.
    pub(super) fn stream(&self, point: HookPoint) -> Result<&Tensor, ReadError> {
        self.value(point, &[self.config().d_model])
    }

    /// The stream that the final norm reads `[1, t, D]`.
    pub(super) fn last_stream(&self) -> Result<&Tensor, ReadError> {
        self.stream(self.last_point())
    }

    pub(super) fn last_point(&self) -> HookPoint {
        HookPoint::block(self.config().layers.saturating_sub(1), Site::ResidPost)
    }

    /// The attention `[H, t, s]` of a block, head by head.
    pub(super) fn pattern(&self, layer: usize) -> Result<Tensor, ReadError> {
        let point = HookPoint::block(layer, Site::Pattern);
        let (value, steps) = (self.cache.at(point)?, self.tokens.len());
        let expected = vec![1, self.config().heads, steps, steps];
        if value.dims() == expected {
            return Ok(value.squeeze(0)?);
        }
        Err(ReadError::Shape { point, expected, found: value.dims().to_vec() })
    }

    /// One position of a value `[1, t, ..]`, flat.
    pub(super) fn at(
        &self,
        point: HookPoint,
        rest: &[usize],
        position: usize,
    ) -> Result<Vec<f32>, ReadError> {
        Ok(floats(&self.value(point, rest)?.narrow(1, position, 1)?)?)
    }

    /// One position of what was computed after the blocks, where the run turned it into logits; none where it did not.
    pub(super) fn late(&self, site: Site, position: usize) -> Result<Option<Vec<f32>>, ReadError> {
        let Ok(value) = self.cache.at(HookPoint::global(site)) else { return Ok(None) };
        let (found, steps) = (value.dim(1)?, self.tokens.len());
        if found == steps {
            return Ok(Some(floats(&value.narrow(1, position, 1)?)?));
        }
        if found == 1 && position + 1 == steps { Ok(Some(floats(value)?)) } else { Ok(None) }
    }
}

impl HookPoint {
    /// The short name of a point of the stream: `0_pre`, `0_mid`, `0_post`.
    pub(super) fn stream_label(self) -> String {
        let name = self.site().name().strip_prefix("hook_resid_").unwrap_or(self.site().name());
        self.layer().map_or_else(|| name.to_owned(), |layer| format!("{layer}_{name}"))
    }
}

/// Rounds a result to single precision, as the model computes.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}
