//! The methods of this crate.

use std::collections::BTreeMap;

use candle_core::{D, DType, Device};

use super::error::BenchmarkError;
use super::part::{Level, Part, Place};
use super::task::Task;
use crate::circuit::graph::Targets;
use crate::circuit::{AttributionGraph, Node, Tracer, Transcoders};
use crate::explain::{KernelShap, LeaveOneOut, Lime, Owen, Permutation, Shapley, TokenGame};
use crate::gradient::{Baseline, IntegratedGradients};
use crate::hooks::{Hooks, Slice};
use crate::model::{Model, Readout};

/// A method of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BuiltIn {
    /// What is lost without each token.
    LeaveOneOut,
    /// Exact Shapley values.
    Shapley,
    /// Shapley values fitted to sampled masks.
    KernelShap,
    /// Owen values over the tree of the text.
    Owen,
    /// Shapley values by random orders.
    Permutation,
    /// A linear model around the prompt.
    Lime,
    /// Integrated gradients from masked tokens.
    IntegratedGradients,
    /// The gradient times the embedding.
    GradientXInput,
    /// The length of the gradient.
    Saliency,
    /// Attention followed through the layers.
    AttentionRollout,
    /// What is lost when a head's output or a neuron is set to zero.
    Ablation,
    /// The same to first order: the gradient times the value.
    GradientXActivation,
    /// An attribution graph of the model's own neurons: their influence, and its edges.
    AttributionGraph,
    /// Numbers drawn at random: what a method must be better than.
    Random,
}

impl BuiltIn {
    /// Every method.
    pub const ALL: [Self; 14] = [
        Self::LeaveOneOut,
        Self::Shapley,
        Self::KernelShap,
        Self::Owen,
        Self::Permutation,
        Self::Lime,
        Self::IntegratedGradients,
        Self::GradientXInput,
        Self::Saliency,
        Self::AttentionRollout,
        Self::Ablation,
        Self::GradientXActivation,
        Self::AttributionGraph,
        Self::Random,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeaveOneOut => "leave-one-out",
            Self::Shapley => "shapley",
            Self::KernelShap => "kernel-shap",
            Self::Owen => "owen",
            Self::Permutation => "permutation",
            Self::Lime => "lime",
            Self::IntegratedGradients => "integrated-gradients",
            Self::GradientXInput => "gradient-x-input",
            Self::Saliency => "saliency",
            Self::AttentionRollout => "attention-rollout",
            Self::Ablation => "ablation",
            Self::GradientXActivation => "gradient-x-activation",
            Self::AttributionGraph => "attribution-graph",
            Self::Random => "random",
        }
    }

    /// Whether it scores such parts.
    pub fn scores_level(self, level: Level) -> bool {
        match self {
            Self::Random => true,
            Self::Ablation | Self::GradientXActivation => matches!(level, Level::Heads | Level::Neurons),
            Self::AttributionGraph => matches!(level, Level::Neurons | Level::Edges),
            _ => level == Level::Tokens,
        }
    }

    /// A score for each part of a task.
    pub(super) fn scores(self, model: &Model, task: &Task) -> Result<Vec<f64>, BenchmarkError> {
        let prompt = TokenGame::new(model, &task.tokens, &task.answer.target(), task.mask);
        let game = prompt.game();
        let attribution = match self {
            Self::LeaveOneOut => game.explain(&LeaveOneOut)?,
            Self::Shapley => game.explain(&Shapley)?,
            Self::KernelShap => game.explain(&KernelShap::default())?,
            Self::Owen => game.explain(&Owen::default())?,
            Self::Permutation => game.explain(&Permutation::default())?,
            Self::Lime => game.explain(&Lime::default())?,
            Self::IntegratedGradients => {
                prompt.integrated_gradients(&IntegratedGradients::new(Baseline::Token(task.mask)))?
            }
            Self::GradientXInput => prompt.gradient_x_input()?,
            Self::Saliency => prompt.saliency()?,
            Self::AttentionRollout => prompt.attention_rollout()?,
            Self::Ablation => return ablation(model, task),
            Self::GradientXActivation => return gradient_x_activation(model, task),
            Self::AttributionGraph => return attribution_graph(model, task),
            Self::Random => return Ok(random(task)),
        };
        Ok(attribution.values())
    }
}

/// Numbers that depend on the task's name alone.
fn random(task: &Task) -> Vec<f64> {
    let seed = task.id.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = fastrand::Rng::with_seed(seed);
    task.parts.iter().map(|_| random.f64() - 0.5).collect()
}

