//! Traces of files that may be larger than memory: first where their spans stand, then one trace after another.

use std::collections::HashMap;
use std::io::{self, Write as _};

use llmtrace::TraceId;
use llmtrace_exporters::{ColorChoice, TraceTree};

use crate::failure::Failure;
use crate::filter::{Filter, Met};
use crate::spans::{Source, Tally};
use crate::terminal;
use crate::traces::Traces;

/// Draws the traces that match, in the order of their starts, and says how many there were.
pub(super) fn run(sources: &[Source], filter: &Filter, color: ColorChoice) -> Result<(Tally, u64), Failure> {
    let mut met: HashMap<TraceId, Met> = HashMap::new();
    let (tally, mut traces) = Traces::find(
        sources,
        |trace_id| filter.covers(trace_id),
        |span| filter.note(met.entry(span.trace_id).or_default(), span),
    )?;
    traces.retain(|trace_id| met.get(&trace_id).is_some_and(|met| filter.is_met(*met)));
    let (columns, mut drawn) = (terminal::columns(), 0);
    let mut out = io::BufWriter::new(io::stdout().lock());
    for trace in traces.iter() {
        let mut tree = TraceTree::new(trace.id());
        trace.each_span(&mut |span| tree.add(&span))?;
        out.write_all(tree.draw(columns, color).as_bytes())?;
        drawn += 1;
    }
    out.flush()?;
    Ok((tally, drawn))
}
