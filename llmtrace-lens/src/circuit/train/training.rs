//! Training the transcoders of a model.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::learner::Learner;
use super::samples::Corpus;
use super::sparsity::Sparsity;
use super::write;
use crate::circuit::error::CircuitError;
use crate::circuit::transcoder::FeatureInput;
use crate::model::{Model, NormKind};

/// Trains one transcoder a layer for a model.
///
/// ```
/// use llmtrace_lens::circuit::train::{Sparsity, Training};
/// use llmtrace_lens::handmade::TwoStep;
///
/// let model = TwoStep::model()?;
/// let texts = (1..=6).map(|city| vec![0, city, TwoStep::CAPITAL]).collect::<Vec<_>>();
/// let folder = std::env::temp_dir().join("two-step-jump-relu");
///
/// // Three features of eight on average, each above a threshold that it learns.
/// let training = Training::new(&model).features(8).sparsity(Sparsity::JumpRelu(3.0)).steps(300);
/// for layer in training.run(&texts, &folder, |_| ())? {
///     println!("layer {}: FVU {:.4}, L0 {:.1}", layer.layer, layer.fvu, layer.l0);
/// }
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Training<'m> {
    pub(super) model: &'m Model,
    pub(super) features: usize,
    pub(super) sparsity: Sparsity,
    input: FeatureInput,
    pub(super) steps: usize,
    pub(super) batch: usize,
    pub(super) rate: f64,
    seed: u64,
    max_positions: usize,
    window: usize,
    /// Those that are trained; all where none is named.
    layers: Vec<usize>,
}

/// One step of training. Errors and activations are those of the step's batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// The layer that learns.
    pub layer: usize,
    /// How many layers have learnt before it.
    pub before: usize,
    /// How many layers learn.
    pub layers: usize,
    /// The step, counted from 1.
    pub step: usize,
    /// How many steps a layer takes.
    pub steps: usize,
    /// What is made smaller: mean squared error of outputs of variance 1, and what activations cost.
    pub loss: f64,
    /// The fraction of the outputs' variance that is unexplained: 0 is perfect, 1 as bad as the mean.
    pub fvu: f64,
    /// How many features are active at a position, on average.
    pub l0: f64,
    /// How many features were active at none of the positions of the last pass over the corpus.
    pub dead: usize,
}

/// What became of a layer. One text of ten, chosen at random, was kept out of the training to judge it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TrainedLayer {
    /// The layer.
    pub layer: usize,
    /// Positions that it learnt from.
    pub positions: usize,
    /// Positions that it is judged by; where the corpus has less than ten texts, it is judged by those that it learnt from.
    pub held_out: usize,
    /// The loss there.
    pub loss: f64,
    /// The fraction of the outputs' variance there that is unexplained: 0 is perfect, 1 as bad as the mean.
    pub fvu: f64,
    /// How many features are active at a position there, on average.
    pub l0: f64,
    /// How many features there are.
    pub features: usize,
    /// How many of them are active at no position of the corpus.
    pub dead: usize,
}

/// The most numbers of the encoders of one layer: 2 GiB of them, and as much for each of their decoders, gradients and moments.
const MAX_ENCODERS: usize = 1 << 29;
/// Bytes of activations that are held at a time, whatever the model; one layer's where these alone are more.
const MAX_BYTES: usize = 1 << 30;

impl<'m> Training<'m> {
    /// Features four times as many as the stream is wide and 32 of them active, 3000 steps of 256 positions at a rate of
    /// 0.06 divided by the root of the stream's width, on what the MLPs read after their norms.
    pub fn new(model: &'m Model) -> Self {
        let width = model.config().d_model;
        Self {
            model,
            features: 4 * width,
            sparsity: Sparsity::TopK(32.min(width)),
            input: FeatureInput::MlpInput,
            steps: 3000,
            batch: 256,
            rate: 0.06 / (width.max(1) as f64).sqrt(),
            seed: 0,
            max_positions: 200_000,
            window: 256,
            layers: Vec::new(),
        }
    }

    /// How many features a layer has.
    pub fn features(mut self, features: usize) -> Self {
        self.features = features;
        self
    }

    /// What keeps few of them active.
    pub fn sparsity(mut self, sparsity: Sparsity) -> Self {
        self.sparsity = sparsity;
        self
    }

    /// What they read.
    pub fn input(mut self, input: FeatureInput) -> Self {
        self.input = input;
        self
    }

    /// How many steps a layer takes.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// How many positions a step learns from.
    pub fn batch(mut self, positions: usize) -> Self {
        self.batch = positions;
        self
    }

