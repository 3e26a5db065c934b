//! One span in full.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use llmtrace::{SpanId, TraceId};
use llmtrace_exporters::write_line;

use crate::serve::app::App;
use crate::serve::params::{self, Params};
use crate::serve::problem::Problem;
use crate::store::trace;

/// `GET /api/spans/{trace_id}/{span_id}`
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path((trace_id, span_id)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&[])?;
    let line = line(&app, params::trace_id(&trace_id)?, params::span_id(&span_id)?).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], line).into_response())
}

/// All of a span, as a JSON line.
pub(in crate::serve) async fn line(
    app: &Arc<App>,
    trace_id: TraceId,
    span_id: SpanId,
) -> Result<Vec<u8>, Problem> {
    let span = app.read(move |connection| trace::record(connection, trace_id, span_id)).await?;
    let span = span.ok_or_else(|| Problem::missing(format!("there is no span {span_id} in {trace_id}")))?;
    let mut line = Vec::new();
    write_line(&span, &mut line);
    Ok(line)
}
