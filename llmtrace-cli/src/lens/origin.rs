//! `llmtrace lens origin`: which of several local models wrote a text.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use llmtrace_exporters::text;
use llmtrace_lens::Model;
use llmtrace_lens::origin::{Candidates, Evidence, OriginClassifier, Training, Verdict};
use serde::{Deserialize, Serialize};

use super::input::{DeviceName, load, wrong};
use super::output::OutputArguments;
use super::progress::Steps;
use crate::failure::Failure;
use crate::grid::Grid;
use crate::terminal;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Says which of several models wrote a text, or that it is not known", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

// Their descriptions stand with their options.
#[derive(Debug, Subcommand)]
enum Command {
    Train(TrainOptions),
    Score(ScoreOptions),
}

#[derive(Args, Debug)]
#[command(about = "Learns from texts whose origin is known", long_about = ABOUT, after_help = EXAMPLES, next_line_help = true)]
struct TrainOptions {
    #[command(flatten)]
    models: NamedModels,
    /// Texts of known origin: JSON lines {"origin": NAME, "text": TEXT}
    #[arg(long, value_name = "FILE")]
    corpus: PathBuf,
    /// The classifier to write, as JSON
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The least probability at which an origin is said
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    least_confidence: f64,
    /// The share of texts that may be called unknown for being untypical
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    least_typicality: f64,
    /// The fewest words that are judged by
    #[arg(long, value_name = "N", default_value_t = 10)]
    least_words: usize,
    /// Where the dealing into parts begins
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Args, Debug)]
#[command(about = "Judges texts", long_about = ABOUT, after_help = EXAMPLES, next_line_help = true)]
#[command(group = ArgGroup::new("judged").args(["files", "text"]).required(true))]
struct ScoreOptions {
    /// What train has written
    #[arg(value_name = "CLASSIFIER")]
    classifier: PathBuf,
    #[command(flatten)]
    models: NamedModels,
    /// Files of one text each; - is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A text in place of files
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    #[command(flatten)]
    output: OutputArguments,
}

/// The candidates.
#[derive(Args, Debug)]
struct NamedModels {
    /// A candidate: a name, and the folder of a model, hf:owner/name or toy
    #[arg(long = "model", value_name = "NAME=MODEL", required = true)]
    models: Vec<String>,
    /// Where they are run; cuda and metal need a build with that feature
    #[arg(long, value_name = "DEVICE", value_enum, default_value = "cpu")]
    device: DeviceName,
}

const ABOUT: &str = "\
Says which of several models wrote a text, or that it is not known.

Reads each text with every candidate; a linear classifier weighs how probable each
finds the words, and who finds which words more probable than another (Li et al.
2023, Origin Tracing and Detecting of LLMs). train learns from texts of known
origin, at least ten of each, and prints how well it does on texts that it did
not learn from; their origins may also be others than models, such as human.
score reads texts and prints for each the origin, or why it is unknown: no
origin is likely enough, the text is like none of those known, or too few words.
Texts to be judged should be about as long as those learned from.

With --json, train prints one object, score one for each text: origin (null
where unknown), why, confidence, probabilities, typicality, words.

Returns 0 when done, 1 if score knows the origin of no text, 2 if a model or a
file cannot be read, or there is too little to learn from.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens origin train --model a=models/gpt2 --model b=models/pythia \\
      --corpus texts.jsonl --out origins.json
  llmtrace lens origin score origins.json --model a=models/gpt2 \\
      --model b=models/pythia essay.txt";

/// Words of the text that a line of output begins with.
const SHOWN_COLUMNS: usize = 40;

/// One text of a corpus.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    origin: String,
    text: String,
}

/// What score prints of one text.
#[derive(Serialize)]
struct Judged<'a> {
    text: &'a str,
    #[serde(flatten)]
    verdict: Verdict,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    match &options.command {
        Command::Train(options) => train(options),
        Command::Score(options) => score(options),
    }
}

fn train(options: &TrainOptions) -> Result<(), Failure> {
    let corpus = corpus(&options.corpus)?;
    let training = Training::default()
        .seed(options.seed)
        .least_confidence(options.least_confidence)
        .least_typicality(options.least_typicality)
        .least_words(options.least_words);
    // Before the texts are read, which takes long; those that are too short are known only then.
    training.check(corpus.iter().map(|known| known.origin.as_str())).map_err(wrong)?;
    let folder = options.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(missing) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::Wrong(format!(
            "cannot write {}: there is no folder {}",
            options.out.display(),
            missing.display()
        )));
    }
    let models = options.models.load()?;
    let candidates = candidates(&models)?;
    let steps = Steps::new("reading");
    let mut read: Vec<(&str, Evidence)> = Vec::with_capacity(corpus.len());
    for (at, known) in corpus.iter().enumerate() {
        read.push((&known.origin, candidates.read(&known.text).map_err(wrong)?));
        steps.set(at + 1, corpus.len());
    }
    drop(steps);
    let classifier = OriginClassifier::train(&candidates, &read, training).map_err(wrong)?;
    fs::write(&options.out, classifier.to_json())
        .map_err(|error| Failure::Wrong(format!("cannot write {}: {error}", options.out.display())))?;
    options.output.print(classifier.report(), |_| Ok::<_, Failure>(told(&classifier)))
}

