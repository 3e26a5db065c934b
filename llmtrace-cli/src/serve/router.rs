//! Which path leads where.

use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};

use super::app::App;
use super::guard::{self, login};
use super::problem::Problem;
use super::{api, assets, pages, receive};

/// All that the server answers to.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .merge(pages::routes())
        .route("/healthz", get(health))
        .route("/v1/traces", post(receive::traces))
        .route("/v1/{signal}", post(receive::other))
        .merge(api::routes())
        .route("/assets/{name}", get(assets::file))
        .route("/login", get(login::page).post(login::submit))
        .route("/logout", post(login::leave))
        .fallback(missing)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), guard::pass))
        .with_state(Arc::clone(app))
}

/// Whether the server answers at all.
async fn health() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], "{\"status\":\"ok\"}").into_response()
}

async fn missing(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::missing(format!("there is nothing at {path}"))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{path} does not take {method}"))
}
