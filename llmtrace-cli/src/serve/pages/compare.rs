//! The page that puts things side by side.

use std::sync::Arc;

use axum::extract::State;
use llmtrace::{Timestamp, TraceId};
use rusqlite::Connection;

use crate::pages::compare::asked::Asked;
use crate::pages::compare::groups::{self, GroupsView};
use crate::pages::compare::picker::{self, Known, PickerView};
use crate::pages::compare::traces;
use crate::pages::query::Query;
use crate::serve::app::App;
use crate::serve::comparison::{self, Compared, PARAMETERS};
use crate::serve::html::Html;
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::error::StoreError;
use crate::store::facets::{self, Facet};
use crate::store::filter::{Sort, TraceFilter};
use crate::store::row::TraceRow;
use crate::store::{list, trace};

/// Traces to choose from: those that are like the first, and others.
const LIKE: usize = 10;
const OTHERS: usize = 20;

/// Values that a field of a form knows.
const MAX_VALUES: usize = 100;

/// `GET /compare`
pub(super) async fn page(State(app): State<Arc<App>>, params: Params) -> Result<Html, Problem> {
    let params = params.only(&[PARAMETERS])?;
    match comparison::asked(&params)? {
        Asked::Traces(a, b) => {
            let read = app.read(move |connection| comparison::traces(connection, [a, b]));
            match read.await?.0 {
                Compared::Traces(compared) => {
                    Ok(Html(tokio::task::block_in_place(|| traces::page(&compared, Timestamp::now()))))
                }
                Compared::Missing(id) => Err(Problem::missing(format!("there is no trace {id}"))),
                Compared::Groups(_) => Err(Problem::broken("sets of spans were read instead of traces")),
            }
        }
        Asked::Groups(asked) => {
            let wanted = asked.clone();
            let read = app
                .read(move |connection| Ok((comparison::groups(connection, &wanted)?, known(connection)?)));
            let ((compared, is_cut), known) = read.await?;
            let Compared::Groups(compared) = compared else {
                return Err(Problem::broken("traces were read instead of sets of spans"));
            };
            let view =
                GroupsView { query: &params.0, asked: &asked, compared: &compared, is_cut, known: &known };
            Ok(Html(groups::page(&view)))
        }
        Asked::First(first) => pick(&app, &params.0, Some(first)).await,
        Asked::Nothing => pick(&app, &params.0, None).await,
        Asked::Wrong(name) => {
            Err(Problem::parameter(name, params.0.get(name).unwrap_or_default(), "something to compare"))
        }
    }
}

async fn pick(app: &Arc<App>, query: &Query, first: Option<TraceId>) -> Result<Html, Problem> {
    let read = app.read(move |connection| {
        let first = first.map(|first| trace::load(connection, first)).transpose()?.flatten();
        let first = first.map(|stored| stored.row);
        Ok((candidates(connection, first.as_ref())?, known(connection)?, first))
    });
    let (traces, known, found) = read.await?;
    if let (Some(id), None) = (first, &found) {
        return Err(Problem::missing(format!("there is no trace {id}")));
    }
    let now = Timestamp::now();
    let view = PickerView { query, first: found.as_ref(), traces: &traces, known: &known, now };
    Ok(Html(picker::page(&view)))
}

/// Traces to choose from, those of the first one's name before others.
fn candidates(connection: &Connection, first: Option<&TraceRow>) -> Result<Vec<TraceRow>, StoreError> {
    let newest = |filter: &TraceFilter, limit| {
        list::list(connection, filter, Sort::Newest, None, limit).map(|page| page.traces)
    };
    let mut found = match first {
        None => Vec::new(),
        Some(first) => {
            let like = TraceFilter { name: Some(first.name.clone()), ..TraceFilter::default() };
            newest(&like, LIKE + 1)?
        }
    };
    for row in newest(&TraceFilter::default(), OTHERS)? {
        if found.iter().all(|known| known.trace_id != row.trace_id) {
            found.push(row);
        }
    }
    found.retain(|row| first.is_none_or(|first| first.trace_id != row.trace_id));
    Ok(found)
}

fn known(connection: &Connection) -> Result<Known, StoreError> {
    let values = |facet| -> Result<Vec<String>, StoreError> {
        let values = facets::values(connection, facet, MAX_VALUES)?;
        Ok(values.into_iter().map(|value| value.value).collect())
    };
    Ok(Known {
        tags: values(Facet::Tag)?,
        models: values(Facet::Model)?,
        services: values(Facet::Service)?,
        names: values(Facet::Name)?,
    })
}
