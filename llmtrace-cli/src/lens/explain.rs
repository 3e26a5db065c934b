//! `llmtrace lens explain`: which parts of a prompt moved the answer.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use llmtrace_lens::Model;
use llmtrace_lens::explain::{
    Attribution, ExplainError, Faithfulness, Game, KernelShap, LeaveOneOut, Lime, Meaning, Method, Owen,
    Parts, Permutation, Plan, Shapley, TokenGame,
};
use llmtrace_lens::gradient::{Baseline, IntegratedGradients, Target};
use llmtrace_lens::report::visible;
use serde::Serialize;

use super::input::{ModelArguments, PromptArguments, likeliest, token, tokenized, wrong};
use super::output::OutputArguments;
use super::progress::Steps;
use super::segments::Segments;
use crate::failure::Failure;
use crate::terminal;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Shows which parts of a prompt moved the answer", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    prompt: PromptArguments,
    /// How it is found; without it shapley, or owen where there are more than 16 parts
    #[arg(long, value_name = "METHOD", value_enum)]
    method: Option<MethodName>,
    /// The prompt as named segments, JSON: [{"name", "text"}, ..]; - is standard input
    #[arg(long, value_name = "FILE", group = "PromptArguments")]
    segments: Option<PathBuf>,
    /// What the prompt is split into; without it tokens, or the segments of --segments
    #[arg(long, value_name = "PARTS", value_enum)]
    parts: Option<PartsName>,
    /// The token that is explained; without it the likeliest; #17 is an id
    #[arg(long, value_name = "TOKEN")]
    answer: Option<String>,
    /// Explain by how much the answer's logit exceeds that of this token
    #[arg(long, value_name = "TOKEN")]
    wrong: Option<String>,
    /// The token in the place of masked ones; without it one for unknown words or ends
    #[arg(long, value_name = "TOKEN")]
    mask: Option<String>,
    /// Masks of lime, kernel-shap and owen, pairs of permutation, steps of ig
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    samples: Option<u64>,
    /// Where random choices begin
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Run the model at most so often, beside the run that finds the answer
    #[arg(long, value_name = "N")]
    max_runs: Option<u64>,
    /// Do not judge the result beside random ones
    #[arg(long)]
    no_judgement: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// A method, as docs/explain.md describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// Exact Shapley values: 2^parts runs, at most 16 parts
    Shapley,
    /// Shapley values fitted to sampled masks
    KernelShap,
    /// Owen values over the tree of the text
    Owen,
    /// Shapley values by random orders
    Permutation,
    /// A linear model around the prompt
    Lime,
    /// What is lost without each part
    LeaveOneOut,
    /// Integrated gradients
    #[value(alias = "integrated-gradients")]
    Ig,
    /// The gradient times the embedding
    GradientXInput,
    /// The length of the gradient
    Saliency,
    /// Attention followed through the layers
    #[value(alias = "attention-rollout")]
    Rollout,
}

/// What a prompt is split into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PartsName {
    Token,
    Word,
    Sentence,
    /// Those of --segments: the system prompt, each document, each tool result
    Segments,
}

const ABOUT: &str = "\
Shows which parts of a prompt moved the answer.

Reads a model and the prompt; runs the model with parts of the prompt masked by
a token, or reads its gradients or its attention. Prints each part with what it
adds to the answer's log-probability (natural logarithm); saliency prints the
length of that one's gradient, rollout a share of attention. Then what was run
for it, and how true it is to the model beside random explanations: what is lost
when the strongest parts are masked, and when they alone are kept. A bar on a
terminal's standard error shows how far it has come. With --json, one object:
answer, plan (what it may take, for methods that mask), attribution,
faithfulness, and not_judged where there is none.

What may take more runs than --max-runs is refused before the first. Where they
suffice to explain and not to judge, the explanation is printed without that,
and standard error (with --json, not_judged) says what it would take.

With --segments the parts are those of a prompt as an application makes it:
instructions, retrieved documents, results of tools. One with \"keep\": true is
never masked.

