//! The page of what stands out.

use std::sync::Arc;

use axum::extract::State;
use llmtrace::Timestamp;

use super::dashboard::{RANGE, moments};
use super::{PART, oldest, rendered};
use crate::pages::findings::{self as page_of, FindingsView};
use crate::pages::range::Range;
use crate::serve::app::App;
use crate::serve::html::Html;
use crate::serve::params::Params;
use crate::serve::problem::Problem;

const STATE: &[&str] = &["severity", "rule", "model", "service"];

/// `GET /findings`
pub(super) async fn page(State(app): State<Arc<App>>, params: Params) -> Result<Html, Problem> {
    let params = params.only(&[STATE, RANGE, PART])?;
    let (query, moments) = (params.0.without(PART), moments(&params)?);
    let oldest = app.read(oldest).await?;
    let (now, known) = (Timestamp::now(), app.analysis.known());
    let range = Range::read(&moments, now, oldest);
    let view = FindingsView {
        query: &query,
        range,
        findings: &known.between(range.since, range.until),
        spans: known.spans,
        is_cut: known.is_cut_at(range.since),
        now,
        endpoint: &app.url,
        has_traces: oldest.is_some(),
    };
    rendered(&params, || page_of::page(&view), |name| page_of::part(&view, name))
}
