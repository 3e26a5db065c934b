//! Which traces a request asks for.

use super::params::Params;
use super::problem::Problem;
use crate::store::filter::{Cursor, Sort, TraceFilter};
use crate::store::list::MAX_LIMIT;
use crate::store::row::TraceStatus;

/// A page of the list of traces, as a request asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) filter: TraceFilter,
    pub(crate) sort: Sort,
    pub(crate) after: Option<Cursor>,
    pub(crate) limit: usize,
}

/// The parameters of a filter.
pub(crate) const FILTER: &[&str] = &[
    "q",
    "model",
    "provider",
    "service",
    "session",
    "user",
    "tag",
    "environment",
    "name",
    "status",
    "kind",
    "min_cost",
    "max_cost",
    "min_ms",
    "max_ms",
    "min_tokens",
    "score",
    "since",
    "until",
];

/// The parameters of a page of the list.
pub(crate) const PAGE: &[&str] = &["sort", "limit", "after"];

/// Traces on a page where it is not said.
pub(crate) const USUAL_LIMIT: usize = 50;

impl Wanted {
    /// Reads the parameters; the error names the one that is wrong.
    pub(crate) fn read(params: &Params) -> Result<Self, Problem> {
        Ok(Self {
            filter: filter(params)?,
            sort: params.word("sort", &sorts(), Sort::from_name)?.unwrap_or_default(),
            after: cursor(params)?,
            limit: params.limit(USUAL_LIMIT, MAX_LIMIT)?,
        })
    }
}

/// Reads the parameters of a filter.
pub(crate) fn filter(params: &Params) -> Result<TraceFilter, Problem> {
    let filter = TraceFilter {
        text: params.text("q"),
        model: params.text("model"),
        provider: params.text("provider"),
        service: params.text("service"),
        session: params.text("session"),
        user: params.text("user"),
        tag: params.text("tag"),
        environment: params.text("environment"),
        name: params.text("name"),
        status: params.word("status", "ok, error, running or incomplete", TraceStatus::from_name)?,
        kind: params.kind("kind")?,
        min_cost: params.dollars("min_cost")?,
        max_cost: params.dollars("max_cost")?,
        min_duration: params.millis("min_ms")?,
        max_duration: params.millis("max_ms")?,
        min_tokens: params.parsed("min_tokens", "a whole number")?,
        score: params.parsed("score", "a score such as helpful or helpful>=0.5")?,
        since: params.time("since")?,
        until: params.time("until")?,
    };
    let is_reversed = filter.since.zip(filter.until).is_some_and(|(since, until)| since >= until);
    match params.text("until") {
        Some(until) if is_reversed => Err(Problem::parameter("until", &until, "a time after since")),
        _ => Ok(filter),
    }
}

/// Where the asker's last page ended.
pub(crate) fn cursor(params: &Params) -> Result<Option<Cursor>, Problem> {
    params.parsed("after", "what the answer before gave as after")
}

fn sorts() -> String {
    Sort::ALL.map(Sort::as_str).join(", ")
}
