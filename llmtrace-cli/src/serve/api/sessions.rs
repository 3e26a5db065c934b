//! Sessions: the list, and one with its traces.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::json;

use crate::serve::app::App;
use crate::serve::filter::{USUAL_LIMIT, cursor};
use crate::serve::json::{self, Json};
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::list::MAX_LIMIT;
use crate::store::sessions;

const PAGE: &[&str] = &["limit", "after"];

/// `GET /api/sessions`
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json, Problem> {
    let params = params.only(&[PAGE])?;
    let (after, limit) = (cursor(&params)?, params.limit(USUAL_LIMIT, MAX_LIMIT)?);
    let page = app.read(move |connection| sessions::list(connection, after, limit)).await?;
    let sessions: Vec<_> = page.sessions.iter().map(json::session).collect();
    let after = page.after.map(|after| after.to_string());
    Ok(Json(json!({"sessions": sessions, "after": after})))
}

/// `GET /api/sessions/{session}`
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(session): Path<String>,
    params: Params,
) -> Result<Json, Problem> {
    let params = params.only(&[PAGE])?;
    let (after, limit) = (cursor(&params)?, params.limit(USUAL_LIMIT, MAX_LIMIT)?);
    let found = app.read(move |connection| {
        let row = sessions::load(connection, &session)?;
        let traces = sessions::traces(connection, &session, after, limit)?;
        Ok(row.map(|row| (row, traces)))
    });
    let (row, (traces, after)) =
        found.await?.ok_or_else(|| Problem::missing("there is no session of this name"))?;
    let traces: Vec<_> = traces.iter().map(json::trace).collect();
    let after = after.map(|after| after.to_string());
    Ok(Json(json!({"session": json::session(&row), "traces": traces, "after": after})))
}
