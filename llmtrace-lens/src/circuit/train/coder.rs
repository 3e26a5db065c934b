//! One layer's transcoder while it learns.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::adam::{Adam, Stride};
use super::feature::{Feature, Gradient};
use super::outcome::Outcome;
use super::samples::{Samples, Standard};
use super::sparsity::Sparsity;
use super::whitening::Whitening;
use crate::circuit::error::CircuitError;
use crate::circuit::transcoder::FeatureActivation;
use crate::ops::{add_times, dot, wide};

/// Features that read white and write standardised numbers.
#[derive(Clone, Debug)]
pub(super) struct Coder {
    width: usize,
    sparsity: Sparsity,
    /// The share of the price of thresholds that is asked.
    pressure: f32,
    features: Vec<Feature>,
    /// `[D]`.
    bias: Vec<f32>,
    bias_moments: Adam,
}

/// A transcoder for numbers as the model has them.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    /// `[F, D]`.
    pub(super) encoders: Vec<f32>,
    /// `[F]`.
    pub(super) biases: Vec<f32>,
    /// `[F, D]`.
    pub(super) decoders: Vec<f32>,
    /// `[D]`.
    pub(super) bias: Vec<f32>,
    /// When features are active.
    pub(super) activation: FeatureActivation,
}

/// One position of a batch.
struct Row {
    /// Features and activations.
    active: Vec<(usize, f32)>,
    /// What was written less what should have been, `[D]`.
    error: Vec<f32>,
    /// The gradient of each activation.
    slopes: Vec<f32>,
    /// Features whose pre-activation is near their threshold, and the gradient of their activations.
    near: Vec<(usize, f32)>,
}

/// Where a batch tells of a feature.
#[derive(Clone, Debug, Default)]
struct Uses {
    /// Rows, activations and their gradients.
    active: Vec<(usize, f32, f32)>,
    /// Gradients of activations near the threshold.
    near: Vec<f32>,
}

impl Coder {
    /// Features that begin by reading and writing along samples of their own, which are among those at these places.
    pub(super) fn new(
        samples: &Samples,
        places: &[usize],
        (width, features): (usize, usize),
        sparsity: Sparsity,
        random: &mut fastrand::Rng,
    ) -> Self {
        let threshold = sparsity.jump(width).map_or(0.0, |jump| jump.start);
        let feature = |_| {
            let place = random.choice(places).copied().unwrap_or_default();
            let sample = samples.batch(&[place], width);
            let mut noisy = |mut values: Vec<f32>| {
                for value in &mut values {
                    *value += 0.5 * (random.f32() - 0.5);
                }
                values
            };
            Feature::new(noisy(sample.read), noisy(sample.written), threshold)
        };
        let features = (0..features).map(feature).collect();
        let bias = vec![0.0; width];
        Self { width, sparsity, pressure: 1.0, features, bias, bias_moments: Adam::new(width) }
    }

    /// From now on so large a share of the price of thresholds is asked.
    pub(super) fn press(&mut self, share: f32) {
        self.pressure = share;
    }

    /// One step on a batch.
    pub(super) fn learn(&mut self, batch: &Samples, stride: Stride) -> Result<Outcome, CircuitError> {
        let rows = self.rows(batch)?;
        let outcome = self.outcome(batch, &rows);
        let uses = self.uses(&rows);
        let gradients = self.gradients(batch, &rows, &uses, &outcome);
        let learnt = self.features.par_iter_mut().zip(gradients.into_par_iter().zip(&uses));
        learnt.for_each(|(feature, (gradient, uses))| {
            feature.silent = if uses.active.is_empty() { feature.silent + rows.len() } else { 0 };
            wide(
                #[inline(always)]
                || feature.learn(gradient, stride),
            );
        });
        let gradient = self.bias_gradient(&rows);
        self.bias_moments.step(&mut self.bias, &gradient, stride);
        Ok(outcome)
    }

    /// What it makes of a batch, without learning; `seen` is marked where a feature is active.
    pub(super) fn judge(&self, batch: &Samples, seen: &mut [bool]) -> Result<Outcome, CircuitError> {
        let rows = self.rows(batch)?;
        for (feature, _) in rows.iter().flat_map(|row| &row.active) {
            if let Some(seen) = seen.get_mut(*feature) {
                *seen = true;
            }
        }
        Ok(self.outcome(batch, &rows))
    }

    /// How many features were active at none of the last so many positions.
    pub(super) fn silent(&self, positions: usize) -> usize {
        self.features.iter().filter(|feature| feature.silent >= positions).count()
    }

    /// For numbers as the model has them.
    pub(super) fn finished(&self, read: &Whitening, written: &Standard) -> Result<Finished, CircuitError> {
        let scale = written.scale;
        let mut encoders = read.encoders(self.encoders(), self.width)?;
        for value in &mut encoders {
            *value *= scale;
        }
        let biases = self.features.iter().zip(encoders.chunks(self.width));
        let biases = biases.map(|(feature, encoder)| feature.bias() * scale - dot(encoder, read.mean()));
        let bias = self.bias.iter().zip(&written.mean).map(|(bias, mean)| bias * scale + mean);
        Ok(Finished {
            biases: biases.collect(),
            bias: bias.collect(),
            decoders: self.features.iter().flat_map(Feature::decoder).copied().collect(),
            activation: self.activation(scale),
            encoders,
        })
    }

    /// When features are active, whose thresholds are in units of which one is so large.
    fn activation(&self, scale: f32) -> FeatureActivation {
        match self.sparsity {
            Sparsity::TopK(count) => FeatureActivation::TopK(count),
            Sparsity::L1(_) => FeatureActivation::Relu,
            Sparsity::JumpRelu(_) => FeatureActivation::JumpRelu(
                self.features.iter().map(|feature| feature.threshold() * scale).collect(),
            ),
        }
    }