/// The hook point of a head or a neuron, and where in it.
fn site(part: &Part) -> Option<(String, Slice)> {
    match part {
        Part::Node(Place::Head { layer, head }) => {
            Some((format!("blocks.{layer}.attn.hook_z"), Slice::head(*head)))
        }
        Part::Node(Place::Neuron { layer, position, neuron }) => Some((
            format!("blocks.{layer}.mlp.hook_post"),
            Slice::position(*position).and(Slice::neuron(*neuron)),
        )),
        _ => None,
    }
}

fn ablation(model: &Model, task: &Task) -> Result<Vec<f64>, BenchmarkError> {
    let answer = |hooks: &mut Hooks<'_>| -> Result<f64, BenchmarkError> {
        let (logits, _) = model.run_batch_with_hooks(&[&task.tokens], Readout::Last, hooks)?;
        let logits = logits.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let of = |token: u32| logits.get(token as usize).copied().unwrap_or_default();
        Ok(of(task.answer.token) - task.answer.against.map(of).unwrap_or_default())
    };
    let whole = answer(&mut Hooks::new())?;
    let each = task.parts.iter().map(|part| match site(part) {
        Some((point, slice)) => Ok(whole - answer(&mut Hooks::new().zero(point.as_str(), slice))?),
        None => Ok(0.0),
    });
    each.collect()
}

fn gradient_x_activation(model: &Model, task: &Task) -> Result<Vec<f64>, BenchmarkError> {
    let points = "blocks.*.attn.hook_z, blocks.*.mlp.hook_post";
    let (_, run) = model.run_with_cache(&task.tokens, points)?;
    let gradient = model.gradient_at(&task.tokens[..], &task.answer.target(), points)?;
    let mut of_layer = BTreeMap::new();
    for (point, value) in run.iter() {
        let product = (gradient.points().at(point)? * value)?
            .squeeze(0)?
            .to_device(&Device::Cpu)?
            .to_dtype(DType::F64)?;
        let heads = point.to_string().contains("hook_z");
        // Of heads [t, H, d] the sum over positions and width; of neurons [t, M] each.
        let numbers = if heads { product.sum(D::Minus1)?.sum(0)?.unsqueeze(0)? } else { product };
        of_layer.insert((point.layer(), heads), numbers.to_vec2::<f64>()?);
    }
    let of = |layer: usize, heads: bool, row: usize, column: usize| {
        let numbers = of_layer.get(&(Some(layer), heads));
        numbers.and_then(|rows| rows.get(row)?.get(column).copied()).unwrap_or_default()
    };
    let score = |part: &Part| match part {
        Part::Node(Place::Head { layer, head }) => of(*layer, true, 0, *head),
        Part::Node(Place::Neuron { layer, position, neuron }) => of(*layer, false, *position, *neuron),
        _ => 0.0,
    };
    Ok(task.parts.iter().map(score).collect())
}

fn attribution_graph(model: &Model, task: &Task) -> Result<Vec<f64>, BenchmarkError> {
    let neurons = Transcoders::neurons(model)?;
    let targets = match task.answer.against {
        Some(other) => Targets::Difference(task.answer.token, other),
        None => Targets::Tokens(vec![task.answer.token]),
    };
    let graph = Tracer::new(model, &neurons).targets(targets).masked(0).trace(&task.tokens)?;
    let influence = graph.influence();
    let nodes: BTreeMap<Place, usize> =
        (0..graph.len()).filter_map(|node| Some((place(&graph, node)?, node))).collect();
    let score = |part: &Part| match part {
        Part::Node(place) => nodes.get(place).map(|node| influence.of(*node)),
        Part::Edge(from, to) => {
            let (from, to) = (nodes.get(from)?, nodes.get(to)?);
            // What matters is how much of the answer comes through it.
            Some(f64::from(graph.edge(*to, *from)) * through(&graph, &influence, *to))
        }
    };
    Ok(task.parts.iter().map(|part| score(part).unwrap_or_default()).collect())
}

/// How much of the answer comes through a node, for each unit of what it reads.
fn through(graph: &AttributionGraph, influence: &crate::circuit::Influence, node: usize) -> f64 {
    let weight = if node >= graph.sources() { 1.0 } else { influence.of(node) };
    let read: f64 = graph.row(node).iter().map(|edge| f64::from(edge.abs())).sum();
    if read > 0.0 { weight / read } else { 0.0 }
}

fn place(graph: &AttributionGraph, node: usize) -> Option<Place> {
    match graph.node(node)? {
        Node::Token { position } => Some(Place::Token { position }),
        Node::Feature(feature) => {
            Some(Place::Neuron { layer: feature.layer, position: feature.position, neuron: feature.feature })
        }
        Node::Target(_) => Some(Place::Answer),
        _ => None,
    }
}
