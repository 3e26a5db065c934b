//! Tracing one prompt.

use candle_core::Tensor;
use rayon::prelude::*;
use tracing::Span;

use super::backward::Row;
use super::found::{Found, Owner};
use super::graph::{AttributionGraph, TargetNode};
use super::local::Local;
use super::target::{Direction, Reading, Targets};
use crate::circuit::error::CircuitError;
use crate::circuit::label::Labels;
use crate::circuit::prune::Thresholds;
use crate::circuit::trace::Telling;
use crate::circuit::transcoder::Transcoders;
use crate::model::Model;
use crate::trace::Artifacts;

/// Gradients `[T, width]` that a row's way back holds at once.
const GRADIENTS: usize = 5;

/// Computes attribution graphs of a model whose MLPs transcoders stand for.
#[derive(Clone, Debug)]
pub struct Tracer<'m> {
    model: &'m Model,
    transcoders: &'m Transcoders,
    targets: Targets,
    masked: Option<usize>,
    max_feature_nodes: usize,
    batch: usize,
    update_interval: usize,
    max_bytes: usize,
    labels: Labels,
    telling: Telling,
}

impl<'m> Tracer<'m> {
    /// With circuit-tracer's defaults: at most 7500 feature nodes, in batches of 256, the most influential of those not
    /// yet seen chosen again every 4 batches.
    pub fn new(model: &'m Model, transcoders: &'m Transcoders) -> Self {
        Self {
            model,
            transcoders,
            targets: Targets::default(),
            masked: None,
            max_feature_nodes: 7500,
            batch: 256,
            update_interval: 4,
            max_bytes: 4 << 30,
            labels: Labels::default(),
            telling: Telling::default(),
        }
    }

    /// What the graph explains.
    pub fn targets(mut self, targets: Targets) -> Self {
        self.targets = targets;
        self
    }

    /// Nothing is a feature at so many first positions, and their MLPs' output is constant; without this at the first one
    /// where the prompt begins with a special token, as circuit-tracer has it.
    pub fn masked(mut self, positions: usize) -> Self {
        self.masked = Some(positions);
        self
    }

    /// The most features that become nodes: those with the most influence on the targets.
    pub fn max_feature_nodes(mut self, nodes: usize) -> Self {
        self.max_feature_nodes = nodes;
        self
    }

    /// How many rows are computed as one batch, and after how many batches the features that are left are ranked again.
    pub fn batches(mut self, rows: usize, update_interval: usize) -> Self {
        (self.batch, self.update_interval) = (rows.max(1), update_interval.max(1));
        self
    }

    /// The most bytes that edges may take in memory, 4 GiB without this: a graph with more is refused, and rows that would be more
    /// while it is made, as wide as all active features, wait in a temporary file. The encoder and decoder rows of active
    /// features, each once, and the run itself are held beside them.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// What features mean, for the graph and what its span says.
    pub fn labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// Names the span that is explained, such as that of a generation: spans of graphs become its children. Without it they are
    /// children of the current span.
    pub fn of_span(mut self, explained: &Span) -> Self {
        self.telling.explained = Some(explained.clone());
        self
    }

    /// How much of a graph its span keeps.
    pub fn told(mut self, thresholds: Thresholds) -> Self {
        self.telling.thresholds = thresholds;
        self
    }

    /// Writes each graph beside the trace, named after its span: `.graph.json` with the part that is kept, `.graph.safetensors` with
    /// the whole where that takes no more bytes than these allow.
    pub fn artifacts(mut self, artifacts: Artifacts) -> Self {
        self.telling.artifacts = Some(artifacts);
        self
    }

    /// The graph of one prompt.
    ///
    /// In a traced program it is an evaluator span with the graph on it: see [`AttributionGraph::record_on`].
    ///
    /// # Errors
    /// The prompt cannot be run, the transcoders are not this model's, a file cannot be read, or the edges take too much memory.
    pub fn trace(&self, tokens: &[u32]) -> Result<AttributionGraph, CircuitError> {
        self.traced(tokens).map(|(_, graph, _)| graph)
    }

    /// One prompt's run, its graph, and the span that tells of it.
    pub(crate) fn traced(&self, tokens: &[u32]) -> Result<(Local<'m>, AttributionGraph, Span), CircuitError> {
        let span = self.telling.open(self.model, tokens);
        let traced = self.local(tokens).and_then(|local| self.graph(&local).map(|graph| (local, graph)));
        self.telling.end(&span, self.transcoders, traced.as_ref().map(|(_, graph)| graph));
        traced.map(|(local, graph)| (local, graph, span))
    }

