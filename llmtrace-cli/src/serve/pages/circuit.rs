//! The attribution graph of a span: its page, its data, its drawing.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use llmtrace::SpanRecord;
use llmtrace_lens::circuit::write::GraphFile;
use llmtrace_lens::report::Picture as _;

use crate::pages::circuit::{self as page_of, graph_of};
use crate::serve::app::App;
use crate::serve::html::Html;
use crate::serve::params::{self, Params};
use crate::serve::problem::Problem;
use crate::store::trace;

/// `GET /traces/{trace_id}/spans/{span_id}/graph`
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(ids): Path<(String, String)>,
    params: Params,
) -> Result<Html, Problem> {
    let span = span(&app, ids, params).await?;
    tokio::task::block_in_place(|| Ok(Html(page_of::page(&span, &GraphFile::read(written(&span)?)))))
}

/// `GET /traces/{trace_id}/spans/{span_id}/graph.json`: the graph as it was written.
pub(super) async fn json(
    State(app): State<Arc<App>>,
    Path(ids): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let span = span(&app, ids, params).await?;
    let text = written(&span)?.to_owned();
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// `GET /traces/{trace_id}/spans/{span_id}/graph.svg`: the graph as a drawing.
pub(super) async fn svg(
    State(app): State<Arc<App>>,
    Path(ids): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let span = span(&app, ids, params).await?;
    let drawn = tokio::task::block_in_place(|| {
        let graph = GraphFile::read(written(&span)?).map_err(|error| Problem::missing(error.to_string()))?;
        graph.picture().map_err(|error| Problem::missing(error.to_string())).map(|picture| picture.to_svg())
    })?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], drawn).into_response())
}

async fn span(app: &Arc<App>, ids: (String, String), params: Params) -> Result<SpanRecord, Problem> {
    params.only(&[])?;
    let (trace_id, span_id) = (params::trace_id(&ids.0)?, params::span_id(&ids.1)?);
    let span = app.read(move |connection| trace::record(connection, trace_id, span_id)).await?;
    span.ok_or_else(|| Problem::missing(format!("there is no span {span_id} in {trace_id}")))
}

fn written(span: &SpanRecord) -> Result<&str, Problem> {
    graph_of(span).ok_or_else(|| {
        Problem::missing(format!(
            "the span {} has no attribute llmtrace.lens.graph that is a text",
            span.span_id
        ))
    })
}