Returns 0 when done, 2 if the model cannot be read, there are too many parts for
the method, or more runs than --max-runs or samples than it takes would be
needed.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens explain toy --prompt 'the capital of the state containing Dallas is'
  llmtrace lens explain models/gpt2 --prompt .. --answer Paris --method owen --parts word --json
  llmtrace lens explain models/gpt2 --segments prompt.json, where prompt.json is
    [{\"name\": \"system\", \"text\": \"Answer in one word.\", \"keep\": true},
     {\"name\": \"document 1\", \"text\": \"Paris is in France.\"},
     {\"name\": \"question\", \"text\": \"The capital of France is\"}]";

/// What `--json` prints.
#[derive(Serialize)]
struct Found {
    answer: String,
    plan: Option<Plan>,
    attribution: Attribution,
    faithfulness: Option<Faithfulness>,
    /// Why there is no judgement, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<String>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let model = options.model.load()?;
    let segments = options.segments.as_deref().map(Segments::read).transpose()?;
    let text = segments.as_ref().map(Segments::text).or(options.prompt.text());
    let tokens = match &segments {
        Some(segments) => tokenized(&model, segments.text())?,
        None => options.prompt.read(&model)?,
    };
    let answer = match &options.answer {
        Some(text) => token(&model, text)?,
        None => likeliest(&model, &tokens)?,
    };
    let other = options.wrong.as_ref().map(|text| token(&model, text)).transpose()?;
    if other == Some(answer) {
        let text = model.token_text(answer);
        return Err(Failure::Wrong(format!("--wrong {text:?} is the answer too: give another token")));
    }
    let target = match other {
        Some(other) => Target::logit_difference(answer, other),
        None => Target::log_probability(answer),
    };
    let mask = options.mask.as_ref().map_or_else(|| Ok(model.mask_token()), |text| token(&model, text))?;
    let prompt = match (parts(options.parts, text, segments.as_ref())?, text) {
        (None, Some(text)) => TokenGame::of_text(&model, text, &target, mask).map_err(wrong)?,
        (None, None) => TokenGame::new(&model, &tokens, &target, mask),
        (Some(parts), _) => TokenGame::of_parts(&model, with_tokens(&model, parts, mask)?, &target),
    };
    let method = options.method(prompt.parts().len())?;
    let max_runs = options.max_runs.unwrap_or(u64::MAX);
    let prompt = prompt.max_runs(max_runs);
    let steps = Steps::new("explaining");
    let game =
        prompt.game().seed(options.seed).on_progress(|progress| steps.set(progress.done, progress.calls));
    let (plan, attribution) = options.explain(method, &prompt, &game, mask).map_err(wrong)?;
    // What was run outside the game counts too.
    let outside = attribution.spent.calls.saturating_sub(game.spent().calls);
    let game = game.max_calls(max_runs.saturating_sub(outside));
    let judged = (!options.no_judgement).then(|| game.judge(&attribution)).transpose();
    drop(game);
    drop(steps);
    let measure = options.measure(&model, answer);
    let answer = model.token_text(answer);
    let not_judged = judged.as_ref().err().map(|error| format!("not judged: {error}"));
    let found =
        Found { answer, plan, attribution, faithfulness: judged.clone().unwrap_or_default(), not_judged };
    options.output.print(&found, |canvas| {
        let attribution = &found.attribution;
        let picture = canvas.draw(&attribution.picture(title(attribution.meaning), measure));
        let judged = found.faithfulness.as_ref().map(|judged| format!("{judged}\n\n")).unwrap_or_default();
        let answer = visible(found.answer.trim());
        let (spent, seconds) = (&attribution.spent, attribution.seconds);
        Ok::<_, Failure>(format!("answer: {answer}\n\n{picture}\n{judged}{spent}, {seconds:.2} s\n"))
    })?;
    options.tell_of(judged.as_ref().err(), found.not_judged.as_deref().unwrap_or_default())
}

impl Options {
    /// What is explained, in words.
    fn measure(&self, model: &Model, answer: u32) -> String {
        let name = |text: &str| visible(text.trim());
        let answer = name(&model.token_text(answer));
        match &self.wrong {
            Some(other) => format!("logit of {answer} less that of {}", name(other)),
            None => format!("log-probability of {answer} (nats)"),
        }
    }

    /// Says why a result that was printed is not judged. More runs than may be made are no failure: they were not made.
    fn tell_of(&self, error: Option<&ExplainError>, reason: &str) -> Result<(), Failure> {
        match error {
            None => Ok(()),
            Some(ExplainError::Budget { .. }) => {
                if !self.output.is_json() {
                    terminal::note(reason);
                }
                Ok(())
            }
            Some(_) => Err(wrong(reason)),
        }
    }

    /// The method that was asked for, or one that takes so many parts.
    fn method(&self, parts: usize) -> Result<MethodName, Failure> {
        let default = if parts <= Shapley::MAX_PARTS { MethodName::Shapley } else { MethodName::Owen };
        let method = self.method.unwrap_or(default);
        if self.samples.is_some() && !method.takes_samples() {
            return Err(Failure::Wrong(
                "--samples is for lime, kernel-shap, owen, permutation and ig: name one of them with --method".to_owned(),
            ));
        }
        if method != self.method.unwrap_or(MethodName::Shapley) && !self.output.is_json() {
            terminal::note(&format!(
                "{parts} parts are too many for exact Shapley values: Owen values are shown"
            ));
        }
        Ok(method)
    }

    /// Explains by a method.
    fn explain(
        &self,
        method: MethodName,
        prompt: &TokenGame<'_>,
        game: &Game<'_>,
        mask: u32,
    ) -> Result<(Option<Plan>, Attribution), ExplainError> {
        let samples = self.samples.map(|samples| usize::try_from(samples).unwrap_or(usize::MAX));
        let read = |attribution: Result<Attribution, ExplainError>| Ok((None, attribution?));
        match method {
            MethodName::Shapley => by(game, &Shapley),
            MethodName::KernelShap => {
                by(game, &samples.map_or_else(KernelShap::default, KernelShap::samples))
            }
            MethodName::Owen => {
                let owen = Owen::default();
                by(game, &samples.map_or_else(Owen::default, |masks| owen.limit(masks)))
            }
            MethodName::Permutation => {
                by(game, &samples.map_or_else(Permutation::default, Permutation::pairs))
            }
            MethodName::Lime => by(game, &samples.map_or_else(Lime::default, Lime::samples)),
            MethodName::LeaveOneOut => by(game, &LeaveOneOut),
            MethodName::Ig => {
                let method = IntegratedGradients::new(Baseline::Token(mask));
                read(prompt.integrated_gradients(&samples.map_or(method, |steps| method.steps(steps))))
            }
            MethodName::GradientXInput => read(prompt.gradient_x_input()),
            MethodName::Saliency => read(prompt.saliency()),
            MethodName::Rollout => read(prompt.attention_rollout()),
        }
    }
}

impl MethodName {
    fn takes_samples(self) -> bool {
        matches!(self, Self::Lime | Self::KernelShap | Self::Owen | Self::Permutation | Self::Ig)
    }
}

/// What stands above the parts.
fn title(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::GradientLength => "How strongly the answer depends on each part",
        Meaning::AttentionShare => "How much attention each part gets",
        _ => "What each part did",
    }
}

/// What the prompt is split into; none for its tokens.
fn parts(
    name: Option<PartsName>,
    text: Option<&str>,
    segments: Option<&Segments>,
) -> Result<Option<Parts>, Failure> {
    let default = if segments.is_some() { PartsName::Segments } else { PartsName::Token };
    let no_text = || Failure::Wrong("words and sentences need a --prompt: tokens have no text".to_owned());
    let no_segments = || Failure::Wrong("what segments? Give --segments FILE".to_owned());
    Ok(Some(match name.unwrap_or(default) {
        PartsName::Token => return Ok(None),
        PartsName::Word => Parts::words(text.ok_or_else(no_text)?),
        PartsName::Sentence => Parts::sentences(text.ok_or_else(no_text)?),
        PartsName::Segments => segments.ok_or_else(no_segments)?.parts().map_err(wrong)?,
    }))
}

/// Parts of a text, with the tokens that they are.
fn with_tokens(model: &Model, parts: Parts, mask: u32) -> Result<Parts, Failure> {
    let tokenizer = model.tokenizer().ok_or_else(|| wrong("the model has no tokenizer.json"))?;
    let encoding = tokenizer.encode(parts.text(), true).map_err(wrong)?;
    let places = encoding.get_offsets().iter().map(|(start, end)| *start..*end);
    Ok(parts.with_token_ids(encoding.get_ids().iter().copied().zip(places), mask))
}

/// Plans, then explains.
fn by(game: &Game<'_>, method: &impl Method) -> Result<(Option<Plan>, Attribution), ExplainError> {
    let plan = game.plan(method)?;
    Ok((Some(plan), game.explain(method)?))
}
