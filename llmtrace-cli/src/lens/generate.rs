//! `llmtrace lens generate`: an answer, step by step.

use clap::Args;
use llmtrace_lens::generate::{ChoiceLimits, Sampling, Stop};
use llmtrace_lens::report::visible;

use super::input::{ModelArguments, PromptArguments, wrong};
use super::output::OutputArguments;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Writes an answer and tells each step", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    prompt: PromptArguments,
    #[command(flatten)]
    sampling: SamplingArguments,
    /// The most tokens to write
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_tokens: usize,
    /// A text that ends the answer
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    /// Go on where the model ends its answer
    #[arg(long)]
    ignore_end: bool,
    /// How many alternatives of each step are told
    #[arg(long, value_name = "N", default_value_t = 4)]
    alternatives: usize,
    #[command(flatten)]
    output: OutputArguments,
}

/// How tokens are chosen.
#[derive(Args, Debug)]
struct SamplingArguments {
    /// Draw at random, beginning here; the four below draw too, from 0
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Above 1 flattens what the model says, below 1 sharpens it
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,
    /// Only the K likeliest tokens
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,
    /// Only the likeliest tokens that have this probability together
    #[arg(long, value_name = "P")]
    top_p: Option<f64>,
    /// Only tokens with this share of the likeliest one's probability
    #[arg(long, value_name = "P")]
    min_p: Option<f64>,
    /// Above 1 makes tokens that occurred less likely
    #[arg(long, value_name = "R")]
    repetition_penalty: Option<f64>,
}

const ABOUT: &str = "\
Writes an answer and tells each step.

Reads a model and the prompt. Prints the answer, and a row for each token: its
probability, the entropy of what the model said (in bits), its rank (1 is the
first choice), what else was likely, and how many tokens each filter took away.
With --json, one object with all of that for each step: tokens[].choice {model,
final, model_entropy, final_entropy, alternatives, filters}, times, FLOP and
memory.

Returns 0 when done, 2 if the model cannot be read or a setting is wrong.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens generate toy --prompt 'the capital of the state containing Dallas is'
  llmtrace lens generate models/gpt2 --prompt 'Once' --seed 7 --temperature 0.8 --top-p 0.9 --json";

impl SamplingArguments {
    fn read(&self) -> Sampling {
        let draws = self.temperature.is_some() || self.top_k.is_some();
        let is_random = draws || self.seed.is_some() || self.top_p.is_some() || self.min_p.is_some();
        let mut sampling =
            if is_random { Sampling::random(self.seed.unwrap_or(0)) } else { Sampling::greedy() };
        sampling.temperature = self.temperature;
        sampling.top_k = self.top_k;
        sampling.top_p = self.top_p;
        sampling.min_p = self.min_p;
        sampling.repetition_penalty = self.repetition_penalty;
        sampling
    }
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let model = options.model.load()?;
    let tokens = options.prompt.read(&model)?;
    let mut stop = Stop::after(options.max_tokens);
    if options.ignore_end {
        stop = stop.ignoring_end_tokens();
    }
    let stop = options.stop.iter().fold(stop, |stop, text| stop.at_text(text.as_str()));
    let limits = ChoiceLimits::default().alternatives(options.alternatives);
    let generator = model.generator().sampling(options.sampling.read()).limits(limits).stop(stop);
    let answer = generator.run(&tokens).map_err(wrong)?;
    options.output.print(&answer, |canvas| {
        let (steps, seconds) = (answer.tokens.len(), answer.time.as_secs_f64());
        Ok::<_, Failure>(format!(
            "prompt: {}\nanswer: {}\n\n{}\n{steps} tokens in {:.1} ms; finish: {}\n",
            visible(&answer.prompt_text),
            visible(answer.text.trim_start()),
            canvas.draw(&answer.picture(&model, "Each step")),
            seconds * 1e3,
            answer.finish,
        ))
    })
}
