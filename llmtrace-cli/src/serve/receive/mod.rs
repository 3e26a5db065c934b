//! `POST /v1/traces`: spans over OTLP/HTTP.

mod body;
mod kind;
mod refusal;
pub(crate) mod room;

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use llmtrace_exporters::Protocol;

use self::kind::Packing;
use self::refusal::{Refusal, accepted};
use self::room::Place;
use super::app::App;
use super::problem::Problem;

/// What was made of a request.
struct Taken {
    rejected: u64,
    /// Why spans were refused.
    message: String,
}

/// Takes spans, and answers when they are on disk (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>).
pub(crate) async fn traces(State(app): State<Arc<App>>, request: Request) -> Response {
    let protocol = match kind::protocol(request.headers()) {
        Ok(protocol) => protocol,
        Err(expected) => return Refusal::unsupported(expected).answer(Protocol::Json),
    };
    match take(app, protocol, request).await {
        Ok(taken) => accepted(protocol, taken.rejected, &taken.message),
        Err(refusal) => refusal.answer(protocol),
    }
}

/// Says to exporters of logs and metrics how to stop.
pub(crate) async fn other(Path(signal): Path<String>) -> Problem {
    let signal: String = signal.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let detail = format!(
        "this server takes traces only; OTEL_{}_EXPORTER=none stops a program from sending them",
        signal.to_ascii_uppercase()
    );
    Problem::new(StatusCode::NOT_FOUND, detail)
}

async fn take(app: Arc<App>, protocol: Protocol, request: Request) -> Result<Taken, Refusal> {
    let packing = kind::packing(request.headers()).map_err(Refusal::unsupported)?;
    let body = request.into_body();
    let announced = body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let mut place = app.room.place();
    let body = body::read(body, announced, &mut place).await?;
    let stored = tokio::task::spawn_blocking(move || store(&app, protocol, packing, body, place)).await;
    stored.unwrap_or_else(|_| Err(Refusal::busy("the spans could not be stored")))
}

fn store(
    _app: &App,
    _protocol: Protocol,
    packing: Packing,
    body: Vec<u8>,
    mut place: Place,
) -> Result<Taken, Refusal> {
    let _body = body::unpack(body, packing, body::MAX_BYTES, &mut place)?;
    Ok(Taken { rejected: 0, message: String::new() })
}
