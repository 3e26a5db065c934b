//! `llmtrace lens train-transcoder`: features that stand for a model's MLPs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use llmtrace_lens::Model;
use llmtrace_lens::circuit::train::{Progress, Sparsity, TrainedLayer, Training};
use llmtrace_lens::circuit::transcoder::FeatureInput;
use serde::Serialize;

use super::input::{ModelArguments, wrong};
use super::output::OutputArguments;
use super::progress::Steps;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Trains transcoders: sparse features that stand for a model's MLPs", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    /// The texts to learn from, one a line
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    #[arg(
        long,
        value_name = "DIR",
        help = "The folder that is written: layer_0.safetensors, .. and config.yaml"
    )]
    out: PathBuf,
    /// How many features a layer has; without it four times as many as the model is wide
    #[arg(long, value_name = "N")]
    features: Option<usize>,
    /// How many of them are active at a position; without it 32
    #[arg(long, value_name = "K", conflicts_with_all = ["l1", "jump_relu"])]
    top_k: Option<usize>,
    /// Let so many be active on average, each above a threshold that it learns
    #[arg(long, value_name = "L0", conflicts_with = "l1")]
    jump_relu: Option<f64>,
    /// Let any number be active, each paying so much for a unit of activation: 0.01 is much
    #[arg(long, value_name = "COST")]
    l1: Option<f64>,
    /// What the features read
    #[arg(long, value_name = "WHAT", value_enum, default_value = "mlp-input")]
    reads: Reads,
    /// The layers that are trained, 0,2 for instance; without it all of them
    #[arg(long, value_name = "LAYERS", value_delimiter = ',')]
    layers: Vec<usize>,
    /// How many steps a layer takes; without it 3000
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// How many positions a step learns from; without it 256
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// How far a step goes at most; without it 0.06 over the root of the model's width
    #[arg(long, value_name = "RATE")]
    rate: Option<f64>,
    /// The most positions of the texts that are learnt from, chosen at random
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    max_positions: usize,
    /// The most tokens that are run at once: a longer line goes on in another run
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(2..))]
    window: u32,
    /// What chance begins with
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    output: OutputArguments,
}

/// What features read.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reads {
    /// What the MLP reads after its norm
    MlpInput,
    /// The stream before the norm of the MLP
    Stream,
}

const ABOUT: &str = "\
Trains transcoders: for each layer, sparse features that write what its MLP
writes, from what it reads, few of them active at a time (Dunefsky et al. 2024,
Transcoders Find Interpretable LLM Feature Circuits). `llmtrace lens graph` and
circuit-tracer draw attribution graphs with them. --top-k, --jump-relu and --l1
say what keeps few of them active; docs/circuits.md tells how each is trained.

Reads a model and a file of texts, one a line. Writes layer_0.safetensors, ..
(W_enc, b_enc, W_dec, b_dec; k with --top-k, activation_function.threshold with
--jump-relu) and config.yaml into a folder. With --layers, files of other layers
there are left as they are. A bar on a terminal's standard error shows how far
it has come.

Prints a line for each layer: loss, FVU (the fraction of the variance of the
MLP's output that the features leave unexplained: 0 is perfect, 1 as bad as the
mean), L0 (active features a position) and dead features, of one line in ten,
which was kept out of the training. With --json, one object: model, text, out
and layers, each with layer, positions, held_out, loss, fvu, l0, features, dead.

The same seed gives the same files on one machine with as many threads.

Returns 0 when done, 2 if the model or the texts cannot be read, a number makes
no sense, or a file cannot be written.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens train-transcoder toy-gelu --text sentences.txt --out plt
  llmtrace lens train-transcoder models/gpt2 --text corpus.txt --out plt \\
    --features 6144 --top-k 64 --steps 4000 --json
  llmtrace lens train-transcoder toy-gelu --text sentences.txt --out jump --jump-relu 16";

/// What `--json` prints.
#[derive(Serialize)]
struct Found<'a> {
    model: &'a str,
    text: &'a Path,
    out: &'a Path,
    layers: &'a [TrainedLayer],
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let model = options.model.load()?;
    let texts = texts(&model, &options.text)?;
    let steps = Steps::new("training");
    let tell = |at: &Progress| {
        let before = at.before.saturating_mul(at.steps);
        steps.set(before.saturating_add(at.step), at.layers.saturating_mul(at.steps));
        steps.say(&format!(
            "layer {} loss {:.4} FVU {:.4} L0 {:.1} dead {}",
            at.layer, at.loss, at.fvu, at.l0, at.dead
        ));
    };
    let layers = options.training(&model).run(&texts, &options.out, tell).map_err(wrong)?;
    drop(steps);
    let found = Found { model: model.name(), text: &options.text, out: &options.out, layers: &layers };
    options.output.print(&found, |_| Ok::<_, Failure>(told(&found)))
}

impl Options {
    fn training<'m>(&self, model: &'m Model) -> Training<'m> {
        let input = match self.reads {
            Reads::MlpInput => FeatureInput::MlpInput,
            Reads::Stream => FeatureInput::Stream,
        };
        let mut training =
            Training::new(model).input(input).seed(self.seed).max_positions(self.max_positions);
        training = training.layers(self.layers.iter().copied()).window(self.window as usize);
        if let Some(features) = self.features {
            training = training.features(features);
        }
        if let Some(count) = self.top_k {
            training = training.sparsity(Sparsity::TopK(count));
        }
        if let Some(asked) = self.jump_relu {
            training = training.sparsity(Sparsity::JumpRelu(asked));
        }
        if let Some(cost) = self.l1 {
            training = training.sparsity(Sparsity::L1(cost));
        }
        if let Some(steps) = self.steps {
            training = training.steps(steps);
        }
        if let Some(positions) = self.batch {
            training = training.batch(positions);
        }
        if let Some(rate) = self.rate {
            training = training.learning_rate(rate);
        }
        training
    }
}

/// The tokens of each line that is not empty.
fn texts(model: &Model, path: &Path) -> Result<Vec<Vec<u32>>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| model.tokenize(line).map_err(wrong)).collect()
}

fn told(found: &Found<'_>) -> String {
    let mut out =
        format!("{:<7}{:>9}{:>9}{:>8}{:>10}{:>7}\n", "layer", "loss", "FVU", "L0", "features", "dead");
    for at in found.layers {
        let TrainedLayer { layer, loss, fvu, l0, features, dead, .. } = at;
        let _ = writeln!(out, "{layer:<7}{loss:>9.5}{fvu:>9.5}{l0:>8.1}{features:>10}{dead:>7}");
    }
    let positions = found.layers.first().map_or(0, |layer| layer.positions);
    let judged = found.layers.first().map_or(0, |layer| layer.held_out);
    let by = if judged == 0 { "the same".to_owned() } else { format!("{judged} kept out") };
    let _ = writeln!(
        out,
        "learnt from {positions} positions, judged by {by}; written to {}",
        found.out.display()
    );
    out
}
