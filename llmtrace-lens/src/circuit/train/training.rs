//! Training the transcoders of a model.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::adam::Stride;
use super::coder::{Coder, Outcome};
use super::samples::{Corpus, Samples, Standard};
use super::sparsity::Sparsity;
use super::write;
use crate::circuit::error::CircuitError;
use crate::circuit::transcoder::FeatureInput;
use crate::model::{Model, NormKind};

/// Trains one transcoder a layer for a model.
#[derive(Clone, Debug)]
pub struct Training<'m> {
    model: &'m Model,
    features: usize,
    sparsity: Sparsity,
    input: FeatureInput,
    steps: usize,
    batch: usize,
    rate: f64,
    seed: u64,
    max_positions: usize,
}

/// One step of training. Errors and activations are those of the step's batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// The layer that learns.
    pub layer: usize,
    /// How many layers there are.
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

/// What became of a layer. A tenth of the positions, chosen at random, was kept out of the training to judge it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TrainedLayer {
    /// The layer.
    pub layer: usize,
    /// Positions that it learnt from.
    pub positions: usize,
    /// Positions that it is judged by; where the corpus has less than ten, it is judged by those that it learnt from.
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

/// Bytes of activations that are held at a time, whatever the model; one layer's where these alone are more.
const MAX_BYTES: usize = 1 << 30;
/// Positions that are judged together.
const JUDGED: usize = 1024;

