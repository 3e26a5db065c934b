//! `llmtrace lens features`: what the features of a model are.

mod shown;

use std::path::{Path, PathBuf};

use clap::Args;
use llmtrace_lens::circuit::feature::{Chosen, FeatureCard, FeatureStudy};
use llmtrace_lens::circuit::transcoder::TranscoderKind;
use llmtrace_lens::circuit::{Labels, Transcoders};
use serde::Serialize;

use super::input::{ModelArguments, TranscoderArguments, wrong};
use super::output::OutputArguments;
use super::progress::Steps;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Shows what features are: where a text makes them active, what they make likelier", long_about = ABOUT, after_help = EXAMPLES)]
#[command(
    override_usage = "llmtrace lens features MODEL --text FILE (--layer L --feature F | --top N) [OPTIONS]"
)]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    transcoders: TranscoderArguments,
    /// A text file; each line is a passage of its own
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// The layer that features are of, from 0
    #[arg(long, value_name = "L")]
    layer: Option<usize>,
    /// Features of the layer, by number: 181 or 181,261
    #[arg(long, value_name = "F", value_delimiter = ',', requires = "layer")]
    feature: Vec<usize>,
    /// So many features, those that write the most over the text; of one layer with --layer
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "feature", value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// What features mean, a line each: L1 F181 Texas
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// How many places of the text are shown for a feature
    #[arg(long, value_name = "N", default_value_t = 5)]
    contexts: usize,
    /// How many tokens that it makes likelier are shown, and less likely
    #[arg(long, value_name = "N", default_value_t = 8)]
    words: usize,
    /// The most tokens that are run at once: a longer line goes on in another run
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(2..))]
    window: u32,
    #[command(flatten)]
    output: OutputArguments,
}

const ABOUT: &str = "\
Shows what features are: at how many tokens of a text each is active, how
strongly, where most, and which tokens it makes likelier or less likely by
itself (what it writes, through the final norm and the unembedding).

Reads a model, transcoders in circuit-tracer's files (without --transcoders the
neurons of a model whose MLP has a plain ReLU, such as toy), and a text file,
twice and piece by piece, so that it may be of any size. Features are those of
--feature, or the ones that write the most: the sum of their activations times
the length of what they write.

What a feature means is yours to say: in a file of lines such as
  L1 F181 Texas
which --labels reads here and in `llmtrace lens graph`; # begins a comment.

With --json, one object: model, transcoders, text, features, each with layer,
feature, label, active, tokens, density, mean, largest, histogram, promoted,
suppressed, contexts.

Returns 0 when done, 1 if none of the features is active in the text, 2 if a file or the
model cannot be read, or there is no such feature.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens features toy --text cities.txt --layer 1 --feature 181
  llmtrace lens features models/gpt2 --transcoders plt --text corpus.txt --top 20";

/// What `--json` prints.
#[derive(Serialize)]
struct Found<'a> {
    model: &'a str,
    transcoders: TranscoderKind,
    text: &'a Path,
    features: Vec<FeatureCard>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let labels = options.labels.as_ref().map(Labels::read).transpose().map_err(wrong)?.unwrap_or_default();
    let model = options.model.load()?;
    let transcoders = options.transcoders.load(&model)?;
    let chosen = options.chosen(&transcoders)?;
    let steps = Steps::new("reading");
    let features = FeatureStudy::new(&model, &transcoders)
        .labels(labels)
        .contexts(options.contexts)
        .words(options.words)
        .window(options.window as usize)
        .progress(|done, all| steps.set(done, all))
        .read(&options.text, &chosen)
        .map_err(wrong)?;
    drop(steps);
    let is_any_active = features.iter().any(|card| card.active > 0);
    if !features.is_empty() {
        let found =
            Found { model: model.name(), transcoders: transcoders.kind(), text: &options.text, features };
        options.output.print(&found, |canvas| Ok::<_, Failure>(shown::text(&found, canvas)))?;
    }
    if is_any_active {
        return Ok(());
    }
    Err(Failure::Nothing(format!("no feature is active in {}", options.text.display())))
}

impl Options {
    fn chosen(&self, transcoders: &Transcoders) -> Result<Chosen, Failure> {
        let layers = transcoders.layers();
        if let Some(layer) = self.layer.filter(|layer| *layer >= layers) {
            return Err(Failure::Wrong(format!("there is no layer {layer}: there are {layers}, from 0")));
        }
        Ok(match self.layer {
            Some(layer) if !self.feature.is_empty() => {
                Chosen::These(self.feature.iter().map(|feature| (layer, *feature)).collect())
            }
            Some(layer) => Chosen::Strongest { count: self.top as usize, layers: layer..layer + 1 },
            None => Chosen::Strongest { count: self.top as usize, layers: 0..layers },
        })
    }
}
