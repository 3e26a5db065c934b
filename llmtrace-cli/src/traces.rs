//! The traces of a set of files and stores, which can be gone through again.

use std::collections::HashMap;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use llmtrace::{SpanRecord, Timestamp, TraceId};
use llmtrace_exporters::read_line;

use crate::failure::Failure;
use crate::spans::{self, Content, Place, Source, Tally};
use crate::store;

/// Where the spans of each trace stand, in order of the traces' starts.
///
/// It takes 16 bytes a span of a file. Spans of standard input and of pipes are kept whole, as they cannot be read again.
#[derive(Debug)]
pub(crate) struct Traces<'s> {
    sources: &'s [Source],
    found: Vec<(TraceId, Found)>,
    kept: Vec<SpanRecord>,
}

/// The spans of one trace.
#[derive(Debug)]
struct Found {
    start: Timestamp,
    places: Vec<Place>,
}

/// The number of the file that is memory.
const KEPT: u32 = u32::MAX;

impl<'s> Traces<'s> {
    /// Finds the traces with these ids; `each` sees each of their spans once.
    pub(crate) fn find(
        sources: &'s [Source],
        covers: impl Fn(TraceId) -> bool,
        mut each: impl FnMut(&SpanRecord),
    ) -> Result<(Tally, Self), Failure> {
        let mut found: HashMap<TraceId, Found> = HashMap::new();
        let mut kept = Vec::new();
        let tally = spans::read(sources, |place, span| {
            if !covers(span.trace_id) {
                return Ok(());
            }
            each(&span);
            let new = || Found { start: span.start, places: Vec::with_capacity(1) };
            let trace = found.entry(span.trace_id).or_insert_with(new);
            trace.start = trace.start.min(span.start);
            let source = sources.get(place.file as usize);
            match source.map(|source| &source.content) {
                // A store knows where the spans of a trace are.
                Some(Content::Store(_)) => {
                    if trace.places.last().is_none_or(|last| last.file != place.file) {
                        trace.places.push(place);
                    }
                }
                Some(Content::Lines(_)) if source.is_some_and(Source::can_seek) => trace.places.push(place),
                _ => {
                    trace.places.push(Place { file: KEPT, length: 0, start: kept.len() as u64 });
                    kept.push(span);
                }
            }
            Ok(())
        })?;
        let mut traces: Vec<_> = found.into_iter().collect();
        traces.sort_unstable_by_key(|(trace_id, found)| (found.start, *trace_id));
        Ok((tally, Self { sources, found: traces, kept }))
    }

    /// The traces, in order of their starts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = OneTrace<'_>> {
        self.found.iter().map(|(id, found)| OneTrace { traces: self, id: *id, found })
    }

    /// Leaves out the traces of other ids.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(TraceId) -> bool) {
        self.found.retain(|(trace_id, _)| is_kept(*trace_id));
    }
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneTrace<'t> {
    traces: &'t Traces<'t>,
    id: TraceId,
    found: &'t Found,
}

impl OneTrace<'_> {
    pub(crate) fn id(&self) -> TraceId {
        self.id
    }

    /// Its spans, all in memory.
    pub(crate) fn spans(&self) -> Result<Vec<SpanRecord>, Failure> {
        let mut spans = Vec::with_capacity(self.found.places.len());
        self.each_span(&mut |span| spans.push(span))?;
        Ok(spans)
    }

    /// Hands on its spans one by one.
    pub(crate) fn each_span(&self, each: &mut dyn FnMut(SpanRecord)) -> Result<(), Failure> {
        let mut line = Vec::new();
        for place in &self.found.places {
            let source = self.traces.sources.get(place.file as usize);
            if place.file == KEPT {
                let kept = usize::try_from(place.start).ok().and_then(|place| self.traces.kept.get(place));
                kept.cloned().into_iter().for_each(&mut *each);
            } else if let Some(Content::Store(store)) = source.map(|source| &source.content) {
                let mut take = |span| {
                    each(span);
                    Ok(())
                };
                let read = store::trace::records(store, self.id, &mut take);
                read.map_err(|error| Failure::Wrong(error.to_string()))?;
            } else if read_at(source, *place, &mut line).is_ok()
                // A line that cannot be read again was cut off meanwhile.
                && let Ok(span) = read_line(&line)
            {
                each(span);
            }
        }
        Ok(())
    }
}

fn read_at(source: Option<&Source>, place: Place, line: &mut Vec<u8>) -> io::Result<()> {
    // What was opened stays readable, also when it is rotated away meanwhile.
    let mut file = source.and_then(Source::lines).ok_or(io::ErrorKind::NotFound)?;
    file.seek(SeekFrom::Start(place.start))?;
    line.resize(place.length as usize, 0);
    file.read_exact(line)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use llmtrace::{ObservationKind, SpanId};
    use llmtrace_exporters::write_line;

    use super::*;
    use crate::store::Store;
    use crate::store::options::StoreOptions;

    fn span(trace: u8, id: u8) -> SpanRecord {
        let at = |ms: u64| Timestamp::from_unix_nanos(1_795_176_000_000_000_000 + ms * 1_000_000);
        let (trace, id) = (TraceId::from_bytes([trace; 16]).unwrap(), SpanId::from_bytes([id; 8]).unwrap());
        SpanRecord::new(trace, id, "step", ObservationKind::Span, at(1), at(2))
    }

    #[test]
    fn a_store_reads_as_a_file_of_lines_does() {
        let spans = vec![span(1, 1), span(2, 2), span(1, 3)];
        let folder = tempfile::tempdir().unwrap();
        let (lines, store) = (folder.path().join("app.jsonl"), folder.path().join("app.db"));
        let mut text = Vec::new();
        for span in &spans {
            write_line(span, &mut text);
            if !text.ends_with(b"\n") {
                text.push(b'\n');
            }
        }
        std::fs::write(&lines, text).unwrap();
        let open = Store::open(&store, StoreOptions::default()).unwrap();
        open.write(spans).unwrap();
        open.close();
        let read = |path: &PathBuf| {
            let sources = Source::open_all(std::slice::from_ref(path)).unwrap();
            let mut seen = 0;
            let (tally, traces) = Traces::find(&sources, |_| true, |_| seen += 1).unwrap();
            assert_eq!((tally.spans, seen), (3, 3));
            let traces = traces.iter().map(|trace| {
                let mut spans = trace.spans().unwrap();
                spans.sort_by_key(|span| span.span_id);
                (trace.id(), spans)
            });
            traces.collect::<Vec<_>>()
        };
        assert_eq!(read(&store), read(&lines));
        assert_eq!(read(&store).len(), 2);
    }
}