impl<'m> Training<'m> {
    /// Features four times as many as the stream is wide and 32 of them active, 1500 steps of 256 positions at a rate of
    /// 0.24 divided by the root of the stream's width, on what the MLPs read after their norms.
    pub fn new(model: &'m Model) -> Self {
        let width = model.config().d_model;
        Self {
            model,
            features: 4 * width,
            sparsity: Sparsity::TopK(32.min(width)),
            input: FeatureInput::MlpInput,
            steps: 1500,
            batch: 256,
            rate: 0.24 / (width.max(1) as f64).sqrt(),
            seed: 0,
            max_positions: 200_000,
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

    /// How far a step goes at most; it grows over the first twentieth of the steps, and falls to a fiftieth over the last half.
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

    /// Trains on texts, given as tokens, and writes `layer_0.safetensors`, .. and `config.yaml` into a folder, as circuit-tracer has
    /// them and [`Transcoders::load`](crate::circuit::Transcoders::load) reads them. Texts longer than the model's context are cut.
    /// `progress` is called after each step.
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
        let corpus = Corpus::new(self.model, texts, self.max_positions, &mut random);
        if corpus.positions == 0 {
            return Err(CircuitError::Input(
                "there is nothing to learn from: give texts with tokens that are not special".to_owned(),
            ));
        }
        let write = |source| CircuitError::Write { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(write)?;
        let (layers, width) = (self.model.config().layers, self.model.config().d_model);
        let bytes = corpus.positions * width * 2 * size_of::<f32>();
        let together = (MAX_BYTES / bytes).clamp(1, layers.max(1));
        let mut trained = Vec::with_capacity(layers);
        for first in (0..layers).step_by(together) {
            let group = first..(first + together).min(layers);
            for (layer, samples) in group.clone().zip(corpus.run(self.model, group, self.input)?) {
                let mut random = random.fork();
                let found = self.layer(layer, samples, folder, &mut random, &mut progress)?;
                trained.push(found);
            }
        }
        write::config(folder, self.model, self.input)?;
        Ok(trained)
    }

    fn check(&self) -> Result<(), CircuitError> {
        let count = |what: &str, count: usize| {
            (count == 0).then(|| format!("a training with 0 {what} learns nothing: give 1 or more"))
        };
        let rate = !(self.rate.is_finite() && self.rate > 0.0);
        let plain = self.input == FeatureInput::Normalized && self.model.config().norm == NormKind::Layer;
        let problem = count("features", self.features)
            .or_else(|| count("steps", self.steps))
            .or_else(|| count("positions a step", self.batch))
            .or_else(|| self.sparsity.problem(self.features))
            .or_else(|| rate.then(|| format!("a learning rate of {} is none: give one above 0", self.rate)))
            .or_else(|| {
                let problem =
                    "no file can say that features read a layer norm before its gain: read the MLP's input";
                plain.then(|| problem.to_owned())
            });
        problem.map_or(Ok(()), |problem| Err(CircuitError::Input(problem)))
    }

    fn layer(
        &self,
        layer: usize,
        mut samples: Samples,
        folder: &Path,
        random: &mut fastrand::Rng,
        progress: &mut impl FnMut(&Progress),
    ) -> Result<TrainedLayer, CircuitError> {
        let width = self.model.config().d_model;
        let [read, written] =
            [&mut samples.read, &mut samples.written].map(|values| Standard::apply(values, width));
        let mut places: Vec<usize> = (0..samples.read.len() / width.max(1)).collect();
        random.shuffle(&mut places);
        let (held_out, learnt) = places.split_at(places.len() / 10);
        let mut coder = Coder::new(&samples, width, self.features, self.sparsity, random);
        let mut order = learnt.to_vec();
        let mut at = order.len();
        for step in 1..=self.steps {
            if at >= order.len() {
                random.shuffle(&mut order);
                at = 0;
            }
            let to = (at + self.batch).min(order.len());
            let batch = samples.batch(order.get(at..to).unwrap_or_default(), width);
            at = to;
            let outcome = coder.learn(&batch, Stride::new(self.rate_at(step), step))?;
            progress(&Progress {
                layer,
                layers: self.model.config().layers,
                step,
                steps: self.steps,
                loss: outcome.loss(width),
                fvu: outcome.fvu(),
                l0: outcome.l0(),
                dead: coder.silent(learnt.len()),
            });
        }
        let mut seen = vec![false; self.features];
        let of_learnt = judged(&coder, &samples, learnt, width, &mut seen)?;
        let of_rest = judged(&coder, &samples, held_out, width, &mut seen)?;
        let judged = if held_out.is_empty() { of_learnt } else { of_rest };
        write::layer(folder, layer, width, coder.finished(&read, &written), self.sparsity)?;
        Ok(TrainedLayer {
            layer,
            positions: learnt.len(),
            held_out: held_out.len(),
            loss: judged.loss(width),
            fvu: judged.fvu(),
            l0: judged.l0(),
            features: self.features,
            dead: seen.iter().filter(|seen| !**seen).count(),
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
    fn rate_at(&self, step: usize) -> f32 {
        let done = step as f64 / self.steps as f64;
        let rise = (done * 20.0).min(1.0);
        let fall = 1.0 - 0.98 * (2.0 * done - 1.0).max(0.0);
        (self.rate * rise * fall) as f32
    }
}

/// What it makes of the samples at these places.
fn judged(
    coder: &Coder,
    samples: &Samples,
    places: &[usize],
    width: usize,
    seen: &mut [bool],
) -> Result<Outcome, CircuitError> {
    let mut sum = Outcome::default();
    for places in places.chunks(JUDGED) {
        let more = coder.judge(&samples.batch(places, width), seen)?;
        sum.positions += more.positions;
        sum.squared_error += more.squared_error;
        sum.squared_output += more.squared_output;
        sum.cost += more.cost;
        sum.active += more.active;
    }
    Ok(sum)
}

impl Outcome {
    fn loss(&self, width: usize) -> f64 {
        let positions = self.positions.max(1) as f64;
        self.squared_error / (positions * width as f64) + self.cost / positions
    }

    /// 0 where the outputs are all the same.
    fn fvu(&self) -> f64 {
        if self.squared_output > 0.0 { self.squared_error / self.squared_output } else { 0.0 }
    }

    fn l0(&self) -> f64 {
        self.active as f64 / self.positions.max(1) as f64
    }
}
