//! Writing judgements.

use llmtrace::{Score, SpanId, TraceId};
use rusqlite::{OptionalExtension as _, params};

use super::commit::Commit;
use super::facets::{FacetSet, from_bytes, to_bytes};
use super::prepare::PreparedSpan;
use crate::store::error::StoreError;
use crate::store::facets::Facet;
use crate::store::scores::NewScore;

/// The score came with its span.
pub(in crate::store) const OF_SPAN: i64 = 0;
/// The score was added here.
pub(in crate::store) const ADDED: i64 = 1;

const INSERT: &str = "INSERT INTO scores (trace, span_id, name, value, comment, source, time)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

impl Commit<'_> {
    /// Writes the judgements that came with a span, in place of those that did before.
    pub(super) fn write_scores(
        &mut self,
        trace: i64,
        span: &PreparedSpan,
        facets: &mut FacetSet,
        is_known: bool,
    ) -> Result<(), StoreError> {
        let id = span.fact.span_id.to_bytes();
        if is_known {
            let delete = "DELETE FROM scores WHERE trace = ?1 AND span_id = ?2 AND source = ?3";
            self.conn.prepare_cached(delete)?.execute(params![trace, id, OF_SPAN])?;
        }
        for Score { name, value, comment, .. } in &span.scores {
            let name = self.state.names.number(self.conn, Some(name))?;
            facets.insert((Facet::Score as u8, name));
            let time = span.fact.end.max(span.fact.start);
            self.conn
                .prepare_cached(INSERT)?
                .execute(params![trace, id, name, value, comment, OF_SPAN, time])?;
        }
        Ok(())
    }

    /// Adds a judgement to a span that is there.
    pub(in crate::store) fn add_score(
        &mut self,
        trace_id: TraceId,
        span: SpanId,
        score: &NewScore,
    ) -> Result<(), StoreError> {
        let find = "SELECT t.id, t.start, t.facets FROM traces AS t JOIN spans AS s ON s.trace = t.id
            WHERE t.trace_id = ?1 AND s.span_id = ?2";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found = self.conn.prepare_cached(find)?;
        let found: Option<(i64, i64, Vec<u8>)> =
            { found }.query_row(params![trace_id.to_bytes(), span.to_bytes()], read).optional()?;
        let Some((trace, start, facets)) = found else {
            return Err(StoreError::Unknown(format!("span {span} of trace {trace_id}")));
        };
        let name = self.state.names.number(self.conn, Some(&score.name))?;
        let values = params![trace, span.to_bytes(), name, score.value, score.comment, ADDED, self.now];
        self.conn.prepare_cached(INSERT)?.execute(values)?;
        let old = from_bytes(&facets);
        let mut set = old.clone();
        set.insert((Facet::Score as u8, name));
        self.write_facets(trace, (start, &old), (start, &set))?;
        let update = "UPDATE traces SET facets = ?2, change = ?3 WHERE id = ?1";
        self.conn.prepare_cached(update)?.execute(params![trace, to_bytes(&set), self.state.commit])?;
        Ok(())
    }
}
