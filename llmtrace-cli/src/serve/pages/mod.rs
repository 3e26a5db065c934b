//! The web pages' routes: what a page needs is read of the store, and handed to the page's function.

mod circuit;
mod compare;
mod dashboard;
mod dataset;
mod findings;
mod scores;
mod sessions;
mod trace;
mod traces;

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use llmtrace::Timestamp;
use maud::Markup;
use rusqlite::Connection;

use super::app::App;
use super::html::Html;
use super::params::Params;
use super::problem::Problem;
use crate::store::error::StoreError;
use crate::store::filter::{Sort, TraceFilter};
use crate::store::list;

/// The routes of the pages.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(async || Redirect::temporary("/traces")))
        .route("/traces", get(traces::page))
        .route("/traces/{trace_id}", get(trace::page))
        .route("/traces/{trace_id}/spans/{span_id}", get(trace::span))
        .route("/traces/{trace_id}/spans/{span_id}/graph", get(circuit::page))
        .route("/traces/{trace_id}/spans/{span_id}/graph.json", get(circuit::json))
        .route("/traces/{trace_id}/spans/{span_id}/graph.svg", get(circuit::svg))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{session}", get(sessions::one))
        .route("/dashboard", get(dashboard::page))
        .route("/findings", get(findings::page))
        .route("/compare", get(compare::page))
        .route("/scores", get(scores::page))
        .route("/dataset", get(dataset::page))
}

/// What every page may be asked for: a part of it instead of the whole.
const PART: &[&str] = &["part"];

/// The whole page, or the part that is asked for.
fn rendered(
    params: &Params,
    whole: impl FnOnce() -> Markup,
    part: impl FnOnce(&str) -> Option<Markup>,
) -> Result<Html, Problem> {
    // Large traces take a while to draw.
    tokio::task::block_in_place(|| match params.0.get("part") {
        None => Ok(Html(whole())),
        Some(name) => {
            part(name).map(Html).ok_or_else(|| Problem::parameter("part", name, "a part of this page"))
        }
    })
}

/// When the oldest trace started; `None` where there is none.
fn oldest(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let page = list::list(connection, &TraceFilter::default(), Sort::Oldest, None, 1)?;
    Ok(page.traces.first().map(|trace| trace.start))
}
