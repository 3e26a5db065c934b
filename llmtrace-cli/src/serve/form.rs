//! Small bodies that people and programs send.

use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use http_body::Body as _;

use super::problem::Problem;
use crate::pages::query::Query;

/// The fields of a form, or the members of a JSON object.
#[derive(Debug)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    /// Whether a page sent it.
    pub(crate) is_of_page: bool,
}

/// Longest body, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// How long a body may take to come.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Form {
    /// A field; `None` where it is missing or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The names of the fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    fn of_json(body: &[u8]) -> Result<Self, Problem> {
        let wrong = |why: String| Problem::new(StatusCode::BAD_REQUEST, why);
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body)
            .map_err(|error| wrong(format!("the body is no JSON object: {error}")))?;
        let mut fields = Vec::new();
        for (name, value) in json {
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => fields.push((name, text)),
                serde_json::Value::Number(number) => fields.push((name, number.to_string())),
                other => return Err(Problem::parameter(&name, &other.to_string(), "a text or a number")),
            }
        }
        Ok(Self { fields, is_of_page: false })
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let body = tokio::time::timeout(TIMEOUT, small_body(request.into_body())).await;
        let body =
            body.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long"))??;
        match kind.as_str() {
            "application/x-www-form-urlencoded" => {
                let fields = Query::parse(&String::from_utf8_lossy(&body));
                let fields = fields.pairs().map(|(name, value)| (name.to_owned(), value.to_owned()));
                Ok(Self { fields: fields.collect(), is_of_page: true })
            }
            "application/json" => Self::of_json(&body),
            _ => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send application/json, or application/x-www-form-urlencoded",
            )),
        }
    }
}

async fn small_body(mut body: Body) -> Result<Vec<u8>, Problem> {
    let mut all = Vec::new();
    while let Some(chunk) = next_chunk(&mut body).await? {
        if all.len() + chunk.len() > MAX_BYTES {
            let detail = format!("the body is longer than {} KiB", MAX_BYTES >> 10);
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

/// The next bytes of a body; `None` at its end.
pub(crate) async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Problem::new(StatusCode::BAD_REQUEST, "the body broke off")),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}
