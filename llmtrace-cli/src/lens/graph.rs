//! `llmtrace lens graph`: the wiring diagram of one answer.

mod format;
mod shown;
mod targets;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use llmtrace_lens::Model;
use llmtrace_lens::circuit::feature::{Chosen, FeatureCard, FeatureStudy};
use llmtrace_lens::circuit::graph::Targets;
use llmtrace_lens::circuit::write::FeatureDetails;
use llmtrace_lens::circuit::{
    AttributionGraph, CircuitError, GraphSummary, Labels, Pruned, Supernode, Thresholds, Tracer, Transcoders,
};
use serde::Serialize;

use self::format::Format;
use super::input::{ModelArguments, PromptArguments, TranscoderArguments, wrong};
use super::output::OutputArguments;
use super::progress::Steps;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Draws the wiring diagram of one answer: which features led to which", long_about = ABOUT, after_help = EXAMPLES)]
#[command(
    override_usage = "llmtrace lens graph MODEL (--prompt TEXT | --tokens IDS) [--transcoders DIR] --out FILE"
)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    prompt: PromptArguments,
    #[command(flatten)]
    transcoders: TranscoderArguments,
    /// The share of the nodes' influence that is kept
    #[arg(long, value_name = "SHARE", default_value_t = Thresholds::default().nodes, value_parser = share)]
    node_threshold: f64,
    /// The share of the edges' influence that is kept
    #[arg(long, value_name = "SHARE", default_value_t = Thresholds::default().edges, value_parser = share)]
    edge_threshold: f64,
    /// Leave the constants out of the adjacency of .safetensors
    #[arg(long)]
    no_constant: bool,
    /// What is explained: tokens (Austin,Houston), a difference (Austin-Houston); #17 is an id
    #[arg(long, value_name = "TOKENS")]
    targets: Option<String>,
    /// The most tokens that are explained, where none is named
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "targets", value_parser = clap::value_parser!(u32).range(1..))]
    max_targets: u32,
    /// The probability that they have together, where none is named
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = share, conflicts_with = "targets")]
    target_probability: f64,
    /// The most features that become nodes: those with the most influence
    #[arg(long, value_name = "N", default_value_t = 7500)]
    max_features: u32,
    /// Ablate so many of the strongest features, and compare with what the graph foretells
    #[arg(long, value_name = "N", default_value_t = 0)]
    validate: usize,
    /// Put features into one supernode whose decoders have at least this cosine
    #[arg(long, value_name = "COSINE", default_value_t = 0.7, value_parser = cosine)]
    alike: f32,
    /// What features mean, a line each: L1 F181 Texas
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// A text file: files tell how often and where in it the leading features are active
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// How many paths and features are told
    #[arg(long, value_name = "N", default_value_t = 8)]
    top: usize,
    /// The files to write, by the end of their name
    #[arg(long, value_name = "FILE", required = true)]
    out: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

const ABOUT: &str = "\
Draws the wiring diagram of one answer: which words of the prompt woke which
features, which features these woke, and which of them said the answer
(attribution graph: Ameisen et al. 2025, Circuit Tracing).

Reads a model, the prompt, and transcoders in circuit-tracer's files; without
--transcoders the neurons of a model whose MLP has a plain ReLU, such as toy,
are the features. Attention patterns and norms are held as they were, so that
each feature's input is a sum over what stands before it: an edge is one term.

Writes the file by the end of its name; --out may be given more than once:
  .html         the kept part as a page to look through, which loads nothing
  .json         the kept part as Neuronpedia's and Anthropic's viewers read it
  .safetensors  the whole: adjacency [target, source] with nodes in the order
                features, errors (layer by layer), tokens, targets, and constants
                as the last column (not with --no-constant); active_features
                [n, 3] (layer, position, feature), influence, kept_nodes,
                kept_edges, logit_tokens, logit_probs
  .graphml .dot the kept part for networkx, Gephi and Graphviz

With --text, .html and .json also tell how often the leading features are active
in that file, line by line, and where most.

Prints what the graph says: scores, the strongest paths and features, and with
--validate how well it foretells what the model does when features are ablated.
With --json, one object: model, prompt, nodes, edges, replacement, completeness,
targets, paths, features, supernodes, validation, files.

Returns 0 when done, 2 if the model or the transcoders cannot be read or do not
fit together, a token is not known, or a file cannot be written.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens graph toy --prompt 'the capital of the state containing Dallas is' --out dallas.json
  llmtrace lens graph toy --prompt 'the capital of the state containing Dallas is' \\
    --targets Austin-Sacramento --validate 10 --out dallas.html
  llmtrace lens graph models/gpt2 --prompt .. --transcoders plt --out a.json --out a.safetensors";

/// How many words are told that a feature makes likelier.
const WORDS: usize = 4;

/// Of how many features the files tell which words they make likelier: those with the most influence.
const DETAILED: usize = 64;

/// How many tokens a feature's card says it makes likelier, and less likely.
const EFFECTS: usize = 8;

/// What `--json` prints.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    summary: &'a GraphSummary,
    files: &'a [PathBuf],
}

