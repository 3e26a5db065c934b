//! `llmtrace lens report`: all of it on a page.

use std::path::PathBuf;

use clap::Args;
use llmtrace_lens::inspect::{Inspection, Stage};
use serde::Serialize;

use super::input::{ModelArguments, PromptArguments, token, wrong};
use super::output::print_json;
use super::progress::Steps;
use crate::failure::Failure;
use crate::terminal;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Writes a page with all that can be seen of one prompt", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    prompt: PromptArguments,
    /// A prompt of as many tokens with another answer, to patch from
    #[arg(long, value_name = "TEXT")]
    beside: Option<String>,
    /// The token that is asked about; without it the likeliest
    #[arg(long, value_name = "TOKEN")]
    answer: Option<String>,
    /// The page to write
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Write each picture into this folder too, as SVG
    #[arg(long, value_name = "FOLDER")]
    svg: Option<PathBuf>,
    /// Print what was seen as one JSON object
    #[arg(long)]
    json: bool,
}

const ABOUT: &str = "\
Writes a page with all that can be seen of one prompt: the answer, what the model
would say after each layer, patches from another prompt, which words moved the
answer, where each head looks, how expected the prompt was, times and norms.

Reads a model and the prompt. Writes one HTML file that loads nothing and needs
no script. Prints where it is; with --json, one object: file, pictures, answer,
generation, lens, attention, beside, attribution, faithfulness, norms, surprise.

Returns 0 when done, 2 if the model cannot be read, the prompts do not fit
together or the page cannot be written.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens report toy --prompt 'the capital of the state containing Dallas is' \\
    --beside 'the capital of the state containing Oakland is'
  llmtrace lens report models/gpt2 --prompt 'The capital of Texas is' --svg pictures";

/// What `--json` prints.
#[derive(Serialize)]
struct Written<'a, S> {
    file: &'a PathBuf,
    pictures: &'a [PathBuf],
    #[serde(flatten)]
    seen: &'a S,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let model = options.model.load()?;
    // The bar lives as long as the inspection.
    let steps = Steps::new("patching");
    let inspection = match options.prompt.text() {
        Some(text) => Inspection::new(&model, text),
        None => Inspection::of_tokens(&model, &options.prompt.read(&model)?),
    };
    let mut inspection = inspection.progress(move |stage| {
        if let Stage::Patching { done, total } = stage {
            steps.set(done, total);
        }
    });
    if let Some(other) = &options.beside {
        inspection = inspection.beside(other);
    }
    if let Some(answer) = &options.answer {
        inspection = inspection.answer(token(&model, answer)?);
    }
    let seen = inspection.run().map_err(wrong)?;
    let page = seen.page().map_err(wrong)?;
    let unwritable = |path: &PathBuf, error: std::io::Error| {
        Failure::Wrong(format!("cannot write {}: {error}", path.display()))
    };
    page.write(&options.out).map_err(|error| unwritable(&options.out, error))?;
    let pictures = match &options.svg {
        Some(folder) => page.write_svgs(folder).map_err(|error| unwritable(folder, error))?,
        None => Vec::new(),
    };
    if options.json {
        return print_json(&Written { file: &options.out, pictures: &pictures, seen: &seen });
    }
    terminal::print(&format!("{}\n", options.out.display()))
}
