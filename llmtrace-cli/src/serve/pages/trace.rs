//! The page of one trace.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use llmtrace::Timestamp;

use super::{PART, rendered};
use crate::pages::scores::form::score_form;
use crate::pages::trace::{self as page_of, TraceView};
use crate::serve::api::spans::line;
use crate::serve::app::App;
use crate::serve::html::Html;
use crate::serve::params::{self, Params};
use crate::serve::problem::Problem;
use crate::store::facets::{self, Facet};
use crate::store::{scores, trace};

const STATE: &[&str] = &["span", "tab", "from"];

/// Names of scores that the form knows.
const SCORE_NAMES: usize = 50;

/// `GET /traces/{trace_id}`
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path(trace_id): Path<String>,
    params: Params,
) -> Result<Html, Problem> {
    let trace_id = params::trace_id(&trace_id)?;
    let params = params.only(&[STATE, PART])?;
    params.span("span")?;
    let query = params.0.without(PART);
    let state = query.clone();
    let found = app.read(move |connection| {
        let Some(stored) = trace::load(connection, trace_id)? else { return Ok(None) };
        let span = match page_of::chosen_span(&state, &stored.spans) {
            Some(span) => trace::record(connection, trace_id, span)?,
            None => None,
        };
        let names = facets::values(connection, Facet::Score, SCORE_NAMES)?;
        Ok(Some((stored, span, scores::of_trace(connection, trace_id)?, names)))
    });
    let missing = || Problem::missing(format!("there is no trace {trace_id}"));
    let (stored, span, scores, names) = found.await?.ok_or_else(missing)?;
    let names: Vec<_> = names.into_iter().map(|name| name.value).collect();
    let score_form = span.as_ref().map(|span| score_form(trace_id, span.span_id, &names));
    let view = TraceView {
        trace: &stored.row,
        spans: &stored.spans,
        span: span.as_ref(),
        scores: &scores,
        score_form: &score_form.unwrap_or_default(),
        query: &query,
        now: Timestamp::now(),
    };
    rendered(&params, || page_of::page(&view), |name| page_of::part(&view, name))
}

/// `GET /traces/{trace_id}/spans/{span_id}`: all of a span, to be downloaded.
pub(super) async fn span(
    State(app): State<Arc<App>>,
    Path((trace_id, span_id)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&[])?;
    let (trace_id, span_id) = (params::trace_id(&trace_id)?, params::span_id(&span_id)?);
    let line = line(&app, trace_id, span_id).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"span-{span_id}.json\"")),
    ];
    Ok((headers, line).into_response())
}
