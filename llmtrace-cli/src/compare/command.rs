//! `llmtrace compare`: two traces, or two sets of them, side by side.

use std::path::PathBuf;

use clap::Args;
use llmtrace::{SpanRecord, Timestamp, TraceId, Value, semconv};
use serde::Serialize;

use super::groups::{Group, groups};
use super::{group_report, trace_report, traces};
use crate::arguments::{filled, time};
use crate::failure::{Failure, shown};
use crate::filter::trace_prefix;
use crate::spans::Source;
use crate::terminal::{self, COLOR, Color};
use crate::traces::{OneTrace, Traces};

/// The options of the command.
#[derive(Args, Debug)]
#[command(about = "Puts two traces, or two sets of traces, side by side", long_about = ABOUT, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Files of spans, or stores: two, or any number with --trace, --tag, --model or --split
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A trace by its id or the start of it; given twice
    #[arg(long, value_name = "ID", value_parser = trace_prefix, conflicts_with_all = ["tag", "model", "split"])]
    trace: Vec<String>,
    /// The traces with a span of this tag; given twice
    #[arg(long, value_name = "TAG", value_parser = filled, conflicts_with_all = ["model", "split"])]
    tag: Vec<String>,
    /// The traces with a call of this model; given twice
    #[arg(long, value_name = "MODEL", value_parser = filled, conflicts_with = "split")]
    model: Vec<String>,
    /// The traces that started before a time, and those from then on
    #[arg(long, value_name = "TIME", value_parser = time)]
    split: Option<Timestamp>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto", help = COLOR)]
    color: Color,
}

const ABOUT: &str = "\
Puts two traces, or two sets of traces, side by side.

Reads JSON Lines files, one span a line, as llmtrace writes them, and stores of
llmtrace serve. Of two files with one trace each, and with --trace, two traces
are compared: sums, spans in one tree, and what was said otherwise. Else it is
sets: of two files, of two tags, of two models, or what came before a time and
what came after it.

Of traces, = marks spans that are alike, ≠ those whose status, model or messages
differ, - those that only A has, + those that only B has. [-words-] were said in
A only, {+words+} in B only. Long texts are cut, which is said.

Of sets, each figure has its change and the range in which the change lies. A
change is called higher or lower only if its range leaves out none at all; the
ranges hold all together with 95 % confidence (each with 99.5 %). Means are
compared by their logarithms (delta method), shares by Wilson's and Newcombe's
intervals, percentiles by order statistics; calls of one trace count as alike.
Times, tokens and costs are those of calls that did not fail.

With --json, one object: of traces \"a\", \"b\", \"totals\", \"rows\", \"left_out\"; of
sets \"a\", \"b\", \"measures\", \"models\". What nobody stated is null.

Returns 0 when done, 1 if a side has no trace, 2 if a file cannot be read or an
option is wrong.";

const EXAMPLES: &str = "\
Examples:
  llmtrace compare before.jsonl after.jsonl
  llmtrace compare app.jsonl --trace 0af7 --trace 4bf9
  llmtrace compare app.jsonl --model gpt-4o --model gpt-4.1
  llmtrace compare app.jsonl --split 2026-11-22T08:30:00Z --json";

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let lists = [("--trace", &options.trace), ("--tag", &options.tag), ("--model", &options.model)];
    for (name, values) in lists {
        if !matches!(values.len(), 0 | 2) {
            return Err(Failure::Wrong(format!("{name} is given twice: for A and for B")));
        }
    }
    let sources = Source::open_all(&options.files)?;
    if let [a, b] = options.trace.as_slice() {
        return two_traces(options, &sources, a, b);
    }
    if let Some(at) = options.split {
        let labels = [format!("before {at}"), format!("from {at}")];
        let side = |trace: &[SpanRecord]| usize::from(trace.iter().map(|span| span.start).min() >= Some(at));
        return sets(options, &sources, &labels, |trace, number| side(trace) == number);
    }
    if let [a, b] = options.tag.as_slice() {
        let has = |trace: &[SpanRecord], tag: &str| trace.iter().any(|span| has_tag(span, tag));
        let labels = [format!("tag {a}"), format!("tag {b}")];
        return sets(options, &sources, &labels, |trace, number| has(trace, if number == 0 { a } else { b }));
    }
    if let [a, b] = options.model.as_slice() {
        let has = |trace: &[SpanRecord], model: &str| trace.iter().any(|span| span.model() == Some(model));
        let labels = [a.clone(), b.clone()];
        return sets(options, &sources, &labels, |trace, number| has(trace, if number == 0 { a } else { b }));
    }
    match sources.as_slice() {
        [a, b] => two_files(options, std::slice::from_ref(a), std::slice::from_ref(b)),
        _ => Err(Failure::Wrong(
            "compare takes two files, or one or more with --trace, --tag, --model or --split".to_owned(),
        )),
    }
}

