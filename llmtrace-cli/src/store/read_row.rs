//! Rows of traces and spans, from their columns.

use std::collections::HashMap;
use std::time::Duration;

use llmtrace::{Timestamp, TraceId, Usd};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::facets::Facet;
use super::fact::{Fact, TokensKnown, nanos, timestamp};
use super::row::{SpanRow, Tokens, TraceRow, TraceStatus};
use super::totals::{ERROR, OK, Totals};
use super::write::facets::from_bytes;

/// How long a trace without a root is taken to run after its last span came, in nanoseconds.
pub(super) const RUNNING: i64 = 300 * 1_000_000_000;

const SELECT: &str = "SELECT id, trace_id, name, service, environment, session, user, start, \"end\", spans, errors, status,
    root, received, change, calls, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
    cost, unpriced, lower_bound, uncounted, estimated, first_chunk, input, output, facets, error FROM traces WHERE id = ?1";

impl TraceRow {
    /// The row of a trace by its number.
    pub(super) fn load(conn: &Connection, id: i64) -> rusqlite::Result<Option<Self>> {
        let mut find = conn.prepare_cached(SELECT)?;
        find.query_row([id], |row| Self::read(conn, row)).optional()
    }

    fn read(conn: &Connection, row: &Row<'_>) -> rusqlite::Result<Self> {
        let name = |index| name(conn, row.get(index)?);
        let count = |index| -> rusqlite::Result<Option<u64>> {
            Ok(row.get::<_, Option<i64>>(index)?.and_then(|count| u64::try_from(count).ok()))
        };
        let facets = from_bytes(row.get_ref(29)?.as_blob()?);
        let values = |facet: Facet| {
            let of_facet = facets.iter().filter(move |(other, _)| *other == facet as u8);
            of_facet
                .filter_map(|(_, value)| self::name(conn, *value).transpose())
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        let status = match row.get(11)? {
            OK => TraceStatus::Ok,
            ERROR => TraceStatus::Error,
            _ if nanos(Timestamp::now()).saturating_sub(row.get(13)?) < RUNNING => TraceStatus::Running,
            _ => TraceStatus::Incomplete,
        };
        Ok(Self {
            id: row.get(0)?,
            trace_id: TraceId::from_bytes(row.get(1)?).ok_or(rusqlite::Error::InvalidQuery)?,
            name: name(2)?.unwrap_or_default(),
            service: name(3)?,
            environment: name(4)?,
            start: timestamp(row.get(7)?),
            end: timestamp(row.get(8)?),
            spans: count(9)?.unwrap_or(0),
            errors: count(10)?.unwrap_or(0),
            status,
            error: row.get(30)?,
            has_root: row.get(12)?,
            calls: count(15)?.unwrap_or(0),
            tokens: Tokens {
                input: count(16)?,
                output: count(17)?,
                cache_read: count(18)?,
                cache_write: count(19)?,
                reasoning: count(20)?,
            },
            cost: row.get::<_, Option<i64>>(21)?.map(usd),
            unpriced: count(22)?.unwrap_or(0),
            is_cost_lower_bound: row.get(23)?,
            uncounted: count(24)?.unwrap_or(0),
            estimated: count(25)?.unwrap_or(0),
            first_chunk: count(26)?.map(Duration::from_nanos),
            session: name(5)?,
            user: name(6)?,
            input: row.get(27)?,
            output: row.get(28)?,
            models: values(Facet::Model)?,
            providers: values(Facet::Provider)?,
            tags: values(Facet::Tag)?,
            change: count(14)?.unwrap_or(0),
        })
    }
}

impl SpanRow {
    /// The rows of all spans of a trace, in the order of their facts.
    pub(super) fn of_facts(conn: &Connection, facts: &[Fact]) -> rusqlite::Result<Vec<Self>> {
        let totals = Totals::of(facts);
        let mut names: HashMap<i64, Option<String>> = HashMap::new();
        let mut text = |number: i64| -> rusqlite::Result<Option<String>> {
            if let Some(text) = names.get(&number) {
                return Ok(text.clone());
            }
            let text = name(conn, number)?;
            names.insert(number, text.clone());
            Ok(text)
        };
        let row = |fact: &Fact| {
            let id = fact.span_id.to_bytes();
            let counted = totals.calls.binary_search_by_key(&id, |call| call.span_id.to_bytes());
            Ok(Self {
                span_id: fact.span_id,
                parent: fact.parent,
                parent_is_remote: fact.parent_is_remote,
                name: text(fact.labels.name)?.unwrap_or_default(),
                kind: fact.kind,
                start: timestamp(fact.start),
                end: timestamp(fact.end),
                status: fact.status,
                error: fact.error.clone(),
                service: text(fact.labels.service)?,
                model: text(fact.labels.model)?,
                provider: text(fact.labels.provider)?,
                session: text(fact.labels.session)?,
                user: text(fact.labels.user)?,
                tokens: fact.tokens,
                cost: fact.cost.map(usd),
                is_cost_incomplete: fact.is_cost_incomplete,
                is_estimated: fact.counted == TokensKnown::Estimated,
                first_chunk: fact
                    .first_chunk
                    .and_then(|nanos| u64::try_from(nanos).ok())
                    .map(Duration::from_nanos),
                is_counted: counted.is_ok(),
            })
        };
        facts.iter().map(row).collect()
    }
}

/// The text of a name; `None` for 0.
pub(super) fn name(conn: &Connection, number: i64) -> rusqlite::Result<Option<String>> {
    if number == 0 {
        return Ok(None);
    }
    conn.prepare_cached("SELECT text FROM names WHERE id = ?1")?
        .query_row([number], |row| row.get(0))
        .optional()
}

/// The number of a text; `None` where nothing is of that name.
pub(super) fn number(conn: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM names WHERE text = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn usd(pico: i64) -> Usd {
    Usd::from_pico(i128::from(pico))
}
