//! Traces of files that may be larger than memory: first where their lines stand, then one trace after another.

use std::collections::HashMap;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use llmtrace::{Timestamp, TraceId};
use llmtrace_exporters::{ColorChoice, TraceTree, read_line};

use crate::failure::Failure;
use crate::filter::{Filter, Met};
use crate::spans::{self, Place, Source, Tally};
use crate::terminal;

/// What is kept of a trace while the others are read: 16 bytes a span.
struct Found {
    start: Timestamp,
    places: Vec<Place>,
    met: Met,
}

/// Draws the traces that match, in the order of their starts, and says how many there were.
pub(super) fn run(sources: &[Source], filter: &Filter, color: ColorChoice) -> Result<(Tally, u64), Failure> {
    let mut traces: HashMap<TraceId, Found> = HashMap::new();
    let tally = spans::read(sources, |place, span| {
        if filter.covers(span.trace_id) {
            let new = || Found { start: span.start, places: Vec::with_capacity(1), met: Met::default() };
            let found = traces.entry(span.trace_id).or_insert_with(new);
            found.start = found.start.min(span.start);
            filter.note(&mut found.met, &span);
            found.places.push(place);
        }
        Ok(())
    })?;
    traces.retain(|_, found| filter.is_met(found.met));
    let mut traces: Vec<_> = traces.into_iter().collect();
    traces.sort_unstable_by_key(|(trace_id, found)| (found.start, *trace_id));

    let (columns, mut drawn) = (terminal::columns(), 0);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    for (trace_id, found) in traces {
        let mut tree = TraceTree::new(trace_id);
        for place in found.places {
            // A line that cannot be read again was cut off meanwhile.
            if read_at(sources, place, &mut line).is_ok()
                && let Ok(span) = read_line(&line)
            {
                tree.add(&span);
            }
        }
        out.write_all(tree.draw(columns, color).as_bytes())?;
        drawn += 1;
    }
    out.flush()?;
    Ok((tally, drawn))
}

fn read_at(sources: &[Source], place: Place, line: &mut Vec<u8>) -> io::Result<()> {
    let source = sources.get(place.file as usize);
    // What was opened stays readable, also when it is rotated away meanwhile.
    let mut file = source.and_then(|source| source.file.as_ref()).ok_or(io::ErrorKind::NotFound)?;
    file.seek(SeekFrom::Start(place.start))?;
    line.resize(place.length as usize, 0);
    file.read_exact(line)
}
