//! `llmtrace lens attention`: where each head looks.

use clap::Args;
use llmtrace_lens::analysis::{AttentionSummary, Reading};
use serde::Serialize;

use super::input::{ModelArguments, PromptArguments, wrong};
use super::output::OutputArguments;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Shows where each attention head looks", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    prompt: PromptArguments,
    /// One head, in full: L0H2, or 0.2
    #[arg(long, value_name = "HEAD", value_parser = head)]
    head: Option<[usize; 2]>,
    #[command(flatten)]
    output: OutputArguments,
}

const ABOUT: &str = "\
Shows where each attention head looks.

Reads a model and runs it once over the prompt. Prints a small map for each head
(rows are the tokens that look, columns those looked at), and a table of what
each does: entropy of its attention in nats, and its mean share on the previous
token, the first one, earlier copies of a token, and what followed them
(induction). With --head, the map of that head alone.

With --json, one object: positions, heads and, with --head, its pattern, a row
for each token that looks.

Returns 0 when done, 2 if the model cannot be read or there is no such head.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens attention toy --prompt 'the capital of the state containing Dallas is'
  llmtrace lens attention toy --prompt 'the capital of the state containing Dallas is' --head L0H2";

/// What `--json` prints.
#[derive(Serialize)]
struct Found {
    #[serde(flatten)]
    summary: AttentionSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<Pattern>,
}

#[derive(Serialize)]
struct Pattern {
    layer: usize,
    head: usize,
    rows: Vec<Vec<f32>>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let model = options.model.load()?;
    let tokens = options.prompt.read(&model)?;
    let reading = Reading::new(&model, &tokens).map_err(wrong)?;
    let summary = reading.attention_summary().map_err(wrong)?;
    let pattern = options.head.map(|head| pattern(&reading, head)).transpose()?;
    let found = Found { summary, pattern };
    options.output.print(&found, |canvas| {
        let grid = reading.attention_grid("Attention").map_err(wrong)?;
        match options.head.and_then(|[layer, head]| grid.head(layer, head)) {
            Some(map) => Ok::<_, Failure>(canvas.draw(&map)),
            None => Ok(format!("{}\n{}", canvas.draw(&grid), found.summary)),
        }
    })
}

/// The attention of one head.
fn pattern(reading: &Reading<'_>, [layer, head]: [usize; 2]) -> Result<Pattern, Failure> {
    let config = reading.model().config();
    if layer >= config.layers || head >= config.heads {
        return Err(Failure::Wrong(format!(
            "there is no head L{layer}H{head}: the model has {} layers of {} heads",
            config.layers, config.heads
        )));
    }
    let value = reading.cache().get(&format!("blocks.{layer}.attn.hook_pattern")).map_err(wrong)?;
    let rows = value.narrow(1, head, 1).and_then(|value| value.squeeze(0)?.squeeze(0)?.to_vec2());
    Ok(Pattern { layer, head, rows: rows.map_err(wrong)? })
}

/// Reads `L0H2` or `0.2`.
fn head(text: &str) -> Result<[usize; 2], String> {
    let parts = match text.strip_prefix(['L', 'l']) {
        Some(rest) => rest.split_once(['H', 'h']),
        None => text.split_once('.'),
    };
    let numbers = parts.and_then(|(layer, head)| Some([layer.parse().ok()?, head.parse().ok()?]));
    numbers.ok_or_else(|| format!("expected a layer and a head such as L0H2, found {text:?}"))
}
