//! Which states carry what a model knows of a subject.

use std::fmt;

use candle_core::Tensor;

use super::metric::{Metric, labels};
use super::noise::gaussian;
use super::patching::{Progress, blend};
use super::sweep::{Ends, Sweep, SweepAxis};
use crate::error::RunError;
use crate::hooks::{ActivationCache, Axis, Filter, HookPoint, Hooks, Site, axes};
use crate::model::{Model, Readout};
use crate::statistics;

/// About this many positions are run at once.
const POSITIONS: usize = 1024;

/// Causal tracing: noise on the embeddings of a subject loses the answer, and one clean state at a time brings it back (Meng et al. 2022).
///
/// The noise is Gaussian, of 3 standard deviations of all token embeddings' numbers; 10 samples are taken.
pub struct CausalTrace<'a> {
    model: &'a Model,
    tokens: Vec<u32>,
    subject: Vec<usize>,
    metric: Metric,
    deviations: f64,
    samples: usize,
    seed: u64,
    window: usize,
    progress: Progress<'a>,
}

impl<'a> CausalTrace<'a> {
    /// Traces a prompt whose subject stands at these positions.
    pub fn new(
        model: &'a Model,
        tokens: &[u32],
        subject: impl IntoIterator<Item = usize>,
        metric: Metric,
    ) -> Self {
        Self {
            model,
            tokens: tokens.to_vec(),
            subject: subject.into_iter().collect(),
            metric,
            deviations: 3.0,
            samples: 10,
            seed: 0,
            window: 1,
            progress: Box::new(|_, _| {}),
        }
    }

    /// The noise, in standard deviations of the embeddings.
    pub fn noise(mut self, deviations: f64) -> Self {
        self.deviations = deviations;
        self
    }

    /// How many noises are taken, and their standard error told where there are at least two.
    pub fn samples(mut self, samples: usize) -> Self {
        self.samples = samples.max(1);
        self
    }

    /// The seed of the noise.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Restores this many layers at once, around each: 10 for attention and MLP outputs in the paper.
    pub fn window(mut self, layers: usize) -> Self {
        self.window = layers.max(1);
        self
    }

    /// Called with the number of places restored and of all.
    pub fn progress(mut self, tell: impl FnMut(usize, usize) + 'a) -> Self {
        self.progress = Box::new(tell);
        self
    }

    /// Restores `site` (`ResidPost`, `AttnOut`, `MlpOut`) at each layer and position: `[layer, position]`, with standard errors.
    ///
    /// # Errors
    /// The subject is outside the prompt, the noise changes nothing, or `site` is no `[b, t, D]` of a block.
    pub fn restore(&mut self, site: Site) -> Result<Sweep, RunError> {
        self.check(site)?;
        let config = self.model.config();
        let metric = self.metric.clone().named(self.model)?;
        let kept = Filter::new(&format!("hook_embed, blocks.*.{}", site.name()));
        let mut hooks = Hooks::new().keep(kept);
        let (logits, clean) = self.model.run_batch_with_hooks(&[&self.tokens], Readout::Last, &mut hooks)?;
        let good = metric.of_batch(&logits)?.iter().sum();
        let noised = self.noised(clean.at(HookPoint::global(Site::Embed))?)?;
        let mut hooks = Hooks::new().keep("blocks.*.hook_resid_pre");
        let (logits, streams) = self.model.run_embeddings(&noised, Readout::Last, &mut hooks)?;
        let lost = metric.of_batch(&logits)?;
        let ends = Ends::new(good, statistics::mean(&lost))?;
        let layers = config.layers;
        let mut values = Vec::new();
        let mut errors = Vec::new();
        for layer in 0..layers {
            let first = layer.saturating_sub(self.window / 2);
            let last = (layer + self.window.div_ceil(2)).min(layers);
            for samples in self.layer(site, first..last, &clean, &streams, &metric)? {
                values.push(statistics::mean(&samples));
                errors.push(gain_error(&samples, &lost) / (ends.clean - ends.corrupted).abs());
            }
            (self.progress)((layer + 1) * self.tokens.len(), layers * self.tokens.len());
        }
        let axes = vec![
            SweepAxis::counted("layer", layers),
            SweepAxis::new("position", labels(self.model, &self.tokens)),
        ];
        let mut sweep = ends.sweep(site.name(), metric.name(), axes, values);
        sweep.standard_errors = (self.samples > 1).then_some(errors);
        Ok(sweep)
    }

