//! The page that compares two traces, or two sets of spans.

use std::sync::Arc;

use axum::extract::State;
use llmtrace::{SpanRecord, Timestamp, TraceId};
use rusqlite::Connection;

use crate::compare::{Group, TraceComparison, groups, traces};
use crate::pages::compare as page_of;
use crate::pages::compare::asked::{Asked, GroupAsked};
use crate::pages::compare::groups::GroupsView;
use crate::pages::compare::picker::{Known, PickerView};
use crate::pages::query::Query;
use crate::serve::app::App;
use crate::serve::html::Html;
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::error::StoreError;
use crate::store::facets::{self, Facet};
use crate::store::filter::{Sort, TraceFilter};
use crate::store::row::TraceRow;
use crate::store::{list, trace};

const STATE: &[&str] = &[
    "a", "b", "a_tag", "a_model", "a_service", "a_name", "a_since", "a_until", "b_tag", "b_model", "b_service",
    "b_name", "b_since", "b_until",
];

/// Spans of a trace that are compared.
const MAX_SPANS: usize = 20_000;

/// Spans of a side that are looked at: those of its newest traces.
const MAX_GROUP_SPANS: u64 = 20_000;

/// Traces to choose from.
const CHOICES: usize = 30;

/// Values of a facet to choose from.
const VALUES: usize = 200;

/// `GET /compare`
pub(super) async fn page(State(app): State<Arc<App>>, params: Params) -> Result<Html, Problem> {
    let params = params.only(&[STATE])?;
    let query = params.0.clone();
    match Asked::read(&moments(&params)?) {
        Asked::Nothing => pick(&app, query, None).await,
        Asked::First(id) => pick(&app, query, Some(id)).await,
        Asked::Traces(a, b) => two_traces(&app, a, b).await,
        Asked::Groups(asked) => two_groups(&app, query, *asked).await,
        Asked::Wrong(name) => {
            let expected = if name.len() == 1 { "the id of a trace: 32 hex digits" } else { "a time" };
            Err(Problem::parameter(name, query.get(name).unwrap_or_default(), expected))
        }
    }
}

/// The parameters with moments instead of ages.
fn moments(params: &Params) -> Result<Query, Problem> {
    let mut query = params.0.clone();
    for name in ["a_since", "a_until", "b_since", "b_until"] {
        if let Some(at) = params.time(name)? {
            query = query.with(name, &at.to_string());
        }
    }
    Ok(query)
}

async fn pick(app: &Arc<App>, query: Query, first: Option<TraceId>) -> Result<Html, Problem> {
    let found = app.read(move |connection| {
        let row = match first {
            Some(id) => match trace::load(connection, id)? {
                Some(stored) => Some(stored.row),
                None => return Ok(None),
            },
            None => None,
        };
        let traces = choices(connection, row.as_ref())?;
        Ok(Some((row, traces, known(connection)?)))
    });
    let (first, traces, known) = found.await?.ok_or_else(|| missing(first))?;
    let view = PickerView {
        query: &query,
        first: first.as_ref(),
        traces: &traces,
        known: &known,
        now: Timestamp::now(),
    };
    Ok(Html(page_of::picker::page(&view)))
}

/// The newest traces, those of the first one's name before others.
fn choices(connection: &Connection, first: Option<&TraceRow>) -> Result<Vec<TraceRow>, StoreError> {
    let newest = |filter: &TraceFilter| {
        list::list(connection, filter, Sort::Newest, None, CHOICES).map(|page| page.traces)
    };
    let name = first.map(|first| first.name.clone());
    let mut traces = match &name {
        Some(name) => newest(&TraceFilter { name: Some(name.clone()), ..TraceFilter::default() })?,
        None => Vec::new(),
    };
    for other in newest(&TraceFilter::default())? {
        if traces.iter().all(|known| known.id != other.id) {
            traces.push(other);
        }
    }
    traces.retain(|row| first.is_none_or(|first| row.id != first.id));
    traces.truncate(CHOICES);
    Ok(traces)
}

fn known(connection: &Connection) -> Result<Known, StoreError> {
    let values = |facet: Facet| {
        let found = facets::values(connection, facet, VALUES)?;
        Ok::<_, StoreError>(found.into_iter().map(|found| found.value).collect())
    };
    Ok(Known {
        tags: values(Facet::Tag)?,
        models: values(Facet::Model)?,
        services: values(Facet::Service)?,
        names: values(Facet::Name)?,
    })
}

async fn two_traces(app: &Arc<App>, a: TraceId, b: TraceId) -> Result<Html, Problem> {
    let compared = compared(app, a, b).await?;
    tokio::task::block_in_place(|| Ok(Html(page_of::traces::page(&compared, Timestamp::now()))))
}

/// Two traces of the store side by side.
pub(crate) async fn compared(app: &Arc<App>, a: TraceId, b: TraceId) -> Result<TraceComparison, Problem> {
    let read = app.read(move |connection| Ok((spans(connection, a)?, spans(connection, b)?)));
    let (of_a, of_b) = read.await?;
    let compared = tokio::task::block_in_place(|| traces(&of_a, &of_b));
    compared.ok_or_else(|| missing(Some(if of_a.is_empty() { a } else { b })))
}

fn spans(connection: &Connection, id: TraceId) -> Result<Vec<SpanRecord>, StoreError> {
    let mut spans = Vec::new();
    trace::records(connection, id, &mut |span| {
        if spans.len() < MAX_SPANS {
            spans.push(span);
        }
        Ok(())
    })?;
    Ok(spans)
}

async fn two_groups(app: &Arc<App>, query: Query, asked: [GroupAsked; 2]) -> Result<Html, Problem> {
    let [a, b] = asked.clone();
    let found = app.read(move |connection| {
        let (a, is_a_cut) = group(connection, &a)?;
        let (b, is_b_cut) = group(connection, &b)?;
        Ok((groups(&a, &b), is_a_cut || is_b_cut, known(connection)?))
    });
    let (compared, is_cut, known) = found.await?;
    let view = GroupsView { query: &query, asked: &asked, compared: &compared, is_cut, known: &known };
    Ok(Html(page_of::groups::page(&view)))
}

/// The spans of one side, and whether there are more of them than were looked at.
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
    let (mut group, mut after, mut count) = (Group::new(asked.label()), None, 0);
    loop {
        let page = list::list(connection, &filter, Sort::Newest, after, list::MAX_LIMIT)?;
        for row in page.traces {
            if count >= MAX_GROUP_SPANS {
                return Ok((group, true));
            }
            count += row.spans;
            group.add(&spans(connection, row.trace_id)?);
        }
        after = page.after;
        if after.is_none() {
            return Ok((group, false));
        }
    }
}

fn missing(trace: Option<TraceId>) -> Problem {
    let id = trace.map(|id| id.to_string()).unwrap_or_default();
    Problem::missing(format!("there is no trace {id}"))
}
