//! The files of the pages, which come with the program.

use axum::extract::{Path, RawQuery};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::problem::Problem;
use crate::pages::assets;

/// A file with the hash of its content in its address never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Answers with a file.
pub(crate) async fn file(Path(name): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let asset = assets::find(&name).ok_or_else(|| Problem::missing("there is no such file"))?;
    let is_named_by_hash = query.is_some_and(|query| asset.url().ends_with(&format!("?{query}")));
    let keep = if is_named_by_hash { FOR_EVER } else { "no-store" };
    Ok(([(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, keep)], asset.body)
        .into_response())
}
