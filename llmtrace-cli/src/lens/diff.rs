//! `llmtrace lens diff`: what changed between two versions of a model.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use llmtrace_lens::version_diff::{Comparison, VersionDiff};
use serde::Serialize;

use super::input::{DeviceName, load, open_transcoders, wrong};
use super::output::{Canvas, OutputArguments};
use super::progress::Steps;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Shows what changed between two versions of a model", long_about = ABOUT, after_help = EXAMPLES)]
#[command(override_usage = "llmtrace lens diff BEFORE AFTER (--prompts FILE | --prompt TEXT) [OPTIONS]")]
#[command(group = ArgGroup::new("asked").args(["prompts", "prompt"]).required(true).multiple(true))]
pub(crate) struct Options {
    /// The older version: a folder, or a model that comes with the program
    #[arg(value_name = "BEFORE")]
    before: String,
    /// The newer version
    #[arg(value_name = "AFTER")]
    after: String,
    /// A file with a prompt on each line
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// A prompt; may be given several times
    #[arg(long, value_name = "TEXT")]
    prompt: Vec<String>,
    /// BEFORE's transcoders: tell which features are active otherwise
    #[arg(long, value_name = "DIR")]
    transcoders: Option<PathBuf>,
    /// The most tokens of an answer
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: u32,
    /// Chooses the noise that changes are held to
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Write a page with pictures too
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where they are run; cuda and metal need a build with that feature
    #[arg(long, value_name = "DEVICE", value_enum, default_value = "cpu")]
    device: DeviceName,
    #[command(flatten)]
    output: OutputArguments,
}

const ABOUT: &str = "\
Shows what changed between two versions of a model, such as before and after
fine-tuning, on the same prompts: how the answers and their probabilities moved,
which weights moved, how far the residual stream has drifted after each layer,
which parts, heads and neurons do something else with the same input, and how
much of the new answers each of them brings into the old version alone; with
--transcoders also which features the two versions' streams wake otherwise.

Reads two models of the same shape and tokenizer, and prompts, one a line. What
rounding the weights to 16 bits could do is no change: a third model, the older
one with its weights moved by as much, sets the limits. Prints a report; with
--json, one object: before, after, tokens, settings, weights, layers, parts,
heads, neurons, neurons_changed, features, features_changed, answers, limits, and
whether anything changed. The models toy and toy-houston, which come with the
program, are one before and after a fine-tuning that moved the capital of Texas
to Houston.

Returns 0 when done, 2 if a model or the prompts cannot be read, the models cannot
be compared or the page cannot be written.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens diff toy toy-houston --prompts prompts.txt
  llmtrace lens diff models/base models/tuned --prompts prompts.txt --out diff.html
  llmtrace lens diff toy toy-houston --prompt 'the capital of Texas is' --json";

/// What `--json` prints.
#[derive(Serialize)]
struct Found<'a> {
    changed: bool,
    #[serde(flatten)]
    diff: &'a VersionDiff,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let prompts = prompts(options)?;
    let before = load(&options.before, options.device)?;
    let after = load(&options.after, options.device)?;
    let transcoders =
        options.transcoders.as_ref().map(|folder| open_transcoders(folder, &before)).transpose()?;
    let steps = Steps::new("comparing");
    let comparison = Comparison::new(&before, &after).map_err(wrong)?;
    let comparison = match &transcoders {
        Some(transcoders) => comparison.features(transcoders),
        None => comparison,
    };
    let comparison = comparison
        .answer_tokens(options.max_tokens as usize)
        .seed(options.seed)
        .progress(|done, total| steps.set(done, total));
    let diff = comparison.run(&prompts).map_err(wrong)?;
    drop(steps);
    if let Some(out) = &options.out {
        let page = diff.page().map_err(wrong)?;
        page.write(out)
            .map_err(|error| Failure::Wrong(format!("cannot write {}: {error}", out.display())))?;
    }
    options.output.print(&Found { changed: diff.changed(), diff: &diff }, |canvas| draw(&diff, canvas))
}

fn draw(diff: &VersionDiff, canvas: &Canvas) -> Result<String, Failure> {
    let mut text = diff.to_string();
    if diff.changed() {
        text.push('\n');
        text += &canvas.draw(&diff.drift_bars().map_err(wrong)?);
    }
    Ok(text)
}

/// The prompts of the file, then those of the command line.
fn prompts(options: &Options) -> Result<Vec<String>, Failure> {
    let mut prompts = match &options.prompts {
        Some(path) => lines(path)?,
        None => Vec::new(),
    };
    prompts.extend(options.prompt.iter().cloned());
    Ok(prompts)
}

fn lines(path: &Path) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let lines: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(Failure::Wrong(format!("{} has no prompt: expected one on each line", path.display())));
    }
    Ok(lines)
}