    pub(crate) fn local(&self, tokens: &[u32]) -> Result<Local<'m>, CircuitError> {
        let special = self.model.special_tokens();
        let begins = tokens.first().is_some_and(|first| special.contains(first));
        let masked = self.masked.unwrap_or(usize::from(begins));
        Local::new(self.model, self.transcoders, tokens, masked)
    }

    /// The directions `[D, targets]` of the normed stream at the last position that the targets read, and what is added to each.
    pub(crate) fn directions(&self, local: &Local<'_>) -> Result<(Tensor, Vec<f32>), CircuitError> {
        let directions: Vec<Direction> =
            self.targets.resolve(local)?.into_iter().map(|(_, direction)| direction).collect();
        let width = self.model.config().d_model;
        let constants = directions.iter().map(|direction| direction.constant).collect();
        let count = directions.len();
        let all: Vec<f32> = directions.into_iter().flat_map(|direction| direction.vector).collect();
        let all = Tensor::from_vec(all, (count, width), self.model.device())?;
        Ok((all.t()?.contiguous()?, constants))
    }

    pub(crate) fn graph(&self, local: &Local<'_>) -> Result<AttributionGraph, CircuitError> {
        let (targets, directions): (Vec<_>, Vec<_>) = self.targets.resolve(local)?.into_iter().unzip();
        let readings: Result<Vec<Reading>, CircuitError> =
            directions.iter().map(|direction| local.final_reading(direction)).collect();
        let readings = readings?;
        let active = local.features.len();
        let count = active.min(self.max_feature_nodes);
        let graph = self.bytes(count + targets.len(), count + local.sources() - active)?;
        let mut found = Found::new(local.sources(), self.max_bytes - graph);
        let weights: Vec<f64> = targets.iter().map(|target| target.weight).collect();
        let (batch, _) = self.in_flight(local);
        for (readings, weights) in readings.chunks(batch).zip(weights.chunks(batch)) {
            let readings: Vec<&Reading> = readings.iter().collect();
            for (row, weight) in local.rows(&readings)?.into_iter().zip(weights) {
                found.add(Owner::Target(*weight), row)?;
            }
        }
        let mut seen = vec![false; active];
        let mut left = count;
        while left > 0 {
            let mut queue: Vec<usize> =
                (0..active).filter(|feature| seen.get(*feature) == Some(&false)).collect();
            if count < active {
                let influence = found.influence(active)?;
                let of = |feature: &usize| influence.get(*feature).copied().unwrap_or(0.0);
                queue.sort_by(|a, b| of(b).total_cmp(&of(a)).then(a.cmp(b)));
                queue.truncate((self.update_interval * self.batch).min(left));
                queue.sort_unstable();
            }
            left -= queue.len();
            for feature in &queue {
                if let Some(seen) = seen.get_mut(*feature) {
                    *seen = true;
                }
            }
            self.rows(local, &queue, &mut found)?;
        }
        Ok(assembled(local, targets, &seen, &found)?.with_labels(self.labels.clone()))
    }

    /// Computes the rows of some features, many batches at a time.
    fn rows(&self, local: &Local<'_>, features: &[usize], found: &mut Found) -> Result<(), CircuitError> {
        let (batch, at_once) = self.in_flight(local);
        let batches: Vec<&[usize]> = features.chunks(batch).collect();
        for together in batches.chunks(at_once) {
            let rows: Result<Vec<Vec<Row>>, CircuitError> = together
                .par_iter()
                .map(|batch| {
                    let readings: Vec<&Reading> =
                        batch.iter().filter_map(|feature| local.readings.get(*feature)).collect();
                    local.rows(&readings)
                })
                .collect();
            for (feature, row) in together.iter().copied().flatten().zip(rows?.into_iter().flatten()) {
                found.add(Owner::Feature(*feature), row)?;
            }
        }
        Ok(())
    }

    /// How many rows are computed as one batch, and how many batches at once, so that they take a quarter of what edges may take.
    fn in_flight(&self, local: &Local<'_>) -> (usize, usize) {
        let config = self.model.config();
        let width = config.d_model.max(config.heads * config.head_dim);
        let floats = local.sources() + GRADIENTS * local.steps() * width;
        let rows = self.max_bytes / 4 / (floats * size_of::<f32>()).max(1);
        let threads = rayon::current_num_threads().max(1);
        let batch = self.batch.min(rows / threads).max(1);
        (batch, threads.min(rows / batch).max(1))
    }

    /// What a graph's edges take.
    fn bytes(&self, rows: usize, columns: usize) -> Result<usize, CircuitError> {
        let bytes = rows.saturating_mul(columns).saturating_mul(size_of::<f32>());
        if bytes <= self.max_bytes {
            return Ok(bytes);
        }
        Err(CircuitError::Memory { rows, columns, bytes, limit: self.max_bytes })
    }
}

/// The graph of the features that were seen.
fn assembled(
    local: &Local<'_>,
    targets: Vec<TargetNode>,
    seen: &[bool],
    found: &Found,
) -> Result<AttributionGraph, CircuitError> {
    let kept = |index: usize| seen.get(index).copied().unwrap_or(true);
    let features = local.features.iter().enumerate().filter(|(index, _)| kept(*index));
    let features: Vec<_> = features.map(|(_, feature)| *feature).collect();
    let width = features.len() + local.sources() - local.features.len();
    let rows = features.len() + targets.len();
    let mut edges = Vec::with_capacity(rows * width);
    let (mut constants, mut left_out) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut buffer = Vec::new();
    for (index, entry) in found.ordered() {
        let mut omitted = 0.0;
        for (source, edge) in found.row(index, &mut buffer)?.iter().enumerate() {
            if kept(source) { edges.push(*edge) } else { omitted += edge }
        }
        constants.push(entry.constant);
        left_out.push(omitted);
    }
    Ok(AttributionGraph {
        model: local.model.name().to_owned(),
        layers: local.layers.len(),
        prompt: local.model.text_of(&local.tokens),
        transcoders: local.transcoders.kind(),
        tokens: local.tokens.iter().map(|token| local.model.token_label(*token)).collect(),
        masked: local.masked,
        active: local.features.len(),
        features,
        targets,
        labels: Labels::default(),
        constants,
        left_out,
        edges,
    })
}
