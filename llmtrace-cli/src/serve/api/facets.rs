//! What traces can be filtered by.

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Map, Value, json};

use crate::serve::app::App;
use crate::serve::json::Json;
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::facets::{self, Facet};

/// Values of one facet, at most, and where it is not said.
const MAX_LIMIT: usize = 1_000;
const USUAL_LIMIT: usize = 50;

const ALL: [(&str, Facet); 11] = [
    ("model", Facet::Model),
    ("provider", Facet::Provider),
    ("service", Facet::Service),
    ("session", Facet::Session),
    ("user", Facet::User),
    ("tag", Facet::Tag),
    ("environment", Facet::Environment),
    ("kind", Facet::Kind),
    ("status", Facet::Status),
    ("name", Facet::Name),
    ("score", Facet::Score),
];

/// `GET /api/facets`
pub(crate) async fn facets(State(app): State<Arc<App>>, params: Params) -> Result<Json, Problem> {
    let params = params.only(&[&["facet", "limit"]])?;
    let limit = params.limit(USUAL_LIMIT, MAX_LIMIT)?;
    let names = ALL.map(|(name, _)| name).join(", ");
    let wanted = params.word("facet", &names, |text| ALL.into_iter().find(|(name, _)| *name == text))?;
    let wanted = wanted.map_or_else(|| ALL.to_vec(), |facet| vec![facet]);
    let found = app.read(move |connection| {
        let values = wanted.into_iter().map(|(name, facet)| {
            let values = facets::values(connection, facet, limit)?;
            let values =
                values.into_iter().map(|value| json!({"value": value.value, "traces": value.traces}));
            Ok((name.to_owned(), values.collect()))
        });
        values.collect::<Result<Map<_, Value>, _>>()
    });
    Ok(Json(json!({"facets": found.await?})))
}
