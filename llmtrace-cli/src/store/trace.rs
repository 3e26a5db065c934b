//! One trace, and its spans in full.

use std::collections::HashMap;
use std::ops::Range;

use llmtrace::{Score, SpanId, SpanRecord, TraceId};
use llmtrace_exporters::read_line;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::StoreError;
use super::fact::Fact;
use super::lines::each_line;
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
    let mut found = None;
    each_line(conn, std::slice::from_ref(&fact), &mut |fact, line| {
        found = Some(parsed(line, fact)?);
        Ok(())
    })?;
    if let Some(record) = &mut found {
        record.scores.extend(added(conn, id)?.remove(&span).into_iter().flatten());
    }
    Ok(found)
}

/// Hands over each span of a trace in full, in the order in which they started; some lines of the trace are in memory
/// at a time.
pub(crate) fn records(
    conn: &Connection,
    trace: TraceId,
    each: &mut dyn FnMut(SpanRecord) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    records_in(conn, trace, 0..usize::MAX, each).map(drop)
}

/// As [`records`], but only those at some places; says whether there is such a trace.
pub(crate) fn records_in(
    conn: &Connection,
    trace: TraceId,
    places: Range<usize>,
    each: &mut dyn FnMut(SpanRecord) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    match number(conn, trace)? {
        Some(id) => some_of(conn, id, places, each).map(|()| true),
        None => Ok(false),
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
    some_of(conn, id, 0..usize::MAX, each)
}

fn some_of(
    conn: &Connection,
    id: i64,
    places: Range<usize>,
    each: &mut dyn FnMut(SpanRecord) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut added = added(conn, id)?;
    let facts = in_order(conn, id)?;
    let facts = facts.get(places.start..places.end.min(facts.len())).unwrap_or_default();
    each_line(conn, facts, &mut |fact, line| {
        let mut record = parsed(line, fact)?;
        record.scores.extend(added.remove(&fact.span_id).into_iter().flatten());
        each(record)
    })
}

/// Hands over each of these spans as it came, or why it cannot be read.
pub(super) fn each_as_it_came(
    conn: &Connection,
    facts: &[Fact],
    each: &mut impl FnMut(&Fact, Result<SpanRecord, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    each_line(conn, facts, &mut |fact, line| each(fact, parsed(line, fact)))
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

fn parsed(line: Option<&[u8]>, fact: &Fact) -> Result<SpanRecord, StoreError> {
    let lost = || StoreError::Other(format!("span {} cannot be read: its chunk is damaged", fact.span_id));
    read_line(line.ok_or_else(lost)?).map_err(|_| lost())
}
