//! Files of the pages: they come with the program.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// A file that pages load.
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}