    fn encoders(&self) -> Vec<f32> {
        self.features.iter().flat_map(Feature::encoder).copied().collect()
    }

    /// From an error to its gradient: the loss is the mean over positions and dimensions.
    fn error_scale(&self, rows: usize) -> f32 {
        2.0 / (rows * self.width).max(1) as f32
    }

    fn rows(&self, batch: &Samples) -> Result<Vec<Row>, CircuitError> {
        let count = batch.read.len() / self.width.max(1);
        let activation = self.activation(1.0);
        let pre = self.pre_activations(&batch.read, count)?;
        let rows = pre.par_chunks(self.features.len().max(1)).zip(batch.written.par_chunks(self.width));
        let rows = rows.map(|(pre, expected)| {
            wide(
                #[inline(always)]
                || self.row(pre, expected, activation.active(pre), count),
            )
        });
        Ok(rows.collect())
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "takes on the vector width of its caller")]
    fn row(&self, pre: &[f32], expected: &[f32], active: Vec<(usize, f32)>, count: usize) -> Row {
        let decoder = |feature: usize| self.features.get(feature).map_or(&[][..], Feature::decoder);
        let mut error: Vec<f32> =
            self.bias.iter().zip(expected).map(|(bias, expected)| bias - expected).collect();
        for (feature, value) in &active {
            add_times(&mut error, *value, decoder(*feature));
        }
        let scale = self.error_scale(count);
        let cost = self.sparsity.cost() / count.max(1) as f32;
        let slopes =
            active.iter().map(|(feature, _)| scale * dot(&error, decoder(*feature)) + cost).collect();
        let near = self.sparsity.jump(self.width).map_or_else(Vec::new, |jump| {
            let features = self.features.iter().zip(pre).enumerate();
            let near = features.filter(|(_, (feature, pre))| jump.near(feature.threshold(), **pre));
            near.map(|(number, (feature, _))| (number, scale * dot(&error, feature.decoder()))).collect()
        });
        Row { active, error, slopes, near }
    }

    fn uses(&self, rows: &[Row]) -> Vec<Uses> {
        let mut uses = vec![Uses::default(); self.features.len()];
        for (number, row) in rows.iter().enumerate() {
            for ((feature, activation), slope) in row.active.iter().zip(&row.slopes) {
                if let Some(uses) = uses.get_mut(*feature) {
                    uses.active.push((number, *activation, *slope));
                }
            }
            for (feature, slope) in &row.near {
                if let Some(uses) = uses.get_mut(*feature) {
                    uses.near.push(*slope);
                }
            }
        }
        uses
    }

    /// Of the loss, for each feature.
    fn gradients(&self, batch: &Samples, rows: &[Row], uses: &[Uses], outcome: &Outcome) -> Vec<Gradient> {
        let (width, scale) = (self.width, self.error_scale(rows.len()));
        let jump = self.sparsity.jump(width);
        let more = jump.map_or(0.0, |jump| jump.slope(outcome.l0())) * self.pressure / rows.len() as f32;
        let gradients = self.features.par_iter().zip(uses).map(|(feature, uses)| {
            wide(
                #[inline(always)]
                || {
                    let mut gradient = Gradient::new(width);
                    for (row, activation, slope) in &uses.active {
                        let read = batch.read.get(row * width..(row + 1) * width).unwrap_or_default();
                        let error = rows.get(*row).map_or(&[][..], |row| &row.error);
                        add_times(gradient.encoder(), *slope, read);
                        add_times(gradient.decoder(), activation * scale, error);
                        add_times(gradient.scalars(), *slope, &[1.0, 0.0]);
                    }
                    for (jump, slope) in
                        jump.iter().flat_map(|jump| uses.near.iter().map(move |at| (jump, at)))
                    {
                        let threshold = jump.gradient(feature.threshold(), *slope, more);
                        add_times(gradient.scalars(), threshold, &[0.0, 1.0]);
                    }
                    gradient
                },
            )
        });
        gradients.collect()
    }

    fn bias_gradient(&self, rows: &[Row]) -> Vec<f32> {
        let mut gradient = vec![0.0; self.width];
        for row in rows {
            add_times(&mut gradient, self.error_scale(rows.len()), &row.error);
        }
        gradient
    }

    fn pre_activations(&self, read: &[f32], count: usize) -> Result<Vec<f32>, CircuitError> {
        let (width, features) = (self.width, self.features.len());
        let encoders = Tensor::from_vec(self.encoders(), (features, width), &Device::Cpu)?;
        let biases: Vec<f32> = self.features.iter().map(Feature::bias).collect();
        let pre = Tensor::from_slice(read, (count, width), &Device::Cpu)?.matmul(&encoders.t()?)?;
        let mut pre = pre.flatten_all()?.to_vec1::<f32>()?;
        pre.par_chunks_mut(features.max(1)).for_each(|row| add_times(row, 1.0, &biases));
        Ok(pre)
    }

    fn outcome(&self, batch: &Samples, rows: &[Row]) -> Outcome {
        let square = |values: &[f32]| values.iter().map(|value| f64::from(value * value)).sum::<f64>();
        let activations = || rows.iter().flat_map(|row| &row.active);
        Outcome {
            width: self.width,
            positions: rows.len(),
            squared_error: rows.iter().map(|row| square(&row.error)).sum(),
            squared_output: square(&batch.written),
            cost: activations().map(|(_, value)| f64::from(*value)).sum::<f64>()
                * f64::from(self.sparsity.cost()),
            active: activations().count(),
            jump: self.sparsity.jump(self.width).map(|jump| (jump, f64::from(self.pressure))),
        }
    }
}

#[cfg(test)]
mod tests;
