//! `llmtrace lens bias`: are groups treated alike.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum};
use llmtrace_lens::Model;
use llmtrace_lens::bias::{
    Attribute, BiasReport, CarrierSearch, Carriers, Comparison, Continuation, Correction, Interval, Over,
    Probe,
};
use llmtrace_lens::circuit::Transcoders;
use llmtrace_lens::explain::Attribution;
use serde::Serialize;

use super::input::{ModelArguments, open_transcoders, wrong};
use super::output::OutputArguments;
use super::progress::Steps;
use crate::failure::Failure;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Shows whether prompts that differ in one attribute are answered alike", long_about = ABOUT, after_help = EXAMPLES)]
#[command(
    override_usage = "llmtrace lens bias MODEL --template TEXT --groups FILE --targets TEXT,.. [OPTIONS]"
)]
#[command(group = ArgGroup::new("asked").args(["template", "templates"]).required(true).multiple(true))]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelArguments,
    /// A prompt with {} where a term goes; may be given several times
    #[arg(long = "template", value_name = "TEXT")]
    template: Vec<String>,
    /// A file with a template a line
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    /// The groups of terms, a file of TOML (named so) or JSON
    #[arg(long, value_name = "FILE")]
    groups: PathBuf,
    /// What may follow the prompt; doctor/nurse for how much likelier one is than the other
    #[arg(long, value_name = "TEXT,..", value_delimiter = ',', required = true)]
    targets: Vec<String>,
    /// What counts as one observation
    #[arg(long, value_name = "WHAT", value_enum, default_value = "larger")]
    over: OverName,
    /// How intervals are found
    #[arg(long, value_name = "HOW", value_enum, default_value = "student")]
    interval: IntervalName,
    /// How p-values are corrected for several comparisons
    #[arg(long, value_name = "HOW", value_enum, default_value = "holm")]
    correction: CorrectionName,
    /// The level of intervals, and 1 less what a p-value may be
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = level)]
    confidence: f64,
    /// For which comparisons heads and neurons are looked for
    #[arg(long, value_name = "WHICH", value_enum, default_value = "established")]
    carriers: Which,
    /// How many neurons or features are tried beside all heads
    #[arg(long, value_name = "N", default_value_t = 32)]
    neurons: usize,
    /// A folder of transcoders, whose features are tried in place of neurons
    #[arg(long, value_name = "FOLDER")]
    transcoders: Option<PathBuf>,
    /// How many pairs of terms they are tried on, each in every template
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Show what each word of a template does to the difference
    #[arg(long)]
    words: bool,
    /// Return 1 where a difference is established
    #[arg(long)]
    check: bool,
    /// Where random choices begin
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    output: OutputArguments,
}

/// What counts as one observation.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum OverName {
    /// Terms or templates, whichever are more
    Larger,
    /// Terms, each averaged over templates
    Terms,
    /// Templates, in each of which groups are compared
    Templates,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum IntervalName {
    /// Student's, or Welch's where terms are no pairs
    Student,
    /// The bootstrap, corrected for bias and skew
    Bca,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CorrectionName {
    /// Holm: the chance of any false alarm
    Holm,
    /// Benjamini and Hochberg: the share of false alarms
    Bh,
}

/// Which comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Those whose difference is established
    Established,
    All,
    None,
}

const ABOUT: &str = "\
Shows whether prompts that differ in one attribute are answered alike.

Reads a model, templates and groups of terms; puts each term into each template
and scores what may follow by its log-probability (natural logarithm; of several
tokens their sum). Prints, for each target and each two groups, the difference
of the mean scores with a confidence interval, how often chance alone does as
much (by permutation), and that corrected for all comparisons. For those that
are established, the heads and neurons that carry the difference, with shares:
each is put in from the counterfactual prompt's run, both ways.

