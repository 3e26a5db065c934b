//! `llmtrace lens patch`: which activations carry an answer.

use clap::{Args, ValueEnum};
use llmtrace_lens::patching::{Along, Metric, Patching, Sweep};
use llmtrace_lens::{Model, Site};
use serde::Serialize;

use super::input::{ModelArguments, token, tokenized, wrong};
use super::output::{Canvas, OutputArguments};
use super::progress::Steps;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Shows which activations carry an answer, by patching them between two runs", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    /// The prompt whose activations are taken
    #[arg(long, value_name = "TEXT")]
    clean: String,
    /// The prompt, of as many tokens, into whose run they are put
    #[arg(long, value_name = "TEXT")]
    corrupt: String,
    /// What the clean prompt is answered with, a token; without it the likeliest
    #[arg(long, value_name = "TOKEN")]
    answer: Option<String>,
    /// What the corrupt prompt is answered with, a token; without it the likeliest
    #[arg(long, value_name = "TOKEN")]
    wrong: Option<String>,
    /// What is patched, one place at a time
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',', default_value = "residual")]
    what: Vec<What>,
    #[command(flatten)]
    output: OutputArguments,
}

/// A kind of activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// The stream that enters each layer, by position
    Residual,
    /// What attention adds, by layer and position
    Attention,
    /// What the MLP adds, by layer and position
    Mlp,
    /// The output of each head, by layer and head
    Heads,
}

const ABOUT: &str = "\
Shows which activations carry an answer: those of a clean run are put into a
corrupt one, one place at a time, to see where the answer comes back.

Reads a model and two prompts of equally many tokens with different answers.
Prints a map for each kind of activation: 1 where a patch brings the whole of
logit(answer) - logit(wrong) back, 0 where it changes nothing. A bar on a
terminal's standard error shows how far a long sweep has come. With --json, one
object: answer, wrong and sweeps, each with what, metric, clean, corrupted,
axes, values and recovered, the last axis running fastest.

Returns 0 when done, 2 if the model cannot be read or the prompts do not fit
together.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens patch toy --clean 'the capital of the state containing Oakland is' \\
    --corrupt 'the capital of the state containing Dallas is'
  llmtrace lens patch models/gpt2 --clean .. --corrupt .. --answer Paris --what heads --json";

/// What `--json` prints.
#[derive(Serialize)]
struct Found<'a> {
    answer: &'a str,
    wrong: &'a str,
    sweeps: &'a [Sweep],
}

impl What {
    fn place(self) -> (Site, Along) {
        match self {
            Self::Residual => (Site::ResidPre, Along::Positions),
            Self::Attention => (Site::AttnOut, Along::Positions),
            Self::Mlp => (Site::MlpOut, Along::Positions),
            Self::Heads => (Site::Z, Along::Heads),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Residual => "The stream that enters each layer",
            Self::Attention => "What attention adds",
            Self::Mlp => "What the MLP adds",
            Self::Heads => "The output of each head",
        }
    }
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let model = options.model.load()?;
    let (clean, corrupt) = (tokenized(&model, &options.clean)?, tokenized(&model, &options.corrupt)?);
    let answer = asked(&model, options.answer.as_deref(), &clean)?;
    let other = asked(&model, options.wrong.as_deref(), &corrupt)?;
    let (answer_text, wrong_text) = (model.token_text(answer), model.token_text(other));
    if answer == other {
        return Err(Failure::Wrong(format!(
            "the answer is {answer_text:?} for both prompts: give --answer and --wrong that differ, or other prompts"
        )));
    }
    let steps = Steps::new("patching");
    let metric = Metric::logit_difference(answer, other);
    let mut patching = Patching::new(&model, &clean, &corrupt, metric)
        .map_err(wrong)?
        .progress(|done, total| steps.set(done, total));
    let places = options.what.iter().map(|what| what.place());
    let sweeps: Result<Vec<Sweep>, _> = places.map(|(site, along)| patching.sweep(site, along)).collect();
    let sweeps = sweeps.map_err(wrong)?;
    drop(patching);
    drop(steps);
    let found = Found { answer: &answer_text, wrong: &wrong_text, sweeps: &sweeps };
    options.output.print(&found, |canvas| draw(options, &found, canvas))
}

/// The token that is named, or that the model finds most probable.
fn asked(model: &Model, named: Option<&str>, prompt: &[u32]) -> Result<u32, Failure> {
    match named {
        Some(text) => token(model, text),
        None => super::input::likeliest(model, prompt),
    }
}

fn draw(options: &Options, found: &Found<'_>, canvas: &Canvas) -> Result<String, Failure> {
    let mut out = String::new();
    for (what, sweep) in options.what.iter().zip(found.sweeps) {
        out += &canvas.draw(&sweep.picture(what.title()).map_err(wrong)?);
        out.push('\n');
    }
    let ends = found.sweeps.first().map(|sweep| {
        let (metric, clean, corrupted) = (&sweep.metric, sweep.clean, sweep.corrupted);
        format!("{metric}: {clean:.2} of the clean prompt, {corrupted:.2} of the corrupt one\n")
    });
    Ok(out + &ends.unwrap_or_default())
}
