//! `llmtrace findings`: what stands out in a set of files.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use llmtrace::{SpanRecord, TraceId};
use serde::Serialize;

use super::{Analyst, Baseline, Finding, Severity, SpanSummary, report, rules, sort};
use crate::failure::Failure;
use crate::filter::{Filter, trace_prefix};
use crate::spans::{Source, Tally};
use crate::terminal::{self, COLOR, Color};
use crate::traces::Traces;

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Finds what stands out: outliers, bursts, loops, secrets", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Files of spans, or stores; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only what matters at least so much
    #[arg(long, value_enum, default_value_t = Severity::Info)]
    severity: Severity,
    /// Only what this rule finds; may be given more than once
    #[arg(long, value_name = "RULE", value_parser = PossibleValuesParser::new(rules::named()))]
    rule: Vec<String>,
    /// Only in the trace with this id, or those whose id starts so, against all that is read
    #[arg(long, value_name = "ID", value_parser = trace_prefix)]
    trace: Option<String>,
    /// Return 1 if anything is found
    #[arg(long)]
    check: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto", help = COLOR)]
    color: Color,
}

const ABOUT: &str = "\
Finds what stands out in traces, with the evidence.

Reads JSON Lines files, one span a line, as llmtrace writes them, and stores of
llmtrace serve. All files together are one set, which is read twice: what is
usual is learned of all spans, then each trace is judged. Standard input is kept
in memory.

A figure is an outlier if the modified z-score of its logarithm, 0.6745 times
its distance from the median by the median absolute deviation (Iglewicz and
Hoaglin, 1993), is 6 or more among at least 30 spans, if it is three times the
median, and if no more than one span in twenty is that far away. Bursts are told
by Fisher's exact test, cache drops by Welch's.

Prints the worst first; of what is alike the first few. With --json, one object:
\"findings\", \"left_out\", \"traces\", \"spans\", \"skipped_lines\". A finding has
\"id\" (the same whenever the same is found), \"rule\", \"severity\", \"title\",
\"trace_id\", \"span_id\", \"name\", \"service\", \"model\", \"time\" and \"evidence\" with
\"value\", \"unit\" (usd, ms, tokens, count, share), \"expected\" with \"low\" and
\"high\", \"sample\", \"is_guess\" and \"sentence\".

Returns 0 when done, 1 if there are no spans or with --check if anything is
found, 2 if a file cannot be read or an option is wrong.";

const EXAMPLES: &str = "\
Examples:
  llmtrace findings traces.jsonl
  llmtrace findings traces.jsonl --severity critical --check
  llmtrace findings app.jsonl --rule tool-loop --rule retry-storm
  llmtrace findings app.jsonl --json | jq '.findings[].title'";

/// Findings that are kept; further ones are counted.
const MAX_FINDINGS: usize = 100_000;

/// Spans that wait for the rest of their trace before they are learned.
const MAX_WAITING: usize = 100_000;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    /// The worst first.
    pub(super) findings: Vec<Finding>,
    /// Findings beyond the bound.
    pub(super) left_out: u64,
    pub(super) traces: u64,
    pub(super) spans: u64,
    pub(super) skipped_lines: u64,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let sources = Source::open_all(&options.files)?;
    let mut learner = Learner::default();
    let (tally, traces) = Traces::find(&sources, |_| true, |span| learner.add(span))?;
    if tally.spans == 0 {
        return Err(tally.nothing(&sources, |_| String::new()));
    }
    let baseline = learner.finish();
    let found = judge(options, &traces, &baseline, &tally)?;
    if found.traces == 0 {
        return Err(tally.nothing(&sources, |spans| format!("no trace matches, of {spans} spans read")));
    }
    tally.report();
    let text = if options.json {
        serde_json::to_string(&found).map_err(std::io::Error::from)? + "\n"
    } else {
        report::text(&found, terminal::columns(), options.color.is_on())
    };
    terminal::print(&text)?;
    match found.findings.len() {
        many @ 1.. if options.check => Err(Failure::Incomplete(format!("{many} findings"))),
        _ => Ok(()),
    }
}

fn judge(
    options: &Options,
    traces: &Traces<'_>,
    baseline: &Baseline,
    tally: &Tally,
) -> Result<Found, Failure> {
    let filter = Filter::new(options.trace.clone(), false, None);
    let analyst = if options.rule.is_empty() { Analyst::new() } else { Analyst::with_rules(&options.rule) };
    let skipped_lines = tally.skipped;
    let mut all =
        Found { findings: Vec::new(), left_out: 0, traces: 0, spans: baseline.spans(), skipped_lines };
    let mut take = |found: Vec<Finding>| {
        for finding in found.into_iter().filter(|finding| finding.severity >= options.severity) {
            if all.findings.len() < MAX_FINDINGS {
                all.findings.push(finding);
            } else {
                all.left_out += 1;
            }
        }
    };
    if options.trace.is_none() {
        take(analyst.judge_window(baseline));
    }
    for trace in traces.iter().filter(|trace| filter.covers(trace.id())) {
        take(analyst.judge(&trace.spans()?, baseline));
        all.traces += 1;
    }
    sort(&mut all.findings);
    Ok(all)
}

/// Learns spans as they come, each trace when it is likely to be whole.
#[derive(Debug, Default)]
struct Learner {
    baseline: Baseline,
    traces: HashMap<TraceId, Vec<SpanSummary>>,
    /// Traces in the order in which they came.
    order: std::collections::VecDeque<TraceId>,
    waiting: usize,
}

impl Learner {
    fn add(&mut self, span: &SpanRecord) {
        let order = &mut self.order;
        let trace = self.traces.entry(span.trace_id).or_insert_with(|| {
            order.push_back(span.trace_id);
            Vec::new()
        });
        trace.push(SpanSummary::of(span));
        self.waiting += 1;
        while self.waiting > MAX_WAITING && self.learn_oldest() {}
    }

    fn finish(mut self) -> Baseline {
        while self.learn_oldest() {}
        self.baseline
    }

    fn learn_oldest(&mut self) -> bool {
        let Some(trace) = self.order.pop_front().and_then(|id| self.traces.remove(&id)) else { return false };
        self.waiting -= trace.len();
        self.baseline.learn(&trace);
        true
    }
}
