//! Which traces a command takes, as options.

use std::time::Duration;

use clap::Args;
use llmtrace::{ObservationKind, Timestamp, Usd};

use crate::arguments::{filled, time};
use crate::store::filter::{ScoreFilter, TraceFilter};
use crate::store::row::TraceStatus;

/// Which traces a command takes: those that meet every condition.
#[derive(Args, Debug)]
pub(super) struct Conditions {
    /// Only traces that hold these words; "a phrase", or the start of a word before a *
    #[arg(short, long = "query", value_name = "WORDS", value_parser = filled)]
    query: Option<String>,
    /// Only traces that call this model
    #[arg(long, value_parser = filled)]
    model: Option<String>,
    /// Only traces that call this provider
    #[arg(long, value_parser = filled)]
    provider: Option<String>,
    /// Only traces of this service
    #[arg(long, value_parser = filled)]
    service: Option<String>,
    /// Only traces of this session
    #[arg(long, value_name = "ID", value_parser = filled)]
    session: Option<String>,
    /// Only traces of this user
    #[arg(long, value_name = "ID", value_parser = filled)]
    user: Option<String>,
    /// Only traces with this tag
    #[arg(long, value_parser = filled)]
    tag: Option<String>,
    /// Only traces of this environment
    #[arg(long, value_parser = filled)]
    environment: Option<String>,
    /// Only traces that are ok, error, running or incomplete
    #[arg(long, value_parser = status)]
    status: Option<TraceStatus>,
    /// Only traces with a span of this kind, such as tool
    #[arg(long)]
    kind: Option<ObservationKind>,
    /// Only traces that cost this much or more, in US dollars
    #[arg(long, value_name = "USD")]
    min_cost: Option<Usd>,
    /// Only traces that cost this much or less, in US dollars
    #[arg(long, value_name = "USD")]
    max_cost: Option<Usd>,
    /// Only traces that took this long or longer, in milliseconds
    #[arg(long, value_name = "MS")]
    min_ms: Option<u64>,
    /// Only traces that took this long or less, in milliseconds
    #[arg(long, value_name = "MS")]
    max_ms: Option<u64>,
    /// Only traces of this many tokens or more
    #[arg(long, value_name = "COUNT")]
    min_tokens: Option<u64>,
    /// Only traces with this score: helpful, helpful>=0.5, helpful<=0.5 or helpful=1
    #[arg(long)]
    score: Option<ScoreFilter>,
    /// Only traces that started then or later: a date, or a time in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only traces that started before then
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
}

impl Conditions {
    /// As the store takes them.
    pub(super) fn filter(&self) -> TraceFilter {
        TraceFilter {
            text: self.query.clone(),
            model: self.model.clone(),
            provider: self.provider.clone(),
            service: self.service.clone(),
            session: self.session.clone(),
            user: self.user.clone(),
            tag: self.tag.clone(),
            environment: self.environment.clone(),
            name: None,
            status: self.status,
            kind: self.kind,
            min_cost: self.min_cost,
            max_cost: self.max_cost,
            min_duration: self.min_ms.map(Duration::from_millis),
            max_duration: self.max_ms.map(Duration::from_millis),
            min_tokens: self.min_tokens,
            score: self.score.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

fn status(text: &str) -> Result<TraceStatus, String> {
    TraceStatus::from_name(text)
        .ok_or_else(|| format!("expected ok, error, running or incomplete, found {text:?}"))
}
