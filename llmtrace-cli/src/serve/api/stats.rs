//! What calls add up to.

use std::sync::Arc;

use axum::extract::State;
use serde_json::json;

use crate::serve::app::App;
use crate::serve::json::{self, Json};
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::stats::{self, StatsBy};

/// `GET /api/stats`
pub(crate) async fn stats(State(app): State<Arc<App>>, params: Params) -> Result<Json, Problem> {
    let params = params.only(&[&["by", "since", "until"]])?;
    let by = params.word("by", "model, provider, service, session, user or day", by)?.unwrap_or_default();
    let (since, until) = (params.time("since")?, params.time("until")?);
    let groups = app.read(move |connection| stats::stats(connection, by, since, until)).await?;
    let groups = groups.iter().map(|group| {
        let mut json = json::sums(&group.sums);
        json[name(by)] = group.key.as_deref().into();
        json
    });
    let groups: Vec<_> = groups.collect();
    Ok(Json(json!({"by": name(by), "groups": groups})))
}

const ALL: [StatsBy; 6] =
    [StatsBy::Model, StatsBy::Provider, StatsBy::Service, StatsBy::Session, StatsBy::User, StatsBy::Day];

fn by(text: &str) -> Option<StatsBy> {
    ALL.into_iter().find(|by| name(*by) == text)
}

fn name(by: StatsBy) -> &'static str {
    match by {
        StatsBy::Model => "model",
        StatsBy::Provider => "provider",
        StatsBy::Service => "service",
        StatsBy::Session => "session",
        StatsBy::User => "user",
        StatsBy::Day => "day",
    }
}
