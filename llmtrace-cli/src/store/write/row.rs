//! The row of a trace.

use std::sync::OnceLock;

use llmtrace::TraceId;
use rusqlite::types::Value;

use super::commit::Commit;
use super::facets::{FacetSet, to_bytes};
use super::trace::Previews;
use crate::store::error::StoreError;
use crate::store::fact::{column, pico};
use crate::store::totals::Totals;

/// The statement that writes a row, put together once.
static STATEMENT: OnceLock<String> = OnceLock::new();

/// The columns that are told by the spans' facts, in the order of [`numbers`].
pub(in crate::store) const NUMBERS: [&str; 28] = [
    "name",
    "service",
    "environment",
    "session",
    "user",
    "start",
    "\"end\"",
    "duration",
    "spans",
    "errors",
    "status",
    "root",
    "calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost",
    "unpriced",
    "lower_bound",
    "uncounted",
    "estimated",
    "first_chunk",
    "token_rank",
    "cost_rank",
    "received",
    "change",
];

/// How many of the columns are told by the facts alone.
pub(in crate::store) const FACTS: usize = 26;

/// The values of the first [`FACTS`] of [`NUMBERS`].
pub(in crate::store) fn numbers(totals: &Totals) -> [Option<i64>; FACTS] {
    let sums = totals.sums();
    let tokens = sums.tokens();
    let cost = sums.cost().map(pico);
    let labels = &totals.labels;
    let count = |count| column(Some(count));
    [
        Some(labels.name),
        Some(labels.service),
        Some(labels.environment),
        Some(labels.session),
        Some(labels.user),
        Some(totals.start),
        Some(totals.end),
        Some(totals.end.saturating_sub(totals.start)),
        Some(totals.spans),
        Some(totals.errors),
        Some(totals.status),
        Some(i64::from(totals.root.is_some())),
        count(sums.calls),
        column(tokens.input),
        column(tokens.output),
        column(tokens.cache_read),
        column(tokens.cache_write),
        column(tokens.reasoning),
        cost,
        count(sums.unpriced()),
        Some(i64::from(sums.is_cost_lower_bound())),
        count(sums.uncounted),
        count(sums.estimated),
        totals.first_chunk,
        Some(column(tokens.total()).unwrap_or(-1)),
        Some(cost.map_or(-1, |cost| cost.max(0))),
    ]
}

impl Commit<'_> {
    /// Writes the row of a trace, in place of the one that it had.
    pub(super) fn write_row(
        &self,
        id: i64,
        trace_id: TraceId,
        totals: &Totals,
        previews: &Previews,
        facets: &FacetSet,
    ) -> Result<(), StoreError> {
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
        let of_preview = |preview: &Option<(i64, String)>| match preview {
            Some((at, text)) => [Value::Text(text.clone()), Value::Integer(*at)],
            None => [Value::Null, Value::Null],
        };
        let values = [Value::Integer(id), Value::Blob(trace_id.to_bytes().to_vec())]
            .into_iter()
            .chain(numbers(totals).map(number))
            .chain([Value::Integer(self.now), Value::Integer(self.state.commit)])
            .chain(of_preview(&previews.input))
            .chain(of_preview(&previews.output))
            .chain([Value::Blob(to_bytes(facets)), totals.error.clone().map_or(Value::Null, Value::Text)]);
        let mut write = self.conn.prepare_cached(STATEMENT.get_or_init(statement))?;
        write.execute(rusqlite::params_from_iter(values))?;
        Ok(())
    }
}

fn statement() -> String {
    let told = NUMBERS.iter().copied().chain(["input", "input_at", "output", "output_at", "facets", "error"]);
    let columns: Vec<&str> = ["id", "trace_id"].into_iter().chain(told.clone()).collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let updates: Vec<String> = told.map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "INSERT INTO traces ({}) VALUES ({}) ON CONFLICT (id) DO UPDATE SET {}",
        columns.join(", "),
        places.join(", "),
        updates.join(", ")
    )
}