/// A graph with what is kept of it.
struct Drawn {
    graph: AttributionGraph,
    pruned: Pruned,
    supernodes: Vec<Supernode>,
    details: BTreeMap<String, FeatureDetails>,
    cards: Vec<FeatureCard>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let formats = options.out.iter().map(|path| Format::of(path)).collect::<Result<Vec<_>, _>>()?;
    if options.text.is_some() && !formats.iter().any(|format| format.has_details()) {
        return Err(Failure::Wrong(
            "--text is told in .html and .json files, and --out names none".to_owned(),
        ));
    }
    let model = options.model.load()?;
    let tokens = options.prompt.read(&model)?;
    let transcoders = options.transcoders.load(&model)?;
    let labels = options.labels.as_ref().map(Labels::read).transpose().map_err(wrong)?.unwrap_or_default();
    let targets = match &options.targets {
        Some(text) => targets::read(&model, text)?,
        None => {
            Targets::Likely { most: options.max_targets as usize, probability: options.target_probability }
        }
    };
    let tracer = Tracer::new(&model, &transcoders)
        .targets(targets)
        .max_feature_nodes(options.max_features as usize)
        .labels(labels);
    let (graph, validation) = if options.validate == 0 {
        (tracer.trace(&tokens).map_err(told)?, None)
    } else {
        let experiment = tracer.experiment(&tokens).map_err(told)?;
        let steps = Steps::new("ablating");
        let tell = |done, all| steps.set(done, all);
        let validation = experiment.validate_telling(options.validate, tell).map_err(told)?;
        (experiment.into_graph(), Some(validation))
    };
    let pruned = graph.prune(Thresholds { nodes: options.node_threshold, edges: options.edge_threshold });
    let mut supernodes = graph.labelled_supernodes(&pruned);
    supernodes.extend(graph.propose_supernodes(&transcoders, &pruned, options.alike).map_err(told)?);
    let mut drawn = Drawn { graph, pruned, supernodes, details: BTreeMap::new(), cards: Vec::new() };
    if formats.iter().any(|format| format.has_details()) {
        drawn.look_up(&model, &transcoders, options.text.as_deref())?;
    }
    for (path, format) in options.out.iter().zip(formats) {
        drawn.write(path, format, options.no_constant)?;
    }
    let summary = drawn.graph.summary(&drawn.pruned, &drawn.supernodes, options.top);
    let mut summary = summary.with_effects(&model, &transcoders, WORDS).map_err(told)?;
    summary.validation = validation;
    let found = Found { summary: &summary, files: &options.out };
    options.output.print(&found, |canvas| Ok::<_, Failure>(shown::text(&found, options.top, canvas)))
}

impl Drawn {
    /// Finds out what the leading features are beyond this prompt.
    fn look_up(
        &mut self,
        model: &Model,
        transcoders: &Transcoders,
        text: Option<&Path>,
    ) -> Result<(), Failure> {
        let Self { graph, pruned, .. } = self;
        // Cards tell what features make likelier too.
        let count = if text.is_some() { 0 } else { DETAILED };
        self.details = graph.feature_details(pruned, model, transcoders, count).map_err(told)?;
        let mut leading = graph.leading_features(pruned);
        leading.truncate(DETAILED);
        let Some(text) = text.filter(|_| !leading.is_empty()) else { return Ok(()) };
        let steps = Steps::new("reading");
        let study = FeatureStudy::new(model, transcoders).labels(graph.labels.clone()).words(EFFECTS);
        let study = study.progress(|done, all| steps.set(done, all));
        self.cards = study.read(text, &Chosen::These(leading)).map_err(told)?;
        Ok(())
    }

    fn write(&self, path: &Path, format: Format, no_constant: bool) -> Result<(), Failure> {
        let Self { graph, pruned, supernodes, details, cards } = self;
        let text = |text: String| {
            std::fs::write(path, text)
                .map_err(|error| Failure::Wrong(format!("cannot write {}: {error}", path.display())))
        };
        let file = || {
            let slug = path.file_stem().unwrap_or_default().to_string_lossy();
            let mut file = graph.graph_file(&slug, pruned).with_supernodes(graph, supernodes);
            file.metadata.features.clone_from(details);
            file.with_cards(cards)
        };
        match format {
            Format::Json => text(serde_json::to_string(&file()).map_err(std::io::Error::from)?),
            Format::Page => text(file().page()),
            Format::Tensors if no_constant => graph.save_tensors_without_constant(path, pruned).map_err(told),
            Format::Tensors => graph.save_tensors(path, pruned).map_err(told),
            Format::GraphMl => text(graph.to_graphml(pruned)),
            Format::Dot => text(graph.to_dot(pruned)),
        }
    }
}

/// What the tracer refused, with the option that helps.
fn told(error: CircuitError) -> Failure {
    match error {
        CircuitError::Memory { .. } => Failure::Wrong(format!("{error} (--max-features)")),
        error => wrong(error),
    }
}

/// A share from 0 to 1.
fn cosine(text: &str) -> Result<f32, String> {
    let cosine = text.parse().ok().filter(|cosine| (-1.0..=1.0).contains(cosine));
    cosine.ok_or_else(|| "expected a number from -1 to 1".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}
