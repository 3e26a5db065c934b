//! Writing the spans of one trace.

use std::collections::HashMap;

use llmtrace::{SpanId, SpanRecord, TraceId};
use llmtrace_exporters::read_line;
use rusqlite::{OptionalExtension as _, params};

use super::commit::Commit;
use super::facets::{FacetSet, from_bytes};
use super::merge::merge;
use super::prepare::{Prepared, PreparedSpan};
use super::search::TRACE_BITS;
use crate::store::chunk::{self, Packer};
use crate::store::error::StoreError;
use crate::store::facets::Facet;
use crate::store::fact::{Fact, Labels};
use crate::store::totals::Totals;
use crate::store::trace::each_as_it_came;

/// How many spans of a batch are of which sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Written {
    pub(in crate::store) new: u64,
    pub(in crate::store) merged: u64,
    pub(in crate::store) repeated: u64,
}

/// What stands in the file of a trace.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) facets: FacetSet,
    pub(super) facts: Vec<Fact>,
    pub(super) previews: Previews,
}

/// The start of what went in and came out, and how much it counts that it is of this span.
#[derive(Clone, Debug, Default)]
pub(super) struct Previews {
    pub(super) input: Option<(i64, String)>,
    pub(super) output: Option<(i64, String)>,
}

impl Commit<'_> {
    /// Writes spans of one trace.
    pub(in crate::store) fn write(&mut self, prepared: Prepared) -> Result<Written, StoreError> {
        let Some(known) = self.known(prepared.trace_id)? else {
            let id = self.state.next_trace;
            self.state.next_trace += 1;
            let known = Known { id, ..Known::default() };
            let written = Written { new: prepared.spans.len() as u64, ..Written::default() };
            self.join(prepared.trace_id, known, None, vec![prepared])?;
            return Ok(written);
        };
        let before = Totals::of(&known.facts);
        let (fresh, merged, written) = self.told_apart(&known, prepared)?;
        let trace_id = fresh.trace_id;
        let parts: Vec<_> =
            [Some(fresh), merged].into_iter().flatten().filter(|part| !part.spans.is_empty()).collect();
        if !parts.is_empty() {
            self.join(trace_id, known, Some(&before), parts)?;
        }
        Ok(written)
    }

    /// What stands in the file of a trace.
    pub(super) fn known(&self, trace_id: TraceId) -> Result<Option<Known>, StoreError> {
        let find = "SELECT id, facets, input_at, input, output_at, output FROM traces WHERE trace_id = ?1";
        let mut find = self.conn.prepare_cached(find)?;
        let found = find.query_row([trace_id.to_bytes()], |row| {
            let preview = |at, text| -> rusqlite::Result<_> {
                Ok(row.get::<_, Option<i64>>(at)?.zip(row.get::<_, Option<String>>(text)?))
            };
            let previews = Previews { input: preview(2, 3)?, output: preview(4, 5)? };
            let facets = from_bytes(&row.get::<_, Vec<u8>>(1)?);
            Ok(Known { id: row.get(0)?, facets, facts: Vec::new(), previews })
        });
        let Some(mut known) = found.optional()? else { return Ok(None) };
        known.facts = Fact::of_trace(self.conn, known.id)?;
        Ok(Some(known))
    }

    /// The spans that are new; those that were there, as they are with what is told now; and how many are of which sort.
    fn told_apart(
        &self,
        known: &Known,
        mut prepared: Prepared,
    ) -> Result<(Prepared, Option<Prepared>, Written), StoreError> {
        let places: HashMap<SpanId, &Fact> = known.facts.iter().map(|fact| (fact.span_id, fact)).collect();
        let (twice, fresh): (Vec<_>, Vec<_>) = std::mem::take(&mut prepared.spans)
            .into_iter()
            .partition(|span| places.contains_key(&span.fact.span_id));
        prepared.spans = fresh;
        let mut written = Written { new: prepared.spans.len() as u64, ..Written::default() };
        let mut merged = Vec::new();
        let facts: Vec<Fact> =
            twice.iter().filter_map(|span| places.get(&span.fact.span_id).copied().cloned()).collect();
        let (mut later, mut unpacked) = (twice.iter(), Unpacked::default());
        each_as_it_came(self.conn, &facts, &mut |_, earlier| {
            let (Some(later), earlier) = (later.next(), earlier?) else { return Ok(()) };
            let both = merge(earlier.clone(), unpacked.record(later, &prepared)?);
            if both == earlier {
                written.repeated += 1;
            } else {
                written.merged += 1;
                merged.push(both);
            }
            Ok(())
        })?;
        Ok((prepared, Prepared::trace(&merged, &mut Packer::default()), written))
    }

    /// Adds spans to a trace, in place of those of the same ids.
    fn join(
        &mut self,
        trace_id: TraceId,
        known: Known,
        before: Option<&Totals>,
        parts: Vec<Prepared>,
    ) -> Result<(), StoreError> {
        let Known { id, facets: old_facets, mut facts, mut previews } = known;
        let mut others: FacetSet = old_facets.iter().copied().filter(|(facet, _)| is_kept(*facet)).collect();
        let mut places: HashMap<SpanId, usize> =
            facts.iter().enumerate().map(|(place, fact)| (fact.span_id, place)).collect();
        for mut part in parts {
            let first = self.write_chunks(id, before.is_none(), &part.chunks)?;
            self.texts.add(self.conn, id, &part.texts, before.is_none())?;
            for span in &mut part.spans {
                span.fact.chunk += first;
                span.fact.labels = self.numbered(&span.labels)?;
                for tag in &span.tags {
                    others.insert((Facet::Tag as u8, self.state.names.number(self.conn, Some(tag))?));
                }
                self.write_scores(id, span, &mut others, before.is_some())?;
            }
            {
                let mut writer = Fact::writer(self.conn)?;
                for span in &part.spans {
                    span.fact.write(id, &mut writer)?;
                }
            }
            for span in part.spans {
                let fact = span.fact.clone();
                if let Some(old) = places.get(&fact.span_id).and_then(|place| facts.get_mut(*place)) {
                    *old = fact;
                } else {
                    places.insert(fact.span_id, facts.len());
                    facts.push(fact);
                }
                previews.take(span);
            }
        }
        let after = Totals::of(&facts);
        let set = self.facets(&facts, &after, others)?;
        let old_start = before.map_or(after.start, |before| before.start);
        self.write_facets(id, (old_start, &old_facets), (after.start, &set))?;
        self.rollups.change(before.map_or(&[], |before| &before.calls), &after.calls);
        self.sessions.change(before, Some(&after));
        self.write_row(id, trace_id, &after, &previews, &set)
    }

    /// Writes chunks of a trace, and says the number of the first.
    fn write_chunks(&self, trace: i64, is_new: bool, chunks: &[Vec<u8>]) -> Result<i64, StoreError> {
        let range = [trace << TRACE_BITS, (trace + 1) << TRACE_BITS];
        let first = if is_new {
            range[0]
        } else {
            let last = "SELECT max(id) FROM chunks WHERE id >= ?1 AND id < ?2";
            let last: Option<i64> = self.conn.prepare_cached(last)?.query_row(range, |row| row.get(0))?;
            last.map_or(range[0], |last| last + 1)
        };
        let mut insert = self.conn.prepare_cached("INSERT INTO chunks (id, data) VALUES (?1, ?2)")?;
        for (chunk, id) in chunks.iter().zip(first..) {
            if id >= range[1] {
                return Err(StoreError::Other("a trace came in more than a million pieces".to_owned()));
            }
            insert.execute(params![id, chunk])?;
        }
        Ok(first)
    }

    fn numbered(&mut self, labels: &Labels<Option<Box<str>>>) -> rusqlite::Result<Labels<i64>> {
        let mut number = |label: &Option<Box<str>>| self.state.names.number(self.conn, label.as_deref());
        Ok(Labels {
            name: number(&labels.name)?,
            service: number(&labels.service)?,
            environment: number(&labels.environment)?,
            model: number(&labels.model)?,
            provider: number(&labels.provider)?,
            session: number(&labels.session)?,
            user: number(&labels.user)?,
        })
    }
}