    /// How far a step goes at most; it grows over the first twentieth of the steps, and falls to a fiftieth over the
    /// last four fifths.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// What chance begins with: the same one gives the same files, on one machine with one number of threads.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The most positions of the texts that are taken, texts chosen at random; 200,000 without this.
    pub fn max_positions(mut self, positions: usize) -> Self {
        self.max_positions = positions;
        self
    }

    /// The most tokens that the model reads at once, 2 at least; 256 without this. A longer text goes on in another window, which
    /// begins with the text's special token too. The memory of a run grows with the square of it.
    pub fn window(mut self, tokens: usize) -> Self {
        self.window = tokens;
        self
    }

    /// Trains these layers alone, and leaves the files of others in the folder as they are; all layers without this.
    pub fn layers(mut self, layers: impl IntoIterator<Item = usize>) -> Self {
        self.layers = layers.into_iter().collect();
        self
    }

    /// Trains on texts, given as tokens, and writes `layer_0.safetensors`, .. and `config.yaml` into a folder, as circuit-tracer has
    /// them and [`Transcoders::load`](crate::circuit::Transcoders::load) reads them. `progress` is called after each step.
    ///
    /// # Errors
    /// A number makes no sense, the texts have no token or one that the model does not know, or a file cannot be written.
    pub fn run(
        &self,
        texts: &[Vec<u32>],
        folder: impl AsRef<Path>,
        mut progress: impl FnMut(&Progress),
    ) -> Result<Vec<TrainedLayer>, CircuitError> {
        self.check()?;
        let folder = folder.as_ref();
        let mut random = fastrand::Rng::with_seed(self.seed);
        let corpus = Corpus::new(self.model, texts, (self.window, self.max_positions), &mut random);
        if corpus.positions == 0 {
            return Err(CircuitError::Input(
                "there is nothing to learn from: give texts with tokens that are not special".to_owned(),
            ));
        }
        let write = |source| CircuitError::Write { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(write)?;
        let bytes = corpus.positions * self.model.config().d_model * 2 * size_of::<f32>();
        let (chosen, places, chance) = (self.chosen(), corpus.places(), random.u64(..));
        let mut trained = Vec::with_capacity(chosen.len());
        for group in chosen.chunks((MAX_BYTES / bytes).max(1)) {
            for (layer, samples) in group.iter().zip(corpus.run(self.model, group, self.input)?) {
                // A layer has the same chance whichever others learn.
                let random = fastrand::Rng::with_seed(chance.wrapping_add(*layer as u64));
                let learner = Learner { layer: *layer, before: trained.len(), layers: chosen.len(), random };
                let (finished, found) = learner.run(self, samples, &places, &mut progress)?;
                write::layer(folder, *layer, &finished)?;
                trained.push(found);
            }
        }
        write::config(folder, self.model, self.input)?;
        Ok(trained)
    }

    /// The layers that learn, in their order.
    fn chosen(&self) -> Vec<usize> {
        let all = 0..self.model.config().layers;
        all.filter(|layer| self.layers.is_empty() || self.layers.contains(layer)).collect()
    }

    fn check(&self) -> Result<(), CircuitError> {
        let count = |what: &str, count: usize| {
            (count == 0).then(|| format!("a training with 0 {what} learns nothing: give 1 or more"))
        };
        let rate = !(self.rate.is_finite() && self.rate > 0.0);
        let plain = self.input == FeatureInput::Normalized && self.model.config().norm == NormKind::Layer;
        let layers = self.model.config().layers;
        let most = MAX_ENCODERS / self.model.config().d_model.max(1);
        let unknown = self.layers.iter().find(|layer| **layer >= layers);
        let problem = count("features", self.features)
            .or_else(|| {
                let features = self.features;
                (features > most)
                    .then(|| format!("{features} features do not fit into memory: give {most} or fewer"))
            })
            .or_else(|| count("steps", self.steps))
            .or_else(|| count("positions a step", self.batch))
            .or_else(|| self.sparsity.problem(self.features))
            .or_else(|| {
                let last = layers.saturating_sub(1);
                unknown.map(|layer| format!("there is no layer {layer} among {layers}: give 0 to {last}"))
            })
            .or_else(|| rate.then(|| format!("a learning rate of {} is none: give one above 0", self.rate)))
            .or_else(|| {
                let problem =
                    "no file can say that features read a layer norm before its gain: read the MLP's input";
                plain.then(|| problem.to_owned())
            });
        problem.map_or(Ok(()), |problem| Err(CircuitError::Input(problem)))
    }
}
