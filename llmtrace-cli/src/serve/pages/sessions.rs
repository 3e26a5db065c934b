//! The pages of sessions.

use std::sync::Arc;

use axum::extract::{Path, State};
use llmtrace::Timestamp;
use rusqlite::Connection;

use super::{PART, oldest, rendered};
use crate::pages::sessions::list::{self, SessionsView};
use crate::pages::sessions::one::{self, SessionView};
use crate::pages::sessions::turn::Turn;
use crate::serve::app::App;
use crate::serve::filter::{USUAL_LIMIT, cursor};
use crate::serve::html::Html;
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::error::StoreError;
use crate::store::list::MAX_LIMIT;
use crate::store::row::TraceRow;
use crate::store::{sessions, trace};

/// Turns of a page.
const TURNS: usize = 20;

/// Spans of a trace that is looked into for what was said; of larger ones the start of it is known.
const MAX_SPANS: u64 = 1_000;

/// `GET /sessions`
pub(super) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Html, Problem> {
    let params = params.only(&[&["limit", "after"], PART])?;
    let (after, limit) = (cursor(&params)?, params.limit(USUAL_LIMIT, MAX_LIMIT)?);
    let found = app.read(move |connection| {
        Ok((sessions::list(connection, after, limit)?, oldest(connection)?.is_some()))
    });
    let (page, has_traces) = found.await?;
    let query = params.0.without(PART);
    let view =
        SessionsView { query: &query, page: &page, now: Timestamp::now(), endpoint: &app.url, has_traces };
    rendered(&params, || list::page(&view), |name| list::part(&view, name))
}

/// `GET /sessions/{session}`
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(session): Path<String>,
    params: Params,
) -> Result<Html, Problem> {
    let params = params.only(&[&["after", "before"], PART])?;
    let (after, before) = (cursor(&params)?, params.parsed("before", "how many turns came before")?);
    let found = app.read(move |connection| {
        let Some(row) = sessions::load(connection, &session)? else { return Ok(None) };
        let (traces, after) = sessions::traces(connection, &session, after, TURNS)?;
        let turns = traces.into_iter().map(|trace| turn(connection, trace));
        Ok(Some((row, turns.collect::<Result<Vec<_>, _>>()?, after)))
    });
    let missing = || Problem::missing("there is no session of this name");
    let (session, turns, after) = found.await?.ok_or_else(missing)?;
    let after = after.map(|after| after.to_string());
    let view = SessionView {
        session: &session,
        turns: &turns,
        before: before.unwrap_or(0),
        after: after.as_deref(),
        now: Timestamp::now(),
    };
    rendered(&params, || one::page(&view), |name| one::part(&view, name))
}

fn turn(connection: &Connection, row: TraceRow) -> Result<Turn, StoreError> {
    if !row.has_root || row.spans > MAX_SPANS {
        return Ok(Turn::of_row(row));
    }
    let spans = trace::load(connection, row.trace_id)?.map_or_else(Vec::new, |stored| stored.spans);
    let root = spans.iter().find(|span| span.parent.is_none() || span.parent_is_remote);
    let root = root.map(|root| trace::record(connection, row.trace_id, root.span_id));
    Ok(match root.transpose()?.flatten() {
        Some(root) => Turn::of_root(row, &root),
        None => Turn::of_row(row),
    })
}
