//! One layer's transcoder while it learns.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::adam::{Adam, Stride};
use super::samples::{Samples, Standard};
use super::sparsity::Sparsity;
use crate::circuit::error::CircuitError;
use crate::ops::{add_times, dot, wide};

/// Features that read and write standardised numbers. Each decoder has norm 1, so that an activation is how much is written.
#[derive(Clone, Debug)]
pub(super) struct Coder {
    width: usize,
    sparsity: Sparsity,
    features: Vec<Feature>,
    /// `[D]`.
    bias: Vec<f32>,
    bias_moments: Adam,
}

#[derive(Clone, Debug)]
struct Feature {
    /// Encoder `[D]`, decoder `[D]`, encoder's bias.
    parameters: Vec<f32>,
    moments: Adam,
    /// Positions since it was last active.
    silent: usize,
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) positions: usize,
    /// Sum of the squared errors.
    pub(super) squared_error: f64,
    /// Sum of the squared outputs, whose mean is 0.
    pub(super) squared_output: f64,
    /// Sum of what activations cost.
    pub(super) cost: f64,
    /// Number of activations.
    pub(super) active: usize,
}

/// One position of a batch.
struct Row {
    /// Features and activations.
    active: Vec<(usize, f32)>,
    /// What was written less what should have been, `[D]`.
    error: Vec<f32>,
    /// The gradient of each activation.
    slopes: Vec<f32>,
}

/// A feature's activation at one position of a batch, and its gradient.
struct Use {
    row: usize,
    activation: f32,
    slope: f32,
}

impl Feature {
    fn encoder(&self, width: usize) -> &[f32] {
        self.parameters.get(..width).unwrap_or_default()
    }

    fn decoder(&self, width: usize) -> &[f32] {
        self.parameters.get(width..2 * width).unwrap_or_default()
    }

    fn bias(&self) -> f32 {
        self.parameters.last().copied().unwrap_or(0.0)
    }

    /// Moves down the gradient; what would only change the decoder's norm is left out.
    fn learn(&mut self, width: usize, gradient: &mut [f32], stride: Stride) {
        if let Some(gradient) = gradient.get_mut(width..2 * width) {
            let decoder = self.decoder(width);
            add_times(gradient, -dot(gradient, decoder), decoder);
        }
        self.moments.step(&mut self.parameters, gradient, stride);
        if let Some(decoder) = self.parameters.get_mut(width..2 * width) {
            to_norm(decoder, 1.0);
        }
    }
}

impl Coder {
    /// Features that begin by reading and writing along samples of their own.
    pub(super) fn new(
        samples: &Samples,
        width: usize,
        features: usize,
        sparsity: Sparsity,
        random: &mut fastrand::Rng,
    ) -> Self {
        let rows = samples.read.len() / width.max(1);
        let feature = |_| {
            let sample = samples.batch(&[random.usize(..rows.max(1))], width);
            let mut noisy = |mut values: Vec<f32>| {
                for value in &mut values {
                    *value += 0.5 * (random.f32() - 0.5);
                }
                to_norm(&mut values, 1.0);
                values
            };
            let (encoder, decoder) = (noisy(sample.read), noisy(sample.written));
            let parameters = [encoder, decoder, vec![0.0]].concat();
            Feature { parameters, moments: Adam::new(2 * width + 1), silent: 0 }
        };
        let features = (0..features).map(feature).collect();
        Self { width, sparsity, features, bias: vec![0.0; width], bias_moments: Adam::new(width) }
    }

