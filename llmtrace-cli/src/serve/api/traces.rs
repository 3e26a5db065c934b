//! Traces: the list, and one with its spans.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use llmtrace::TraceId;
use llmtrace_exporters::write_line;
use rusqlite::Connection;
use serde_json::json;

use crate::serve::app::App;
use crate::serve::filter::{FILTER, PAGE, Wanted};
use crate::serve::json::{self, Json};
use crate::serve::params::{self, Params};
use crate::serve::problem::Problem;
use crate::store::error::StoreError;
use crate::store::{list, trace};

/// Bytes of spans in one answer; what is left comes with the next.
const MAX_BYTES: usize = 32 << 20;

/// How long reading for one answer may take; what is left comes with the next.
const TIME: Duration = Duration::from_secs(6);

/// `GET /api/traces`
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json, Problem> {
    let wanted = Wanted::read(&params.only(&[FILTER, PAGE])?)?;
    let page = app.read(move |connection| {
        list::list(connection, &wanted.filter, wanted.sort, wanted.after, wanted.limit)
    });
    let page = page.await?;
    let traces: Vec<_> = page.traces.iter().map(json::trace).collect();
    let after = page.after.map(|after| after.to_string());
    Ok(Json(json!({"traces": traces, "after": after, "is_cut": page.is_cut})))
}

/// `GET /api/traces/{trace_id}`
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(trace_id): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    let trace_id = params::trace_id(&trace_id)?;
    let after = params.only(&[&["after"]])?.parsed("after", "what the answer before gave as after")?;
    let body = app.read(move |connection| spans(connection, trace_id, after.unwrap_or(0))).await?;
    let body = body.ok_or_else(|| Problem::missing(format!("there is no trace {trace_id}")))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// The answer: the spans from number `first` on, as many as fit.
fn spans(connection: &Connection, trace_id: TraceId, first: usize) -> Result<Option<Vec<u8>>, StoreError> {
    let mut body = format!("{{\"trace_id\":\"{trace_id}\",\"spans\":[").into_bytes();
    let (start, mut number, mut next) = (body.len(), first, None);
    let end = Instant::now() + TIME;
    let read = trace::records_in(connection, trace_id, first..usize::MAX, &mut |span| {
        let before = body.len();
        // One span always fits, so that the asker comes forward.
        let is_first = before == start;
        if !is_first && Instant::now() >= end {
            next = Some(number);
            // The rest need not be read.
            return Err(StoreError::Closed);
        }
        if !is_first {
            body.push(b',');
        }
        write_line(&span, &mut body);
        // Its newline.
        body.pop();
        if body.len() > MAX_BYTES && !is_first {
            body.truncate(before);
            next = Some(number);
            return Err(StoreError::Closed);
        }
        number += 1;
        Ok(())
    });
    match read {
        Err(StoreError::Closed) if next.is_some() => {}
        read => {
            if !read? {
                return Ok(None);
            }
        }
    }
    let next = next.map_or_else(|| "null".to_owned(), |next| format!("\"{next}\""));
    body.extend_from_slice(format!("],\"after\":{next}}}").as_bytes());
    Ok(Some(body))
}
