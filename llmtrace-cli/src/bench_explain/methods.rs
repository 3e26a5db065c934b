//! The methods of this program, and chance.

use std::fmt::Display;

use candle_core::DType;
use llmtrace_lens::Site;
use llmtrace_lens::circuit::graph::Targets;
use llmtrace_lens::circuit::{AttributionGraph, Node, Tracer, Transcoders};
use llmtrace_lens::explain::{KernelShap, LeaveOneOut, Lime, Method, Owen, Permutation, Shapley, TokenGame};
use llmtrace_lens::gradient::{Baseline, IntegratedGradients, Target};
use llmtrace_lens::patching::{Along, Metric, Patching};

use super::task::{Kind, Task};
use crate::failure::Failure;

/// A method, and how it scores the candidates of a task; nothing where it cannot score that model.
pub(super) struct Scorer {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) score: fn(&Task, u64) -> Scores,
}

/// Every method, those of one kind together.
pub(super) const ALL: &[Scorer] = &[
    Scorer {
        name: "leave_one_out",
        kind: Kind::Tokens,
        score: |task, seed| masked(task, &LeaveOneOut, seed),
    },
    Scorer { name: "shapley", kind: Kind::Tokens, score: |task, seed| masked(task, &Shapley, seed) },
    Scorer {
        name: "kernel_shap",
        kind: Kind::Tokens,
        score: |task, seed| masked(task, &KernelShap::default(), seed),
    },
    Scorer { name: "lime", kind: Kind::Tokens, score: |task, seed| masked(task, &Lime::default(), seed) },
    Scorer { name: "owen", kind: Kind::Tokens, score: |task, seed| masked(task, &Owen::default(), seed) },
    Scorer {
        name: "permutation",
        kind: Kind::Tokens,
        score: |task, seed| masked(task, &Permutation::default(), seed),
    },
    Scorer { name: "gradient_x_input", kind: Kind::Tokens, score: gradient_x_input },
    Scorer { name: "integrated_gradients", kind: Kind::Tokens, score: integrated_gradients },
    Scorer { name: "attention_rollout", kind: Kind::Tokens, score: attention_rollout },
    Scorer { name: "activation_patching", kind: Kind::Tokens, score: patched_tokens },
    Scorer { name: "attribution_patching", kind: Kind::Tokens, score: estimated_tokens },
    Scorer { name: "attribution_graph", kind: Kind::Tokens, score: graph_tokens },
    Scorer { name: "random", kind: Kind::Tokens, score: |task, seed| Ok(Some(random(task, seed))) },
    Scorer { name: "activation_patching", kind: Kind::Heads, score: patched_heads },
    Scorer { name: "attribution_patching", kind: Kind::Heads, score: estimated_heads },
    Scorer { name: "random", kind: Kind::Heads, score: |task, seed| Ok(Some(random(task, seed))) },
    Scorer { name: "attribution_graph", kind: Kind::Edges, score: graph_edges },
    Scorer { name: "random", kind: Kind::Edges, score: |task, seed| Ok(Some(random(task, seed))) },
];

type Scores = Result<Option<Vec<f64>>, Failure>;

/// What is explained.
pub(super) fn target(task: &Task) -> Target {
    Target::logit_difference(task.asked.answer, task.asked.wrong)
}

/// A task's prompt, of which each token is a part.
pub(super) fn game(task: &Task) -> TokenGame<'_> {
    TokenGame::new(&task.model, &task.asked.prompt, &target(task), task.asked.mask)
}

fn masked(task: &Task, method: &impl Method, seed: u64) -> Scores {
    let game = game(task);
    let found = game.game().seed(seed).explain(method).map_err(wrong)?;
    Ok(Some(found.values()))
}

fn gradient_x_input(task: &Task, _: u64) -> Scores {
    Ok(Some(game(task).gradient_x_input().map_err(wrong)?.values()))
}

fn integrated_gradients(task: &Task, _: u64) -> Scores {
    let method = IntegratedGradients::new(Baseline::Token(task.asked.mask));
    Ok(Some(game(task).integrated_gradients(&method).map_err(wrong)?.values()))
}

fn attention_rollout(task: &Task, _: u64) -> Scores {
    Ok(Some(game(task).attention_rollout().map_err(wrong)?.values()))
}