    /// One step on a batch.
    pub(super) fn learn(&mut self, batch: &Samples, stride: Stride) -> Result<Outcome, CircuitError> {
        let rows = self.rows(batch)?;
        let outcome = self.outcome(batch, &rows);
        let mut uses: Vec<Vec<Use>> = Vec::new();
        uses.resize_with(self.features.len(), Vec::new);
        for (row, at) in rows.iter().enumerate() {
            for ((feature, activation), slope) in at.active.iter().zip(&at.slopes) {
                if let Some(uses) = uses.get_mut(*feature) {
                    uses.push(Use { row, activation: *activation, slope: *slope });
                }
            }
        }
        let (width, count) = (self.width, rows.len());
        let scale = self.error_scale(count);
        self.features.par_iter_mut().zip(uses).for_each(|(feature, uses)| {
            wide(
                #[inline(always)]
                || {
                    let mut gradient = vec![0.0; 2 * width + 1];
                    for at in &uses {
                        let read = batch.read.get(at.row * width..(at.row + 1) * width).unwrap_or_default();
                        let error = rows.get(at.row).map_or(&[][..], |row| &row.error);
                        let (encoder, rest) = gradient.split_at_mut(width);
                        add_times(encoder, at.slope, read);
                        let (decoder, bias) = rest.split_at_mut(width);
                        add_times(decoder, at.activation * scale, error);
                        add_times(bias, at.slope, &[1.0]);
                    }
                    feature.silent = if uses.is_empty() { feature.silent + count } else { 0 };
                    feature.learn(width, &mut gradient, stride);
                },
            );
        });
        let mut gradient = vec![0.0; width];
        for row in &rows {
            add_times(&mut gradient, scale, &row.error);
        }
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

    /// Encoders `[F, D]`, their biases `[F]`, decoders `[F, D]` and their bias `[D]`, for numbers as the model has them.
    pub(super) fn finished(&self, read: &Standard, written: &Standard) -> [Vec<f32>; 4] {
        let (mut encoders, mut biases, mut decoders) = (Vec::new(), Vec::new(), Vec::new());
        let factor = written.scale / read.scale;
        for feature in &self.features {
            let encoder: Vec<f32> = feature.encoder(self.width).iter().map(|value| value * factor).collect();
            biases.push(feature.bias() * written.scale - dot(&encoder, &read.mean));
            encoders.extend(encoder);
            decoders.extend_from_slice(feature.decoder(self.width));
        }
        let bias = self.bias.iter().zip(&written.mean).map(|(bias, mean)| bias * written.scale + mean);
        [encoders, biases, decoders, bias.collect()]
    }

    /// From an error to its gradient: the loss is the mean over positions and dimensions.
    fn error_scale(&self, rows: usize) -> f32 {
        2.0 / (rows * self.width).max(1) as f32
    }

    fn rows(&self, batch: &Samples) -> Result<Vec<Row>, CircuitError> {
        let count = batch.read.len() / self.width.max(1);
        let activation = self.sparsity.activation();
        let pre = self.pre_activations(&batch.read, count)?;
        let scale = self.error_scale(count);
        let cost = self.sparsity.cost() / count.max(1) as f32;
        let rows = pre.par_chunks(self.features.len().max(1)).zip(batch.written.par_chunks(self.width));
        let rows = rows.map(|(pre, expected)| {
            wide(
                #[inline(always)]
                || {
                    let active = activation.active(pre);
                    let decoder = |feature: usize| {
                        self.features.get(feature).map_or(&[][..], |at| at.decoder(self.width))
                    };
                    let mut error: Vec<f32> =
                        self.bias.iter().zip(expected).map(|(bias, expected)| bias - expected).collect();
                    for (feature, value) in &active {
                        add_times(&mut error, *value, decoder(*feature));
                    }
                    let slopes = active
                        .iter()
                        .map(|(feature, _)| scale * dot(&error, decoder(*feature)) + cost)
                        .collect();
                    Row { active, error, slopes }
                },
            )
        });
        Ok(rows.collect())
    }

    fn pre_activations(&self, read: &[f32], count: usize) -> Result<Vec<f32>, CircuitError> {
        let (width, features) = (self.width, self.features.len());
        let mut encoders = Vec::with_capacity(features * width);
        self.features.iter().for_each(|feature| encoders.extend_from_slice(feature.encoder(width)));
        let encoders = Tensor::from_vec(encoders, (features, width), &Device::Cpu)?;
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
            positions: rows.len(),
            squared_error: rows.iter().map(|row| square(&row.error)).sum(),
            squared_output: square(&batch.written),
            cost: activations().map(|(_, value)| f64::from(*value)).sum::<f64>()
                * f64::from(self.sparsity.cost()),
            active: activations().count(),
        }
    }
}

/// Scales a vector to a norm, unless it is 0.
fn to_norm(vector: &mut [f32], norm: f32) {
    let size = dot(vector, vector).sqrt();
    if size > f32::MIN_POSITIVE {
        for value in vector {
            *value *= norm / size;
        }
    }
}
