//! Calls over time.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use llmtrace::Timestamp;
use serde_json::{Value, json};

use crate::serve::app::App;
use crate::serve::json::{self, Json};
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::dashboard::{self, Dashboard, DashboardBy, DashboardGroup, DashboardQuery, GroupKey};

/// What the dashboard can be asked.
pub(crate) const PARAMETERS: &[&str] = &["by", "since", "until", "model", "provider", "service"];

/// How far back the dashboard looks where it is not said.
const USUAL: Duration = Duration::from_secs(24 * 3_600);

/// `GET /api/dashboard`
pub(crate) async fn dashboard(State(app): State<Arc<App>>, params: Params) -> Result<Json, Problem> {
    let query = query(&params.only(&[PARAMETERS])?)?;
    let by = name(query.by);
    let found = app.read(move |connection| dashboard::dashboard(connection, &query)).await?;
    Ok(Json(shown(by, &found)))
}

/// Reads the parameters.
pub(crate) fn query(params: &Params) -> Result<DashboardQuery, Problem> {
    let until = params.time("until")?.unwrap_or_else(Timestamp::now);
    let usual = until.unix_nanos().saturating_sub(u64::try_from(USUAL.as_nanos()).unwrap_or(u64::MAX));
    let since = params.time("since")?.unwrap_or(Timestamp::from_unix_nanos(usual));
    if since >= until {
        let since = params.text("since").unwrap_or_default();
        return Err(Problem::parameter("since", &since, "a time before until, or before now"));
    }
    Ok(DashboardQuery {
        since,
        until,
        by: params.word("by", "model, provider, service or user", by)?.unwrap_or_default(),
        model: params.text("model"),
        provider: params.text("provider"),
        service: params.text("service"),
    })
}

fn shown(by: &str, dashboard: &Dashboard) -> Value {
    let points = |points: &[crate::store::sums::Sums]| points.iter().map(json::sums).collect::<Vec<_>>();
    let group = |group: &DashboardGroup| {
        let (key, is_rest) = match &group.key {
            GroupKey::Named(name) => (Some(name.as_str()), false),
            GroupKey::Unnamed => (None, false),
            GroupKey::Others => (None, true),
        };
        json!({"key": key, "is_rest": is_rest, "total": json::sums(&group.total), "points": points(&group.points)})
    };
    json!({
        "by": by,
        "first": dashboard.first,
        "step_s": dashboard.step.as_secs(),
        "total": json::sums(&dashboard.total),
        "points": points(&dashboard.points),
        "groups": dashboard.groups.iter().map(group).collect::<Vec<_>>(),
    })
}

/// What calls are told apart by, under this name.
pub(crate) fn by(text: &str) -> Option<DashboardBy> {
    let all = [DashboardBy::Model, DashboardBy::Provider, DashboardBy::Service, DashboardBy::User];
    all.into_iter().find(|by| name(*by) == text)
}

fn name(by: DashboardBy) -> &'static str {
    match by {
        DashboardBy::Model => "model",
        DashboardBy::Provider => "provider",
        DashboardBy::Service => "service",
        DashboardBy::User => "user",
    }
}
