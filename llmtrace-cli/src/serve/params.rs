//! What a request asks for, after the `?`.

use std::str::FromStr;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use llmtrace::{ObservationKind, SpanId, Timestamp, TraceId, Usd};

use super::problem::Problem;
use super::quantity;
use crate::arguments;
use crate::pages::query::Query;

/// The query parameters of a request. Each route says which it knows; others are refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub(crate) Query);

/// Longest value, in bytes.
const MAX_BYTES: usize = 4_096;

/// Most parameters.
const MAX_PARAMETERS: usize = 100;

const TIME: &str = "a time such as 2026-11-22T08:30:00Z, a date such as 2026-11-22, or an age such as 24h";

impl Params {
    /// Refuses parameters that are not in `known`, and those that are there twice.
    pub(crate) fn only(self, known: &[&[&str]]) -> Result<Self, Problem> {
        let mut seen = Vec::new();
        for (name, value) in self.0.pairs() {
            if !known.iter().any(|names| names.contains(&name)) {
                let known: Vec<_> = known.iter().flat_map(|names| names.iter().copied()).collect();
                let expected = if known.is_empty() { "no parameter".to_owned() } else { known.join(", ") };
                return Err(Problem::parameter(name, value, &format!("one of the parameters {expected}")));
            }
            if seen.contains(&name) {
                return Err(Problem::parameter(name, value, "the parameter once"));
            }
            seen.push(name);
        }
        Ok(self)
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(str::to_owned)
    }

    /// One of some words; `read` knows them, `expected` names them.
    pub(crate) fn word<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| Problem::parameter(name, value, expected))
    }

    /// Whatever reads itself from a text.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, Problem> {
        self.word(name, expected, |value| value.trim().parse().ok())
    }

    /// A kind of span.
    pub(crate) fn kind(&self, name: &str) -> Result<Option<ObservationKind>, Problem> {
        self.parsed(name, "a kind such as generation, agent or tool")
    }

    /// An amount of money in US dollars.
    pub(crate) fn dollars(&self, name: &str) -> Result<Option<Usd>, Problem> {
        self.parsed(name, "an amount in US dollars such as 0.05")
    }

    /// A time span in milliseconds.
    pub(crate) fn millis(&self, name: &str) -> Result<Option<Duration>, Problem> {
        let read = |value: &str| Duration::try_from_secs_f64(value.trim().parse::<f64>().ok()? / 1e3).ok();
        self.word(name, "a number of milliseconds such as 1500", read)
    }

    /// A moment, stated or as how long ago it was.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.word(name, TIME, |value| {
            let value = value.trim();
            arguments::time(value).ok().or_else(|| ago(quantity::age(value).ok()?))
        })
    }

    /// How many things to answer with: `usual` where it is not said, `most` at most.
    pub(crate) fn limit(&self, usual: usize, most: usize) -> Result<usize, Problem> {
        let read = |value: &str| value.parse().ok().filter(|limit| (1..=most).contains(limit));
        Ok(self.word("limit", &format!("a number from 1 to {most}"), read)?.unwrap_or(usual))
    }

    /// The id of a trace.
    pub(crate) fn trace(&self, name: &str) -> Result<Option<TraceId>, Problem> {
        self.parsed(name, "32 hex digits")
    }

    /// The id of a span.
    pub(crate) fn span(&self, name: &str) -> Result<Option<SpanId>, Problem> {
        self.parsed(name, "16 hex digits")
    }
}

/// The id of a trace in a path.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, Problem> {
    text.parse().map_err(|_| Problem::parameter("trace_id", text, "32 hex digits"))
}

/// The id of a span in a path.
pub(crate) fn span_id(text: &str) -> Result<SpanId, Problem> {
    text.parse().map_err(|_| Problem::parameter("span_id", text, "16 hex digits"))
}

/// The moment so long ago.
fn ago(age: Duration) -> Option<Timestamp> {
    let nanos = Timestamp::now().unix_nanos().checked_sub(u64::try_from(age.as_nanos()).ok()?)?;
    Some(Timestamp::from_unix_nanos(nanos))
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        if query.pairs().count() > MAX_PARAMETERS {
            let detail = format!("more than {MAX_PARAMETERS} parameters");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        if let Some((name, value)) = query.pairs().find(|(_, value)| value.len() > MAX_BYTES) {
            return Err(Problem::parameter(name, value, &format!("a value of at most {MAX_BYTES} bytes")));
        }
        Ok(Self(query))
    }
}
