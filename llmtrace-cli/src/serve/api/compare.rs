//! Two traces, or two sets of spans, side by side.

use std::sync::Arc;

use axum::extract::State;
use serde_json::Value;

use crate::pages::compare::asked::Asked;
use crate::serve::app::App;
use crate::serve::comparison::{self, Compared, PARAMETERS};
use crate::serve::json::Json;
use crate::serve::params::Params;
use crate::serve::problem::Problem;

/// `GET /api/compare`
pub(crate) async fn compare(State(app): State<Arc<App>>, params: Params) -> Result<Json, Problem> {
    let params = params.only(&[PARAMETERS])?;
    let read = match comparison::asked(&params)? {
        Asked::Traces(a, b) => app.read(move |connection| comparison::traces(connection, [a, b])).await,
        Asked::Groups(asked) => app.read(move |connection| comparison::groups(connection, &asked)).await,
        Asked::Nothing | Asked::First(_) | Asked::Wrong(_) => Err(Problem::wrong(
            "name two traces by a and b, or two sets of spans by a_tag, a_model, a_service, a_name, a_since, \
             a_until and the same with b",
        )),
    };
    let (compared, is_cut) = read?;
    let json = match compared {
        Compared::Traces(compared) => serde_json::to_value(*compared),
        Compared::Groups(compared) => serde_json::to_value(*compared),
        Compared::Missing(id) => return Err(Problem::missing(format!("there is no trace {id}"))),
    };
    let mut json = json.map_err(|error| Problem::broken(error.to_string()))?;
    if let Value::Object(members) = &mut json {
        members.insert("is_cut".to_owned(), is_cut.into());
    }
    Ok(Json(json))
}
