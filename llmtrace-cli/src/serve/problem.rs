//! Why a request is not answered as it was asked.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A problem as RFC 9457 describes it: `application/problem+json` for programs, a page for people.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// What is wrong, and what would be right.
    pub(crate) detail: String,
    /// The query parameter or the member of the body that is wrong.
    pub(crate) parameter: Option<String>,
    /// Seconds after which it is worth to try again.
    pub(crate) retry_after: Option<u32>,
}

/// Longest value that an answer repeats, in characters.
const MAX_SHOWN_CHARS: usize = 64;

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), parameter: None, retry_after: None }
    }

    /// A query parameter, or a member of the body, has a wrong value.
    pub(crate) fn parameter(name: &str, value: &str, expected: &str) -> Self {
        let shown: String = value.chars().take(MAX_SHOWN_CHARS).collect();
        let name: String = name.chars().take(MAX_SHOWN_CHARS).collect();
        let detail = format!("{name}: expected {expected}, found {shown:?}");
        Self { parameter: Some(name), ..Self::new(StatusCode::BAD_REQUEST, detail) }
    }

    /// The request is not what it should be.
    pub(crate) fn wrong(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// There is no such thing.
    pub(crate) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// It may work a little later.
    pub(crate) fn busy(detail: impl Into<String>, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// Something failed here, which the asker cannot mend.
    pub(crate) fn broken(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// The status in words.
    pub(crate) fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Problem")
    }
}

/// The answer is JSON; the problem goes with it, so that it can be shown as a page instead.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({"title": self.title(), "status": self.status.as_u16(), "detail": self.detail});
        if let Some(parameter) = &self.parameter {
            body["parameter"] = parameter.as_str().into();
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}