/// The stream that enters the model is put into the contrast's run, one position at a time.
fn patched_tokens(task: &Task, _: u64) -> Scores {
    let recovered = patched(task, Site::ResidPre, Along::Positions)?;
    Ok(Some(recovered.into_iter().take(task.asked.prompt.len()).collect()))
}

fn patched_heads(task: &Task, _: u64) -> Scores {
    patched(task, Site::Z, Along::Heads).map(Some)
}

fn patched(task: &Task, site: Site, along: Along) -> Result<Vec<f64>, Failure> {
    let metric = Metric::logit_difference(task.asked.answer, task.asked.wrong);
    let (clean, corrupted) = (&task.asked.prompt, &task.asked.contrast);
    let mut patching = Patching::new(&task.model, clean, corrupted, metric).map_err(wrong)?;
    Ok(patching.sweep(site, along).map_err(wrong)?.recovered)
}

fn estimated_tokens(task: &Task, _: u64) -> Scores {
    let estimates = estimated(task, Site::ResidPre)?;
    Ok(Some(estimates.into_iter().take(task.asked.prompt.len()).collect()))
}

/// Estimates `[L, t, H]`, added up over positions.
fn estimated_heads(task: &Task, _: u64) -> Scores {
    let (steps, heads) = (task.asked.prompt.len(), task.model.config().heads);
    let estimates = estimated(task, Site::Z)?;
    let layers = estimates.chunks(steps * heads);
    let sums = layers
        .flat_map(|layer| (0..heads).map(move |head| layer.iter().skip(head).step_by(heads).sum::<f64>()));
    Ok(Some(sums.collect()))
}

fn estimated(task: &Task, site: Site) -> Result<Vec<f64>, Failure> {
    let (clean, corrupted) = (&task.asked.prompt, &task.asked.contrast);
    let found = task.model.attribution_patching(corrupted, clean, &target(task)).map_err(wrong)?;
    let Some(estimates) = found.at(site) else { return Ok(Vec::new()) };
    let numbers = estimates.to_dtype(DType::F64).and_then(|numbers| numbers.flatten_all()?.to_vec1());
    numbers.map_err(wrong)
}

/// The graph of the neurons of a model with a `ReLU`.
fn graph(task: &Task) -> Result<Option<AttributionGraph>, Failure> {
    let Ok(neurons) = Transcoders::neurons(&task.model) else { return Ok(None) };
    let targets = Targets::Difference(task.asked.answer, task.asked.wrong);
    let tracer = Tracer::new(&task.model, &neurons).targets(targets).masked(0);
    tracer.trace(&task.asked.prompt).map(Some).map_err(wrong)
}

fn graph_tokens(task: &Task, _: u64) -> Scores {
    let Some(graph) = graph(task)? else { return Ok(None) };
    let influence = graph.influence();
    let of = |position| graph.token(position).map_or(0.0, |node| influence.of(node));
    Ok(Some((0..task.asked.prompt.len()).map(of).collect()))
}

/// Edges by their share in the answer: of each target's input, times the target's influence.
fn graph_edges(task: &Task, _: u64) -> Scores {
    let Some(graph) = graph(task)? else { return Ok(None) };
    let influence = graph.influence();
    let named = |index: usize| match graph.node(index)? {
        Node::Feature(at) => Some(format!("neuron {}.{}.{}", at.layer, at.position, at.feature)),
        Node::Token { position } => Some(format!("token {position}")),
        Node::Target(_) => Some("answer".to_owned()),
        _ => None,
    };
    let mut known = std::collections::BTreeMap::new();
    for target in graph.rows() {
        let matters = if graph.target(0) == Some(target) { 1.0 } else { influence.of(target) };
        let row = graph.row(target);
        let size: f64 = row.iter().map(|edge| f64::from(edge.abs())).sum();
        for (source, edge) in row.iter().enumerate().filter(|(_, edge)| **edge != 0.0) {
            if let (Some(from), Some(to)) = (named(source), named(target)) {
                known.insert(format!("{from} -> {to}"), matters * f64::from(*edge) / size);
            }
        }
    }
    Ok(Some(task.asked.candidates.iter().map(|edge| known.get(edge).copied().unwrap_or(0.0)).collect()))
}

fn random(task: &Task, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    task.asked.candidates.iter().map(|_| random.f64()).collect()
}

fn wrong(error: impl Display) -> Failure {
    Failure::Wrong(error.to_string())
}
