//! Judgements of spans.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;

use crate::serve::app::App;
use crate::serve::form::Form;
use crate::serve::json::Json;
use crate::serve::params;
use crate::serve::problem::Problem;
use crate::store::scores::NewScore;

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Longest comment, in characters.
const MAX_COMMENT_CHARS: usize = 10_000;

/// `POST /api/spans/{trace_id}/{span_id}/scores`; a page's form is sent back to its span.
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Path((trace_id, span_id)): Path<(String, String)>,
    form: Form,
) -> Result<Response, Problem> {
    let (trace, span) = (params::trace_id(&trace_id)?, params::span_id(&span_id)?);
    let score = read(&form)?;
    let answer = json!({"name": score.name, "value": score.value, "comment": score.comment});
    let added = tokio::task::spawn_blocking(move || app.store.add_score(trace, span, score)).await;
    added.map_err(|_| Problem::broken("the score could not be stored"))??;
    if form.is_of_page {
        return Ok(Redirect::to(&format!("/traces/{trace}?span={span}&tab=scores")).into_response());
    }
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn read(form: &Form) -> Result<NewScore, Problem> {
    if let Some(unknown) = form.names().find(|name| !["name", "value", "comment"].contains(name)) {
        return Err(Problem::parameter(
            unknown,
            form.text(unknown).unwrap_or_default(),
            "name, value or comment",
        ));
    }
    let expected = "a name of at most 200 characters";
    let name = form.text("name").map(str::trim).filter(|name| !name.is_empty());
    let name = name.filter(|name| name.chars().count() <= MAX_NAME_CHARS);
    let name =
        name.ok_or_else(|| Problem::parameter("name", form.text("name").unwrap_or_default(), expected))?;
    let stated = form.text("value").unwrap_or_default();
    let value = match stated.trim() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        number => number.parse::<f64>().ok().filter(|value| value.is_finite()),
    };
    let value = value.ok_or_else(|| Problem::parameter("value", stated, "a number such as 0.5"))?;
    let comment = form.text("comment").map(str::to_owned);
    match comment {
        Some(comment) if comment.chars().count() > MAX_COMMENT_CHARS => {
            Err(Problem::parameter("comment", &comment, "at most 10,000 characters"))
        }
        comment => Ok(NewScore { name: name.to_owned(), value, comment }),
    }
}
