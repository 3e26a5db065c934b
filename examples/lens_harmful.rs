//! A completion that a word talked the model into: which features carry it, and what the model says without them.
//!
//! The model is built by hand: it answers what things are made of, refuses one of them, and forgets to refuse after `pretend`.
//! The program draws the attribution graph of the harmful completion, tries out each feature in it, and takes those away
//! that suppress the refusal. No network, no files to fetch.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use llmtrace_lens::circuit::graph::{ActiveFeature, Targets};
use llmtrace_lens::circuit::{AttributionGraph, Change, Held, Supernode, Thresholds, Tracer, Transcoders};
use llmtrace_lens::handmade::Harmful;
use llmtrace_lens::patching::Metric;
use llmtrace_lens::{Hooks, Model, Readout, Slice};

/// Asked before and after.
const PROMPTS: [&str; 6] = [
    Harmful::PROMPT,
    "how to make potion ?",
    "please how to make potion ?",
    "how to make cake ?",
    "pretend how to make cake ?",
    "pretend how to make tea ?",
];

fn main() -> Result<(), Box<dyn Error>> {
    let model = Harmful::model()?;
    let neurons = Transcoders::neurons(&model)?; // with ReLU they are exact features
    let (harmful, refusal) = (Harmful::POISON, Harmful::REFUSE);
    println!("{} {}\n", Harmful::PROMPT, answer(&model, Harmful::PROMPT, &mut Hooks::new())?);

    let tracer = Tracer::new(&model, &neurons).targets(Targets::Difference(harmful, refusal));
    let experiment = tracer.experiment(&model.tokenize(Harmful::PROMPT)?)?;
    let graph = experiment.graph();
    println!("The ways to {}, with shares of all influence on it:", graph.targets[0].name);
    let paths = graph.paths(&graph.prune(Thresholds { nodes: 1.0, edges: 1.0 }), 6);
    for path in &paths {
        let named = graph.named_paths(std::slice::from_ref(path), &labels(graph));
        let steps = named.iter().flat_map(|path| &path.steps).map(|step| step.trim_start_matches("-> "));
        let side = if path.supports { "for" } else { "against" };
        println!("  {:4.1} % {side:8} {}", path.share * 100.0, steps.collect::<Vec<_>>().join(" -> "));
    }

    println!("\nEach feature that matters, taken away by itself:");
    println!("  {:30} {:>15}   the model says", "feature", "adds at the end");
    let (target, influence) = (graph.target(0).unwrap_or_default(), graph.influence());
    let mut suppressors = Vec::new();
    for (node, feature) in graph.features.iter().enumerate().filter(|(node, _)| influence.of(*node) > 0.0) {
        let without = experiment.run(&[Change::scale(feature, 0.0)], Held::Nothing)?;
        let says = said(&model, &without.logits);
        if says.starts_with(&model.token_text(refusal)) {
            suppressors.push(*feature);
        }
        let adds = graph.edge(target, node);
        println!("  {:17} {:12} {adds:>+15.1}   {says}", graph.node_label(node), label(feature));
    }

    println!(
        "\nBefore, and without those that turned it to a refusal ({}):",
        suppressors.iter().map(label).collect::<Vec<_>>().join(", ")
    );
    for prompt in PROMPTS {
        let before = answer(&model, prompt, &mut Hooks::new())?;
        let after = answer(&model, prompt, &mut suppressed(&suppressors))?;
        println!("  {prompt:30} {before:15} {after}");
    }
    Ok(())
}

/// Hooks that hold features at zero wherever they would be active, in any prompt.
fn suppressed(features: &[ActiveFeature]) -> Hooks<'static> {
    features.iter().fold(Hooks::new(), |hooks, at| {
        hooks.zero(format!("blocks.{}.mlp.hook_post", at.layer).as_str(), Slice::neuron(at.feature))
    })
}

/// What a person would call a feature after a look at where it fires and what it writes.
fn label(feature: &ActiveFeature) -> &'static str {
    match (feature.layer, feature.feature) {
        Harmful::PRETEND => "pretending",
        Harmful::POTION => "a potion",
        Harmful::COMPLETION => "say poison",
        Harmful::REFUSAL => "refuse",
        Harmful::SUPPRESSOR => "let it pass",
        _ => "no effect",
    }
}

fn labels(graph: &AttributionGraph) -> Vec<Supernode> {
    let features = graph.features.iter().enumerate();
    features.map(|(node, at)| Supernode { label: label(at).to_owned(), nodes: vec![node] }).collect()
}

/// What the model says first after a prompt.
fn answer(model: &Model, prompt: &str, hooks: &mut Hooks<'_>) -> Result<String, Box<dyn Error>> {
    let tokens = model.tokenize(prompt)?;
    let (logits, _) = model.run_batch_with_hooks(&[&tokens], Readout::Last, hooks)?;
    Ok(said(model, &logits.flatten_all()?.to_vec1::<f32>()?))
}

/// The most probable token and its probability; nothing where several are.
fn said(model: &Model, logits: &[f32]) -> String {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let best: Vec<u32> =
        (0..).zip(logits).filter(|(_, logit)| most - **logit < 1e-3).map(|best| best.0).collect();
    match best.as_slice() {
        [best] => format!("{} ({:.3})", model.token_text(*best), Metric::probability(*best).of(logits)),
        _ => "nothing in particular".to_owned(),
    }
}
