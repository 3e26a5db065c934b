//! A model in memory.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use tokenizers::Tokenizer;

use super::checkpoint::Checkpoint;
use super::config::Config;
use super::end_tokens;
use super::families;
use super::fields::Fields;
use super::forward::{Forward, Readout, Start};
use super::json_file;
use super::session::Session;
use super::tokenizer;
use super::weights::Weights;
use crate::error::{LoadError, RunError};
use crate::hooks::{ActivationCache, Filter, HookPoint, HookTap, Hooks, NoTap, Tap, points};
use crate::ops;

/// The most attention scores of one layer, `batch * heads * queries * keys`: 8 GiB of them.
const MAX_SCORES: usize = 1 << 31;

/// A local model: its shape, its weights and its tokenizer.
#[derive(Clone)]
pub struct Model {
    config: Arc<Config>,
    weights: Arc<Weights>,
    tokenizer: Option<Arc<Tokenizer>>,
    name: String,
    end_tokens: Arc<[u32]>,
    device: Device,
}

impl Model {
    /// Loads a folder as Hugging Face writes it: `config.json`, `model.safetensors` (or several with an index), `tokenizer.json` where there is one.
    ///
    /// Weights may be f32, f16 or bf16; they are computed with as f32.
    ///
    /// # Errors
    /// A file is missing, broken or cut off, the architecture is not known, or a tensor is missing or of another shape than `config.json` says.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::load_on(folder, &Device::Cpu)
    }

    /// The same on another device.
    ///
    /// # Errors
    /// As for [`load`](Self::load), or the device refuses.
    pub fn load_on(folder: impl AsRef<Path>, device: &Device) -> Result<Self, LoadError> {
        let folder = folder.as_ref();
        let path = folder.join("config.json");
        let values = json_file::read(&path)?;
        let name = folder
            .canonicalize()
            .ok()
            .and_then(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()));
        let name = name.unwrap_or_else(|| "local".to_owned());
        let tokenizer = tokenizer::of_folder(folder)?;
        let files = Checkpoint::open(folder, device)?;
        let mut model = Self::assemble(name, (&path, &values), &files, tokenizer, device)?;
        if let Some(tokens) = end_tokens::of_folder(folder)? {
            model.end_tokens = tokens.into();
        }
        Ok(model)
    }

    /// The same under another name than that of its folder.
    #[cfg(feature = "hub")]
    pub(crate) fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// A model of this `config.json` and these tensors.
    pub(super) fn assemble(
        name: String,
        (path, values): (&Path, &serde_json::Value),
        files: &Checkpoint,
        tokenizer: Option<Tokenizer>,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let values = values.as_object().ok_or_else(|| LoadError::Format {
            path: path.to_owned(),
            problem: "is no JSON object".to_owned(),
        })?;
        ops::order_weights();
        let fields = Fields::new(path, values);
        let (config, weights) = families::read(&fields, files)?;
        Ok(Self {
            config: Arc::new(config),
            weights: Arc::new(weights),
            tokenizer: tokenizer.map(Arc::new),
            name,
            end_tokens: end_tokens::of_config(&fields)?.into(),
            device: device.clone(),
        })
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The name of the folder it was loaded from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tokens with which it ends its answers, as `generation_config.json` says, else `config.json`.
    pub fn end_tokens(&self) -> &[u32] {
        &self.end_tokens
    }

    /// The device it is on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Its tokenizer, where the folder had one.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.tokenizer.as_deref()
    }

    /// Every hook point it has, in the order of the forward pass.
    pub fn hook_points(&self) -> impl Iterator<Item = HookPoint> {
        points(&self.config)
    }

    /// The ids of a text's tokens, with the special tokens that the tokenizer adds.
    ///
    /// # Errors
    /// The folder had no tokenizer, or it cannot read this text.
    pub fn tokenize(&self, text: &str) -> Result<Vec<u32>, RunError> {
        Ok(self.tokenize_marked(text)?.into_iter().map(|(id, _)| id).collect())
    }

    /// Logits `[1, t, V]` of one sequence.
    ///
    /// # Errors
    /// No token, one outside the vocabulary, or more than the model has positions for.
    pub fn run(&self, tokens: &[u32]) -> Result<Tensor, RunError> {
        self.run_batch(&[tokens], Readout::All)
    }

    /// Logits `[b, t, V]`, or `[b, 1, V]`, of sequences of one length.
    ///
    /// # Errors
    /// As for [`run`](Self::run); or the lengths differ.
    pub fn run_batch(&self, sequences: &[&[u32]], readout: Readout) -> Result<Tensor, RunError> {
        let tokens = self.batch(sequences, 0)?;
        self.forward(&mut NoTap, Start::Tokens(&tokens), readout)
    }

    /// Logits `[1, t, V]`, and the values at the points that `filter` chooses.
    ///
    /// # Errors
    /// As for [`run`](Self::run); or the filter names a point that the model does not have.
    pub fn run_with_cache(
        &self,
        tokens: &[u32],
        filter: impl Into<Filter>,
    ) -> Result<(Tensor, ActivationCache), RunError> {
        self.run_with_hooks(tokens, &mut Hooks::new().keep(filter))
    }

    /// Logits `[1, t, V]` of a run that calls `hooks`, and the values they keep.
    ///
    /// # Errors
    /// As for [`run`](Self::run); a hook's pattern fits no point, a hook failed, or it gave a value of another shape.
    pub fn run_with_hooks(
        &self,
        tokens: &[u32],
        hooks: &mut Hooks<'_>,
    ) -> Result<(Tensor, ActivationCache), RunError> {
        self.run_batch_with_hooks(&[tokens], Readout::All, hooks)
    }

    /// The same for sequences of one length.
    ///
    /// # Errors
    /// As for [`run_with_hooks`](Self::run_with_hooks); or the lengths differ.
    pub fn run_batch_with_hooks(
        &self,
        sequences: &[&[u32]],
        readout: Readout,
        hooks: &mut Hooks<'_>,
    ) -> Result<(Tensor, ActivationCache), RunError> {
        let tokens = self.batch(sequences, 0)?;
        let mut tap = HookTap::new(hooks, &self.config)?;
        let logits = self.forward(&mut tap, Start::Tokens(&tokens), readout)?;
        Ok((logits, tap.cache))
    }

    /// Logits of a run that begins with token embeddings `[b, t, D]`, scaled where the model scales them, and what `hooks` keep.
    ///
    /// # Errors
    /// The embeddings have another shape, or a hook failed.
    pub fn run_embeddings(
        &self,
        embeddings: &Tensor,
        readout: Readout,
        hooks: &mut Hooks<'_>,
    ) -> Result<(Tensor, ActivationCache), RunError> {
        self.check_stream(embeddings)?;
        let mut tap = HookTap::new(hooks, &self.config)?;
        let logits = self.forward(&mut tap, Start::Embeddings(embeddings.clone()), readout)?;
        Ok((logits, tap.cache))
    }

    /// Logits of a run that begins with the stream `[b, t, D]` that enters a block, and what `hooks` keep: the blocks before it cost nothing.
    ///
    /// # Errors
    /// There is no such block, the stream has another shape, or a hook failed.
    pub fn run_residual(
        &self,
        layer: usize,
        stream: &Tensor,
        readout: Readout,
        hooks: &mut Hooks<'_>,
    ) -> Result<(Tensor, ActivationCache), RunError> {
        self.check_stream(stream)?;
        if layer > self.config.layers {
            return Err(RunError::Input(format!(
                "there is no block {layer}: the model has {}",
                self.config.layers
            )));
        }
        let mut tap = HookTap::new(hooks, &self.config)?;
        let logits = self.forward(&mut tap, Start::Residual(layer, stream.clone()), readout)?;
        Ok((logits, tap.cache))
    }

    /// Starts a text that the model goes on with, token by token.
    pub fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    pub(crate) fn forward(
        &self,
        tap: &mut dyn Tap,
        start: Start<'_>,
        readout: Readout,
    ) -> Result<Tensor, RunError> {
        Forward { config: &self.config, weights: &self.weights, tap, past: None }.logits(start, readout)
    }

    pub(crate) fn check_stream(&self, stream: &Tensor) -> Result<(), RunError> {
        let width = self.config.d_model;
        match stream.dims() {
            [batch, steps, found] if *batch > 0 && *steps > 0 && *found == width => Ok(()),
            found => Err(RunError::Input(format!(
                "a stream of shape {found:?} was given, expected [batch, positions, {width}]"
            ))),
        }
    }

    /// The same model with other weights of the same shapes.
    pub(crate) fn with_weights(&self, weights: Weights) -> Self {
        Self { weights: Arc::new(weights), ..self.clone() }
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    pub(crate) fn shared_config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Refuses positions beyond the model's context, and more at once than memory has room for.
    pub(crate) fn check_positions(&self, batch: usize, before: usize, steps: usize) -> Result<(), RunError> {
        let (context, heads) = (self.config.context, self.config.heads);
        let all = before.saturating_add(steps);
        if all > context {
            return Err(RunError::Input(format!(
                "{all} positions are more than the {context} that the model has"
            )));
        }
        let scores = batch.saturating_mul(heads).saturating_mul(steps).saturating_mul(all);
        if scores > MAX_SCORES {
            return Err(RunError::Input(format!(
                "{batch} sequences of {steps} tokens after {before} have {scores} attention scores a layer, more than \
                 {MAX_SCORES}: give fewer tokens at once"
            )));
        }
        Ok(())
    }

    /// Token ids `[b, t]` that the model can read at position `before`.
    pub(crate) fn batch(&self, sequences: &[&[u32]], before: usize) -> Result<Tensor, RunError> {
        let steps = sequences.first().map_or(0, |sequence| sequence.len());
        if steps == 0 {
            return Err(RunError::Input("there is no token to run".to_owned()));
        }
        if let Some(other) = sequences.iter().find(|sequence| sequence.len() != steps) {
            return Err(RunError::Input(format!(
                "sequences of {steps} and {} tokens cannot be run as one batch",
                other.len()
            )));
        }
        if let Some(token) =
            sequences.iter().copied().flatten().find(|token| **token as usize >= self.config.vocab)
        {
            return Err(RunError::Input(format!(
                "token {token} is outside the vocabulary of {} tokens",
                self.config.vocab
            )));
        }
        self.check_positions(sequences.len(), before, steps)?;
        Ok(Tensor::from_vec(sequences.concat(), (sequences.len(), steps), &self.device)?)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
