//! How active the neurons of a model are.

use std::fmt;

use serde::Serialize;

use super::columns;
use super::error::ReadError;
use super::reading::{Reading, single};
use crate::hooks::{HookPoint, Site};
use crate::ops::floats;

/// How active the neurons of each MLP are over a text: the values its last product reads (`hook_post`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActivationStatistics {
    /// One entry a block.
    pub layers: Vec<LayerActivations>,
}

/// The neurons of one MLP.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerActivations {
    /// The block.
    pub layer: usize,
    /// How many neurons it has.
    pub neurons: usize,
    /// Mean over positions and neurons.
    pub mean: f32,
    /// Standard deviation over positions and neurons.
    pub deviation: f32,
    /// The share of values at or below 0.
    pub inactive: f32,
    /// How few neurons carry a position, mean over positions: `(sqrt(n) - |x|_1 / |x|_2) / (sqrt(n) - 1)`, 0 where all
    /// are equal, 1 where one is alone or none (Hoyer 2004).
    pub sparsity: f32,
    /// How many neurons are never above 0 in this text.
    pub silent: usize,
    /// The value of the largest magnitude.
    pub largest: f32,
    /// Its neuron and its position.
    pub largest_at: [usize; 2],
}

impl Reading<'_> {
    /// How active the neurons of each MLP are.
    ///
    /// # Errors
    /// The run did not keep them.
    pub fn activation_statistics(&self) -> Result<ActivationStatistics, ReadError> {
        let neurons = self.config().d_mlp;
        let layer = |layer: usize| {
            let values = floats(self.value(HookPoint::block(layer, Site::Post), &[neurons])?)?;
            Ok(LayerActivations::of(layer, neurons, &values))
        };
        let layers: Result<_, ReadError> = (0..self.config().layers).map(layer).collect();
        Ok(ActivationStatistics { layers: layers? })
    }
}

impl LayerActivations {
    fn of(layer: usize, neurons: usize, values: &[f32]) -> Self {
        let (width, count) = (neurons.max(1), values.len().max(1) as f64);
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
        let square = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
        let inactive = values.iter().filter(|value| **value <= 0.0).count() as f64 / count;
        let rows = values.chunks(width);
        let sparsity = rows.clone().map(sparsity).sum::<f64>() / rows.len().max(1) as f64;
        let silent =
            |neuron: &usize| rows.clone().all(|row| row.get(*neuron).is_none_or(|value| *value <= 0.0));
        let largest = values.iter().copied().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let (at, largest) = largest.unwrap_or_default();
        Self {
            layer,
            neurons,
            mean: single(mean),
            deviation: single(square.sqrt()),
            inactive: single(inactive),
            sparsity: single(sparsity),
            silent: (0..neurons).filter(silent).count(),
            largest,
            largest_at: [at % width, at / width],
        }
    }
}

/// Hoyer's measure of one position.
fn sparsity(values: &[f32]) -> f64 {
    let root = (values.len() as f64).sqrt();
    let sum: f64 = values.iter().map(|value| f64::from(value.abs())).sum();
    let length = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if length == 0.0 || root <= 1.0 { 1.0 } else { (root - sum / length) / (root - 1.0) }
}

impl fmt::Display for ActivationStatistics {
    /// A row for each block.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["layer", "mean", "sd", "inactive", "sparsity", "silent", "largest"];
        let mut lines = vec![names.map(str::to_owned).to_vec()];
        lines.extend(self.layers.iter().map(|layer| {
            let [neuron, position] = layer.largest_at;
            vec![
                layer.layer.to_string(),
                format!("{:.4}", layer.mean),
                format!("{:.4}", layer.deviation),
                format!("{:.3}", layer.inactive),
                format!("{:.3}", layer.sparsity),
                format!("{} of {}", layer.silent, layer.neurons),
                format!("{:.3} (neuron {neuron}, position {position})", layer.largest),
            ]
        }));
        columns::write(f, &lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_known_values() {
        let found = LayerActivations::of(2, 4, &[0.0, 0.0, -3.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        let expected = LayerActivations {
            layer: 2,
            neurons: 4,
            mean: 0.125,
            // The mean of squares is 13/8, that less 1/64.
            deviation: (13.0_f32 / 8.0 - 1.0 / 64.0).sqrt(),
            inactive: 0.5,
            sparsity: 0.5,
            silent: 0,
            largest: -3.0,
            largest_at: [2, 0],
        };
        assert_eq!(found, expected);
        assert_eq!(LayerActivations::of(0, 2, &[-1.0, 2.0, 0.0, 2.0]).silent, 1);
        assert!((sparsity(&[0.0; 9]) - 1.0).abs() < 1e-12);
        assert!((sparsity(&[2.0, 2.0, 0.0, 0.0]) - (2.0 - 2f64.sqrt())).abs() < 1e-12);
    }
}