fn two_traces(options: &Options, sources: &[Source], a: &str, b: &str) -> Result<(), Failure> {
    let covers = |id: TraceId| [a, b].iter().any(|prefix| id.to_string().starts_with(*prefix));
    let (tally, found) = Traces::find(sources, covers, |_| ())?;
    let one = |prefix: &str| {
        let matching: Vec<_> =
            found.iter().filter(|trace| trace.id().to_string().starts_with(prefix)).collect();
        match matching.as_slice() {
            [only] => only.spans(),
            [] => Err(tally.nothing(sources, |spans| format!("no trace {prefix} among {spans} spans"))),
            many => {
                Err(Failure::Wrong(format!("{} traces start with {prefix}; give more of the id", many.len())))
            }
        }
    };
    let (a, b) = (one(a)?, one(b)?);
    tally.report();
    print_traces(options, &a, &b)
}

fn two_files(options: &Options, a: &[Source], b: &[Source]) -> Result<(), Failure> {
    let ((tally_a, of_a), (tally_b, of_b)) =
        (Traces::find(a, |_| true, |_| ())?, Traces::find(b, |_| true, |_| ())?);
    for (tally, source) in [(&tally_a, a), (&tally_b, b)] {
        if tally.spans == 0 {
            return Err(tally.nothing(source, |_| String::new()));
        }
        tally.report();
    }
    let (ids_a, ids_b): (Vec<_>, Vec<_>) = (of_a.iter().collect(), of_b.iter().collect());
    if let ([a], [b]) = (ids_a.as_slice(), ids_b.as_slice()) {
        return print_traces(options, &a.spans()?, &b.spans()?);
    }
    let mut sets =
        [a, b].map(|source| Group::new(source.iter().map(|source| shown(&source.path)).collect::<String>()));
    let [set_a, set_b] = &mut sets;
    fill(set_a, ids_a)?;
    fill(set_b, ids_b)?;
    print_groups(options, set_a, set_b)
}

fn fill(set: &mut Group, traces: Vec<OneTrace<'_>>) -> Result<(), Failure> {
    for trace in traces {
        set.add(&trace.spans()?);
    }
    Ok(())
}

fn sets(
    options: &Options,
    sources: &[Source],
    labels: &[String; 2],
    is_of: impl Fn(&[SpanRecord], usize) -> bool,
) -> Result<(), Failure> {
    let (tally, found) = Traces::find(sources, |_| true, |_| ())?;
    let mut sets = labels.clone().map(Group::new);
    for trace in found.iter() {
        let spans = trace.spans()?;
        for (number, set) in sets.iter_mut().enumerate() {
            if is_of(&spans, number) {
                set.add(&spans);
            }
        }
    }
    if let Some((label, _)) = labels.iter().zip(&sets).find(|(_, set)| set.is_empty()) {
        return Err(tally.nothing(sources, |spans| format!("no trace of {label} among {spans} spans")));
    }
    tally.report();
    let [a, b] = &sets;
    print_groups(options, a, b)
}

fn print_traces(options: &Options, a: &[SpanRecord], b: &[SpanRecord]) -> Result<(), Failure> {
    let Some(comparison) = traces(a, b) else {
        return Err(Failure::Nothing("a trace has no spans that can be read again".to_owned()));
    };
    let text = || trace_report::text(&comparison, terminal::columns(), options.color.is_on());
    terminal::print(&if options.json { json(&comparison)? } else { text() })
}

fn print_groups(options: &Options, a: &Group, b: &Group) -> Result<(), Failure> {
    let comparison = groups(a, b);
    let text = || group_report::text(&comparison, terminal::columns(), options.color.is_on());
    terminal::print(&if options.json { json(&comparison)? } else { text() })
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string(value).map_err(std::io::Error::from)? + "\n")
}

fn has_tag(span: &SpanRecord, tag: &str) -> bool {
    match span.attributes.get(semconv::TAGS) {
        Some(Value::Array(tags)) => tags.iter().any(|known| known.as_str() == Some(tag)),
        Some(Value::Str(known)) => known == tag,
        _ => false,
    }
}
