//! One trace, and its spans in full.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use llmtrace::{Score, SpanId, SpanRecord, TraceId};
use llmtrace_exporters::read_line;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::chunk::{line, unpack};
use super::error::StoreError;
use super::fact::Fact;
use super::row::{SpanRow, TraceRow};
use super::write::scores::ADDED;

/// A trace and what is known of its spans.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredTrace {
    pub(crate) row: TraceRow,
    /// In the order in which they started.
    pub(crate) spans: Vec<SpanRow>,
}

/// A trace; `None` if there is none of this id.
pub(crate) fn load(conn: &Connection, trace: TraceId) -> Result<Option<StoredTrace>, StoreError> {
    let Some(id) = number(conn, trace)? else { return Ok(None) };
    let Some(row) = TraceRow::load(conn, id)? else { return Ok(None) };
    let spans = SpanRow::of_facts(conn, &in_order(conn, id)?)?;
    Ok(Some(StoredTrace { row, spans }))
}

/// A span in full, with the scores that were added to it; `None` if there is none of this id.
pub(crate) fn record(
    conn: &Connection,
    trace: TraceId,
    span: SpanId,
) -> Result<Option<SpanRecord>, StoreError> {
    let Some(id) = number(conn, trace)? else { return Ok(None) };
    let Some(fact) = Fact::of_span(conn, id, span)? else { return Ok(None) };
    let mut record = line_of(conn, &fact)?;
    record.scores.extend(added(conn, id)?.remove(&span).into_iter().flatten());
    Ok(Some(record))
}

/// Hands over each span of a trace in full, in the order in which they started; some pieces of the trace are in memory at a time.
pub(crate) fn records(
    conn: &Connection,
    trace: TraceId,
    each: &mut dyn FnMut(SpanRecord) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    match number(conn, trace)? {
        Some(id) => records_of(conn, id, each),
        None => Ok(()),
    }
}

/// Hands over each span of the store in full, trace by trace in the order of arrival.
pub(crate) fn all_records(
    conn: &Connection,
    each: &mut dyn FnMut(SpanRecord) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut ids = conn.prepare("SELECT id FROM traces ORDER BY id")?;
    let mut ids = ids.query([])?;
    while let Some(row) = ids.next()? {
        records_of(conn, row.get(0)?, each)?;
    }
    Ok(())
}

/// As [`records`], by the number of the trace.
pub(super) fn records_of(
    conn: &Connection,
    id: i64,
    each: &mut dyn FnMut(SpanRecord) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut added = added(conn, id)?;
    let mut chunks = Chunks::default();
    for fact in in_order(conn, id)? {
        let lines = chunks.load(conn, fact.chunk)?;
        let mut record = parsed(&lines, &fact)?;
        record.scores.extend(added.remove(&fact.span_id).into_iter().flatten());
        each(record)?;
    }
    Ok(())
}

/// A span as it came.
pub(super) fn line_of(conn: &Connection, fact: &Fact) -> Result<SpanRecord, StoreError> {
    parsed(&Chunks::default().load(conn, fact.chunk)?, fact)
}

/// The number of a trace.
pub(super) fn number(conn: &Connection, trace: TraceId) -> rusqlite::Result<Option<i64>> {
    let mut find = conn.prepare_cached("SELECT id FROM traces WHERE trace_id = ?1")?;
    find.query_row([trace.to_bytes()], |row| row.get(0)).optional()
}

/// The facts of a trace in the order in which its spans started.
fn in_order(conn: &Connection, id: i64) -> rusqlite::Result<Vec<Fact>> {
    let mut facts = Fact::of_trace(conn, id)?;
    facts.sort_by_key(|fact| fact.start);
    Ok(facts)
}

/// Scores that were added to spans of a trace.
fn added(conn: &Connection, id: i64) -> rusqlite::Result<HashMap<SpanId, Vec<Score>>> {
    let find =
        "SELECT s.span_id, n.text, s.value, s.comment FROM scores AS s JOIN names AS n ON n.id = s.name
        WHERE s.trace = ?1 AND s.source = ?2 ORDER BY s.id";
    let mut find = conn.prepare_cached(find)?;
    let mut rows = find.query(params![id, ADDED])?;
    let mut found: HashMap<SpanId, Vec<Score>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut score = Score::new(row.get::<_, String>(1)?, row.get(2)?);
        score.comment = row.get(3)?;
        if let Some(span) = SpanId::from_bytes(row.get(0)?) {
            found.entry(span).or_default().push(score);
        }
    }
    Ok(found)
}

fn parsed(lines: &[u8], fact: &Fact) -> Result<SpanRecord, StoreError> {
    let line = line(lines, fact.position).ok_or_else(|| lost(fact))?;
    read_line(line).map_err(|_| lost(fact))
}

fn lost(fact: &Fact) -> StoreError {
    StoreError::Other(format!("span {} cannot be read: its chunk is damaged", fact.span_id))
}

/// The chunks that were read last.
#[derive(Debug, Default)]
struct Chunks {
    recent: VecDeque<(i64, Arc<Vec<u8>>)>,
    bytes: usize,
}

/// Bytes of chunks that are kept, save for the last.
const MAX_KEPT: usize = 8 << 20;

impl Chunks {
    fn load(&mut self, conn: &Connection, id: i64) -> Result<Arc<Vec<u8>>, StoreError> {
        if let Some((_, lines)) = self.recent.iter().find(|(other, _)| *other == id) {
            return Ok(Arc::clone(lines));
        }
        let mut find = conn.prepare_cached("SELECT data FROM chunks WHERE id = ?1")?;
        let lines = find.query_row([id], |row| Ok(unpack(row.get_ref(0)?.as_blob()?))).optional()?;
        let lines = lines.flatten().ok_or_else(|| StoreError::Other(format!("chunk {id} is damaged")))?;
        let lines = Arc::new(lines);
        self.bytes += lines.len();
        self.recent.push_back((id, Arc::clone(&lines)));
        while self.bytes > MAX_KEPT && self.recent.len() > 1 {
            if let Some((_, old)) = self.recent.pop_front() {
                self.bytes -= old.len();
            }
        }
        Ok(lines)
    }
}
