//! What stands out.

use std::sync::Arc;

use axum::extract::State;
use clap::ValueEnum as _;
use llmtrace::Timestamp;
use serde_json::json;

use crate::findings::Severity;
use crate::serve::app::App;
use crate::serve::json::Json;
use crate::serve::params::Params;
use crate::serve::problem::Problem;

/// Findings of an answer, at most, and where it is not said.
const MAX_LIMIT: usize = 10_000;
const USUAL_LIMIT: usize = 500;

/// `GET /api/findings`
pub(crate) async fn findings(State(app): State<Arc<App>>, params: Params) -> Result<Json, Problem> {
    let params = params.only(&[&["severity", "rule", "trace", "since", "until", "limit"]])?;
    let severity =
        params.word("severity", "info, warning or critical", |text| Severity::from_str(text, false).ok())?;
    let (rule, trace) = (params.text("rule"), params.trace("trace")?);
    let (since, until) = (params.time("since")?, params.time("until")?);
    let limit = params.limit(USUAL_LIMIT, MAX_LIMIT)?;
    let known = app.analysis.known();
    let latest = Timestamp::from_unix_nanos(u64::MAX);
    let mut found = known.between(since.unwrap_or_default(), until.unwrap_or(latest));
    found.retain(|finding| {
        severity.is_none_or(|least| finding.severity >= least)
            && rule.as_ref().is_none_or(|rule| finding.rule == rule.as_str())
            && trace.is_none_or(|trace| finding.trace_id == Some(trace))
    });
    let left_out = found.len().saturating_sub(limit);
    found.truncate(limit);
    let is_cut = known.is_cut_at(since.unwrap_or_default());
    Ok(Json(json!({"findings": found, "left_out": left_out, "spans": known.spans, "is_cut": is_cut})))
}