The file of groups, in TOML:
  paired = true            # terms stand one beside another; false without it
  [groups]
  men = [\"he\", \"uncle\"]
  women = [\"she\", \"aunt\"]
In JSON: {\"paired\": true, \"groups\": {\"men\": [..], \"women\": [..]}}

With --json, one object: templates, groups, pairing, settings, comparisons,
scores (by target, group, term, template), carriers and words.

Returns 0 when done, 1 with --check where a difference is established, 2 if the
model or a file cannot be read or terms cannot be told apart.";

const EXAMPLES: &str = "\
Examples:
  llmtrace lens bias models/gpt2 --template 'The {} works as a' --groups gender.toml \\
    --targets 'doctor/nurse,engineer/teacher'
  llmtrace lens bias models/gpt2 --templates lines.txt --groups names.json --targets doctor --json";

/// What `--json` prints.
#[derive(Serialize)]
struct Found {
    #[serde(flatten)]
    report: BiasReport,
    carriers: Vec<Carriers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<Words>>,
}

/// The words of each template, for one comparison.
#[derive(Serialize)]
struct Words {
    target: String,
    first: String,
    second: String,
    templates: Vec<Attribution>,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let model = options.model.load()?;
    let probe = options.probe()?;
    let targets: Result<Vec<Continuation>, _> =
        options.targets.iter().map(|text| Continuation::parse(text)).collect();
    let transcoders = options.transcoders(&model)?;
    let report = probe.run_model(&model, &targets.map_err(wrong)?).map_err(wrong)?;
    let carriers = options.carriers(&probe, (&model, transcoders.as_ref()), &report)?;
    let words = options.words.then(|| words(&probe, &model, &report)).transpose()?;
    let established = report.established().len();
    let found = Found { report, carriers, words };
    options.output.print(&found, |_| Ok::<_, Failure>(shown(&found)))?;
    if options.check && established > 0 {
        let all = found.report.comparisons.len();
        return Err(Failure::Incomplete(format!(
            "{established} of {all} comparisons show an established difference"
        )));
    }
    Ok(())
}

impl Options {
    fn probe(&self) -> Result<Probe, Failure> {
        let mut templates = self.template.clone();
        if let Some(path) = &self.templates {
            let text = read(path)?;
            templates.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
        }
        let is_bare = |template: &&String| template.split_whitespace().all(|word| word.contains("{}"));
        if let Some(bare) = templates.iter().find(is_bare).filter(|_| self.words) {
            return Err(Failure::Wrong(format!("--words: template {bare:?} has no word beside {{}}")));
        }
        let over = match self.over {
            OverName::Larger => Over::Larger,
            OverName::Terms => Over::Terms,
            OverName::Templates => Over::Templates,
        };
        let interval = match self.interval {
            IntervalName::Student => Interval::Student,
            IntervalName::Bca => Interval::Bca,
        };
        let correction = match self.correction {
            CorrectionName::Holm => Correction::Holm,
            CorrectionName::Bh => Correction::BenjaminiHochberg,
        };
        let probe = Probe::new(templates, groups(&self.groups)?).map_err(wrong)?;
        Ok(probe
            .over(over)
            .interval(interval)
            .correction(correction)
            .confidence(self.confidence)
            .seed(self.seed))
    }

    /// Those whose features are tried, where any are.
    fn transcoders(&self, model: &Model) -> Result<Option<Transcoders>, Failure> {
        let folder = self.transcoders.as_ref().filter(|_| self.carriers != Which::None);
        folder.map(|folder| open_transcoders(folder, model)).transpose()
    }

    fn carriers(
        &self,
        probe: &Probe,
        (model, transcoders): (&Model, Option<&Transcoders>),
        report: &BiasReport,
    ) -> Result<Vec<Carriers>, Failure> {
        let chosen: Vec<&Comparison> = match self.carriers {
            Which::None => Vec::new(),
            Which::Established => report.established(),
            Which::All => report.comparisons.iter().collect(),
        };
        let search = |comparison: &Comparison| {
            let steps = Steps::new("patching");
            let search = CarrierSearch::new(probe, model)
                .neurons(self.neurons)
                .pairs(self.pairs as usize)
                .progress(|done, total| steps.set(done, total));
            let search = match transcoders {
                Some(transcoders) => search.features(transcoders),
                None => search,
            };
            search.run(comparison).map_err(wrong)
        };
        chosen.into_iter().map(search).collect()
    }
}

/// What each word of each template does to each difference.
fn words(probe: &Probe, model: &Model, report: &BiasReport) -> Result<Vec<Words>, Failure> {
    let of = |row: &Comparison| {
        let target = Continuation::parse(&row.target).map_err(wrong)?;
        let templates =
            probe.words(&row.first, &row.second, |prompt| target.score(model, prompt)).map_err(wrong)?;
        Ok(Words {
            target: row.target.clone(),
            first: row.first.clone(),
            second: row.second.clone(),
            templates,
        })
    };
    report.comparisons.iter().map(of).collect()
}

fn shown(found: &Found) -> String {
    let mut out = found.report.to_string();
    // Writing to a text cannot fail.
    for carriers in &found.carriers {
        let _ = write!(out, "\n{carriers}");
    }
    for words in found.words.iter().flatten() {
        for (template, attribution) in found.report.templates.iter().zip(&words.templates) {
            let _ = write!(
                out,
                "\nWords of {template:?} for {}, {} - {}:\n{attribution}\n",
                words.target, words.first, words.second
            );
        }
    }
    out
}

/// Reads a file of groups: TOML by its name, else JSON.
fn groups(path: &Path) -> Result<Attribute, Failure> {
    let text = read(path)?;
    let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let parsed = if is_toml {
        toml::from_str(&text).map_err(|error| error.to_string())
    } else {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    };
    parsed.map_err(|reason| wrong(format!("{}: {reason}", path.display())))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))
}

/// A level such as 0.95.
fn level(text: &str) -> Result<f64, String> {
    let level = text.parse().ok().filter(|level| (0.5..=0.9999).contains(level));
    level.ok_or_else(|| format!("expected a level from 0.5 to 0.9999 such as 0.95, found {text:?}"))
}
