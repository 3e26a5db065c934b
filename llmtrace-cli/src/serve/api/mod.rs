//! The JSON API.

pub(crate) mod compare;
pub(crate) mod dashboard;
pub(crate) mod dataset;
pub(crate) mod facets;
pub(crate) mod findings;
pub(crate) mod openapi;
pub(crate) mod scores;
pub(crate) mod sessions;
pub(crate) mod spans;
pub(crate) mod stats;
pub(crate) mod traces;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::app::App;
use super::live;

/// The routes of the API; each is described in `openapi.json`.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/traces", get(traces::list))
        .route("/api/traces/{trace_id}", get(traces::one))
        .route("/api/spans/{trace_id}/{span_id}", get(spans::one))
        .route("/api/spans/{trace_id}/{span_id}/scores", post(scores::add))
        .route("/api/sessions", get(sessions::list))
        .route("/api/sessions/{session}", get(sessions::one))
        .route("/api/stats", get(stats::stats))
        .route("/api/dashboard", get(dashboard::dashboard))
        .route("/api/facets", get(facets::facets))
        .route("/api/findings", get(findings::findings))
        .route("/api/compare", get(compare::compare))
        .route("/api/dataset", get(dataset::dataset))
        .route("/api/live", get(live::events))
        .route("/api/openapi.json", get(openapi::document))
}
