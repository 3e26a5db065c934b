//! Lines of many spans, read so that each chunk is unpacked once.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension as _};

use super::chunk::{line, unpack};
use super::error::StoreError;
use super::fact::Fact;

/// The statement that reads a chunk.
pub(super) const READ_CHUNK: &str = "SELECT data FROM chunks WHERE id = ?1";

/// Bytes of lines that are in memory at a time, save for a single longer one: what an answer holds at most.
const MAX_BYTES: usize = 32 << 20;

/// Lines by the places of their spans; `None` where the chunk is damaged.
type Lines = BTreeMap<usize, Option<Box<[u8]>>>;

/// Hands over the line of each span in the order of `facts`; `None` where its chunk is damaged.
///
/// As many lines as may be in memory are read together, chunk by chunk.
pub(super) fn each_line(
    conn: &Connection,
    facts: &[Fact],
    each: &mut impl FnMut(&Fact, Option<&[u8]>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    each_line_within(conn, facts, MAX_BYTES, each)
}

fn each_line_within(
    conn: &Connection,
    mut facts: &[Fact],
    max_bytes: usize,
    each: &mut impl FnMut(&Fact, Option<&[u8]>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    while !facts.is_empty() {
        let lines = first_lines(conn, facts, max_bytes)?;
        let (now, later) = facts.split_at(lines.len().clamp(1, facts.len()));
        for (fact, line) in now.iter().zip(lines.into_values()) {
            each(fact, line.as_deref())?;
        }
        facts = later;
    }
    Ok(())
}

/// The lines of the first of these spans by their places: of as many as fit.
fn first_lines(conn: &Connection, facts: &[Fact], max_bytes: usize) -> Result<Lines, StoreError> {
    let mut lines = Lines::new();
    let (mut bytes, mut end) = (0, facts.len());
    for places in by_chunk(facts) {
        let first = places.first().filter(|place| **place < end).and_then(|place| facts.get(*place));
        let Some(first) = first else { break };
        let chunk = read_chunk(conn, first.chunk)?;
        for place in places {
            if place >= end {
                break;
            }
            let found = facts.get(place).and_then(|fact| line(chunk.as_deref()?, fact.position));
            bytes += found.map_or(0, <[u8]>::len);
            lines.insert(place, found.map(Box::from));
            // What comes last makes room for what comes before it.
            while bytes > max_bytes && lines.len() > 1 {
                let Some((place, line)) = lines.pop_last() else { break };
                bytes -= line.map_or(0, |line| line.len());
                end = place;
            }
        }
    }
    Ok(lines)
}

/// The places of the spans of each chunk in their order; the chunk that is needed first comes first.
fn by_chunk(facts: &[Fact]) -> Vec<Vec<usize>> {
    let (mut chunks, mut numbers) = (Vec::<Vec<usize>>::new(), HashMap::new());
    for (place, fact) in facts.iter().enumerate() {
        let number = *numbers.entry(fact.chunk).or_insert(chunks.len());
        match chunks.get_mut(number) {
            Some(places) => places.push(place),
            None => chunks.push(vec![place]),
        }
    }
    chunks
}

/// The lines of a chunk; `None` where it is damaged.
fn read_chunk(conn: &Connection, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let mut find = conn.prepare_cached(READ_CHUNK)?;
    let lines = find.query_row([id], |row| Ok(unpack(row.get_ref(0)?.as_blob()?))).optional()?;
    Ok(lines.flatten())
}

#[cfg(test)]
mod tests {
    use llmtrace::{Message, ObservationKind as Kind, SpanRecord};
    use rusqlite::StatementStatus;

    use super::*;
    use crate::store::tests::support::{Scratch, span};

    /// Three batches whose spans started in turns, of about 10 kB each.
    fn in_turns() -> Scratch {
        let scratch = Scratch::new();
        for batch in 0..3 {
            let one = |turn: u64| {
                let mut span = span(1, turn * 3 + batch, None, Kind::Generation, (turn * 3 + batch, 1));
                span.input = vec![Message::user(format!("{turn} ").repeat(5_000))];
                span
            };
            scratch.store.write((0..40).map(one).collect::<Vec<SpanRecord>>()).unwrap();
        }
        scratch
    }

    #[test]
    fn a_chunk_is_unpacked_once_for_as_many_lines_as_fit() {
        let scratch = in_turns();
        let check = |max_bytes: usize, runs: std::ops::RangeInclusive<i32>| {
            let read = |conn: &Connection| {
                let mut facts = Fact::of_trace(conn, 1)?;
                facts.sort_by_key(|fact| fact.start);
                conn.prepare_cached(READ_CHUNK)?.reset_status(StatementStatus::Run);
                let mut found = Vec::new();
                each_line_within(conn, &facts, max_bytes, &mut |fact, line| {
                    let line: serde_json::Value = serde_json::from_slice(line.unwrap()).unwrap();
                    assert_eq!(line["span_id"], fact.span_id.to_string());
                    found.push(fact.start);
                    Ok(())
                })?;
                assert_eq!(found, facts.iter().map(|fact| fact.start).collect::<Vec<_>>());
                Ok(conn.prepare_cached(READ_CHUNK)?.get_status(StatementStatus::Run))
            };
            let found = scratch.store.read(read).unwrap();
            assert!(runs.contains(&found), "{max_bytes}: {found} reads of chunks");
        };
        check(MAX_BYTES, 3..=3);
        // A third of it at a time.
        check(500_000, 9..=12);
        // One at a time.
        check(1, 120..=360);
    }

    #[test]
    fn a_damaged_chunk_takes_no_other_with_it() {
        let scratch = in_turns();
        scratch.store.close();
        let conn = Connection::open(scratch.path()).unwrap();
        conn.execute("UPDATE chunks SET data = x'0102' WHERE id = (SELECT max(id) FROM chunks)", []).unwrap();
        let (mut whole, mut damaged) = (0, 0);
        each_line(&conn, &Fact::of_trace(&conn, 1).unwrap(), &mut |_, line| {
            if line.is_some() {
                whole += 1;
            } else {
                damaged += 1;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!((whole, damaged), (80, 40));
    }
}
