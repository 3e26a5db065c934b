//! The description of the API.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// `GET /api/openapi.json`
pub(crate) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}
