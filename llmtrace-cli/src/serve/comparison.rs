//! What is compared, read of the store.

use std::time::{Duration, Instant};

use llmtrace::TraceId;
use rusqlite::Connection;

use super::load;
use super::params::Params;
use super::problem::Problem;
use crate::compare::{self, Group, GroupComparison, TraceComparison};
use crate::pages::compare::asked::{Asked, GroupAsked};
use crate::store::error::StoreError;
use crate::store::filter::{Sort, TraceFilter};
use crate::store::list;

/// Two things side by side.
#[derive(Debug)]
pub(crate) enum Compared {
    Traces(Box<TraceComparison>),
    Groups(Box<GroupComparison>),
    /// There is no such trace.
    Missing(TraceId),
}

/// The parameters that say what is compared.
pub(crate) const PARAMETERS: &[&str] = &[
    "a",
    "a_tag",
    "a_model",
    "a_service",
    "a_name",
    "a_since",
    "a_until",
    "b",
    "b_tag",
    "b_model",
    "b_service",
    "b_name",
    "b_since",
    "b_until",
];

/// Spans of one side, at most: those of the newest traces.
const MAX_SPANS: usize = 20_000;

/// How long one side may take to read.
const TIME: Duration = Duration::from_secs(3);

/// Reads what is asked for.
pub(crate) fn asked(params: &Params) -> Result<Asked, Problem> {
    params.trace("a")?;
    params.trace("b")?;
    let mut query = params.0.clone();
    for name in ["a_since", "a_until", "b_since", "b_until"] {
        if let Some(at) = params.time(name)? {
            query = query.with(name, &at.to_string());
        }
    }
    Ok(Asked::read(&query))
}

/// Puts two traces side by side; says whether spans were left out.
pub(crate) fn traces(connection: &Connection, ids: [TraceId; 2]) -> Result<(Compared, bool), StoreError> {
    let [a, b] = ids;
    let first = load::trace(connection, a, Instant::now() + TIME)?;
    let second = load::trace(connection, b, Instant::now() + TIME)?;
    let compared = match compare::traces(&first.spans, &second.spans) {
        Some(compared) => Compared::Traces(Box::new(compared)),
        None => Compared::Missing(if first.spans.is_empty() { a } else { b }),
    };
    Ok((compared, first.is_cut || second.is_cut))
}

/// Puts two sets of spans side by side; says whether spans were left out.
pub(crate) fn groups(
    connection: &Connection,
    asked: &[GroupAsked; 2],
) -> Result<(Compared, bool), StoreError> {
    let [a, b] = asked;
    let ((a, a_is_cut), (b, b_is_cut)) = (group(connection, a)?, group(connection, b)?);
    Ok((Compared::Groups(Box::new(compare::groups(&a, &b))), a_is_cut || b_is_cut))
}

fn group(connection: &Connection, asked: &GroupAsked) -> Result<(Group, bool), StoreError> {
    let filter = TraceFilter {
        tag: asked.tag.clone(),
        model: asked.model.clone(),
        service: asked.service.clone(),
        name: asked.name.clone(),
        since: asked.since,
        until: asked.until,
        ..TraceFilter::default()
    };
    let (mut group, mut spans, mut after) = (Group::new(asked.label()), 0, None);
    let end = Instant::now() + TIME;
    loop {
        let page = list::list(connection, &filter, Sort::Newest, after, list::MAX_LIMIT)?;
        for row in page.traces {
            if spans >= MAX_SPANS || Instant::now() >= end {
                return Ok((group, true));
            }
            let loaded = load::trace(connection, row.trace_id, end)?;
            spans += loaded.spans.len();
            group.add(&loaded.spans);
        }
        after = page.after;
        if after.is_none() {
            return Ok((group, false));
        }
    }
}