fn score(options: &ScoreOptions) -> Result<(), Failure> {
    let json = fs::read_to_string(&options.classifier)
        .map_err(|error| Failure::unreadable(&options.classifier, &error))?;
    let in_file = |error| wrong(format!("{}: {error}", options.classifier.display()));
    let classifier = OriginClassifier::from_json(&json).map_err(in_file)?;
    let models = options.models.load()?;
    let candidates = candidates(&models)?;
    classifier.check(&candidates).map_err(in_file)?;
    let texts = match &options.text {
        Some(text) => vec![("the text".to_owned(), text.clone())],
        None => options.files.iter().map(|file| read_text(file)).collect::<Result<_, _>>()?,
    };
    let mut is_any_known = false;
    for (name, text) in &texts {
        let verdict = classifier.judge(&candidates.read(text).map_err(wrong)?).map_err(wrong)?;
        is_any_known |= verdict.origin.is_some();
        let judged = Judged { text: name, verdict };
        options.output.print(&judged, |_| Ok::<_, Failure>(line(&judged)))?;
    }
    if is_any_known { Ok(()) } else { Err(Failure::Nothing("the origin of no text is known".to_owned())) }
}

impl NamedModels {
    fn load(&self) -> Result<Vec<(String, Model)>, Failure> {
        let each = self.models.iter().map(|named| {
            let (name, model) =
                named.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                    Failure::Wrong(format!(
                        "--model {named:?}: expected a name and a folder, such as a=models/gpt2"
                    ))
                })?;
            Ok((name.to_owned(), load(model, self.device)?))
        });
        each.collect()
    }
}

fn candidates(models: &[(String, Model)]) -> Result<Candidates<'_>, Failure> {
    Candidates::new(models.iter().map(|(name, model)| (name.as_str(), model))).map_err(wrong)
}

fn corpus(path: &Path) -> Result<Vec<Known>, Failure> {
    let lines = fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let known = lines.map(|(at, line)| {
        serde_json::from_str(line).map_err(|error| {
            let right = r#"expected {"origin": NAME, "text": TEXT}"#;
            Failure::Wrong(format!("{}, line {}: {error}; {right}", path.display(), at + 1))
        })
    });
    known.collect()
}

fn read_text(path: &Path) -> Result<(String, String), Failure> {
    let mut read = String::new();
    let done = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut read).map(drop)
    } else {
        fs::read_to_string(path).map(|text| read = text)
    };
    done.map_err(|error| Failure::unreadable(path, &error))?;
    Ok((path.display().to_string(), read))
}

/// What training found, for a person.
fn told(classifier: &OriginClassifier) -> String {
    let report = classifier.report();
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let guessing = 1.0 / classifier.classes().len().max(1) as f64;
    let mut out = format!(
        "{} texts, each judged by what was learned from the others\n\
         likeliest origin right   {} (guessing: {})\n\
         an origin said for       {}, right for {} of these\n\
         confidence off by        {} in the mean\n",
        report.texts,
        percent(report.accuracy),
        percent(guessing),
        percent(report.answered),
        report.accuracy_of_answered.map_or_else(|| "none".to_owned(), percent),
        percent(report.calibration_error),
    );
    if report.too_short > 0 {
        out.push_str(&report.too_short.to_string());
        out.push_str(" texts left out: too few words\n");
    }
    out += "\nwhose texts (rows) were said to be whose\n";
    let names = || classifier.classes().iter().map(|name| text::cut(&text::escaped(name), 16));
    let mut grid = Grid::default();
    grid.row([String::new()].into_iter().chain(names()).chain(["unknown".to_owned()]).collect(), "");
    for (name, row) in names().zip(&report.confusion) {
        grid.row([name].into_iter().chain(row.iter().map(usize::to_string)).collect(), "");
    }
    grid.write(terminal::columns(), false, &mut out);
    out
}

fn line(judged: &Judged<'_>) -> String {
    let verdict = &judged.verdict;
    let said = verdict.origin.as_deref().unwrap_or(verdict.why.as_str());
    let likely: Vec<String> = verdict
        .probabilities
        .iter()
        .take(3)
        .map(|(name, probability)| format!("{} {probability:.2}", text::escaped(name)))
        .collect();
    format!(
        "{}: {}  ({}; typicality {:.3}, {} words)\n",
        text::cut(&text::escaped(judged.text), SHOWN_COLUMNS),
        text::escaped(said),
        likely.join(", "),
        verdict.typicality,
        verdict.words
    )
}
