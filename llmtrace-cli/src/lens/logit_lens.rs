//! `llmtrace lens logit-lens`: what the model would say after each layer.

use clap::Args;
use llmtrace_lens::analysis::{LogitLens, Reading};
use llmtrace_lens::report::PictureError;

use super::input::{ModelArguments, PromptArguments, token, wrong};
use super::output::{Canvas, OutputArguments};
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Shows what a model would say if it stopped after each layer", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    prompt: PromptArguments,
    #[arg(
        long,
        value_name = "GLOB,..",
        help = "Other points of the residual stream: blocks.*.hook_resid_mid"
    )]
    hooks: Option<String>,
    /// The last position only
    #[arg(long)]
    last: bool,
    /// How many tokens each cell keeps
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// A token to follow in every cell of the JSON; #17 is an id
    #[arg(long, value_name = "TOKEN")]
    track: Vec<String>,
    #[command(flatten)]
    output: OutputArguments,
}

const ABOUT: &str = "\
Shows what a model would say if it stopped after each layer: its final norm and
unembedding read the residual stream there (the logit lens).

Reads a model and runs it once over the prompt. Prints a table with a row for
each layer and a column for each word of the prompt; a cell shows the most
probable next token there, in stronger colour the surer it is. With --json, one
object: positions, tokens and rows, each with its point and cells {top, tracked,
entropy (nats), kl_to_final}.

Returns 0 when done, 2 if the model cannot be read, or a point is no residual
stream.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens logit-lens toy --prompt 'the capital of the state containing Dallas is'
  llmtrace lens logit-lens models/gpt2 --prompt 'The capital of Texas is' --last --json";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let model = options.model.load()?;
    let tokens = options.prompt.read(&model)?;
    let tracked = options.track.iter().map(|text| token(&model, text)).collect::<Result<Vec<_>, _>>()?;
    let reading = Reading::new(&model, &tokens).map_err(wrong)?;
    let mut query = reading.logit_lens().top(options.top as usize).track(tracked);
    if let Some(hooks) = &options.hooks {
        query = query.points(hooks.as_str());
    }
    if options.last {
        query = query.last();
    }
    let lens = query.read().map_err(wrong)?;
    options.output.print(&lens, |canvas| draw(&lens, canvas).map_err(wrong))
}

fn draw(lens: &LogitLens, canvas: &Canvas) -> Result<String, PictureError> {
    Ok(canvas.draw(&lens.picture("What the model would say after each layer")?))
}
