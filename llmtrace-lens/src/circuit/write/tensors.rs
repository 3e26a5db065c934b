//! A whole graph as tensors.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use crate::circuit::error::CircuitError;
use crate::circuit::graph::AttributionGraph;
use crate::circuit::prune::Pruned;
use crate::tensor_file;

impl AttributionGraph {
    /// Writes the whole graph to a safetensors file, N nodes in the order features, errors (layer-major), tokens, targets: `adjacency` `[N, N + 1]` (target,
    /// source; the last column is the constant), `active_features` `[n, 3]` (layer, position, feature), `activations` `[n]`, `influence` `[N]`,
    /// `kept_nodes` `[N]` and `kept_edges` `[N, N]` (1 where kept), `logit_tokens` and `logit_probs` of the targets, `input_ids` `[T]`, `left_out` `[N]`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save_tensors(&self, path: impl AsRef<Path>, pruned: &Pruned) -> Result<(), CircuitError> {
        self.save(path.as_ref(), pruned, 1)
    }

    /// The same with an `adjacency` `[N, N]`, as circuit-tracer has it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save_tensors_without_constant(
        &self,
        path: impl AsRef<Path>,
        pruned: &Pruned,
    ) -> Result<(), CircuitError> {
        self.save(path.as_ref(), pruned, 0)
    }

    fn save(&self, path: &Path, pruned: &Pruned, more: usize) -> Result<(), CircuitError> {
        let nodes = self.len();
        let width = nodes + more;
        let mut adjacency = vec![0.0_f32; nodes * width];
        let mut left_out = vec![0.0_f32; nodes];
        for (target, omitted) in self.rows().zip(&self.left_out) {
            let row = adjacency.get_mut(target * width..(target + 1) * width).unwrap_or_default();
            row.iter_mut().zip(self.row(target)).for_each(|(place, edge)| *place = *edge);
            if let (1, Some(place), Some(constant)) = (more, row.last_mut(), self.constant(target)) {
                *place = constant;
            }
            if let Some(place) = left_out.get_mut(target) {
                *place = *omitted;
            }
        }
        let mut kept = vec![0_u8; nodes * nodes];
        for (target, source) in &pruned.edges {
            if let Some(place) = kept.get_mut(target * nodes + source) {
                *place = 1;
            }
        }
        let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let features = self.features.iter();
        let places: Vec<i64> =
            features.flat_map(|at| [at.layer, at.position, at.feature].map(number)).collect();
        let activations: Vec<f32> = self.features.iter().map(|at| at.activation).collect();
        let influence: Vec<f64> = self.influence().0;
        let kept_nodes: Vec<u8> = pruned.nodes.iter().copied().map(u8::from).collect();
        let tokens: Vec<i64> = self.tokens.iter().map(|token| i64::from(token.id)).collect();
        let targets: Vec<i64> =
            self.targets.iter().map(|target| target.token.map_or(-1, i64::from)).collect();
        let weights: Vec<f64> = self.targets.iter().map(|target| target.weight).collect();
        let cpu = Device::Cpu;
        let count = self.features.len();
        let tensors = HashMap::from([
            ("adjacency", Tensor::from_vec(adjacency, (nodes, width), &cpu)?),
            ("active_features", Tensor::from_vec(places, (count, 3), &cpu)?),
            ("activations", Tensor::from_vec(activations, count, &cpu)?),
            ("influence", Tensor::from_vec(influence, nodes, &cpu)?.to_dtype(candle_core::DType::F32)?),
            ("kept_nodes", Tensor::from_vec(kept_nodes, nodes, &cpu)?),
            ("kept_edges", Tensor::from_vec(kept, (nodes, nodes), &cpu)?),
            ("logit_tokens", Tensor::from_vec(targets, self.targets.len(), &cpu)?),
            (
                "logit_probs",
                Tensor::from_vec(weights, self.targets.len(), &cpu)?.to_dtype(candle_core::DType::F32)?,
            ),
            ("input_ids", Tensor::from_vec(tokens, self.tokens.len(), &cpu)?),
            ("left_out", Tensor::from_vec(left_out, nodes, &cpu)?),
        ]);
        let tensors = tensors.iter().map(|(name, tensor)| (*name, tensor));
        let write = |source| CircuitError::Write { path: path.to_owned(), source };
        tensor_file::write(path, tensors, None).map_err(write)
    }
}
