//! The page of the dashboard.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use llmtrace::Timestamp;
use rusqlite::Connection;

use super::{PART, oldest, rendered};
use crate::pages::dashboard::{self as page_of, DEAREST, DashboardView, NameCost};
use crate::pages::query::Query;
use crate::pages::range::Range;
use crate::serve::api::dashboard::by;
use crate::serve::app::App;
use crate::serve::html::Html;
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::dashboard::{self, Dashboard, DashboardBy, DashboardGroup, DashboardQuery};
use crate::store::error::StoreError;
use crate::store::filter::{Sort, TraceFilter};
use crate::store::row::TraceRow;
use crate::store::sums::Sums;
use crate::store::{list, trace};

const STATE: &[&str] = &["by", "model", "provider", "service"];

/// Traces that cost most.
const TRACES: usize = 8;

/// Spans of a trace of which the names are added up; larger traces are passed over.
const MAX_SPANS: u64 = 500;

/// What is read for the page.
struct Read {
    range: Range,
    by: DashboardBy,
    dashboard: Dashboard,
    before: Option<Sums>,
    models: Vec<DashboardGroup>,
    users: Vec<DashboardGroup>,
    traces: Vec<TraceRow>,
    names: Vec<NameCost>,
    has_traces: bool,
}

/// `GET /dashboard`
pub(super) async fn page(State(app): State<Arc<App>>, params: Params) -> Result<Html, Problem> {
    let params = params.only(&[STATE, RANGE, PART])?;
    params.word("by", "model, provider, service or user", by)?;
    let (query, moments) = (params.0.without(PART), moments(&params)?);
    let asked = query.clone();
    let read = app.read(move |connection| read(connection, &asked, &moments)).await?;
    let view = DashboardView {
        query: &query,
        range: read.range,
        by: read.by,
        dashboard: &read.dashboard,
        before: read.before.as_ref(),
        models: &read.models,
        users: &read.users,
        traces: &read.traces,
        names: &read.names,
        endpoint: &app.url,
        has_traces: read.has_traces,
    };
    rendered(&params, || view.page(), |name| view.part(name))
}

/// The parameters of a stretch of time.
pub(super) const RANGE: &[&str] = &["range", "since", "until"];

/// The parameters of a stretch of time with moments instead of ages.
pub(super) fn moments(params: &Params) -> Result<Query, Problem> {
    let known = ["1h", "6h", "24h", "7d", "30d", "all"];
    params.word("range", &known.join(", "), |text| known.contains(&text).then_some(()))?;
    let mut query = params.0.clone();
    for name in ["since", "until"] {
        if let Some(at) = params.time(name)? {
            query = query.with(name, &at.to_string());
        }
    }
    Ok(query)
}

fn read(connection: &Connection, query: &Query, moments: &Query) -> Result<Read, StoreError> {
    let oldest = oldest(connection)?;
    let range = Range::read(moments, Timestamp::now(), oldest);
    let asked = page_of::asked(query, range);
    let dashboard = dashboard::dashboard(connection, &asked)?;
    let of = |by: DashboardBy| {
        if by == asked.by {
            return Ok(dashboard.groups.clone());
        }
        let is_user = by == DashboardBy::User || asked.by == DashboardBy::User;
        let keep = |filter: &Option<String>| filter.clone().filter(|_| !is_user);
        let query = DashboardQuery {
            by,
            model: keep(&asked.model),
            provider: keep(&asked.provider),
            service: keep(&asked.service),
            ..asked
        };
        dashboard::dashboard(connection, &query).map(|found| found.groups)
    };
    let (models, users) = (of(DashboardBy::Model)?, of(DashboardBy::User)?);
    let before = range.before().map(|before| {
        let query = DashboardQuery { since: before.since, until: before.until, ..asked.clone() };
        dashboard::dashboard(connection, &query).map(|found| found.total)
    });
    let filter = TraceFilter {
        model: asked.model.clone(),
        provider: asked.provider.clone(),
        service: asked.service.clone(),
        since: Some(range.since),
        until: Some(range.until),
        ..TraceFilter::default()
    };
    let mut traces = list::list(connection, &filter, Sort::Costliest, None, DEAREST)?.traces;
    let names = names(connection, &traces)?;
    traces.truncate(TRACES);
    let has_traces = oldest.is_some();
    Ok(Read {
        range,
        by: asked.by,
        before: before.transpose()?,
        models,
        users,
        traces,
        names,
        has_traces,
        dashboard,
    })
}

/// What the calls of each name cost in these traces, the dearest name first.
fn names(connection: &Connection, traces: &[TraceRow]) -> Result<Vec<NameCost>, StoreError> {
    let mut names: HashMap<String, NameCost> = HashMap::new();
    for row in traces.iter().filter(|row| row.spans <= MAX_SPANS) {
        let Some(stored) = trace::load(connection, row.trace_id)? else { continue };
        for span in stored.spans.into_iter().filter(|span| span.is_counted) {
            let Some(cost) = span.cost else { continue };
            let sum = names.entry(span.name.clone()).or_default();
            sum.name = span.name;
            sum.calls += 1;
            sum.cost += cost;
        }
    }
    let mut names: Vec<_> = names.into_values().collect();
    names.sort_by(|one, other| other.cost.cmp(&one.cost).then_with(|| one.name.cmp(&other.name)));
    names.truncate(TRACES);
    Ok(names)
}
