//! The commands below `llmtrace lens`.

use clap::{Args, Subcommand};

use super::{
    attention, bias, diff, dump, explain, features, generate, graph, logit_lens, origin, patch, report,
    train_transcoder,
};
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Looks inside a local model: what it computes between prompt and answer", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

// Their descriptions stand with their options.
#[derive(Debug, Subcommand)]
enum Command {
    Generate(Box<generate::Options>),
    LogitLens(logit_lens::Options),
    Attention(attention::Options),
    Patch(patch::Options),
    Explain(Box<explain::Options>),
    Graph(Box<graph::Options>),
    Features(Box<features::Options>),
    Bias(Box<bias::Options>),
    Report(report::Options),
    Diff(Box<diff::Options>),
    Origin(origin::Options),
    Dump(dump::Options),
    TrainTranscoder(Box<train_transcoder::Options>),
}

const ABOUT: &str = "\
Runs a local model and shows what happens between the prompt and the answer.

MODEL is a folder as Hugging Face writes it (config.json, *.safetensors,
tokenizer.json) of a GPT-2, Llama, Mistral, Qwen, Gemma, GPT-NeoX or Pythia;
hf:owner/name or hf:owner/name@revision, which is downloaded from the Hugging
Face hub into the cache of its own tools (HF_HOME, HF_TOKEN; a build with the
feature hub); or a small model that comes with the program: toy, or toy-gelu
with other neurons, which know 144 cities, their states and the capitals of
these.

Each command prints what a person reads, and one JSON object with --json.
Returns 0 when done, 2 when it was used wrongly or the model cannot be read; why
stands on one line of standard error.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens generate toy --prompt 'the capital of the state containing Dallas is'
  llmtrace lens logit-lens toy --prompt 'the capital of the state containing Dallas is'";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    match &options.command {
        Command::Generate(options) => generate::run(options),
        Command::LogitLens(options) => logit_lens::run(options),
        Command::Attention(options) => attention::run(options),
        Command::Patch(options) => patch::run(options),
        Command::Explain(options) => explain::run(options),
        Command::Graph(options) => graph::run(options),
        Command::Features(options) => features::run(options),
        Command::Bias(options) => bias::run(options),
        Command::Report(options) => report::run(options),
        Command::Diff(options) => diff::run(options),
        Command::Origin(options) => origin::run(options),
        Command::Dump(options) => dump::run(options),
        Command::TrainTranscoder(options) => train_transcoder::run(options),
    }
}