    fn check(&self, site: Site) -> Result<(), RunError> {
        if !site.in_block() || axes(site) != [Axis::Sequence, Axis::Position, Axis::Unit] {
            return Err(RunError::Input(format!(
                "{} cannot be restored at a position: name a site of blocks of shape [b, t, D]",
                site.name()
            )));
        }
        let length = self.tokens.len();
        match self.subject.iter().find(|position| **position >= length) {
            Some(position) => Err(RunError::Input(format!(
                "the subject is at position {position}, but the prompt has {length} tokens"
            ))),
            None if self.subject.is_empty() => {
                Err(RunError::Input("the subject has no position that noise could be put on".to_owned()))
            }
            None => Ok(()),
        }
    }

    /// The embeddings `[samples, t, D]` with noise on those of the subject.
    fn noised(&self, embeddings: &Tensor) -> Result<Tensor, RunError> {
        let (_, steps, width) = embeddings.dims3()?;
        let table = &self.model.weights().embed;
        let centred = table.broadcast_sub(&table.mean_all()?)?;
        let scale = self.model.config().embed_scale.unwrap_or(1.0);
        let deviation = f64::from(centred.sqr()?.mean_all()?.to_scalar::<f32>()?.sqrt()) * scale;
        let count = self.samples * self.subject.len() * width;
        let mut noise = gaussian(self.seed, count, deviation * self.deviations).into_iter();
        let mut rows = vec![0.0_f32; self.samples * steps * width];
        for row in rows.chunks_mut(steps * width) {
            for position in &self.subject {
                row.iter_mut().skip(position * width).take(width).zip(&mut noise).for_each(|(x, n)| *x = n);
            }
        }
        let noise = Tensor::from_vec(rows, (self.samples, steps, width), embeddings.device())?;
        Ok(embeddings.broadcast_add(&noise)?)
    }

    /// The metric of each sample, for each position that is restored in these layers.
    fn layer(
        &self,
        site: Site,
        layers: std::ops::Range<usize>,
        clean: &ActivationCache,
        streams: &ActivationCache,
        metric: &Metric,
    ) -> Result<Vec<Vec<f64>>, RunError> {
        let steps = self.tokens.len();
        let stream = streams.at(HookPoint::block(layers.start, Site::ResidPre))?;
        let at_once = (POSITIONS / (steps * self.samples).max(1)).max(1);
        let mut results = Vec::with_capacity(steps);
        let positions: Vec<usize> = (0..steps).collect();
        for some in positions.chunks(at_once) {
            let sequences = some.len() * self.samples;
            let here = |at: usize| u8::from(some.get(at / steps / self.samples) == Some(&(at % steps)));
            let mask: Vec<u8> = (0..sequences * steps).map(here).collect();
            let mask = Tensor::from_vec(mask, (sequences, steps, 1), self.model.device())?;
            let mut hooks = Hooks::new();
            for layer in layers.clone() {
                let point = HookPoint::block(layer, site);
                let (mask, state) = (mask.clone(), clean.at(point)?.clone());
                hooks = hooks.on(point, move |_, value| blend(&mask, &state, value).map(Some));
            }
            let stream = Tensor::cat(&vec![stream; some.len()], 0)?;
            let (logits, _) = self.model.run_residual(layers.start, &stream, Readout::Last, &mut hooks)?;
            results.extend(metric.of_batch(&logits)?.chunks(self.samples).map(<[f64]>::to_vec));
        }
        Ok(results)
    }
}

impl fmt::Debug for CausalTrace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CausalTrace")
            .field("subject", &self.subject)
            .field("metric", &self.metric)
            .field("deviations", &self.deviations)
            .field("samples", &self.samples)
            .field("seed", &self.seed)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

/// The standard error of the mean of what each sample gained; 0 of one sample.
fn gain_error(values: &[f64], before: &[f64]) -> f64 {
    let gains: Vec<f64> = values.iter().zip(before).map(|(value, before)| value - before).collect();
    statistics::standard_error(&gains)
}