/// The chunk of a batch that was unpacked last.
#[derive(Debug, Default)]
struct Unpacked {
    chunk: Option<i64>,
    lines: Vec<u8>,
}

impl Unpacked {
    /// A span in full again.
    fn record(&mut self, span: &PreparedSpan, of: &Prepared) -> Result<SpanRecord, StoreError> {
        let lost = || StoreError::Other("a span was lost on its way to the file".to_owned());
        let number = span.fact.chunk;
        if self.chunk != Some(number) {
            let chunk = usize::try_from(number).ok().and_then(|number| of.chunks.get(number));
            self.lines = chunk.and_then(|chunk| chunk::unpack(chunk)).ok_or_else(lost)?;
            self.chunk = Some(number);
        }
        let line = chunk::line(&self.lines, span.fact.position).ok_or_else(lost)?;
        read_line(line).map_err(|error| StoreError::Other(error.to_string()))
    }
}

impl Previews {
    /// Takes those of a span where they count more: those of a root, else the first input and the last output.
    fn take(&mut self, span: PreparedSpan) {
        let is_root = span.fact.parent.is_none() || span.fact.parent_is_remote;
        let (input_at, output_at) =
            if is_root { (i64::MIN, i64::MAX) } else { (span.fact.start, span.fact.end) };
        if let Some(input) = span.input
            && self.input.as_ref().is_none_or(|(at, _)| input_at <= *at)
        {
            self.input = Some((input_at, input));
        }
        if let Some(output) = span.output
            && self.output.as_ref().is_none_or(|(at, _)| output_at >= *at)
        {
            self.output = Some((output_at, output));
        }
    }
}

/// Whether a facet is not told by the facts of spans.
fn is_kept(facet: u8) -> bool {
    facet == Facet::Tag as u8 || facet == Facet::Score as u8
}
